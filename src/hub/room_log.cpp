#include "hub/room_log.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace roomcast::hub {

namespace {

constexpr std::size_t read_messages = 1'000;

}  // namespace

void RoomLog::open(const LogState& log) {
  top_ = log.top;
  floor_ = log.floor;
  holes_ = log.holes;
  lineage_ = log.lineage;
}

void RoomLog::resume(const LogState& log) {
  is_lost_ = false;
  if (!reset_ && log.top.offset == top_.offset && log.lineage.has(top_, log.top)) {
    top_ = log.top;
    floor_ = log.floor;
    holes_ = log.holes;
    lineage_ = log.lineage;
    return;
  }
  reset_ = std::make_unique<Reset>(Reset{log});
}

RoomLog::AppliedReset RoomLog::apply_reset() {
  const std::unique_ptr<Reset> reset = std::move(reset_);
  const LogState& log = reset->log;
  AppliedReset applied{top_.offset, log.lineage.last_common(log.top, lineage_, top_),
                       std::move(reset->accepted)};
  page_.reset();
  top_ = log.top;
  floor_ = log.floor;
  holes_ = log.holes;
  lineage_ = log.lineage;
  return applied;
}

RoomLog::Order RoomLog::order_of(const Position& position) const {
  Position last = top_;
  if (reset_) last = reset_->accepted.empty() ? reset_->log.top : reset_->accepted.back().position;
  if (position.epoch != last.epoch || position.offset > last.offset + 1) return Order::not_next;
  return position.offset == last.offset + 1 ? Order::next : Order::duplicate;
}

const Message& RoomLog::hold(Message&& message) { return reset_->accepted.emplace_back(std::move(message)); }

void RoomLog::amend(const Amendment& amendment) {
  const Position& position = amendment.message.position;
  if (reset_) {
    const Position last = reset_->accepted.empty() ? reset_->log.top : reset_->accepted.back().position;
    if (reset_->log.lineage.has(position, last)) apply_amendment(amendment, reset_->accepted);
  }
  if (!has(position)) return;
  if (page_) page_->amend(amendment);
  if (amendment.what == Amendment::What::cleared && floor_ != LogState::no_past)
    floor_ = std::max(floor_, position.offset);
}

LogState RoomLog::state_at(const Position& top) const {
  const bool has_past = floor_ != LogState::no_past;
  const bool is_other_log = top.epoch != top_.epoch;
  LogState state(top, has_past && is_other_log ? top.offset : floor_);
  if (is_other_log) return state;
  state.holes = holes_;
  state.lineage = lineage_;
  return state;
}

Position RoomLog::earliest() const {
  const Position earliest = earliest_here();
  const std::uint64_t here = earliest.offset;
  const std::uint64_t floor = this->floor();
  return floor < here ? position_at(behind_hole(floor, here)) : earliest;
}

/// The floor of the engine, as far as it can be known here: with holes it may be higher.
std::uint64_t RoomLog::floor() const {
  if (kept_messages_ == 0) return floor_;
  std::uint64_t kept = kept_messages_;
  for (const Hole& hole : holes_)
    kept += hole.last - hole.first + 1;
  return std::max(floor_, top_.offset > kept ? top_.offset - kept : 0);
}

Position RoomLog::earliest_here() const {
  return position_at(history_.empty() ? top_.offset : history_[0].position.offset - 1);
}

Joined RoomLog::start_for(const Interest& interest, std::uint64_t handed_offset) const {
  if (!interest.since) return {before_last(interest.history.value_or(0)), std::nullopt};
  const Position& since = *interest.since;
  const Position first = earliest();
  if (is_provable(since, handed_offset)) {
    const std::uint64_t start = behind_hole(since.offset, handed_offset);
    if (start == since.offset) return {since, std::nullopt};
    return {position_at(start), Gap{position_at(start), first}};
  }
  const Position cursor = interest.history ? before_last(*interest.history) : first;
  return {cursor, Gap{cursor, first}};
}

