#include "hub/room.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// Far enough ahead that the cache line of a subscriber, and then what that needs, have arrived when its turn
// comes; for rooms that do not fit the cache this makes the fan-out several times faster.
constexpr std::size_t prefetch_distance = 8;

// A slice of a fan-out ends after encodings of so much: some hundred microseconds.
constexpr std::size_t encoded_bytes_per_slice = 65'536;

// Messages that a room with members keeps memory for between two fan-outs.
constexpr std::size_t spare_messages = 64;

}  // namespace

void Room::open(const LogState& log) {
  top_ = log.top;
  floor_ = log.floor;
  fanned_out_offset_ = log.top.offset;
  for (const Place& place : members_) {
    if (place.subscriber != nullptr) plan(*place.member);
  }
}

Position Room::earliest() const {
  Position earliest = earliest_here();
  earliest.offset = std::min(earliest.offset, floor_);
  return earliest;
}

Position Room::earliest_here() const {
  return history_.empty() ? top_ : Position{top_.epoch, history_[0].position.offset - 1};
}

std::size_t Room::page_bytes() const { return hub_.page_bytes(); }

Room::Follows Room::judge(const Position& position) const {
  Position last = top_;
  if (reset_) last = reset_->accepted.empty() ? reset_->log.top : reset_->accepted.back().position;
  if (position.epoch != last.epoch || position.offset > last.offset + 1) return Follows::not_at_all;
  return position.offset == last.offset + 1 ? Follows::directly : Follows::already_there;
}

void Room::resume(const LogState& log) {
  is_lost_ = false;
  if (!reset_ && log.top == top_) {
    floor_ = log.floor;
    return;
  }
  if (reset_) {
    for (const Message& message : reset_->accepted)
      backlog_bytes_ -= backlog_cost(message);
  } else if (!has_work()) {
    backlog_bytes_ += fan_out_cost;
  }
  reset_ = std::make_unique<Reset>(Reset{log});
}

std::vector<Message> Room::move_on() {
  std::vector<Message> accepted = std::move(reset_->accepted);
  for (const Message& message : accepted)
    backlog_bytes_ -= backlog_cost(message);
  backlog_bytes_ -= fan_out_cost;
  const LogState log = reset_->log;
  reset_.reset();
  const bool is_same_log = log.top.epoch == top_.epoch && log.top.offset >= top_.offset;
  for (Place& place : members_) {
    place.live_after = std::numeric_limits<std::uint64_t>::max();
    Membership& member = *place.member;
    if (!member.catch_up_) {
      member.catch_up_ = std::make_unique<Membership::CatchUp>();
      member.catch_up_->stage = Membership::Stage::catching_up;
      member.catch_up_->behind = true;
      member.catch_up_->after = top_.offset;
    }
    if (is_same_log) continue;
    member.catch_up_->overtaken = true;
    member.catch_up_->after = log.top.offset;
  }
  page_.reset();
  top_ = log.top;
  floor_ = log.floor;
  fanned_out_offset_ = log.top.offset;
  return accepted;
}

const Message& Room::accept(Message&& message) {
  message.is_shared = message.payload.is_kept();
  if (!has_work()) backlog_bytes_ += fan_out_cost;
  backlog_bytes_ += backlog_cost(message);
  if (reset_) return reset_->accepted.emplace_back(std::move(message));
  top_ = message.position;
  ++accepted_;
  return accepted_messages_.emplace_back(std::move(message));
}

void Room::set_settings(const RoomSettings& settings) {
  settings_ = settings;
  if (presence_) presence_->on_settings();
}

void Room::join(Membership& member, const Interest& interest) {
  assert(!delivering_);
  member.set_index(static_cast<std::uint32_t>(members_.size()));
  members_.push_back({&member.subscriber_, std::numeric_limits<std::uint64_t>::max(), &member});
  ++arriving_;
  const bool is_seen = !interest.name.empty() || interest.watch_presence;
  if (is_seen && !presence_)
    presence_ = std::make_unique<Presence>(*this, hub_.parts_.deadlines, hub_.parts_.clock);
  if (presence_) presence_->enter(member, interest);
}

void Room::leave(Membership& member) {
  assert(!delivering_);
  if (member.is_arriving()) --arriving_;
  on_let_go(member);
  const std::size_t index = member.index_;
  if (fanning_out_) {
    members_[index].subscriber = nullptr;
    holes_.push_back(member.index_);
  } else {
    members_[index] = members_.back();
    members_[index].member->set_index(member.index_);
    members_.pop_back();
  }
  if (members_.empty()) {
    base::release(members_);
    release_messages();
  }
  if (!presence_) return;
  presence_->leave(member);
  drop_idle_presence();
}

void Room::on_deadline() { hub_.on_due(*this); }

void Room::on_presence_due() {
  presence_->on_due();
  drop_idle_presence();
  hub_.on_presence_due(*this);
}

PresenceSnapshot Room::presence() const {
  if (presence_) return presence_->snapshot();
  PresenceSnapshot nameless{members(), std::nullopt, members()};
  if (nameless.count <= settings_.presence.crowd) nameless.members.emplace();
  return nameless;
}

void Room::tell_presence(std::size_t watcher_count) {
  presence_->tell(watcher_count);
  drop_idle_presence();
}

void Room::drop_idle_presence() {
  if (!presence_->is_needed()) presence_.reset();
}

