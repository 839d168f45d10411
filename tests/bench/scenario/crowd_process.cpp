#include "scenario/crowd_process.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
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

namespace roomcast::bench {

namespace {

using Order = CrowdProcess::Order;
using Report = CrowdProcess::Report;

constexpr const char* room = "/rooms/bench";
/// Reports while an order is carried out.
constexpr std::int64_t report_interval_ns = 200'000'000;

/// The other end of the channel: the process that has the clients.
class Ranks final : private Pollable {
 public:
  Ranks(int channel, const Target& target, std::size_t clients)
      : channel_(channel),
        audience_(clients),
        crowd_(poller_, target, {.kind = {}, .clients = clients, .path = [](std::size_t) { return room; }},
               audience_),
        publisher_(poller_, target, room, min_message_bytes) {
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

[[noreturn]] void be_the_process(int channel, const Target& target, std::size_t clients, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
  close_range(3, static_cast<unsigned>(channel) - 1, 0);
  close_range(static_cast<unsigned>(channel) + 1, ~0U, 0);
  try {
    Ranks(channel, target, clients).serve();
  } catch (const std::exception& error) {
    Report report{.done = true, .broken = true};
    std::snprintf(report.complaint, sizeof report.complaint, "%s", error.what());
    (void)!send(channel, &report, sizeof report, MSG_NOSIGNAL);
  }
  // Not by way of exit(): what the tool has registered, and what its objects own, is the tool's.
  _exit(0);
}

}  // namespace

CrowdProcess::CrowdProcess(const Target& target, std::size_t clients) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) be_the_process(ends[1], target, clients, parent);
  const int error = errno;
  close(ends[1]);
  channel_ = ends[0];
  if (pid_ > 0) return;
  close(channel_);
  throw std::system_error(error, std::generic_category(), "fork");
}

CrowdProcess::~CrowdProcess() {
  close(channel_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void CrowdProcess::give(Order order) {
  report_.done = false;
  if (send(channel_, &order, sizeof order, MSG_NOSIGNAL) < 0) {
    throw std::system_error(errno, std::generic_category(), "a process of clients is gone");
  }
}

const CrowdProcess::Report& CrowdProcess::report() {
  for (;;) {
    const ssize_t size = recv(channel_, &report_, sizeof report_, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return report_;
    if (size <= 0) throw std::runtime_error("a process of clients has ended");
    if (report_.broken) throw std::runtime_error(report_.complaint);
  }
}

}  // namespace roomcast::bench
