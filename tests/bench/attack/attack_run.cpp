#include "attack/attack_run.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "attack/ask.h"
#include "attack/attack_bytes.h"
#include "attack/bystander_process.h"
#include "attack/innocents.h"
#include "load/clock.h"
#include "load/poller.h"
#include "serve/child_process.h"
#include "serve/forked_process.h"
#include "serve/launches.h"
#include "serve/process_facts.h"
#include "serve/server_process.h"

namespace roomcast::bench {

namespace {

constexpr const char* attacker_address = "127.0.0.1";
constexpr const char* innocent_address = "127.0.0.3";
/// For all clients to connect before an attack.
constexpr std::int64_t patience_ns = 10 * second_ns;
/// For the attacker to make itself ready, and to come to its end; then it is ended.
constexpr std::int64_t attacker_grace_ns = 5 * second_ns;

/// What the attacker's process says at its end.
struct AttackerReport {
  SwarmTally tally;
  char complaint[120] = {};
};

void attack_and_report(int channel, const Attack& attack, const Target& target, std::int64_t duration_ns) {
  // Behind the bystanders, which have to read what it brings about: a client that reads slowly is closed with
  // good reason.
  constexpr int priority_step = 5;
  [[maybe_unused]] const int priority = nice(priority_step);
  AttackerReport report;
  try {
    report.tally = attack.run({target, duration_ns});
  } catch (const std::exception& error) {
    std::snprintf(report.complaint, sizeof report.complaint, "%s", error.what());
  }
  send(channel, &report, sizeof report, MSG_NOSIGNAL);
}

Target seen_from(const char* address, Target target) {
  target.source = address;
  return target;
}

class AttackRun {
 public:
  AttackRun(const Attack& attack, const AttackSettings& settings, ServerProcess& server);

  AttackResult run();

 private:
  /// Turns the loop until `done` or the deadline, with all that comes by time.
  template <typename Done>
  void live_until(Done done, std::int64_t deadline_ns);
  void look_at_memory(std::int64_t now);
  [[nodiscard]] bool everybody_is_there();
  /// The same publish, with the same key, before and after the attack.
  void idempotent_publisher(bool is_retry);
  void endure();
  void settle();
  void fail(const std::string& remark) {
    result_.failed = true;
    result_.remarks.push_back(remark);
  }

