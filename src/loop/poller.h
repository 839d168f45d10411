#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "loop/handle.h"
#include "loop/loop.h"

struct epoll_event;
struct uv_poll_s;

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

/// Somebody with a descriptor. Must be removed from its poller before it is destroyed.
class Pollable {
 public:
  Pollable() = default;
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;

  /// Called in every turn for as long as the descriptor is ready and watched for that.
  virtual void on_ready(Readiness ready) = 0;

 protected:
  ~Pollable() = default;

 private:
  friend class Poller;
  Interest interest_;
};

/// Watches the descriptors of which there are thousands: one epoll set of its own, which the loop sees as a
/// single handle. So a connection costs no memory here, and two system calls in its life instead of the six
/// of a uv_poll_t. In a turn each descriptor is looked at once at most, and only so many of them that
/// the other handles of the loop get their turn.
class Poller {
 public:
  /// Looks at no more than `events_per_turn` of the ready at a time. Throws std::system_error when the system
  /// has no resources for it.
  explicit Poller(Loop& loop, std::size_t events_per_turn = 1'024);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  /// Everybody has been removed.
  ~Poller();

  /// Begins to watch an open descriptor. Returns 0, or errno: ENOMEM, ENOSPC (fs.epoll.max_user_watches).
  [[nodiscard]] int add(Pollable& item, int descriptor, Interest interest);
  /// Watches it for something else from now on, perhaps for nothing. Cannot fail.
  void change(Pollable& item, int descriptor, Interest interest);
  /// The descriptor is still open. Nothing is called after this, also from within on_ready.
  void remove(Pollable& item, int descriptor);

 private:
  static void on_any_ready(uv_poll_s* handle, int status, int ready) noexcept;
  void dispatch();

  std::size_t events_per_turn_;
  std::unique_ptr<epoll_event[]> events_;
  std::span<epoll_event> pending_;  // of those just received: not delivered yet
  int set_;                         // closed only when handle_ has let go of it
  Handle<uv_poll_s> handle_;
};

}  // namespace roomcast::loop
