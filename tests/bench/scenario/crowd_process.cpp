#include "scenario/crowd_process.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/audience.h"
#include "scenario/publisher.h"
#include "scenario/scenarios.h"

namespace roomcast::bench {

namespace {

using Order = CrowdProcess::Order;
using Report = CrowdProcess::Report;

/// Reports while an order is carried out.
constexpr std::int64_t report_interval_ns = 200'000'000;

/// The other end of the channel: the process that has the clients.
class Ranks final : private Pollable {
 public:
  Ranks(int channel, const Target& target, std::size_t clients)
      : channel_(channel),
        audience_(clients),
        crowd_(poller_, target,
               {.kind = {}, .clients = clients, .path = [](std::size_t) { return one_room; }}, audience_),
        publisher_(poller_, target, one_room, min_message_bytes) {
    poller_.watch(channel_, *this);
  }

  /// Until the tool hangs up.
  void serve() {
    while (!over_) {
      poller_.turn(under_way_ ? report_next_ns_ : std::numeric_limits<std::int64_t>::max());
      if (under_way_ && (done() || now_ns() >= report_next_ns_)) say_how_far();
    }
  }

 private:
  void on_ready(std::uint32_t events) override;
  void carry_out(Order order);
  void ping_all();
  [[nodiscard]] bool done();
  void say_how_far();

  int channel_;
  Poller poller_;
  Audience audience_;
  Crowd crowd_;
  Publisher publisher_;
  Order order_ = Order::open;
  bool under_way_ = false;
  bool over_ = false;
  std::int64_t report_next_ns_ = 0;
  std::uint64_t pongs_before_ = 0;
};

void Ranks::on_ready(std::uint32_t /*events*/) {
  Order order{};
  for (;;) {
    const ssize_t size = recv(channel_, &order, sizeof order, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      over_ = true;
      return;
    }
    carry_out(order);
  }
}

void Ranks::carry_out(Order order) {
  order_ = order;
  under_way_ = true;
  report_next_ns_ = now_ns() + report_interval_ns;
  pongs_before_ = audience_.pongs();
  switch (order) {
    case Order::open:
      publisher_.crowd().start(0);
      crowd_.start_first(crowd_.size());
      break;
    case Order::ping:
      ping_all();
      break;
    case Order::publish:
      if (!publisher_.is_open()) break;
      publisher_.publish();
      audience_.expect_one_more();
      break;
    case Order::leave:
      publisher_.crowd().cut_all();
      crowd_.cut_all();
      break;
  }
}

void Ranks::ping_all() {
  for (std::size_t index = 0; index < crowd_.size(); ++index)
    crowd_[index].ping();
}

bool Ranks::done() {
  switch (order_) {
    case Order::open:
      return crowd_.under_way() == 0 && publisher_.crowd().under_way() == 0;
    case Order::ping:
      return audience_.pongs() - pongs_before_ >= crowd_.open();
    case Order::publish:
      return audience_.owed() == 0;
    case Order::leave:
      break;
  }
  return true;
}

void Ranks::say_how_far() {
  under_way_ = !done();
  report_next_ns_ = now_ns() + report_interval_ns;
  Measurement books;
  audience_.enter(books);
  Report report{.done = !under_way_,
                .open = static_cast<std::uint32_t>(crowd_.open()),
                .refused = books.refused + publisher_.refused(),
                .pongs = audience_.pongs() - pongs_before_,
                .deliveries = books.operations,
                .repeated = books.faults.repeated + books.faults.unstamped};
  std::snprintf(report.complaint, sizeof report.complaint, "%s", crowd_.first_complaint().c_str());
  (void)!send(channel_, &report, sizeof report, MSG_NOSIGNAL);
}

void be_the_process(int channel, const Target& target, std::size_t clients) {
  try {
    Ranks(channel, target, clients).serve();
  } catch (const std::exception& error) {
    Report report{.done = true, .broken = true};
    std::snprintf(report.complaint, sizeof report.complaint, "%s", error.what());
    (void)!send(channel, &report, sizeof report, MSG_NOSIGNAL);
  }
}

}  // namespace

CrowdProcess::CrowdProcess(const Target& target, std::size_t clients)
    : process_([&target, clients](int channel) { be_the_process(channel, target, clients); }) {}

void CrowdProcess::give(Order order) {
  report_.done = false;
  if (send(process_.channel(), &order, sizeof order, MSG_NOSIGNAL) < 0) {
    throw std::system_error(errno, std::generic_category(), "a process of clients is gone");
  }
}

const CrowdProcess::Report& CrowdProcess::report() {
  for (;;) {
    const ssize_t size = recv(process_.channel(), &report_, sizeof report_, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return report_;
    if (size <= 0) throw std::runtime_error("a process of clients has ended");
    if (report_.broken) throw std::runtime_error(report_.complaint);
  }
}

}  // namespace roomcast::bench
