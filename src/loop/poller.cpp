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

epoll_event epoll_event_for(Pollable& item, PollEvents wanted) {
  epoll_event event{};
  if (wanted.reading) event.events |= EPOLLIN;
  if (wanted.writing) event.events |= EPOLLOUT;
  // The kernel always reports errors and hang-ups. Where no event is wanted these are reported once, not in
  // every turn; and the descriptor stays in the set, because adding it again might fail.
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

int Poller::add(Pollable& item, PollEvents wanted, Place place) {
  item.is_behind_ = place == Place::behind;
  item.wants_reading_ = item.registered_reading_ = wanted.reading;
  item.wants_writing_ = item.registered_writing_ = wanted.writing;
  epoll_event event = epoll_event_for(item, wanted);
  return ::epoll_ctl(set_of(item).descriptor, EPOLL_CTL_ADD, item.descriptor(), &event) == 0 ? 0 : errno;
}

void Poller::change(Pollable& item, PollEvents wanted) {
  item.wants_reading_ = wanted.reading;
  item.wants_writing_ = wanted.writing;
  // Registering fewer events is put off until one arrives that is not wanted (see dispatch_event): the
  // descriptor is often closed before, or the event wanted again.
  const bool wants_more =
      (wanted.reading && !item.registered_reading_) || (wanted.writing && !item.registered_writing_);
  if (wants_more) update(item);
}

void Poller::update(Pollable& item) {
  item.registered_reading_ = item.wants_reading_;
  item.registered_writing_ = item.wants_writing_;
  epoll_event event = epoll_event_for(item, {item.wants_reading_, item.wants_writing_});
  [[maybe_unused]] const int status =
      ::epoll_ctl(set_of(item).descriptor, EPOLL_CTL_MOD, item.descriptor(), &event);
  assert(status == 0);
}

void Poller::move(Pollable& item, Place place) {
  if (place_of(item) == place) return;
  Set& from = set_of(item);
  Set& to = place == Place::behind ? behind_ : front_;
  epoll_event event = epoll_event_for(item, {item.wants_reading_, item.wants_writing_});
  if (::epoll_ctl(to.descriptor, EPOLL_CTL_ADD, item.descriptor(), &event) != 0) return;
  (void)::epoll_ctl(from.descriptor, EPOLL_CTL_DEL, item.descriptor(), nullptr);
  from.forget(item);  // the new set reports it again
  item.registered_reading_ = item.wants_reading_;
  item.registered_writing_ = item.wants_writing_;
  item.is_behind_ = place == Place::behind;
}

void Poller::forget(Pollable& item) { set_of(item).forget(item); }

void Poller::remove(Pollable& item) {
  forget(item);
  (void)::epoll_ctl(set_of(item).descriptor, EPOLL_CTL_DEL, item.descriptor(), nullptr);
}

void Poller::sleep(int timeout_ms) {
  // The loop must not sleep on pending events of the second set: the kernel may not report them again.
  if (front_.pending.empty()) front_.receive(behind_.pending.empty() ? timeout_ms : 0);
}

bool Poller::dispatch() {
  const Ready ready = dispatch_front();
  behind_is_busy_ = ready.behind_is_ready || !behind_.pending.empty();
  if (behind_is_busy_) dispatch_behind();
  return ready.libuv_is_ready;
}

Poller::Ready Poller::dispatch_front() {
  Ready ready;
  if (front_.pending.empty()) return ready;
  const std::int64_t end_us = clock_.monotonic_us() + limits_.time_box_us;
  // The clock is read after each event: a handler may take long, and reading it costs little beside its
  // system calls.
  do {
    const epoll_event event = front_.pending.front();
    front_.pending = front_.pending.subspan(1);
    if (event.data.ptr == this) {
      ready.libuv_is_ready = true;
    } else if (event.data.ptr == &behind_) {
      ready.behind_is_ready = true;
    } else if (event.data.ptr != nullptr) {
      dispatch_event(*static_cast<Pollable*>(event.data.ptr), event.events);
    }
  } while (!front_.pending.empty() && clock_.monotonic_us() < end_us);
  return ready;
}

void Poller::dispatch_behind() {
  if (behind_.pending.empty()) behind_.receive(0);
  const std::int64_t end_us = clock_.monotonic_us() + limits_.time_box_behind_us;
  while (!behind_.pending.empty()) {
    const epoll_event event = behind_.pending.front();
    behind_.pending = behind_.pending.subspan(1);
    if (event.data.ptr != nullptr) dispatch_event(*static_cast<Pollable*>(event.data.ptr), event.events);
    if (clock_.monotonic_us() >= end_us) break;
  }
  behind_is_busy_ = behind_.is_full || !behind_.pending.empty();
}

void Poller::dispatch_event(Pollable& item, std::uint32_t events) {
  const bool hung_up = (events & EPOLLHUP) != 0;
  const bool readable = item.wants_reading_ && (hung_up || (events & EPOLLIN) != 0);
  const bool writable = item.wants_writing_ && (hung_up || (events & EPOLLOUT) != 0);
  const bool failed = (item.wants_reading_ || item.wants_writing_) && (events & EPOLLERR) != 0;
  if (readable || writable || failed) return item.on_ready({readable, writable, failed});
  // An event that is not wanted any more must not keep the loop awake.
  const bool is_outdated =
      item.registered_reading_ != item.wants_reading_ || item.registered_writing_ != item.wants_writing_;
  if (is_outdated) update(item);
}

}  // namespace roomcast::loop
