#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadlines.h"
#include "redis/command.h"
#include "redis/link.h"
#include "support/fake_clock.h"
#include "support/fake_scheduler.h"
#include "support/memory_stream.h"

namespace roomcast::test {

using LinkLog = std::vector<std::string>;

/// Notes in `log` what becomes of a command.
struct LoggedRequest final : redis::Request {
  LoggedRequest(std::string name, LinkLog& log) : name_(std::move(name)), log_(log) {}

  void on_reply(const redis::Value& reply) override {
    log_.push_back(name_ + "=" + std::string(reply.text));
    if (and_then) and_then();
  }
  void on_lost() override {
    log_.push_back(name_ + " lost");
    if (and_then) and_then();
  }
  ~LoggedRequest() override {
    if (at_end) at_end();
  }

  std::function<void()> and_then;
  std::function<void()> at_end;

 private:
  std::string name_;
  LinkLog& log_;
};

/// A link over a stream in memory, with the time and turns of a test.
struct LinkRig final : redis::Link::Owner {
  FakeClock clock;
  FakeScheduler scheduler;
  base::Deadlines deadlines{clock, 10};
  MemoryWire wire;
  LinkLog log;
  std::function<void()> on_next_push;
  std::function<void()> on_down;
  std::unique_ptr<redis::Link> link;

  explicit LinkRig(const redis::Link::Limits& limits = {}) {
    link = std::make_unique<redis::Link>(redis::Link::Parts{clock, scheduler, deadlines}, limits,
                                         wire.make_stream(), *this);
    deadlines.tick();
  }

  std::unique_ptr<LoggedRequest> request(std::string name) {
    return std::make_unique<LoggedRequest>(std::move(name), log);
  }
  /// Sends a command of one word and awaits its answer under that name.
  LoggedRequest& send(const std::string& name) {
    auto made = request(name);
    LoggedRequest& answered = *made;
    link->send(command(name), std::move(made));
    return answered;
  }
  static std::string command(std::string_view word) {
    std::string bytes;
    redis::append_command(bytes, {word});
    return bytes;
  }
  LinkLog take_log() { return std::exchange(log, {}); }
  /// Lets time pass, as a loop would see it.
  void pass(std::int64_t ms) {
    for (; ms > 0; ms -= 10) {
      clock.advance(10);
      deadlines.tick();
    }
  }

 private:
  void on_push(redis::Link& /*link*/, const redis::Value& value) override {
    log.push_back("push " + std::string(value.items.back().text));
    if (auto next = std::exchange(on_next_push, {})) next();
  }
  void on_link_down(redis::Link& down, std::string_view why) override {
    CHECK(down.is_down());
    log.push_back("down: " + std::string(why));
    if (on_down) on_down();
  }
};

}  // namespace roomcast::test
