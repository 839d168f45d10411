// The past of a room: where members begin in it, and the pages that they and questions get.
#include <algorithm>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "hub/room.h"

namespace roomcast::hub {

namespace {

constexpr std::size_t read_messages = 1'000;

/// The index of the first message whose offset is greater than `offset`; their number if there is none.
std::size_t first_after(std::span<const Message> messages, std::uint64_t offset) {
  const auto found = std::partition_point(messages.begin(), messages.end(), [offset](const Message& message) {
    return message.position.offset <= offset;
  });
  return static_cast<std::size_t>(found - messages.begin());
}

/// Of messages that an engine has read: those that follow each other, up to `last`. The engine may know of
/// some that it has not announced yet, and is not trusted to leave none out.
void keep_run(std::vector<Message>& messages, const Position& last) {
  std::size_t count = 0;
  while (count < messages.size()) {
    const Position& position = messages[count].position;
    const bool follows = count == 0 || position.offset == messages[count - 1].position.offset + 1;
    if (!follows || position.epoch != last.epoch || position.offset > last.offset) break;
    ++count;
  }
  messages.resize(count);
}

}  // namespace

void Room::plan(Membership& member) const {
  Membership::CatchUp& catch_up = *member.catch_up_;
  catch_up.plan = plan(catch_up.interest, std::min(fanned_out_offset_, earliest().offset));
  catch_up.after = catch_up.plan.cursor.offset;
}

bool Room::can_continue_after(std::uint64_t offset) const {
  return offset >= std::min(fanned_out_offset_, earliest().offset);
}

/// Where one begins who can have everything after `first_offset`.
Joined Room::plan(const Interest& interest, std::uint64_t first_offset) const {
  if (!interest.since) return {before_last(interest.history.value_or(0)), std::nullopt};
  const Position& since = *interest.since;
  const bool is_provable =
      since.epoch == top_.epoch && since.offset <= top_.offset && since.offset >= first_offset;
  if (is_provable) return {since, std::nullopt};
  const Position first = earliest();
  const Position cursor = interest.history ? before_last(*interest.history) : first;
  return {cursor, Gap{cursor, first}};
}

Position Room::before_last(std::size_t messages) const {
  if (messages == 0) return top_;
  if (messages < history_.size()) {
    return {top_.epoch, history_[history_.size() - messages].position.offset - 1};
  }
  // Behind the history offsets follow each other: what the engine keeps begins at its floor.
  Position place = earliest();
  const std::size_t more = messages - history_.size();
  const std::uint64_t here = earliest_here().offset;
  if (here > more) place.offset = std::max(place.offset, here - more);
  return place;
}

bool Room::go_live(Membership& member) {
  const std::uint64_t after = member.catch_up_->after;
  if (after < fanned_out_offset_) return false;
  // The next fan-out has all that is to come.
  members_[member.index_].live_after = accepted_ - accepted_after(after);
  member.catch_up_.reset();
  return true;
}

bool Room::has_page_after(std::uint64_t offset) const {
  return is_in_page(offset + 1) || offset >= earliest_here().offset;
}

void Room::take_page_read(std::uint64_t after, LogPage&& page) {
  std::vector<Message>& messages = page.messages;
  floor_ = page.floor;
  keep_run(messages, {top_.epoch, fanned_out_offset_});
  if (messages.empty() || messages.front().position.offset > after + 1) {
    // Nothing directly behind what was asked for: it is gone.
    floor_ =
        std::max(floor_, messages.empty() ? earliest_here().offset : messages.front().position.offset - 1);
  }
  if (messages.empty()) return;
  page_ = std::make_unique<Batch>();
  page_->assign(name_, messages);
}

Room::Replay Room::replay(Membership& member) {
  Membership::CatchUp& catch_up = *member.catch_up_;
  Replay done;
  constexpr std::size_t bytes_per_message = 64;  // to look it up and to refer to it
  if (turn_page_to(catch_up.after + 1)) done.made_bytes = page_->messages().size() * bytes_per_message;
  const std::size_t from = first_after(page_->messages(), catch_up.after);
  done.messages = page_->messages().size() - from;
  catch_up.after = page_->messages().back().position.offset;
  (void)go_live(member);
  delivering_ = true;
  member.subscriber_.deliver(*page_, from);
  delivering_ = false;
  done.made_bytes += page_->take_encoded_bytes();
  return done;
}

/// How many of the messages that wait for their fan-out have a greater offset.
std::size_t Room::accepted_after(std::uint64_t offset) const {
  return accepted_messages_.size() - first_after(accepted_messages_, offset);
}

HistoryPage Room::read(const std::optional<Position>& since, const std::optional<std::size_t>& limit) const {
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  const Interest interest{since, since ? std::nullopt : std::optional(limit.value_or(all))};
  // What waits for its fan-out is of no use to a reader: only what is kept counts.
  const Joined start = plan(interest, earliest().offset);
  HistoryPage page{start.cursor, start.gap, {}, start.cursor.offset < top_.offset};
  if (!is_kept_here(start.cursor)) return page;
  page.messages = page_from(history_.first_after(start.cursor.offset),
                            std::min(limit.value_or(read_messages), read_messages));
  if (!page.messages.empty()) page.cursor = page.messages.back().position;
  page.more = page.cursor.offset < top_.offset;
  return page;
}

void Room::add_read(LogPage&& read, std::size_t messages_max, HistoryPage& page) const {
  keep_run(read.messages, top_);
  if (read.messages.size() > messages_max) read.messages.resize(messages_max);
  const bool is_other_log = page.cursor.epoch != top_.epoch;
  const bool is_gone =
      is_other_log || read.messages.empty() || read.messages.front().position.offset > page.cursor.offset + 1;
  if (is_gone) {
    const Position first = read.messages.empty()
                               ? earliest_here()
                               : Position{top_.epoch, read.messages.front().position.offset - 1};
    page.cursor = first;
    page.gap = Gap{first, first};
  }
  page.messages = std::move(read.messages);
  if (!page.messages.empty()) page.cursor = page.messages.back().position;
  page.more = page.cursor.offset < top_.offset;
}

std::vector<Message> Room::page_from(std::size_t begin, std::size_t messages_max) const {
  const std::size_t most = std::min(history_.size() - begin, messages_max);
  const std::size_t count =
      page_size(most, [&](std::size_t i) -> const Message& { return history_[begin + i]; });
  std::vector<Message> messages;
  messages.reserve(count);
  for (std::size_t i = begin; i < begin + count; ++i)
    messages.push_back(history_[i]);
  return messages;
}

bool Room::is_in_page(std::uint64_t offset) const {
  return page_ && page_->messages().front().position.offset <= offset &&
         page_->messages().back().position.offset >= offset;
}

/// Makes the page hold the message of that offset, which the history has, and what follows it. False if it
/// did already.
bool Room::turn_page_to(std::uint64_t offset) {
  if (is_in_page(offset)) return false;
  std::vector<Message> messages = page_from(history_.first_after(offset - 1), page_messages);
  page_ = std::make_unique<Batch>();
  page_->assign(name_, messages);
  return true;
}

}  // namespace roomcast::hub
