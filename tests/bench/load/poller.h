#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace roomcast::bench {

/// Something with a descriptor that a `Poller` watches.
class Pollable {
 public:
  /// `events` as epoll gives them. They are reported once (edge-triggered): a client that does not read until
  /// there is nothing left hears nothing more.
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

/// The one loop of the tool: epoll, for as many crowds as share it. Single-threaded.
class Poller {
 public:
  /// Throws std::system_error.
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  /// Raises this process's limit of descriptors, as far as it may, for `descriptors` more. Throws
  /// std::runtime_error, with the limit's name, when all that were asked for so far do not fit.
  void make_room_for(std::size_t descriptors);
  /// They are no longer needed.
  void give_back(std::size_t descriptors) { expected_ -= descriptors; }

  /// Watches `descriptor` for both directions until it is closed. `pollable` has to outlive the poller's
  /// current `turn`, even when its descriptor has been closed meanwhile, and may hear of that one in vain.
  void watch(int descriptor, Pollable& pollable);

  /// Whether `pollable` hears of what can be read; once more, if something can be by now.
  void hear_reads(int descriptor, Pollable& pollable, bool hear);

  /// From now on `urgent` is turned whenever this one is, before each handful of events: what is measured on
  /// it does not wait until a load of thousands has been read. It has to outlive this poller's last turn.
  void put_first(Poller& urgent);

  /// Sleeps until something is ready, at most until `until_ns` (CLOCK_MONOTONIC), and calls all pollables
  /// that are.
  void turn(std::int64_t until_ns);

  /// Turns until `done()`; false when the deadline came first. `done` is asked once a turn.
  bool run_until(const std::function<bool()>& done, std::int64_t deadline_ns);

 private:
  void control(int operation, int descriptor, Pollable& pollable, bool reads);

  int epoll_ = -1;
  Poller* urgent_ = nullptr;
  std::size_t expected_ = 0;  ///< descriptors that room was made for
  std::vector<epoll_event> events_;
};

}  // namespace roomcast::bench
