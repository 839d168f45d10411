#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.h"
#include "loop/loop.h"

struct epoll_event;

namespace roomcast::loop {

/// The events that a descriptor is watched for.
struct PollEvents {
  bool reading : 1 = false;
  bool writing : 1 = false;
  friend bool operator==(const PollEvents&, const PollEvents&) = default;
};

/// The events that have occurred. A descriptor that was hung up is ready for all events it is watched for.
struct Readiness {
  bool readable = false;
  bool writable = false;
  bool failed = false;  ///< an error is pending (SO_ERROR)
};

/// The owner of a descriptor that is watched. Must be forgotten by its poller before it is destroyed.
class Pollable {
 public:
  Pollable() = default;
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;

  /// Called while the descriptor is ready for events it is watched for, once per round of all that are ready.
  virtual void on_ready(Readiness ready) = 0;
  /// Constant, and open for as long as it is watched.
  [[nodiscard]] virtual int descriptor() const = 0;

 protected:
  ~Pollable() = default;

 private:
  friend class Poller;
  // Two sets of events in one byte: those wanted, and those registered with the kernel, a superset of them or
  // equal.
  bool wants_reading_ : 1 = false;
  bool wants_writing_ : 1 = false;
  bool registered_reading_ : 1 = false;
  bool registered_writing_ : 1 = false;
  bool is_behind_ : 1 = false;
};

/// Watches sockets, thousands of them, in an epoll set of its own, where the loop sleeps. Compared with a
/// uv_poll_t a connection costs no memory here, and usually one system call in its lifetime instead of six,
/// and a turn needs one system call for all of them instead of two. In a turn each descriptor is handled at
/// most once, and only as many as the time box allows; the next turn continues where this one stopped, so
/// that none is skipped.
///
/// Descriptors with Place::behind are in a second epoll set, which is a member of the first: of all of them
/// together a turn handles a few, after the others. So however many there are, those in front wait for them
/// no longer than for one.
class Poller final : private Loop::Sleeper {
 public:
  enum class Place : std::uint8_t { in_front, behind };
  struct Limits {
    /// Their answers leave at the end of the turn, so that a large number delays the first of them.
    std::size_t events_per_turn = 48;
    std::int64_t time_box_us = 2'000;  ///< every turn makes progress, however small the box
    std::size_t events_behind_per_turn = 16;
    std::int64_t time_box_behind_us = 1'000;
  };

  /// `clock` outlives the poller, by default it is the loop. Throws std::system_error when the system lacks
  /// resources.
  explicit Poller(Loop& loop) : Poller(loop, loop, Limits()) {}
  Poller(Loop& loop, const base::Clock& clock, Limits limits);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  /// All descriptors must have been forgotten before.
  ~Poller();

  /// Starts watching an open descriptor. Returns 0 or errno: ENOMEM, ENOSPC (fs.epoll.max_user_watches).
  [[nodiscard]] int add(Pollable& item, PollEvents wanted, Place place = Place::in_front);
  /// Changes the events it is watched for, possibly to none. Cannot fail.
  void change(Pollable& item, PollEvents wanted);
  /// Moves it in front of or behind others. If the system lacks resources it stays where it is.
  void move(Pollable& item, Place place);
  [[nodiscard]] static Place place_of(const Pollable& item) {
    return item.is_behind_ ? Place::behind : Place::in_front;
  }
  /// To be called before `item` closes its descriptor, which ends the watching. No event is reported
  /// afterwards, also from within on_ready.
  void forget(Pollable& item);
  /// Whether more sockets are ready than are handled in one turn: each should be given little time then.
  [[nodiscard]] bool is_busy() const override { return front_.is_full || behind_is_busy_; }
  /// Like forget, for a descriptor that another process may hold as well, so that closing it does not end the
  /// watching.
  void remove(Pollable& item);

 private:
  /// An epoll set and its events that were not dispatched yet.
  struct Set {
    explicit Set(std::size_t capacity);
    Set(const Set&) = delete;
    Set& operator=(const Set&) = delete;
    ~Set();

    /// Waits for events. No event may be pending.
    void receive(int timeout_ms);
    void forget(const Pollable& item);

    std::size_t capacity;
    std::unique_ptr<epoll_event[]> events;
    std::span<epoll_event> pending;
    int descriptor;
    bool is_full = false;  // the last wait filled the array, so there may be more
  };

  void sleep(int timeout_ms) override;
  bool dispatch() override;
  /// Dispatches the pending events in front.
  struct Ready {
    bool libuv_is_ready = false;
    bool behind_is_ready = false;
  };
  Ready dispatch_front();
  void dispatch_behind();
  void dispatch_event(Pollable& item, std::uint32_t events);
  void update(Pollable& item);
  [[nodiscard]] Set& set_of(const Pollable& item) { return item.is_behind_ ? behind_ : front_; }

  Loop& loop_;
  const base::Clock& clock_;
  Limits limits_;
  Set front_;
  Set behind_;
  bool behind_is_busy_ = false;
};

}  // namespace roomcast::loop
