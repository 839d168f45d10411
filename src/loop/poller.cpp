#include "loop/poller.h"

#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

namespace roomcast::loop {

namespace {

epoll_event request_of(Pollable& item, Interest interest) {
  epoll_event event{};
  if (interest.reading) event.events |= EPOLLIN;
  if (interest.writing) event.events |= EPOLLOUT;
  // The kernel always tells of errors and hang-ups. With nothing wanted that is worth one call, not one in
  // every turn; and the descriptor stays in the set, because taking it back in might fail.
  if (event.events == 0) event.events = EPOLLET;
  event.data.ptr = &item;
  return event;
}

}  // namespace

Poller::Poller(Loop& loop, std::size_t events_per_turn)
    : events_per_turn_(events_per_turn),
      events_(std::make_unique<epoll_event[]>(events_per_turn)),
      set_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (set_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll set");
  auto made = make_handle<uv_poll_t>(
      this, [&](uv_poll_t* handle) { return uv_poll_init(loop.native(), handle, set_); });
  if (!made) {
    ::close(set_);
    throw std::system_error(-made.error(), std::generic_category(), "cannot watch an epoll set");
  }
  handle_ = std::move(*made);
  // Starting a watch on an open descriptor cannot fail.
  (void)uv_poll_start(handle_.get(), UV_READABLE, on_any_ready);
}

Poller::~Poller() {
  handle_.reset();
  ::close(set_);
}

int Poller::add(Pollable& item, int descriptor, Interest interest) {
  item.interest_ = interest;
  epoll_event event = request_of(item, interest);
  return ::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

void Poller::change(Pollable& item, int descriptor, Interest interest) {
  if (item.interest_ == interest) return;
  item.interest_ = interest;
  epoll_event event = request_of(item, interest);
  [[maybe_unused]] const int status = ::epoll_ctl(set_, EPOLL_CTL_MOD, descriptor, &event);
  assert(status == 0);
}

void Poller::remove(Pollable& item, int descriptor) {
  item.interest_ = {};
  epoll_event unused{};
  (void)::epoll_ctl(set_, EPOLL_CTL_DEL, descriptor, &unused);
  for (epoll_event& event : pending_) {
    if (event.data.ptr == &item) event.data.ptr = nullptr;
  }
}

void Poller::on_any_ready(uv_poll_s* handle, int /*status*/, int /*ready*/) noexcept {
  static_cast<Poller*>(handle->data)->dispatch();
}

void Poller::dispatch() {
  const int count = ::epoll_wait(set_, events_.get(), static_cast<int>(events_per_turn_), 0);
  if (count <= 0) return;
  pending_ = {events_.get(), static_cast<std::size_t>(count)};
  while (!pending_.empty()) {
    const epoll_event event = pending_.front();
    pending_ = pending_.subspan(1);
    auto* item = static_cast<Pollable*>(event.data.ptr);
    if (item == nullptr) continue;
    // It may be watched for less by now than when the kernel was asked.
    const bool hung_up = (event.events & EPOLLHUP) != 0;
    const Readiness ready{item->interest_.reading && (hung_up || (event.events & EPOLLIN) != 0),
                          item->interest_.writing && (hung_up || (event.events & EPOLLOUT) != 0),
                          (event.events & EPOLLERR) != 0};
    const bool wanted = item->interest_.reading || item->interest_.writing;
    if (wanted && (ready.readable || ready.writable || ready.failed)) item->on_ready(ready);
  }
}

}  // namespace roomcast::loop
