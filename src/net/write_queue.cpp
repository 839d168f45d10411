#include "net/write_queue.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

namespace roomcast::net {

namespace {

using base::Bytes;

constexpr std::size_t max_joined_bytes = 16'384;
constexpr std::size_t pieces_per_write = 128;
// A frame up to this size takes less memory as a copy than as a reference.
constexpr std::size_t copied_bytes = 64;
constexpr std::size_t smallest_block_bytes = 256;

bool try_join(Bytes& last, const Bytes& next) {
  return last.size() + next.size() <= max_joined_bytes && last.try_extend(next);
}

/// Whether a reference would keep far more memory allocated than the frame has bytes.
bool is_better_copied(const Bytes& frame) {
  return frame.size() <= copied_bytes || frame.held_bytes() > 2 * (frame.size() + Bytes::block_overhead);
}

/// A block for copies of small frames, twice as large as the last one.
Bytes block_after(const std::vector<Bytes>& frames, std::size_t front, std::size_t needed) {
  const std::size_t last = frames.size() > front ? frames.back().size() : 0;
  return Bytes::with_capacity(std::max(needed, std::clamp(2 * last, smallest_block_bytes, max_joined_bytes)));
}

}  // namespace

void WriteQueue::append(const Bytes& frame) {
  if (frame.empty()) return;
  if (!backlog_ && try_join(only_, frame)) return;
  append_to(backlog(), frame);
}

void WriteQueue::append_to(Backlog& queue, const Bytes& frame) {
  queue.bytes += frame.size();
  std::vector<Bytes>& frames = queue.frames;
  const bool has_last = frames.size() > queue.front;
  if (has_last && try_join(frames.back(), frame)) return;
  // A short queue is sent in a moment: copying pays off only for frames that wait behind others.
  if (frames.size() < queue.front + 2 || !is_better_copied(frame)) {
    queue.blocks += frame.held_bytes();
    frames.push_back(frame);
    return;
  }
  const bool may_grow = frames.back().size() + frame.size() <= max_joined_bytes;
  if (may_grow && frames.back().try_append(frame.view())) return;
  Bytes block = block_after(frames, queue.front, frame.size());
  (void)block.try_append(frame.view());
  queue.blocks += block.held_bytes();
  frames.push_back(std::move(block));
}

void WriteQueue::push_urgent(const Bytes& frame) {
  if (frame.empty()) return;
  Backlog& queue = backlog();
  if (queue.urgent.size() == urgent_max) {
    queue.bytes -= queue.urgent.back().size();
    queue.urgent.pop_back();
  }
  queue.urgent.push_back(frame);
  queue.bytes += frame.size();
}

bool WriteQueue::keep_rest(std::size_t sent) {
  if (sent > 0) {
    backlog();
    remove_sent(sent);
  }
  return false;
}

void WriteQueue::put_back(Bytes&& rest, bool started) {
  Backlog& queue = backlog();
  queue.bytes += rest.size();
  if (started) {
    queue.started = std::move(rest);
    return;
  }
  // It was the only frame: anything in the queue was added since, in this turn.
  queue.blocks += rest.held_bytes();
  queue.frames.insert(queue.frames.begin() + static_cast<std::ptrdiff_t>(queue.front), std::move(rest));
}

void WriteQueue::drop_unsent() {
  only_ = {};
  if (!backlog_) return;
  if (backlog_->started.empty()) {
    backlog_.reset();
    return;
  }
  auto kept = std::make_unique<Backlog>();
  kept->started = std::move(backlog_->started);
  kept->bytes = kept->started.size();
  backlog_ = std::move(kept);
}

std::size_t WriteQueue::held_bytes() const {
  if (!backlog_) return only_.held_bytes();
  const Backlog& queue = *backlog_;
  std::size_t bytes = sizeof(Backlog) + queue.started.held_bytes() + queue.blocks +
                      queue.frames.capacity() * sizeof(Bytes) + queue.urgent.capacity() * sizeof(Bytes);
  for (const Bytes& frame : queue.urgent)
    bytes += frame.held_bytes();
  return bytes;
}

WriteQueue::Backlog& WriteQueue::backlog() {
  if (!backlog_) {
    backlog_ = std::make_unique<Backlog>();
    if (!only_.empty()) append_to(*backlog_, std::exchange(only_, {}));
  }
  return *backlog_;
}

bool WriteQueue::flush_backlog(ByteStream& stream) {
  while (backlog_) {
    const Written written = write_some(stream, std::numeric_limits<std::size_t>::max());
    if (written.taken < written.offered) return false;
  }
  return true;
}

WriteQueue::Flushed WriteQueue::flush_part(ByteStream& stream) {
  backlog();
  std::size_t left = some_bytes;
  while (backlog_ && left > 0) {
    const Written written = write_some(stream, left);
    if (written.taken < written.offered) return Flushed::blocked;
    left -= written.taken;
  }
  return backlog_ ? Flushed::more : Flushed::all;
}

WriteQueue::Written WriteQueue::write_some(ByteStream& stream, std::size_t most) {
  std::array<std::string_view, pieces_per_write> pieces;
  std::size_t count = 0;
  Written written;
  const auto add = [&](const Bytes& frame) {
    if (frame.empty() || count == pieces.size() || written.offered == most) return;
    const std::string_view piece = frame.view().substr(0, most - written.offered);
    pieces.at(count++) = piece;
    written.offered += piece.size();
  };
  add(backlog_->started);
  for (const Bytes& frame : backlog_->urgent)
    add(frame);
  const auto waiting = std::span(backlog_->frames).subspan(backlog_->front);
  for (const Bytes& frame : waiting.first(std::min(waiting.size(), pieces.size())))
    add(frame);
  written.taken = stream.write(std::span(pieces).first(count));
  remove_sent(written.taken);
  return written;
}

void WriteQueue::remove_sent(std::size_t count) {
  Backlog& queue = *backlog_;
  queue.bytes -= count;
  if (queue.bytes == 0) {
    backlog_.reset();
    return;
  }
  const std::size_t of_started = std::min(count, queue.started.size());
  queue.started.drop_front(of_started);
  if (queue.started.empty()) queue.started.reset();
  count = remove_sent_urgent(queue, count - of_started);
  if (count > 0) remove_sent_frames(queue, count);
}

/// Removes sent bytes of urgent frames; returns the number of bytes that belong to later frames.
std::size_t WriteQueue::remove_sent_urgent(Backlog& queue, std::size_t count) {
  std::size_t gone = 0;
  while (count > 0 && gone < queue.urgent.size()) {
    Bytes& frame = queue.urgent[gone++];
    const std::size_t part = std::min(count, frame.size());
    count -= part;
    frame.drop_front(part);
    if (!frame.empty()) queue.started = std::move(frame);
  }
  queue.urgent.erase(queue.urgent.begin(), queue.urgent.begin() + static_cast<std::ptrdiff_t>(gone));
  return count;
}

void WriteQueue::remove_sent_frames(Backlog& queue, std::size_t count) {
  std::vector<Bytes>& frames = queue.frames;
  while (count > 0) {
    Bytes frame = std::move(frames[queue.front++]);
    queue.blocks -= frame.held_bytes();
    const std::size_t part = std::min(count, frame.size());
    count -= part;
    frame.drop_front(part);
    if (!frame.empty()) queue.started = std::move(frame);
  }
  // Moves the rest to the front only when as much has been sent, so that the cost per frame is small.
  if (queue.front <= frames.size() / 2) return;
  frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(queue.front));
  queue.front = 0;
  if (frames.capacity() > 64 && frames.size() < frames.capacity() / 4) frames.shrink_to_fit();
}

}  // namespace roomcast::net
