#include "store/room_page.h"

#include <algorithm>
#include <utility>

namespace roomcast::store {

namespace {

/// Removed messages in a page, at most: they do not count among its messages.
constexpr std::size_t removed_max = 500;

/// Whether only the place of the message is left.
bool is_place(const Record& message, const Amendments& amendments) {
  const Record* const amendment = amendments.find(message.offset);
  if (amendment != nullptr) return amendment->type == Record::Type::removed;
  const std::optional<MessageBody> body = read_message_body(message.body);
  return body && body->is_removed;
}

/// Gathers the messages of a page.
class PageFilling {
 public:
  PageFilling(std::uint64_t after, std::size_t messages_max, std::size_t bytes_max,
              const Amendments& amendments)
      : last_(after), messages_max_(messages_max), bytes_max_(bytes_max), amendments_(amendments) {}

  /// False if the page ends before this message.
  bool add(const Record& message) {
    if (message.offset <= last_) return true;
    if (count_ > 0 && message.offset != last_ + 1) return false;
    const bool is_removed = is_place(message, amendments_);
    const bool is_full = is_removed ? removed_ >= removed_max : messages_ >= messages_max_;
    if (is_full) return false;
    const std::size_t before = records_.size();
    append_amended(records_, message, amendments_);
    if (count_ > 0 && records_.size() > bytes_max_) {
      records_.resize(before);
      return false;
    }
    last_ = message.offset;
    ++count_;
    ++(is_removed ? removed_ : messages_);
    return true;
  }
  [[nodiscard]] std::string take() { return std::move(records_); }

 private:
  std::uint64_t last_;
  std::size_t messages_max_;
  std::size_t bytes_max_;
  const Amendments& amendments_;
  std::size_t count_ = 0;
  std::size_t messages_ = 0;  // of them, that are not removed
  std::size_t removed_ = 0;   // the others
  std::string records_;
};

}  // namespace

base::Result<const std::vector<Record>*, Fault> RoomPage::messages_of(const ChunkExtent& extent) {
  if (chunk_ == extent.id) return &messages_;
  base::Result<std::string, Fault> records = rows_.records(extent.id);
  if (!records) return std::move(records.error());
  records_ = std::move(*records);
  ChunkContent content = read_chunk(extent, state_.row().id, records_);
  if (content.is_damaged) {
    const bool is_known = std::any_of(damage_.begin(), damage_.end(),
                                      [&extent](const Damage& damage) { return damage.chunk == extent.id; });
    if (!is_known) damage_.push_back({state_.row().id, extent.id, extent.first, extent.last});
    state_.note_gaps(extent.first, extent.last, content.messages);
  }
  chunk_ = extent.id;
  messages_ = std::move(content.messages);
  return &messages_;
}

base::Result<std::uint64_t, Fault> RoomPage::find_floor(const hub::HistoryLimits& limits,
                                                        std::int64_t now_ms) {
  std::uint64_t floor = state_.floors(limits, {now_ms, true}).highest();
  // Of the chunk in which the oldest messages are that may be kept, some may be too old, or not fit. All
  // chunks behind it fit.
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  const auto boundary = std::find_if(chunks.begin(), chunks.end(),
                                     [floor](const ChunkExtent& chunk) { return chunk.last > floor; });
  if (boundary == chunks.end()) return floor;
  std::uint64_t left = limits.bytes;
  for (const Record& message : state_.messages())
    left -= std::min<std::uint64_t>(left, message.bytes.size());
  for (auto chunk = boundary + 1; chunk != chunks.end(); ++chunk)
    left -= std::min(left, chunk->bytes);
  // Times never go back, so its messages are not older than the last one before it.
  const std::int64_t expired_ms = now_ms - limits.age_ms;
  const bool may_be_too_old = boundary == chunks.begin() || (boundary - 1)->newest_ms <= expired_ms;
  if (boundary->bytes <= left && !may_be_too_old) return floor;
  const base::Result<const std::vector<Record>*, Fault> messages = messages_of(*boundary);
  if (!messages) return messages.error();
  for (auto message = (*messages)->rbegin(); message != (*messages)->rend(); ++message) {
    if (message->offset <= floor) break;
    if (message->number <= expired_ms || message->bytes.size() > left) return message->offset;
    left -= message->bytes.size();
  }
  return std::max(floor, state_.row().floor);
}

base::Result<std::vector<KnownKey>, Fault> RoomPage::keys(std::int64_t after_ms, std::size_t keys_max) {
  std::vector<KnownKey> keys;
  // False at the end.
  const auto take = [&](const Record& message) {
    if (message.number <= after_ms || keys.size() >= keys_max) return false;
    const std::optional<MessageBody> body = read_message_body(message.body);
    if (body && !body->key.text.empty())
      keys.push_back({std::string(body->key.text), body->key.digest, message.offset, message.number});
    return true;
  };
  bool goes_on = true;
  const std::vector<Record>& tail = state_.messages();
  for (auto message = tail.rbegin(); message != tail.rend() && goes_on; ++message)
    goes_on = take(*message);
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend() && goes_on; ++chunk) {
    if (chunk->newest_ms <= after_ms) break;
    const base::Result<const std::vector<Record>*, Fault> messages = messages_of(*chunk);
    if (!messages) return messages.error();
    for (auto message = (*messages)->rbegin(); message != (*messages)->rend() && goes_on; ++message)
      goes_on = take(*message);
  }
  std::reverse(keys.begin(), keys.end());
  return keys;
}

base::Result<std::uint64_t, Fault> RoomPage::find_back(std::uint64_t before, std::uint64_t messages,
                                                       std::uint64_t floor, std::uint64_t bytes_max) {
  std::uint64_t at = before;
  std::uint64_t left = messages;
  // False at the end.
  const auto go_back_over = [&](const std::vector<Record>& some) {
    for (auto message = some.rbegin(); message != some.rend(); ++message) {
      if (left == 0 || message->offset <= floor) return false;
      if (message->offset > before || is_place(*message, state_.amendments())) continue;
      at = message->offset - 1;
      --left;
    }
    return left != 0;
  };
  if (!go_back_over(state_.messages())) return left == 0 ? std::max(at, floor) : floor;
  std::uint64_t bytes = 0;
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend() && chunk->last > floor; ++chunk) {
    if (chunk->first > before) continue;
    bytes += chunk->bytes;
    if (bytes > bytes_max) {
      const std::uint64_t last = std::min(chunk->last, before);
      const std::uint64_t places = std::min(chunk->count, last - chunk->first + 1);
      if (left <= places) return std::max(last - left, floor);
      left -= places;
      continue;
    }
    const base::Result<const std::vector<Record>*, Fault> of_chunk = messages_of(*chunk);
    if (!of_chunk) return of_chunk.error();
    if (!go_back_over(**of_chunk)) return left == 0 ? std::max(at, floor) : floor;
  }
  return floor;
}

base::Result<std::string, Fault> RoomPage::read(std::uint64_t after, std::size_t messages_max,
                                                std::size_t bytes_max) {
  PageFilling page(after, messages_max, bytes_max, state_.amendments());
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  auto chunk = std::partition_point(chunks.begin(), chunks.end(),
                                    [after](const ChunkExtent& extent) { return extent.last <= after; });
  for (; chunk != chunks.end(); ++chunk) {
    const base::Result<const std::vector<Record>*, Fault> messages = messages_of(*chunk);
    if (!messages) return messages.error();
    for (const Record& message : **messages) {
      if (!page.add(message)) return page.take();
    }
  }
  for (const Record& message : state_.messages()) {
    if (!page.add(message)) break;
  }
  return page.take();
}

}  // namespace roomcast::store