Room::Progress Room::fan_out(std::size_t member_count) {
  if (!fanning_out_) {
    if (arriving_ != 0 && is_open()) return {};
    begin_fan_out();
  }
  Progress progress;
  const std::size_t begin = next_member_;
  const std::size_t stop = std::min(end_member_, next_member_ + member_count);
  const std::size_t message_count = batch_.messages().size();
  delivering_ = true;
  for (; next_member_ < stop && batch_.encoded_bytes() < encoded_bytes_per_slice; ++next_member_) {
    look_ahead();
    const Place& place = members_[next_member_];
    if (place.subscriber == nullptr) continue;
    // Of somebody who is not live yet that is more than any batch holds.
    const std::size_t from =
        place.live_after <= batch_begin_ ? 0 : static_cast<std::size_t>(place.live_after - batch_begin_);
    if (from >= message_count) continue;
    place.subscriber->deliver(batch_, from);
    progress.deliveries += message_count - from;
  }
  delivering_ = false;
  progress.encoded_bytes = batch_.take_encoded_bytes();
  progress.members = next_member_ - begin;
  if (next_member_ == end_member_) progress.released_bytes = end_fan_out();
  return progress;
}

bool Room::has_handed(const Membership& member, std::uint64_t offset) const {
  if (member.catch_up_) return member.catch_up_->after >= offset;
  if (fanned_out_offset_ < offset) return false;
  if (!fanning_out_ || offset < batch_.messages().front().position.offset) return true;
  const bool is_passed = member.index_ < next_member_ || member.index_ >= end_member_;
  return is_passed || members_[member.index_].live_after >= batch_begin_ + batch_.messages().size();
}

/// Has the memory fetched that the fan-out comes to soon, also past the end of the slice: a step further for
/// each of two members.
void Room::look_ahead() const {
  fetch_subscriber(next_member_ + 2 * prefetch_distance);
  fetch_what_it_needs(next_member_ + prefetch_distance);
}

/// The same for those whom the fan-out begins with.
void Room::look_ahead_to_first() const {
  for (std::size_t i = 0; i < 2 * prefetch_distance; ++i)
    fetch_subscriber(i);
  for (std::size_t i = 0; i < prefetch_distance; ++i)
    fetch_what_it_needs(i);
}

void Room::fetch_subscriber(std::size_t index) const {
  if (const Subscriber* subscriber = subscriber_of_fan_out(index)) base::prefetch(subscriber);
}

void Room::fetch_what_it_needs(std::size_t index) const {
  if (const Subscriber* subscriber = subscriber_of_fan_out(index)) subscriber->prefetch();
}

void Room::begin_fan_out() {
  fanning_out_ = true;
  batch_begin_ = accepted_ - accepted_messages_.size();
  take_page();
  fanned_out_offset_ = batch_.messages().back().position.offset;
  next_member_ = 0;
  end_member_ = members_.size();
  look_ahead_to_first();
}

std::size_t Room::next_page_size() const {
  return page_size(std::min(accepted_messages_.size(), page_messages),
                   [this](std::size_t i) -> const Message& { return accepted_messages_[i]; });
}

bool Room::is_much_to_come() const {
  constexpr std::size_t much_bytes = 16'384;
  const std::size_t count = next_page_size();
  if (count < accepted_messages_.size()) return true;
  std::size_t bytes = 0;
  for (const Message& message : accepted_messages_)
    bytes += message.payload.size();
  return bytes >= much_bytes;
}

/// Makes the batch the next page of what has been accepted.
void Room::take_page() {
  const std::size_t count = next_page_size();
  if (count == accepted_messages_.size()) return batch_.assign(name_, accepted_messages_);
  const auto end = accepted_messages_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Message> page(std::make_move_iterator(accepted_messages_.begin()),
                            std::make_move_iterator(end));
  accepted_messages_.erase(accepted_messages_.begin(), end);
  batch_.assign(name_, page);
}

std::size_t Room::end_fan_out() {
  std::size_t bytes = 0;
  for (const Message& message : batch_.messages())
    bytes += backlog_cost(message);
  if (accepted_messages_.empty() && !reset_) bytes += fan_out_cost;
  backlog_bytes_ -= bytes;
  const bool was_burst = batch_.messages().size() > spare_messages;
  batch_.clear();
  fanning_out_ = false;
  if (!holes_.empty()) close_holes();
  if (members_.empty() || was_burst) release_messages();
  return bytes;
}

/// Fills each hole with the last member there is.
void Room::close_holes() {
  for (const std::uint32_t hole : holes_) {
    while (!members_.empty() && members_.back().subscriber == nullptr)
      members_.pop_back();
    if (hole >= members_.size()) continue;
    members_[hole] = members_.back();
    members_[hole].member->set_index(hole);
    members_.pop_back();
  }
  base::release(holes_);
}

void Room::on_held_up(Membership& member) {
  member.held_up_round_ = wait_round_;
  ++waited_for_;
}

void Room::on_let_go(Membership& member) {
  if (member.held_up_round_ == wait_round_ && waited_for_ != 0) --waited_for_;
  member.held_up_round_ = 0;
}

void Room::end_wait() {
  waited_for_ = 0;
  wait_round_ = static_cast<std::uint8_t>(wait_round_ % 255 + 1);
}

/// Gives back the memory that messages stood in.
void Room::release_messages() {
  if (fanning_out_) return;
  batch_.release();
  accepted_messages_.shrink_to_fit();
  if (accepted_messages_.empty()) base::release(accepted_messages_);
}

}  // namespace roomcast::hub
