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

Poller::Set::Set(std::size_t capacity_)
    : capacity(capacity_),
      events(std::make_unique<epoll_event[]>(capacity)),
      descriptor(::epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll set");
}

Poller::Set::~Set() { ::close(descriptor); }

void Poller::Set::receive(int timeout_ms) {
  const int count = ::epoll_wait(descriptor, events.get(), static_cast<int>(capacity), timeout_ms);
  if (count > 0) pending = {events.get(), static_cast<std::size_t>(count)};
  is_full = pending.size() == capacity;
}

void Poller::Set::forget(const Pollable& item) {
  for (epoll_event& event : pending) {
    if (event.data.ptr == &item) event.data.ptr = nullptr;
  }
}

Poller::Poller(Loop& loop, const base::Clock& clock, Limits limits)
    : loop_(loop),
      clock_(clock),
      limits_(limits),
      front_(limits.events_per_turn),
      behind_(limits.events_behind_per_turn) {
  const auto watch = [this](int descriptor, void* name) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = name;
    if (::epoll_ctl(front_.descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot watch an epoll set");
  };
  watch(uv_backend_fd(loop_.native()), this);
  watch(behind_.descriptor, &behind_);
  loop_.set_sleeper(this);
}

Poller::~Poller() { loop_.set_sleeper(nullptr); }

int Poller::add(Pollable& item, Interest interest, Place place) {
  item.is_behind_ = place == Place::behind;
  item.wants_reading_ = item.asked_reading_ = interest.reading;
  item.wants_writing_ = item.asked_writing_ = interest.writing;
  epoll_event event = request_of(item, interest);
  return ::epoll_ctl(set_of(item).descriptor, EPOLL_CTL_ADD, item.descriptor(), &event) == 0 ? 0 : errno;
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
  [[maybe_unused]] const int status =
      ::epoll_ctl(set_of(item).descriptor, EPOLL_CTL_MOD, item.descriptor(), &event);
  assert(status == 0);
}

void Poller::move(Pollable& item, Place place) {
  if (place_of(item) == place) return;
  Set& from = set_of(item);
  Set& to = place == Place::behind ? behind_ : front_;
  epoll_event event = request_of(item, {item.wants_reading_, item.wants_writing_});
  if (::epoll_ctl(to.descriptor, EPOLL_CTL_ADD, item.descriptor(), &event) != 0) return;
  (void)::epoll_ctl(from.descriptor, EPOLL_CTL_DEL, item.descriptor(), nullptr);
  from.forget(item);  // it is told of again
  item.asked_reading_ = item.wants_reading_;
  item.asked_writing_ = item.wants_writing_;
  item.is_behind_ = place == Place::behind;
}

void Poller::forget(Pollable& item) { set_of(item).forget(item); }

void Poller::remove(Pollable& item) {
  forget(item);
  (void)::epoll_ctl(set_of(item).descriptor, EPOLL_CTL_DEL, item.descriptor(), nullptr);
}

void Poller::sleep(int timeout_ms) {
  // Of those behind who were told of, the kernel may not tell again.
  if (front_.pending.empty()) front_.receive(behind_.pending.empty() ? timeout_ms : 0);
}

bool Poller::call() {
  const Told told = call_front();
  behind_is_busy_ = told.some_behind_are_ready || !behind_.pending.empty();
  if (behind_is_busy_) call_behind();
  return told.libuv_is_ready;
}

Poller::Told Poller::call_front() {
  Told told;
  if (front_.pending.empty()) return told;
  const std::int64_t end_us = clock_.monotonic_us() + limits_.time_box_us;
  // The clock is looked at after each: a call may have been long, and the look costs little beside its system
  // calls.
  do {
    const epoll_event event = front_.pending.front();
    front_.pending = front_.pending.subspan(1);
    if (event.data.ptr == this) {
      told.libuv_is_ready = true;
    } else if (event.data.ptr == &behind_) {
      told.some_behind_are_ready = true;
    } else if (event.data.ptr != nullptr) {
      tell(*static_cast<Pollable*>(event.data.ptr), event.events);
    }
  } while (!front_.pending.empty() && clock_.monotonic_us() < end_us);
  return told;
}

void Poller::call_behind() {
  if (behind_.pending.empty()) behind_.receive(0);
  const std::int64_t end_us = clock_.monotonic_us() + limits_.time_box_behind_us;
  while (!behind_.pending.empty()) {
    const epoll_event event = behind_.pending.front();
    behind_.pending = behind_.pending.subspan(1);
    if (event.data.ptr != nullptr) tell(*static_cast<Pollable*>(event.data.ptr), event.events);
    if (clock_.monotonic_us() >= end_us) break;
  }
  behind_is_busy_ = behind_.is_full || !behind_.pending.empty();
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