  const Attack& attack_;
  std::int64_t attack_ns_;
  std::int64_t last_patience_ns_;  ///< for what is owed to come after the attack
  ServerProcess& server_;
  Target attackers_;  ///< the server as the attacker sees it
  Target innocents_;
  AttackResult result_;
  Poller poller_;
  HealthChecks health_;
  RoomTalk talk_;
  std::optional<BystanderProcess> bystanders_;
  std::int64_t look_next_ns_ = 0;
};

AttackRun::AttackRun(const Attack& attack, const AttackSettings& settings, ServerProcess& server)
    : attack_(attack),
      attack_ns_(settings.milliseconds * ms_ns),
      last_patience_ns_(std::clamp(10 * attack_ns_, 2 * second_ns, patience_ns)),
      server_(server),
      attackers_(seen_from(attacker_address, server.target())),
      innocents_(seen_from(settings.same_address ? attacker_address : innocent_address, server.target())),
      health_(poller_, innocents_, attack.fresh_connections),
      talk_(poller_, innocents_) {
  result_.name = attack.name;
  result_.measures_latency = attack.measures_latency;
}

template <typename Done>
void AttackRun::live_until(Done done, std::int64_t deadline_ns) {
  for (std::int64_t now = now_ns(); now < deadline_ns && !done(); now = now_ns()) {
    health_.act(now);
    talk_.act(now);
    look_at_memory(now);
    poller_.turn(std::min({deadline_ns, health_.next_ns(), talk_.next_ns(), look_next_ns_}));
  }
}

void AttackRun::look_at_memory(std::int64_t now) {
  constexpr std::int64_t interval_ns = 10 * ms_ns;
  if (now < look_next_ns_) return;
  look_next_ns_ = now + interval_ns;
  result_.bytes_peak = std::max(result_.bytes_peak, counted_bytes(attackers_.pid));
  if (bystanders_) (void)bystanders_->report();
}

bool AttackRun::everybody_is_there() {
  const std::int64_t deadline_ns = now_ns() + patience_ns;
  if (attack_.bystanders.count + attack_.bystanders.polls > 0) {
    bystanders_.emplace(innocents_, attack_.bystanders);
    if (!bystanders_->wait_until_open(deadline_ns)) {
      fail(std::string("bystanders: not all came in; ") + bystanders_->report().complaint);
      return false;
    }
  }
  live_until([this] { return talk_.is_open(); }, deadline_ns);
  if (talk_.is_open()) return true;
  fail("the innocents could not come in");
  return false;
}

void AttackRun::idempotent_publisher(bool is_retry) {
  const std::string request =
      post_request("/rooms/once", "text/plain", "once", "Idempotency-Key: of-an-innocent\r\n");
  const Answer answer = ask(innocents_, request);
  const bool is_duplicate = answer.body.find(R"("duplicate":true)") != std::string::npos;
  if (answer.status / 100 == 2 && is_duplicate == is_retry) return;
  ++result_.bystanders_harmed;
  result_.remarks.push_back(std::string(is_retry ? "the retry of a keyed publish" : "a keyed publish") +
                            " was answered with " + std::to_string(answer.status) + " " +
                            answer.body.substr(0, answer.body.find('\n')));
}

void AttackRun::endure() {
  const std::int64_t begun_ns = now_ns();
  health_.begin(begun_ns);
  talk_.begin(begun_ns);
  const ForkedProcess attacker(
      [&](int channel) { attack_and_report(channel, attack_, attackers_, attack_ns_); });
  AttackerReport report;
  bool reported = false;
  live_until(
      [&] {
        const ssize_t size = recv(attacker.channel(), &report, sizeof report, MSG_DONTWAIT);
        reported = size == sizeof report;
        return size >= 0;
      },
      begun_ns + attack_ns_ + attacker_grace_ns);
  result_.attacker = report.tally;
  if (!reported) {
    fail("the attacker did not come to its end");
  } else if (report.complaint[0] != '\0') {
    fail(std::string("the attacker: ") + report.complaint);
  }
}

void AttackRun::settle() {
  live_until([] { return false; }, now_ns() + std::min(second_ns, attack_ns_));
  result_.bytes_after = counted_bytes(attackers_.pid);
  health_.stop();
  talk_.stop();
  live_until([this] { return !health_.waits() && !talk_.waits(); }, now_ns() + last_patience_ns_);
  const std::int64_t now = now_ns();
  result_.health = health_.experience(now);
  result_.delivery = talk_.experience(now);
  for (const Experience* const experience : {&result_.health, &result_.delivery}) {
    if (!experience->complaint.empty()) result_.remarks.push_back(experience->complaint);
  }
  if (bystanders_ && bystanders_->report().harmed > 0) {
    result_.bystanders_harmed += bystanders_->report().harmed;
    result_.remarks.push_back(std::string("bystanders: ") + bystanders_->report().complaint);
  }
}

AttackResult AttackRun::run() {
  if (!everybody_is_there()) return std::move(result_);
  if (attack_.retries_a_publish) idempotent_publisher(false);
  live_until([] { return false; }, now_ns() + std::min(second_ns / 2, attack_ns_));
  result_.before = gauges_of(innocents_);
  live_until([this] { return !health_.waits(); }, now_ns() + patience_ns);
  result_.bytes_before = result_.bytes_peak = counted_bytes(attackers_.pid);
  endure();
  settle();
  if (attack_.retries_a_publish) idempotent_publisher(true);
  result_.after = gauges_of(innocents_, static_cast<int>(last_patience_ns_ / ms_ns));
  if (server_.has_ended()) {
    const std::string output = server_.output();
    constexpr std::size_t last_words = 300;
    fail("the server has ended: " + output.substr(output.size() - std::min(output.size(), last_words)));
  }
  return std::move(result_);
}

/// So that the innocents, which take next to no time of the CPU, are late because of the server only, where
/// this program may ask for it. What it starts does not have it.
void be_punctual() {
  const sched_param lowest{1};
  sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest);
}

/// So that what else this machine does counts for less, where that is allowed.
void prefer(pid_t pid) {
  constexpr int step = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(pid), getpriority(PRIO_PROCESS, 0) - step);
}

AttackResult one_attack(const Attack& attack, const AttackSettings& settings,
                        const std::filesystem::path& binary) {
  try {
    ServerProcess::Launch launch = launch_with_defaults(binary, attack.tls, attack.settings);
    launch.cpu = settings.cpus.server;
    if (attack.unread_log) launch.output = ChildProcess::Output::unread;
    ServerProcess server(std::move(launch));
    prefer(server.target().pid);
    return AttackRun(attack, settings, server).run();
  } catch (const std::exception& error) {
    AttackResult result;
    result.name = attack.name;
    result.failed = true;
    result.remarks = {error.what()};
    return result;
  }
}

}  // namespace

std::vector<AttackResult> run_attacks(const AttackSettings& settings) {
  const std::filesystem::path binary =
      settings.binary.empty() ? roomcast_binary() : std::filesystem::path(settings.binary);
  if (binary.empty()) throw std::runtime_error("roomcast is not installed; --binary says where it is");
  pin_to_cpu(settings.cpus.load);
  be_punctual();
  std::vector<AttackResult> results;
  for (const Attack& attack : all_attacks()) {
    if (attack.name.find(settings.only) == std::string_view::npos) continue;
    results.push_back(one_attack(attack, settings, binary));
    if (settings.on_row) settings.on_row(results.back());
  }
  return results;
}

}  // namespace roomcast::bench
