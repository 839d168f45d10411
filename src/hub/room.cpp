#include "hub/room.h"

#include <utility>

#include "hub/presence.h"

namespace roomcast::hub {

void Room::open(const LogState& log) {
  log_.open(log);
  fan_out_.continue_after(log.top.offset);
  fan_out_.for_each([this](Member& member) { assign_start(member); });
}

void Room::resume(const LogState& log) {
  log_.resume(log);
  held_bytes_ = 0;
}

std::vector<Message> Room::apply_reset() {
  RoomLog::AppliedReset reset = log_.apply_reset();
  held_bytes_ = 0;
  const std::uint64_t offset = log_.top().offset;
  fan_out_.set_all_not_live();
  fan_out_.continue_after(offset);
  fan_out_.for_each([&](Member& member) {
    member.fall_behind(reset.old_offset);
    const bool is_in_common = reset.common_offset && member.after() <= *reset.common_offset;
    if (!is_in_common) member.lose_log(reset.common_offset.value_or(offset));
  });
  return std::move(reset.accepted);
}

const Message& Room::accept(Message&& message) {
  message.is_shared = message.payload.is_kept();
  if (log_.is_reset_pending()) {
    held_bytes_ += FanOut::backlog_cost(message);
    return log_.hold(std::move(message));
  }
  log_.advance_to(message.position);
  return fan_out_.push(std::move(message));
}

void Room::amend(Amendment&& amendment) {
  log_.amend(amendment);
  held_bytes_ = 0;
  for (const Message& message : log_.held())
    held_bytes_ += FanOut::backlog_cost(message);
  if (log_.has(amendment.message.position)) fan_out_.amend(std::move(amendment));
}

void Room::join(Member& member) {
  member.enter(*this);
  fan_out_.add(member);
  ++joining_;
}

void Room::leave(Member& member) {
  if (member.state() == Member::State::joining) --joining_;
  fan_out_.remove(member);
}

void Room::await_start(Member& member) {
  if (member.state() == Member::State::joining) --joining_;
  member.await_start();
}

void Room::acknowledge(Member& member) {
  if (member.state() == Member::State::joining) --joining_;
  member.acknowledge();
}

void Room::end_refused(Member& member) {
  if (member.state() == Member::State::joining) --joining_;
  member.end_refused();
}

void Room::assign_start(Member& member) const {
  member.start_at(log_.start_for(member.interest(), fan_out_.handed_offset()));
  member.look_back_from(log_.look_back_for(member.interest(), fan_out_.handed_offset()));
}

void Room::start_at(Member& member, std::uint64_t offset) const {
  Joined start = member.start();
  start.cursor = log_.position_at(offset);
  if (start.gap) start.gap->cursor = start.cursor;
  member.start_at(start);
}

void Room::renew_earliest(Member& member) const {
  Joined start = member.start();
  if (!start.gap) return;
  start.gap->earliest = log_.earliest();
  member.start_at(start);
}

std::uint64_t Room::page_to_begin_with(const Joined& start) const {
  const std::uint64_t offset = start.cursor.offset;
  const bool is_here = offset >= fan_out_.handed_offset() || log_.has_page_after(offset);
  return is_here && start.gap ? start.gap->earliest.offset : offset;
}

bool Room::go_live(Member& member) {
  if (member.after() < fan_out_.handed_offset()) return false;
  fan_out_.set_live(member, member.after());
  member.go_live();
  return true;
}

Room::Replay Room::replay(Member& member, std::size_t page_bytes) {
  Replay done;
  constexpr std::size_t bytes_per_message = 64;  // to look it up and to refer to it
  const std::uint64_t after = member.after();
  const bool is_new = log_.turn_page_to(after, page_bytes);
  Batch& page = log_.page();
  if (is_new) done.made_bytes = page.messages().size() * bytes_per_message;
  const std::size_t from = first_after(page.messages(), after);
  done.messages = page.messages().size() - from;
  member.advance_to(page.messages().back().position.offset);
  (void)go_live(member);
  fan_out_.deliver_page(member, page, from);
  done.made_bytes += page.take_encoded_bytes();
  return done;
}

bool Room::has_handed(const Member& member, std::uint64_t offset) const {
  return member.is_live() ? fan_out_.has_handed(member, offset) : member.after() >= offset;
}

FanOut::Progress Room::deliver(std::size_t member_count, std::size_t page_bytes) {
  if (!fan_out_.is_under_way() && joining_ != 0 && log_.is_open()) return {};
  return fan_out_.run(member_count, page_bytes);
}

Room::Use Room::use() const {
  const bool has_update = presence() != nullptr && presence()->is_linked();
  const bool has_delayed = record_.delayed.has_publishes() || record_.delayed.has_turn();
  const bool has_questions = !record_.questions.empty();
  if (members() != 0 || has_work() || has_update || has_delayed || has_questions) return Use::in_use;
  return presence() != nullptr && presence()->is_expecting() ? Use::expected : Use::none;
}

}  // namespace roomcast::hub