bool RoomLog::is_provable(const Position& since, std::uint64_t handed_offset) const {
  return has(since) && can_continue_after(since.offset, handed_offset);
}

std::optional<LookBack> RoomLog::look_back_for(const Interest& interest, std::uint64_t handed_offset) const {
  if (interest.since && is_provable(*interest.since, handed_offset)) return std::nullopt;
  const std::size_t messages = interest.history.value_or(0);
  const std::size_t kept = history_.size() - history_.removed();
  const std::uint64_t here = earliest_here().offset;
  if (messages <= kept || earliest().offset >= here) return std::nullopt;
  return LookBack{here, messages - kept};
}

bool RoomLog::is_certain(const Joined& start, std::uint64_t handed_offset) const {
  if (floor_ == LogState::no_past) return true;
  if (start.gap && start.gap->earliest.offset < earliest_here().offset) return false;
  return start.cursor.offset >= handed_offset || has_page_after(start.cursor.offset);
}

bool RoomLog::can_continue_after(std::uint64_t offset, std::uint64_t handed_offset) const {
  return offset >= std::min(handed_offset, earliest().offset);
}

std::uint64_t RoomLog::behind_hole(std::uint64_t offset, std::uint64_t handed_offset) const {
  const std::uint64_t end = std::min(handed_offset, earliest_here().offset);
  for (const Hole& hole : holes_) {
    // One may follow directly on another.
    if (hole.first <= offset + 1 && offset < hole.last && offset < end) offset = std::min(hole.last, end);
  }
  return offset;
}

/// The position before the last `messages`, or before the first that can be had.
Position RoomLog::before_last(std::size_t messages) const {
  if (messages == 0) return position_at(top_.offset);
  const std::size_t kept = history_.size() - history_.removed();
  if (messages < kept) return position_at(history_[first_of_last(messages)].position.offset - 1);
  // What the engine keeps begins at its floor.
  const Position first = earliest();
  return position_at(std::max(first.offset, before_more(messages - kept)));
}

/// The offset before so many messages that are not retained here: they follow each other, but for holes. 0 if
/// there are not so many.
std::uint64_t RoomLog::before_more(std::size_t messages) const {
  std::uint64_t offset = earliest_here().offset;
  for (auto hole = holes_.rbegin(); hole != holes_.rend(); ++hole) {
    if (hole->first > offset) continue;
    const std::uint64_t behind = offset - std::min(hole->last, offset);
    if (messages <= behind) break;
    messages -= behind;
    offset = hole->first - 1;
  }
  return offset - std::min<std::uint64_t>(messages, offset);
}

/// The index of the first of the last `messages` in the history that are not removed; it has as many.
std::size_t RoomLog::first_of_last(std::size_t messages) const {
  if (history_.removed() == 0) return history_.size() - messages;
  std::size_t index = history_.size();
  for (std::size_t left = messages; left != 0;) {
    if (!history_[--index].is_removed) --left;
  }
  return index;
}

bool RoomLog::has_page_after(std::uint64_t offset) const {
  return is_in_page(offset + 1) || offset >= earliest_here().offset;
}

bool RoomLog::turn_page_to(std::uint64_t offset, std::size_t bytes_max) {
  if (is_in_page(offset + 1)) return false;
  std::vector<Message> messages = page_from(history_.first_after(offset), page_messages, bytes_max);
  page_ = std::make_unique<Batch>();
  page_->assign(room_, messages);
  return true;
}

/// Cuts messages that an engine has read down to those that follow each other and are not after
/// `last_offset`: the engine may know of some that it has not announced yet, and is not trusted to leave none
/// out, or to have read them from the log that is known here.
void RoomLog::keep_run(std::vector<Message>& messages, std::uint64_t last_offset) const {
  std::size_t count = 0;
  while (count < messages.size()) {
    const Position& position = messages[count].position;
    const bool follows = count == 0 || position.offset == messages[count - 1].position.offset + 1;
    if (!follows || position != position_at(position.offset) || position.offset > last_offset) break;
    ++count;
  }
  messages.resize(count);
}

