#include "hub/fan_out.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>
#include <utility>

#include "base/memory.h"

namespace roomcast::hub {

namespace {

// Far enough ahead that the cache line of a subscriber, and then what that needs, have arrived when its turn
// comes; for rooms that do not fit the cache this makes the fan-out several times faster.
constexpr std::size_t prefetch_distance = 8;

// A slice of a fan-out ends after encodings of so much: some hundred microseconds.
constexpr std::size_t encoded_bytes_per_slice = 65'536;

// Messages that a room with members keeps memory for between two fan-outs.
constexpr std::size_t spare_messages = 64;

// More messages than will ever be pushed.
constexpr std::uint64_t not_live = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void FanOut::add(Member& member) {
  assert(!is_delivering_);
  member.fan_out_place().index = static_cast<std::uint32_t>(members_.size()) & 0xFF'FFFFU;
  members_.push_back({&member.subscriber(), not_live, &member});
}

void FanOut::remove(Member& member) {
  assert(!is_delivering_);
  let_go(member);
  const std::uint32_t index = member.fan_out_place().index;
  if (is_under_way_) {
    members_[index].subscriber = nullptr;
    holes_.push_back(index);
  } else {
    members_[index] = members_.back();
    members_[index].member->fan_out_place().index = index & 0xFF'FFFFU;
    members_.pop_back();
  }
  if (!members_.empty()) return;
  base::release(members_);
  release_messages();
}

void FanOut::set_live(const Member& member, std::uint64_t offset) {
  // The next fan-out has all that is to come.
  const std::size_t owed = queued_.size() - first_after(queued_, offset);
  members_[member.fan_out_place().index].live_after = pushed_ - owed;
}

void FanOut::set_all_not_live() {
  for (Place& place : members_)
    place.live_after = not_live;
}

bool FanOut::has_handed(const Member& member, std::uint64_t offset) const {
  if (handed_offset_ < offset) return false;
  if (!is_under_way_ || is_amending_ || offset < batch_.messages().front().position.offset) return true;
  const std::size_t index = member.fan_out_place().index;
  const bool is_passed = index < next_member_ || index >= end_member_;
  return is_passed || members_[index].live_after >= batch_begin_ + batch_.messages().size();
}

void FanOut::deliver_page(const Member& member, Batch& page, std::size_t from) {
  is_delivering_ = true;
  member.subscriber().deliver(page, from);
  is_delivering_ = false;
}

const Message& FanOut::push(Message&& message) {
  backlog_bytes_ += backlog_cost(message);
  ++pushed_;
  return queued_.emplace_back(std::move(message));
}

void FanOut::amend(Amendment&& amendment) {
  backlog_bytes_ -= cost_of_messages();
  apply_amendment(amendment, queued_);
  if (is_under_way_ && !is_amending_) batch_.amend(amendment);
  backlog_bytes_ += cost_of_messages();
  const std::size_t cost = backlog_cost(amendment.message);
  backlog_bytes_ += cost;
  amendment_bytes_ += cost;
  if (!amendments_) amendments_ = std::make_unique<std::deque<Following>>();
  amendments_->emplace_back(room_, std::move(amendment), cost, pushed_);
}

/// Of all that are queued or being delivered.
std::size_t FanOut::cost_of_messages() const {
  std::size_t cost = 0;
  for (const Message& message : queued_)
    cost += backlog_cost(message);
  for (const Message& message : batch_.messages())
    cost += backlog_cost(message);
  return cost;
}

FanOut::Progress FanOut::run(std::size_t member_count, std::size_t page_bytes) {
  if (!is_under_way_) begin(page_bytes);
  const std::size_t begin = next_member_;
  const std::size_t stop = std::min(end_member_, next_member_ + member_count);
  is_delivering_ = true;
  Progress progress = is_amending_ ? pass_amendment(stop) : pass_messages(stop);
  is_delivering_ = false;
  progress.encoded_bytes = batch_.take_encoded_bytes();
  progress.members = next_member_ - begin;
  if (next_member_ == end_member_) end();
  return progress;
}

FanOut::Progress FanOut::pass_messages(std::size_t stop) {
  Progress progress;
  const std::size_t message_count = batch_.messages().size();
  for (; next_member_ < stop && batch_.encoded_bytes() < encoded_bytes_per_slice; ++next_member_) {
    prefetch_next();
    const Place& place = members_[next_member_];
    if (place.subscriber == nullptr) continue;
    // For a member that is not live that is more than any batch has.
    const std::size_t from =
        place.live_after <= batch_begin_ ? 0 : static_cast<std::size_t>(place.live_after - batch_begin_);
    if (from >= message_count) continue;
    place.subscriber->deliver(batch_, from);
    progress.deliveries += message_count - from;
  }
  return progress;
}

FanOut::Progress FanOut::pass_amendment(std::size_t stop) {
  AmendmentUpdate& update = amendments_->front().update;
  for (; next_member_ < stop; ++next_member_) {
    prefetch_next();
    const Place& place = members_[next_member_];
    if (place.subscriber != nullptr && concerns(update.amendment(), place))
      place.subscriber->on_amendment(update);
  }
  return {};
}

/// Whether the member may have what is amended. One that is live has.
bool FanOut::concerns(const Amendment& amendment, const Place& place) {
  if (place.live_after != not_live) return true;
  if (!place.member->is_catching_up()) return false;
  return amendment.what == Amendment::What::cleared ||
         place.member->after() >= amendment.message.position.offset;
}

/// Prefetches what the fan-out needs soon, also past the end of the slice: a step further for each of two
/// members.
void FanOut::prefetch_next() const {
  prefetch_subscriber(next_member_ + 2 * prefetch_distance);
  prefetch_for_delivery(next_member_ + prefetch_distance);
}

/// The same for the members that the fan-out begins with.
void FanOut::prefetch_first() const {
  for (std::size_t i = 0; i < 2 * prefetch_distance; ++i)
    prefetch_subscriber(i);
  for (std::size_t i = 0; i < prefetch_distance; ++i)
    prefetch_for_delivery(i);
}

void FanOut::prefetch_subscriber(std::size_t index) const {
  if (const Subscriber* subscriber = subscriber_at(index)) base::prefetch(subscriber);
}

void FanOut::prefetch_for_delivery(std::size_t index) const {
  if (const Subscriber* subscriber = subscriber_at(index)) subscriber->prefetch();
}

void FanOut::begin(std::size_t page_bytes) {
  is_under_way_ = true;
  batch_begin_ = pushed_ - queued_.size();
  is_amending_ = amendments_ && amendments_->front().behind == batch_begin_;
  if (!is_amending_) {
    take_page(page_bytes);
    handed_offset_ = batch_.messages().back().position.offset;
  }
  next_member_ = 0;
  end_member_ = members_.size();
  prefetch_first();
}

/// How many of the queued messages are one page.
std::size_t FanOut::next_page_size(std::size_t page_bytes) const {
  return page_size(std::min(queued_.size(), page_messages), page_bytes,
                   [this](std::size_t i) -> const Message& { return queued_[i]; });
}

/// Whether what is queued is more than a page, or a good part of one.
bool FanOut::is_much_queued(std::size_t page_bytes) const {
  constexpr std::size_t much_bytes = 16'384;
  if (next_page_size(page_bytes) < queued_.size()) return true;
  std::size_t bytes = 0;
  for (const Message& message : queued_)
    bytes += message.payload.size();
  return bytes >= much_bytes;
}

/// Makes the batch of the next page of what is queued.
void FanOut::take_page(std::size_t page_bytes) {
  std::size_t count = next_page_size(page_bytes);
  if (amendments_)
    count = std::min(count, static_cast<std::size_t>(amendments_->front().behind - batch_begin_));
  if (count == queued_.size()) return batch_.assign(room_, queued_);
  const auto end = queued_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Message> page(std::make_move_iterator(queued_.begin()), std::make_move_iterator(end));
  queued_.erase(queued_.begin(), end);
  batch_.assign(room_, page);
}

void FanOut::end_amendment() {
  const std::size_t cost = amendments_->front().cost;
  backlog_bytes_ -= cost;
  amendment_bytes_ -= cost;
  amendments_->pop_front();
  if (amendments_->empty()) amendments_.reset();
  is_amending_ = false;
}

void FanOut::end() {
  if (is_amending_) end_amendment();
  for (const Message& message : batch_.messages())
    backlog_bytes_ -= backlog_cost(message);
  const bool was_burst = batch_.messages().size() > spare_messages;
  batch_.clear();
  is_under_way_ = false;
  if (!holes_.empty()) close_holes();
  if (members_.empty() || was_burst) release_messages();
}

/// Fills each hole with the last member there is.
void FanOut::close_holes() {
  for (const std::uint32_t hole : holes_) {
    while (!members_.empty() && members_.back().subscriber == nullptr)
      members_.pop_back();
    if (hole >= members_.size()) continue;
    members_[hole] = members_.back();
    members_[hole].member->fan_out_place().index = hole & 0xFF'FFFFU;
    members_.pop_back();
  }
  base::release(holes_);
}

/// Frees the memory that held messages.
void FanOut::release_messages() {
  if (is_under_way_) return;
  batch_.release();
  queued_.shrink_to_fit();
  if (queued_.empty()) base::release(queued_);
}

void FanOut::hold_up(Member& member) {
  if (member.fan_out_place().held_up_round != 0) return;
  member.fan_out_place().held_up_round = wait_round_;
  ++waited_for_;
}

void FanOut::let_go(Member& member) {
  if (member.fan_out_place().held_up_round == wait_round_ && waited_for_ != 0) --waited_for_;
  member.fan_out_place().held_up_round = 0;
}

void FanOut::end_wait() {
  waited_for_ = 0;
  wait_round_ = static_cast<std::uint8_t>(wait_round_ % 255 + 1);
}

}  // namespace roomcast::hub
