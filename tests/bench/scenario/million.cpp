#include "scenario/million.h"

#include <poll.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "load/clock.h"
#include "scenario/crowd_process.h"
#include "scenario/stage.h"
#include "serve/kernel_limits.h"
#include "serve/process_facts.h"

namespace roomcast::bench {

namespace {

using Order = CrowdProcess::Order;
using Report = CrowdProcess::Report;

/// Of the limits, for what else a process has open, and for ports that others hold.
constexpr std::size_t reserved_descriptors = 200;
constexpr std::size_t reserved_ports = 1000;
/// Pairs of processes that connect at a time: as many as keep the CPUs busy, so that what is measured is not
/// the scheduler.
constexpr std::size_t pairs_at_once = 2;
constexpr int look_interval_ms = 200;
constexpr std::int64_t tell_interval_ns = 1'000'000'000;

/// In bytes; nothing when it cannot be read, or a process has ended.
struct Memory {
  std::optional<std::int64_t> servers = 0;
  std::optional<std::int64_t> clients = 0;
  std::optional<std::int64_t> kernel = 0;
};

/// One that is not known makes the sum unknown.
void add_known(std::optional<std::int64_t>& sum, std::int64_t bytes) {
  if (bytes < 0) sum.reset();
  if (sum) *sum += bytes;
}

struct Pair {
  std::unique_ptr<ServerProcess> server;
  std::unique_ptr<CrowdProcess> crowd;  // goes first: its clients' ends
};

class Million {
 public:
  explicit Million(const MillionSettings& settings)
      : settings_(settings), deadline_ns_(now_ns() + settings.give_up_seconds * 1'000'000'000) {}

  Measurement run(const StartServer& start_server);

 private:
  void start_all(const StartServer& start_server);
  /// Gives the order to all, at most `at_once` at a time, and waits until it has been carried out.
  void order(Order order, std::size_t at_once, const char* what, std::uint64_t (*progress)(const Report&));
  void wait_for_reports();
  void watch_memory();
  [[nodiscard]] std::uint64_t sum(std::uint64_t (*of)(const Report&)) const;
  [[nodiscard]] Memory look() const;
  void report(const char* what, std::uint64_t done);
  void enter_memory(Measurement& measurement, const Memory& before, const Memory& after) const;

  const MillionSettings& settings_;
  std::int64_t deadline_ns_;
  std::int64_t tell_next_ns_ = now_ns() + tell_interval_ns;
  std::int64_t least_available_ = -1;
  std::vector<Pair> pairs_;
};

std::uint64_t open_of(const Report& report) { return report.open; }
std::uint64_t pongs_of(const Report& report) { return report.pongs; }
std::uint64_t deliveries_of(const Report& report) { return report.deliveries; }
std::uint64_t refused_of(const Report& report) { return report.refused; }
std::uint64_t repeated_of(const Report& report) { return report.repeated; }

void Million::start_all(const StartServer& start_server) {
  const std::size_t descriptors = descriptor_limit();
  const std::size_t ports = ports_to_connect_from();
  if (descriptors <= 2 * reserved_descriptors || ports <= 2 * reserved_ports) {
    throw std::runtime_error("too few descriptors (RLIMIT_NOFILE) or ports (net.ipv4.ip_local_port_range)");
  }
  const std::size_t each_at_most = std::min(descriptors - reserved_descriptors, ports - reserved_ports);
  const std::size_t count = (settings_.connections + each_at_most - 1) / each_at_most;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t clients = settings_.connections * (i + 1) / count - settings_.connections * i / count;
    Pair pair;
    pair.server = start_server();
    pair.crowd = std::make_unique<CrowdProcess>(pair.server->target(), clients);
    pairs_.push_back(std::move(pair));
    report("processes", i + 1);
  }
}

void Million::order(Order order, std::size_t at_once, const char* what,
                    std::uint64_t (*progress)(const Report&)) {
  std::size_t given = 0;
  std::size_t done = 0;
  while (done < pairs_.size()) {
    while (given < pairs_.size() && given - done < at_once)
      pairs_[given++].crowd->give(order);
    wait_for_reports();
    done = 0;
    for (std::size_t i = 0; i < given; ++i)
      done += pairs_[i].crowd->report().done ? 1 : 0;
    report(what, sum(progress));
    if (now_ns() >= deadline_ns_) {
      throw std::runtime_error("not done within " + std::to_string(settings_.give_up_seconds) +
                               " seconds: " + what + ", " + std::to_string(sum(progress)));
    }
  }
}

void Million::wait_for_reports() {
  std::vector<pollfd> channels;
  for (const Pair& pair : pairs_)
    channels.push_back({pair.crowd->descriptor(), POLLIN, 0});
  poll(channels.data(), channels.size(), look_interval_ms);
  watch_memory();
}

void Million::watch_memory() {
  const std::int64_t available = available_bytes();
  if (available < 0) return;
  least_available_ = least_available_ < 0 ? available : std::min(least_available_, available);
  if (available >= settings_.keep_free_bytes) return;
  throw std::runtime_error("stopped with " + std::to_string(sum(open_of)) + " connections open: less than " +
                           std::to_string(settings_.keep_free_bytes >> 20) +
                           " MiB of memory left (MemAvailable)");
}

std::uint64_t Million::sum(std::uint64_t (*of)(const Report&)) const {
  std::uint64_t total = 0;
  for (const Pair& pair : pairs_)
    total += of(pair.crowd->newest());
  return total;
}

Memory Million::look() const {
  Memory memory;
  for (const Pair& pair : pairs_) {
    add_known(memory.servers, resident_bytes(pair.server->target().pid));
    add_known(memory.clients, resident_bytes(pair.crowd->pid()));
  }
  add_known(memory.kernel, kernel_socket_bytes());
  return memory;
}

void Million::report(const char* what, std::uint64_t done) {
  if (!settings_.progress || now_ns() < tell_next_ns_) return;
  tell_next_ns_ = now_ns() + tell_interval_ns;
  settings_.progress(what, done, settings_.connections);
}

void Million::enter_memory(Measurement& measurement, const Memory& before, const Memory& after) const {
  const auto connections = static_cast<double>(std::max<std::uint64_t>(1, sum(open_of)));
  const auto enter = [&](const char* name, std::optional<std::int64_t> from, std::optional<std::int64_t> to) {
    if (from && to) measurement.figures.push_back({name, static_cast<double>(*to - *from) / connections});
  };
  enter("server_bytes", before.servers, after.servers);
  enter("client_bytes", 0, after.clients);
  enter("kernel_bytes", before.kernel, after.kernel);
}

Measurement Million::run(const StartServer& start_server) {
  Measurement measurement;
  measurement.expected = settings_.connections;
  start_all(start_server);
  const Memory before = look();

  const std::int64_t begun_ns = now_ns();
  order(Order::open, pairs_at_once, "connections", open_of);
  const std::int64_t open_ns = now_ns();
  const Memory after = look();
  order(Order::ping, pairs_.size(), "pongs", pongs_of);
  const std::uint64_t alive = sum(pongs_of);
  const std::int64_t published_ns = now_ns();
  order(Order::publish, pairs_.size(), "deliveries", deliveries_of);
  const std::int64_t delivered_ns = now_ns();

  measurement.wall_ns = delivered_ns - begun_ns;
  measurement.operations = sum(deliveries_of);
  measurement.refused = sum(refused_of);
  measurement.faults.repeated = sum(repeated_of);
  measurement.figures = {{"processes", static_cast<double>(pairs_.size())},
                         {"alive", static_cast<double>(alive)},
                         {"open_seconds", to_ms(open_ns - begun_ns) / 1000},
                         {"deliver_seconds", to_ms(delivered_ns - published_ns) / 1000}};
  enter_memory(measurement, before, after);
  order(Order::leave, pairs_.size(), "left", open_of);
  measurement.figures.push_back({"least_available_bytes", static_cast<double>(least_available_)});
  return measurement;
}

}  // namespace

Measurement run_million(const StartServer& start_server, const MillionSettings& settings) {
  return Million(settings).run(start_server);
}

}  // namespace roomcast::bench
