#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.h"
#include "loop/loop.h"

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
  bool is_behind_ : 1 = false;
};

/// Watches sockets, of which there are thousands: an epoll set of its own, where the loop sleeps. So a
/// connection costs no memory here, and usually one system call in its life instead of the six of a
/// uv_poll_t; and a turn has one for all of them instead of two. In a turn each descriptor is looked at once
/// at most, and only as many of them as the time box allows; the next turn goes on where this one stopped, so
/// that nobody is passed over.
///
/// Who stands behind is in a second epoll set, which is a member of the first: of all of them together a turn
/// looks at a few, after the others. So however many there are, those who stand in front do not wait for them
/// longer than for one.
class Poller final : private Loop::Sleeper {
 public:
  enum class Place : std::uint8_t { in_front, behind };
  struct Limits {
    /// All are answered at the end of the turn: the first of them should not wait for too many others.
    std::size_t events_per_turn = 48;
    std::int64_t time_box_us = 2'000;  ///< every turn makes progress however small the box
    std::size_t events_behind_per_turn = 16;
    std::int64_t time_box_behind_us = 1'000;
  };

  /// `clock` outlives the poller. Throws std::system_error when the system has no resources for it.
  explicit Poller(Loop& loop) : Poller(loop, loop, Limits()) {}
  Poller(Loop& loop, const base::Clock& clock, Limits limits);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  /// Everybody has been forgotten.
  ~Poller();

  /// Begins to watch an open descriptor. Returns 0, or errno: ENOMEM, ENOSPC (fs.epoll.max_user_watches).
  [[nodiscard]] int add(Pollable& item, Interest interest, Place place = Place::in_front);
  /// Watches it for something else from now on, perhaps for nothing. Cannot fail.
  void change(Pollable& item, Interest interest);
  /// Has it looked at before or behind others from now on. If the system has no room it stays where it is.
  void move(Pollable& item, Place place);
  [[nodiscard]] static Place place_of(const Pollable& item) {
    return item.is_behind_ ? Place::behind : Place::in_front;
  }
  /// `item` is about to close its descriptor, which ends the watching. Nothing is called after this, also
  /// from within on_ready.
  void forget(Pollable& item);
  /// Whether more sockets are ready than are looked at in one turn: each should be given little time then.
  [[nodiscard]] bool is_busy() const override { return front_.is_full || behind_is_busy_; }
  /// The same for a descriptor that somebody else may hold too, so that closing it would end nothing.
  void remove(Pollable& item);

 private:
  /// An epoll set, and what it has told of that nobody was called for yet.
  struct Set {
    explicit Set(std::size_t capacity);
    Set(const Set&) = delete;
    Set& operator=(const Set&) = delete;
    ~Set();

    /// Nothing may be pending.
    void receive(int timeout_ms);
    void forget(const Pollable& item);

    std::size_t capacity;
    std::unique_ptr<epoll_event[]> events;
    std::span<epoll_event> pending;
    int descriptor;
    bool is_full = false;  // the last time there were as many as it takes at once, perhaps more
  };

  void sleep(int timeout_ms) override;
  bool call() override;
  /// Calls whoever is pending in front; for libuv and those behind it says so.
  struct Told {
    bool libuv_is_ready = false;
    bool some_behind_are_ready = false;
  };
  Told call_front();
  void call_behind();
  void tell(Pollable& item, std::uint32_t events);
  void ask(Pollable& item);
  [[nodiscard]] Set& set_of(const Pollable& item) { return item.is_behind_ ? behind_ : front_; }

  Loop& loop_;
  const base::Clock& clock_;
  Limits limits_;
  Set front_;
  Set behind_;
  bool behind_is_busy_ = false;
};

}  // namespace roomcast::loop
