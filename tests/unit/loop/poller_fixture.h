#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "loop/loop.h"
#include "loop/poller.h"
#include "loop/turn.h"

namespace roomcast::test {

/// A watched end of a socket pair; the test holds the other end.
class PolledEnd final : public loop::Pollable {
 public:
  explicit PolledEnd(loop::Poller& poller, loop::PollEvents wanted = {true, false},
                     loop::Poller::Place place = loop::Poller::Place::in_front)
      : poller_(poller) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
    near_ = pair[0];
    far_ = pair[1];
    REQUIRE(poller_.add(*this, wanted, place) == 0);
  }
  ~PolledEnd() {
    poller_.forget(*this);
    ::close(near_);
    hang_up();
  }

  void watch(loop::PollEvents wanted) { poller_.change(*this, wanted); }
  void send() { CHECK(::send(far_, "x", 1, MSG_NOSIGNAL) == 1); }
  void hang_up() {
    if (far_ >= 0) ::close(far_);
    far_ = -1;
  }
  void take() {
    std::array<char, 64> bytes{};
    (void)::recv(near_, bytes.data(), bytes.size(), 0);
  }
  [[nodiscard]] int near() const { return near_; }

  int calls = 0;
  loop::Readiness last;
  std::function<void()> then;

 private:
  void on_ready(loop::Readiness ready) override {
    ++calls;
    last = ready;
    if (then) then();
  }
  [[nodiscard]] int descriptor() const override { return near_; }

  loop::Poller& poller_;
  int near_ = -1;
  int far_ = -1;
};

struct PollerFixture {
  PollerFixture() = default;
  PollerFixture(const base::Clock& clock, loop::Poller::Limits limits) : poller(loop, clock, limits) {}
  explicit PollerFixture(loop::Poller::Limits limits) : poller(loop, loop, limits) {}

  loop::Loop loop;
  loop::Turn turn{loop, 2'000};
  loop::Poller poller{loop};
  /// Runs one turn.
  void turn_once() { loop.run_turn_without_waiting(); }
  void run_idle_turns() {
    for (int i = 0; i < 20; ++i)
      turn_once();
  }
};

}  // namespace roomcast::test
