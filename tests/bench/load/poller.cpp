#include "load/poller.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "load/clock.h"

namespace roomcast::bench {

namespace {

// So few that a sender whose turn comes by time is not kept waiting for long, enough that the call is
// nothing.
constexpr std::size_t events_at_once = 256;

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

Poller::Poller() : events_(events_at_once) {
  std::signal(SIGPIPE, SIG_IGN);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
}

Poller::~Poller() { ::close(epoll_); }

void Poller::watch(int descriptor, Pollable& pollable) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &pollable;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

void Poller::turn(std::int64_t until_ns) {
  constexpr std::int64_t second_ns = 1'000'000'000;
  const std::int64_t left_ns = std::max<std::int64_t>(0, until_ns - now_ns());
  const timespec sleep{left_ns / second_ns, left_ns % second_ns};
  const int count = epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &sleep, nullptr);
  if (count < 0 && errno != EINTR) fail("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
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