void RoomLog::take_page_read(std::uint64_t after, LogPage&& page, std::uint64_t handed_offset) {
  std::vector<Message>& messages = page.messages;
  floor_ = page.floor;
  holes_ = std::move(page.holes);
  keep_run(messages, handed_offset);
  const std::uint64_t first =
      messages.empty() ? earliest_here().offset : messages.front().position.offset - 1;
  // Nothing directly after what was asked for: it is gone, unless it is here.
  if ((messages.empty() || first > after) && after < earliest_here().offset) {
    const bool is_in_hole = behind_hole(after, handed_offset) != after;
    if (!is_in_hole) floor_ = std::max(floor_, first);
  }
  if (messages.empty()) return;
  page_ = std::make_unique<Batch>();
  page_->assign(room_, messages);
}

HistoryPage RoomLog::read(const std::optional<Position>& since, const std::optional<std::size_t>& limit,
                          std::size_t bytes_max) const {
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  const Interest interest{since, since ? std::nullopt : std::optional(limit.value_or(all))};
  // What waits for its fan-out is of no use to a reader: only what is retained counts.
  const Joined start = start_for(interest, earliest_here().offset);
  HistoryPage page{start.cursor, start.gap, {}, start.cursor.offset < top_.offset};
  if (!is_retained_after(start.cursor)) return page;
  page.messages =
      readable_from(history_.first_after(start.cursor.offset),
                    std::min(limit.value_or(read_messages), read_messages), bytes_max, page.cursor);
  page.more = page.cursor.offset < top_.offset;
  return page;
}

void RoomLog::complete(HistoryPage& page, LogPage&& read, std::size_t messages_max,
                       std::size_t bytes_max) const {
  keep_run(read.messages, top_.offset);
  const bool is_other_log = !has(page.cursor);
  if (!is_other_log && read.messages.empty() && is_retained_after(page.cursor)) {
    // What the engine was to look back from is not on its disk yet.
    page.messages =
        readable_from(history_.first_after(page.cursor.offset), messages_max, bytes_max, page.cursor);
    page.more = page.cursor.offset < top_.offset;
    return;
  }
  const bool is_gone =
      is_other_log || read.messages.empty() || read.messages.front().position.offset > page.cursor.offset + 1;
  if (is_gone) {
    const Position first =
        read.messages.empty() ? earliest_here() : position_at(read.messages.front().position.offset - 1);
    page.cursor = first;
    page.gap = Gap{first, first};
  }
  for (Message& message : read.messages) {
    if (!message.is_removed && page.messages.size() == messages_max) break;
    page.cursor = message.position;
    if (!message.is_removed) page.messages.push_back(std::move(message));
  }
  page.more = page.cursor.offset < top_.offset;
}

std::vector<Message> RoomLog::page_from(std::size_t begin, std::size_t messages_max,
                                        std::size_t bytes_max) const {
  const std::size_t most = std::min(history_.size() - begin, messages_max);
  const std::size_t count =
      page_size(most, bytes_max, [&](std::size_t i) -> const Message& { return history_[begin + i]; });
  std::vector<Message> messages;
  messages.reserve(count);
  for (std::size_t i = begin; i < begin + count; ++i)
    messages.push_back(history_[i]);
  return messages;
}

std::vector<Message> RoomLog::readable_from(std::size_t begin, std::size_t messages_max,
                                            std::size_t bytes_max, Position& last) const {
  std::vector<Message> messages;
  std::size_t bytes = 0;
  for (std::size_t i = begin; i < history_.size(); ++i) {
    const Message& message = history_[i];
    if (!message.is_removed) {
      bytes += message.payload.size();
      const bool is_full = !messages.empty() && bytes > bytes_max;
      if (is_full || messages.size() == messages_max) break;
      messages.push_back(message);
    }
    last = message.position;
  }
  return messages;
}

bool RoomLog::is_in_page(std::uint64_t offset) const {
  return page_ && page_->messages().front().position.offset <= offset &&
         page_->messages().back().position.offset >= offset;
}

}  // namespace roomcast::hub
