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

Poller::Poller(Loop& loop, const MicroClock& clock, Limits limits)
    : loop_(loop),
      clock_(clock),
      limits_(limits),
      events_(std::make_unique<epoll_event[]>(limits.events_per_turn)),
      set_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (set_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll set");
  epoll_event libuv{};
  libuv.events = EPOLLIN;
  libuv.data.ptr = this;
  if (::epoll_ctl(set_, EPOLL_CTL_ADD, uv_backend_fd(loop_.native()), &libuv) != 0) {
    const int error = errno;
    ::close(set_);
    throw std::system_error(error, std::generic_category(), "cannot watch libuv's descriptor");
  }
  loop_.set_sleeper(this);
}

Poller::~Poller() {
  loop_.set_sleeper(nullptr);
  ::close(set_);
}

int Poller::add(Pollable& item, Interest interest) {
  item.wants_reading_ = item.asked_reading_ = interest.reading;
  item.wants_writing_ = item.asked_writing_ = interest.writing;
  epoll_event event = request_of(item, interest);
  return ::epoll_ctl(set_, EPOLL_CTL_ADD, item.descriptor(), &event) == 0 ? 0 : errno;
}

void Poller::change(Pollable& item, Interest interest) {
  item.wants_reading_ = interest.reading;
  item.wants_writing_ = interest.writing;
  // Who wants less is often gone, or wants it back, before there is anything to tell: see `tell`.
  const bool wants_more =
      (interest.reading && !item.asked_reading_) || (interest.writing && !item.asked_writing_);
  if (wants_more) ask(item);
}

void Poller::ask(Pollable& item) {
  item.asked_reading_ = item.wants_reading_;
  item.asked_writing_ = item.wants_writing_;
  epoll_event event = request_of(item, {item.wants_reading_, item.wants_writing_});
  [[maybe_unused]] const int status = ::epoll_ctl(set_, EPOLL_CTL_MOD, item.descriptor(), &event);
  assert(status == 0);
}

void Poller::forget(Pollable& item) {
  for (epoll_event& event : pending_) {
    if (event.data.ptr == &item) event.data.ptr = nullptr;
  }
}

void Poller::remove(Pollable& item) {
  forget(item);
  (void)::epoll_ctl(set_, EPOLL_CTL_DEL, item.descriptor(), nullptr);
}

void Poller::sleep(int timeout_ms) {
  if (!pending_.empty()) return;
  const int count = ::epoll_wait(set_, events_.get(), static_cast<int>(limits_.events_per_turn), timeout_ms);
  if (count > 0) pending_ = {events_.get(), static_cast<std::size_t>(count)};
  is_busy_ = pending_.size() == limits_.events_per_turn;
}

bool Poller::call() {
  if (pending_.empty()) return false;
  bool libuv_is_ready = false;
  const std::int64_t end_us = clock_.now_us() + limits_.time_box_us;
  // The clock is looked at after each: a call may have been long, and the look costs little beside its system
  // calls.
  do {
    const epoll_event event = pending_.front();
    pending_ = pending_.subspan(1);
    if (event.data.ptr == this) {
      libuv_is_ready = true;
    } else if (event.data.ptr != nullptr) {
      tell(*static_cast<Pollable*>(event.data.ptr), event.events);
    }
  } while (!pending_.empty() && clock_.now_us() < end_us);
  return libuv_is_ready;
}

void Poller::tell(Pollable& item, std::uint32_t events) {
  const bool hung_up = (events & EPOLLHUP) != 0;
  const bool readable = item.wants_reading_ && (hung_up || (events & EPOLLIN) != 0);
  const bool writable = item.wants_writing_ && (hung_up || (events & EPOLLOUT) != 0);
  const bool failed = (item.wants_reading_ || item.wants_writing_) && (events & EPOLLERR) != 0;
  if (readable || writable || failed) return item.on_ready({readable, writable, failed});
  // Told of what is not wanted any more: it must not keep the loop awake.
  const bool asked_too_much =
      item.asked_reading_ != item.wants_reading_ || item.asked_writing_ != item.wants_writing_;
  if (asked_too_much) ask(item);
}

}  // namespace roomcast::loop
