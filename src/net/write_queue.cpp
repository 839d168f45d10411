#include "net/write_queue.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace roomcast::net {

namespace {

constexpr std::size_t max_joined_bytes = 16'384;
constexpr std::size_t pieces_per_write = 128;

bool try_join(base::FrameRef& last, const base::FrameRef& next) {
  return last.size() + next.size() <= max_joined_bytes && last.try_extend(next);
}

}  // namespace

void WriteQueue::append(const base::FrameRef& frame) {
  if (frame.empty()) return;
  if (!backlog_ && try_join(only_, frame)) return;
  Backlog& queue = backlog();
  // What is partly sent must go out to its end even after drop_unsent, so it does not grow.
  const bool last_is_started = queue.front_started && queue.front + 1 == queue.frames.size();
  if (last_is_started || !try_join(queue.frames.back(), frame)) queue.frames.push_back(frame);
  queue.bytes += frame.size();
}

void WriteQueue::push_urgent(const base::FrameRef& frame) {
  if (frame.empty()) return;
  Backlog& queue = backlog();
  const std::size_t place = queue.front + (queue.front_started ? 1 : 0) + queue.urgent;
  queue.frames.insert(queue.frames.begin() + static_cast<std::ptrdiff_t>(place), frame);
  queue.bytes += frame.size();
  ++queue.urgent;
}

bool WriteQueue::keep_rest(std::size_t sent) {
  if (sent > 0) {
    backlog();
    remove_sent(sent);
  }
  return false;
}

void WriteQueue::put_back(base::FrameRef&& rest, bool started) {
  Backlog& queue = backlog();
  const std::size_t place = queue.front + (started ? 0 : queue.urgent);
  queue.bytes += rest.size();
  queue.frames.insert(queue.frames.begin() + static_cast<std::ptrdiff_t>(place), std::move(rest));
  if (started) queue.front_started = true;
}

void WriteQueue::drop_unsent() {
  only_ = {};
  if (!backlog_) return;
  if (!backlog_->front_started) {
    backlog_.reset();
    return;
  }
  backlog_->frames.resize(backlog_->front + 1);
  backlog_->bytes = backlog_->frames.back().size();
  backlog_->urgent = 0;
}

WriteQueue::Backlog& WriteQueue::backlog() {
  if (!backlog_) {
    backlog_ = std::make_unique<Backlog>();
    if (!only_.empty()) {
      backlog_->bytes = only_.size();
      backlog_->frames.push_back(std::move(only_));
    }
  }
  return *backlog_;
}

bool WriteQueue::flush_backlog(ByteStream& stream) {
  while (backlog_) {
    std::array<std::string_view, pieces_per_write> pieces;
    const auto waiting = std::span(backlog_->frames).subspan(backlog_->front);
    const std::size_t count = std::min(waiting.size(), pieces.size());
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) {
      pieces[i] = waiting[i].view();
      offered += pieces[i].size();
    }
    const std::size_t sent = stream.write(std::span(pieces).first(count));
    remove_sent(sent);
    if (sent < offered) return false;
  }
  return true;
}

void WriteQueue::remove_sent(std::size_t count) {
  Backlog& queue = *backlog_;
  queue.bytes -= count;
  if (queue.bytes == 0) {
    backlog_.reset();
    return;
  }
  while (count > 0) {
    if (!queue.front_started && queue.urgent > 0) --queue.urgent;
    base::FrameRef& frame = queue.frames[queue.front];
    const std::size_t part = std::min(count, frame.size());
    count -= part;
    queue.front_started = part < frame.size();
    frame.drop_front(part);
    if (!queue.front_started) {
      frame = {};
      ++queue.front;
    }
  }
  // Moves what is left to the beginning only when as much is gone, so that it costs little per frame.
  if (queue.front > queue.frames.size() / 2) {
    queue.frames.erase(queue.frames.begin(), queue.frames.begin() + static_cast<std::ptrdiff_t>(queue.front));
    queue.front = 0;
  }
}

}  // namespace roomcast::net
