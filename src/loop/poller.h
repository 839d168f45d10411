#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "loop/loop.h"
#include "loop/turn_queue.h"

struct epoll_event;

namespace roomcast::loop {

/// What a descriptor is watched for.
struct Interest {
  bool reading : 1 = false;
  bool writing : 1 = false;
  friend bool operator==(const Interest&, const Interest&) = default;
};

/// What has come of it. A descriptor that was hung up is ready for whatever it is watched for.
struct Readiness {
  bool readable = false;
  bool writable = false;
  bool failed = false;  ///< there is an error to be asked for (SO_ERROR)
};

/// Somebody with a descriptor. Must be forgotten by its poller before it is destroyed.
class Pollable {
 public:
  Pollable() = default;
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;

  /// Called for as long as the descriptor is ready and watched for that, once in every round of all who are.
  virtual void on_ready(Readiness ready) = 0;
  /// Always the same, and open for as long as it is watched.
  [[nodiscard]] virtual int descriptor() const = 0;

 protected:
  ~Pollable() = default;

 private:
  friend class Poller;
  // Two interests in one byte: what is wanted, and what the kernel tells of, which is as much or more.
  bool wants_reading_ : 1 = false;
  bool wants_writing_ : 1 = false;
  bool asked_reading_ : 1 = false;
  bool asked_writing_ : 1 = false;
};

/// Watches sockets, of which there are thousands: an epoll set of its own, where the loop sleeps. So a
/// connection costs no memory here, and usually one system call in its life instead of the six of a
/// uv_poll_t; and a turn has one for all of them instead of two. In a turn each descriptor is looked at once
/// at most, and only as many of them as the time box allows; the next turn goes on where this one stopped, so
/// that nobody is passed over.
class Poller : private Loop::Sleeper {
 public:
  struct Limits {
    /// All are answered at the end of the turn: the first of them should not wait for too many others.
    std::size_t events_per_turn = 48;
    std::int64_t time_box_us = 2'000;  ///< every turn makes progress however small the box
  };

  /// `clock` outlives the poller. Throws std::system_error when the system has no resources for it.
  Poller(Loop& loop, const MicroClock& clock) : Poller(loop, clock, Limits()) {}
  Poller(Loop& loop, const MicroClock& clock, Limits limits);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  /// Everybody has been forgotten.
  ~Poller();

  /// Begins to watch an open descriptor. Returns 0, or errno: ENOMEM, ENOSPC (fs.epoll.max_user_watches).
  [[nodiscard]] int add(Pollable& item, Interest interest);
  /// Watches it for something else from now on, perhaps for nothing. Cannot fail.
  void change(Pollable& item, Interest interest);
  /// `item` is about to close its descriptor, which ends the watching. Nothing is called after this, also
  /// from within on_ready.
  void forget(Pollable& item);
  /// Whether more sockets are ready than are looked at in one turn: each should be given little time then.
  [[nodiscard]] bool is_busy() const override { return is_busy_; }
  /// The same for a descriptor that somebody else may hold too, so that closing it would end nothing.
  void remove(Pollable& item);

 private:
  void sleep(int timeout_ms) override;
  bool call() override;
  void tell(Pollable& item, std::uint32_t events);
  void ask(Pollable& item);

  Loop& loop_;
  const MicroClock& clock_;
  Limits limits_;
  std::unique_ptr<epoll_event[]> events_;
  std::span<epoll_event> pending_;  // of those received: not delivered yet
  int set_;
  bool is_busy_ = false;
};

}  // namespace roomcast::loop
