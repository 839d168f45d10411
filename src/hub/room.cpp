#include "hub/room.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// Far enough ahead that a member's cache line has arrived when its turn comes; for rooms that do not fit the
// cache this makes the walk several times faster.
constexpr std::size_t prefetch_distance = 8;

// What is handed over at a time to a member that catches up: well below limits.queue_bytes, also where each
// message is wrapped into a few hundred bytes.
constexpr std::size_t page_bytes = 131'072;  // of payload
constexpr std::size_t page_messages = 1'000;

}  // namespace

void Room::open(const Position& top) {
  top_ = top;
  walked_offset_ = top.offset;
  for (Membership* member : members_) {
    if (member != nullptr) plan(*member);
  }
}

Position Room::earliest() const {
  return history_.empty() ? top_ : Position{top_.epoch, history_[0].position.offset - 1};
}

void Room::accept(const Message& message, std::int64_t now_ms) {
  accepted_messages_.push_back(message);
  ++accepted_;
  top_ = message.position;
  history_.append(message, now_ms, settings_->history);
  page_.reset();
}

void Room::join(Membership& member) {
  assert(!delivering_);
  member.index_ = static_cast<std::uint32_t>(members_.size());
  members_.push_back(&member);
}

void Room::leave(Membership& member) {
  assert(!delivering_);
  const std::size_t index = member.index_;
  if (walking_) {
    members_[index] = nullptr;
    ++holes_;
    return;
  }
  members_[index] = members_.back();
  members_[index]->index_ = static_cast<std::uint32_t>(index);
  members_.pop_back();
}

void Room::on_deadline() { hub_.on_due(*this); }

Room::Progress Room::walk(std::size_t member_count) {
  if (!walking_) begin_walk();
  Progress progress;
  const std::size_t stop = std::min(end_member_, next_member_ + member_count);
  delivering_ = true;
  for (; next_member_ < stop; ++next_member_) {
    if (next_member_ + prefetch_distance < stop)
      __builtin_prefetch(members_[next_member_ + prefetch_distance]);
    const Membership* member = members_[next_member_];
    if (member == nullptr) continue;
    // Of somebody who is not live yet that is more than any batch holds.
    const std::size_t from = member->live_after_ <= batch_begin_
                                 ? 0
                                 : static_cast<std::size_t>(member->live_after_ - batch_begin_);
    if (from >= batch_.messages().size()) continue;
    member->subscriber_.deliver(batch_, from);
    progress.deliveries += batch_.messages().size() - from;
  }
  delivering_ = false;
  if (next_member_ == end_member_) progress.released_bytes = end_walk();
  return progress;
}

void Room::begin_walk() {
  walking_ = true;
  batch_begin_ = accepted_ - accepted_messages_.size();
  walked_offset_ = top_.offset;
  batch_.assign(name_, accepted_messages_);
  next_member_ = 0;
  end_member_ = members_.size();
}

std::size_t Room::end_walk() {
  std::size_t bytes = 0;
  for (const Message& message : batch_.messages())
    bytes += message.payload.size();
  batch_.clear();
  walking_ = false;
  if (holes_ != 0) close_holes();
  return bytes;
}

void Room::close_holes() {
  members_.erase(std::remove(members_.begin(), members_.end(), nullptr), members_.end());
  for (std::size_t i = 0; i < members_.size(); ++i)
    members_[i]->index_ = static_cast<std::uint32_t>(i);
  holes_ = 0;
}

void Room::plan(Membership& member) const {
  Membership::CatchUp& catch_up = *member.catch_up_;
  catch_up.plan = plan(catch_up.interest);
  catch_up.after = catch_up.plan.cursor.offset;
}

bool Room::can_continue_after(std::uint64_t offset) const {
  return offset >= walked_offset_ || offset >= earliest().offset;
}

Joined Room::plan(const Interest& interest) const {
  const Position first = earliest();
  if (!interest.since) return {before_last(interest.history.value_or(0)), std::nullopt};
  const Position& since = *interest.since;
  const bool is_provable =
      since.epoch == top_.epoch && since.offset <= top_.offset && since.offset >= first.offset;
  if (is_provable) return {since, std::nullopt};
  const Position cursor = interest.history ? before_last(*interest.history) : first;
  return {cursor, Gap{cursor, first}};
}

Position Room::before_last(std::size_t messages) const {
  if (messages == 0) return top_;
  if (messages >= history_.size()) return earliest();
  return {top_.epoch, history_[history_.size() - messages].position.offset - 1};
}

std::size_t Room::replay(Membership& member) {
  Membership::CatchUp& catch_up = *member.catch_up_;
  if (catch_up.after >= walked_offset_) {
    // The next walk has all that is to come.
    member.live_after_ = accepted_ - accepted_after(catch_up.after);
    member.catch_up_.reset();
    return 0;
  }
  const std::size_t begin = history_.first_after(catch_up.after);
  const Message& wanted = history_[begin];
  if (!page_ || wanted.position.offset < page_->messages().front().position.offset ||
      wanted.position.offset > page_->messages().back().position.offset) {
    turn_page(begin);
  }
  const auto messages = page_->messages();
  const auto from = static_cast<std::size_t>(
      std::partition_point(messages.begin(), messages.end(),
                           [&](const Message& m) { return m.position.offset < wanted.position.offset; }) -
      messages.begin());
  if (messages.back().position == top_) {
    member.catch_up_.reset();
    member.live_after_ = accepted_;
  } else {
    catch_up.after = messages.back().position.offset;
  }
  delivering_ = true;
  member.subscriber_.deliver(*page_, from);
  delivering_ = false;
  return messages.size() - from;
}

/// How many of the messages that wait for their walk have a greater offset.
std::size_t Room::accepted_after(std::uint64_t offset) const {
  const auto first = std::partition_point(accepted_messages_.begin(), accepted_messages_.end(),
                                          [offset](const Message& m) { return m.position.offset <= offset; });
  return static_cast<std::size_t>(accepted_messages_.end() - first);
}

HistoryPage Room::read(const std::optional<Position>& since, const std::optional<std::size_t>& limit) const {
  const Interest interest{since, since ? std::nullopt : std::optional(limit.value_or(history_.size()))};
  const Joined start = plan(interest);
  HistoryPage page{start.cursor, start.gap, {}, false};
  page.messages = page_from(history_.first_after(start.cursor.offset), limit.value_or(history_.size()));
  if (!page.messages.empty()) page.cursor = page.messages.back().position;
  page.more = page.cursor.offset < top_.offset;
  return page;
}

std::vector<Message> Room::page_from(std::size_t begin, std::size_t messages_max) const {
  const std::size_t end = begin + std::min({history_.size() - begin, messages_max, page_messages});
  std::vector<Message> messages;
  std::size_t bytes = 0;
  for (std::size_t i = begin; i < end; ++i) {
    bytes += history_[i].payload.size();
    if (!messages.empty() && bytes > page_bytes) break;
    messages.push_back(history_[i]);
  }
  return messages;
}

void Room::turn_page(std::size_t begin) {
  std::vector<Message> messages = page_from(begin, history_.size());
  page_ = std::make_unique<Batch>();
  page_->assign(name_, messages);
}

}  // namespace roomcast::hub
