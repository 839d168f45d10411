#include "attack/bystander_process.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"

namespace roomcast::bench {

namespace {

using Report = BystanderProcess::Report;

constexpr std::int64_t report_interval_ns = 20 * ms_ns;

class Silent final : public CrowdListener {};

void send_report(int channel, const Report& report) {
  send(channel, &report, sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Until the process is killed.
[[noreturn]] void stand_by(int channel, const Target& target, const Bystanders& bystanders) {
  Poller poller;
  Silent silent;
  const std::string room = "/rooms/" + std::string(bystanders.room);
  const auto crowd = [&](Way way, std::size_t count) {
    ClientKind kind;
    kind.way = way;
    return std::make_unique<Crowd>(
        poller, target,
        CrowdSettings{.kind = kind, .clients = count, .path = [&room](std::size_t) { return room; }}, silent);
  };
  const auto readers = crowd(Way::websocket, bystanders.count);
  const auto polls = crowd(Way::long_poll, bystanders.polls);
  readers->start_first(bystanders.count);
  polls->start_first(bystanders.polls);
  Report said;
  for (;;) {
    const std::int64_t until = now_ns() + report_interval_ns;
    while (now_ns() < until)
      poller.turn(until);
    Report report;
    report.open = static_cast<std::uint32_t>(readers->open() + polls->open());
    report.harmed = readers->refused() + readers->cut() + polls->refused() + polls->cut();
    const std::string& complaint =
        readers->first_complaint().empty() ? polls->first_complaint() : readers->first_complaint();
    std::snprintf(report.complaint, sizeof report.complaint, "%s", complaint.c_str());
    if (report.open != said.open || report.harmed != said.harmed) send_report(channel, report);
    said = report;
  }
}

void work(int channel, const Target& target, const Bystanders& bystanders) {
  // Less urgent than what is measured, more so than the attacker: a client that reads slowly is closed with
  // good reason.
  constexpr int priority_step = 5;
  [[maybe_unused]] const int priority = nice(priority_step);
  try {
    stand_by(channel, target, bystanders);
  } catch (const std::exception& error) {
    Report report;
    report.harmed = 1;
    std::snprintf(report.complaint, sizeof report.complaint, "%s", error.what());
    send_report(channel, report);
  }
}

}  // namespace

BystanderProcess::BystanderProcess(const Target& target, const Bystanders& bystanders)
    : expected_(bystanders.count + bystanders.polls),
      process_([&](int channel) { work(channel, target, bystanders); }) {}

const Report& BystanderProcess::report() {
  Report newer;
  while (recv(process_.channel(), &newer, sizeof newer, MSG_DONTWAIT) == sizeof newer)
    report_ = newer;
  return report_;
}

bool BystanderProcess::wait_until_open(std::int64_t deadline_ns) {
  while (report().open < expected_) {
    const std::int64_t left_ms = (deadline_ns - now_ns()) / ms_ns;
    if (left_ms <= 0 || report_.harmed > 0) return false;
    pollfd channel{process_.channel(), POLLIN, 0};
    poll(&channel, 1, static_cast<int>(left_ms));
    if ((channel.revents & POLLHUP) != 0 && report().open < expected_) return false;
  }
  return true;
}

}  // namespace roomcast::bench
