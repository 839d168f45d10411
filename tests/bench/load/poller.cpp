#include "load/poller.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "load/clock.h"

namespace roomcast::bench {

namespace {

// So few that a sender whose turn comes by time is not kept waiting for long, enough that the call is
// nothing.
constexpr std::size_t events_at_once = 256;

// Where something urgent must not wait for them: about a tenth of a millisecond.
constexpr std::size_t events_between_urgent = 32;

// For standard streams, a server's pipe, /proc, the poller itself.
constexpr std::size_t other_descriptors = 32;

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

Poller::Poller() : events_(events_at_once) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
}

Poller::~Poller() { ::close(epoll_); }

void Poller::make_room_for(std::size_t descriptors) {
  expected_ += descriptors;
  const rlim_t needed = expected_ + other_descriptors;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
  if (limit.rlim_cur >= needed) return;
  if (limit.rlim_max < needed) {
    expected_ -= descriptors;
    throw std::runtime_error("this needs " + std::to_string(needed) +
                             " descriptors, and the hard limit RLIMIT_NOFILE (ulimit -Hn) is " +
                             std::to_string(limit.rlim_max));
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
}

void Poller::watch(int descriptor, Pollable& pollable) { control(EPOLL_CTL_ADD, descriptor, pollable, true); }

void Poller::hear_reads(int descriptor, Pollable& pollable, bool hear) {
  control(EPOLL_CTL_MOD, descriptor, pollable, hear);
}

void Poller::control(int operation, int descriptor, Pollable& pollable, bool reads) {
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLET;
  if (reads) event.events |= EPOLLIN | EPOLLRDHUP;
  event.data.ptr = &pollable;
  if (epoll_ctl(epoll_, operation, descriptor, &event) != 0) fail("epoll_ctl");
}

void Poller::put_first(Poller& urgent) {
  urgent_ = &urgent;
  events_.resize(events_between_urgent);
  // Only to be woken by it: it has no pollable here, and being level-triggered is reported as long as it is
  // ready.
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, urgent.epoll_, &event) != 0) fail("epoll_ctl");
}

void Poller::turn(std::int64_t until_ns) {
  if (urgent_ != nullptr) urgent_->turn(0);
  const std::int64_t left_ns = std::max<std::int64_t>(0, until_ns - now_ns());
  const timespec sleep{left_ns / second_ns, left_ns % second_ns};
  const int count = epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &sleep, nullptr);
  if (count < 0 && errno != EINTR) fail("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      urgent_->turn(0);
    } else {
      static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
    }
  }
}

bool Poller::run_until(const std::function<bool()>& done, std::int64_t deadline_ns) {
  while (!done()) {
    if (now_ns() >= deadline_ns) return false;
    turn(deadline_ns);
  }
  return true;
}

}  // namespace roomcast::bench
