#include "scenario/pace.h"

#include <algorithm>

#include "load/clock.h"

namespace roomcast::bench {

namespace {}  // namespace

FixedRate::FixedRate(std::size_t rooms, std::size_t publishers_each, std::int64_t interval_ns, Send send)
    : publishers_each_(publishers_each), interval_ns_(interval_ns), send_(std::move(send)), rooms_(rooms) {}

void FixedRate::begin(std::uint32_t messages, std::int64_t now_ns) {
  next_ = {};
  const auto count = static_cast<std::int64_t>(rooms_.size());
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    rooms_[i].left = std::uint64_t{messages} * publishers_each_;
    rooms_[i].due_ns = now_ns + interval_ns_ * static_cast<std::int64_t>(i) / count;
    if (messages > 0) next_.emplace(rooms_[i].due_ns, i);
  }
}

void FixedRate::on_settled(std::size_t room, std::int64_t now_ns) {
  Room& settled = rooms_[room];
  if (settled.left == 0) return;
  settled.due_ns = std::max(now_ns, settled.due_ns + interval_ns_);
  next_.emplace(settled.due_ns, room);
}

std::int64_t FixedRate::keep(std::int64_t now_ns) {
  while (!next_.empty() && next_.top().first <= now_ns) {
    const std::size_t room = next_.top().second;
    next_.pop();
    const std::uint64_t turn = --rooms_[room].left % publishers_each_;
    send_(room * publishers_each_ + turn, 1);
  }
  return next_.empty() ? never_ns : next_.top().first;
}

Window::Window(std::size_t publishers, std::uint32_t window, Send send)
    : window_(window), send_(std::move(send)), publishers_(publishers) {}

void Window::begin(std::uint32_t messages, std::int64_t /*now_ns*/) {
  changed_.clear();
  for (std::size_t i = 0; i < publishers_.size(); ++i) {
    publishers_[i] = {messages, window_};
    changed_.push_back(i);
  }
}

void Window::on_back(std::size_t publisher) {
  std::uint32_t& free = publishers_[publisher].free;
  // A publisher that hears its room over a connection of its own may hear the last of it when all others are
  // done, and the next messages have begun.
  if (free == window_) return;
  if (free++ == 0) changed_.push_back(publisher);
}

std::int64_t Window::keep(std::int64_t /*now_ns*/) {
  for (const std::size_t i : changed_) {
    Publisher& publisher = publishers_[i];
    const std::uint32_t count = std::min(publisher.free, publisher.left);
    publisher.free = 0;
    publisher.left -= count;
    if (count > 0) send_(i, count);
  }
  changed_.clear();
  return never_ns;
}

}  // namespace roomcast::bench
