// Amendments, and reads of the past. A message that is to be removed or replaced is looked for first.
#include <algorithm>
#include <utility>

#include "engine/durable.h"

namespace roomcast::engine {

namespace {

using store::Record;

constexpr hub::Refusal being_opened{hub::Refusal::Code::unavailable, "the room is being opened: try again"};
constexpr hub::Refusal too_many_checks{hub::Refusal::Code::store_busy,
                                       "too many messages are being removed or replaced: try again"};
constexpr hub::Refusal too_many_reads{hub::Refusal::Code::store_busy,
                                      "too much waits for the disk: read again later"};
constexpr std::size_t amendment_bytes = 512;  // beside the payload

/// Whether the message is one of the memory engine. Those on the disk stay there while the room is aside.
bool is_of_memory(const DurableRoom& room, const hub::Position& position) {
  return room.is_in_memory() && !(room.is_aside && position.epoch == room.log.epoch());
}

/// Whether `messages` were changed by it so that there is none at its offset any more.
bool takes_away(hub::Amendment::What what, std::uint64_t at, std::uint64_t offset) {
  if (what == hub::Amendment::What::cleared) return offset <= at;
  return what == hub::Amendment::What::removed && offset == at;
}

}  // namespace

// --- Amendments ---

void Durable::remove(std::string_view name, const hub::Position& position, hub::Ticket ticket) {
  Room* const room = find(name);
  if (room != nullptr && is_of_memory(*room, position)) return memory_.remove(name, position, ticket);
  amend(name, hub::Amendment::remove(position), ticket);
}

void Durable::replace(std::string_view name, const hub::Position& position, hub::Draft&& draft,
                      hub::Ticket ticket) {
  Room* const room = find(name);
  if (room != nullptr && is_of_memory(*room, position))
    return memory_.replace(name, position, std::move(draft), ticket);
  amend(name,
        hub::Amendment::replace({draft.kind, std::move(draft.payload), std::move(draft.author), 0, position,
                                 parts_.clock.wall_ms(), draft.source, std::move(draft.labels)}),
        ticket);
}

void Durable::clear(std::string_view name, hub::Ticket ticket) {
  Room* const room = find(name);
  if (room != nullptr && room->level == hub::Durability::none) return memory_.clear(name, ticket);
  amend(name, hub::Amendment::clear({}), ticket);
}

void Durable::amend(std::string_view name, hub::Amendment&& amendment, hub::Ticket ticket) {
  Room* const room = find(name);
  if (room == nullptr) return refuse(ticket, being_opened);
  if (room->log.is_open()) return amend_now(*room, std::move(amendment), ticket);
  const std::size_t bytes = amendment_bytes + amendment.message.payload.size();
  wait_for_room(*room, {{}, ticket, std::make_unique<hub::Amendment>(std::move(amendment))}, bytes);
}

void Durable::amend_now(Room& room, hub::Amendment&& amendment, hub::Ticket ticket) {
  if (amendment.what == hub::Amendment::What::cleared) return clear_now(room, ticket);
  check(room, std::move(amendment), ticket);
}

void Durable::clear_now(Room& room, hub::Ticket ticket) {
  const hub::Position top{room.log.epoch(), room.log.top()};
  if (room.log.floor() < top.offset) return record_amendment(room, hub::Amendment::clear(top), ticket);
  // Nothing is there that a record would have to take away.
  if (room.is_aside) return memory_.clear(room.name, ticket);
  if (room.is_subscribed) events_->on_amended(room.name, hub::Amendment::clear(top));
  answer(ticket, hub::Published{top, true});
}

/// Looks for the message that is to be changed.
void Durable::check(Room& room, hub::Amendment&& amendment, hub::Ticket ticket) {
  const hub::Position position = amendment.message.position;
  const bool was_given = position.epoch == room.log.epoch() && position.offset > room.log.floor() &&
                         position.offset <= room.announced;
  if (was_given && room.log.was_left_out(position.offset)) {
    // It is on no disk, but members may have it.
    if (room.is_subscribed) events_->on_amended(room.name, std::move(amendment));
    return answer(ticket, hub::Published{position});
  }
  if (!was_given || room.log.is_missing(position.offset))
    return answer(ticket, hub::no_such_message(position));
  if (const auto refusal = why_not_kept(room, amendment_bytes + amendment.message.payload.size()))
    return refuse(ticket, *refusal);
  if (checks_ == checks_max) return refuse(ticket, too_many_checks);
  ++checks_;
  Room::Read read{position.offset - 1, 1, 1, ticket};
  read.check = std::make_unique<hub::Amendment>(std::move(amendment));
  if (position.offset <= room.log.kept_up_to(committed_)) return ask_store(room, std::move(read));
  add_pending(room, Room::Pending::What::read, room.log.last_batch(), 0).read =
      std::make_unique<Room::Read>(std::move(read));
}

void Durable::on_checked(Reading&& reading, base::Result<store::RecordPage, hub::Refusal>&& page) {
  --checks_;
  Room& room = *reading.room;
  hub::Amendment amendment = std::move(*reading.read.check);
  const hub::Ticket ticket = reading.read.ticket;
  const hub::Position position = amendment.message.position;
  if (!page) return answer(ticket, page.error());
  if (room.log.epoch() != position.epoch) return refuse(ticket, being_opened);
  room.log.learn(page->floor, page->holes);
  const std::optional<Record> record = store::RecordReader(page->records).next();
  const std::optional<hub::Message> message =
      record ? store::to_message(*record, position.epoch) : std::nullopt;
  bool is_there =
      message && message->position == position && !message->is_removed && position.offset > room.log.floor();
  for (const hub::Amendment& since : reading.amended)
    is_there = is_there && !takes_away(since.what, since.message.position.offset, position.offset);
  is_there = is_there && !is_taken_away(room, position.offset);
  if (!is_there) return answer(ticket, hub::no_such_message(position));
  amendment.message.time_ms = message->time_ms;
  record_amendment(room, std::move(amendment), ticket);
}

/// Whether an amendment that waits for the disk takes the message away.
bool Durable::is_taken_away(const Room& room, std::uint64_t offset) const {
  std::size_t left = room.amendments;
  for (const Room::Pending* pending = room.pending.front(); left != 0 && pending != nullptr;
       pending = room.pending.after(*pending)) {
    if (pending->what != Room::Pending::What::amendment) continue;
    if (takes_away(pending->amendment, pending->message.position.offset, offset)) return true;
    --left;
  }
  return false;
}

void Durable::record_amendment(Room& room, hub::Amendment&& amendment, hub::Ticket ticket) {
  const std::size_t bytes =
      amendment_bytes + amendment.message.payload.size() + amendment.message.labels.held_bytes();
  if (const auto refusal = why_not_kept(room, bytes)) return refuse(ticket, *refusal);
  std::string& batch = begin_records(room);
  const std::uint64_t offset = amendment.message.position.offset;
  switch (amendment.what) {
    case hub::Amendment::What::removed:
      store::append_mark(batch, Record::Type::removed, room.log.id(), offset, parts_.clock.wall_ms());
      break;
    case hub::Amendment::What::replaced:
      store::append_message(batch, room.log.id(), amendment.message, {}, Record::Type::replaced);
      break;
    case hub::Amendment::What::cleared:
      store::append_mark(batch, Record::Type::cleared, room.log.id(), offset);
      break;
  }
  room.log.count(bytes);
  Room::Pending& pending = add_pending(room, Room::Pending::What::amendment, room.log.last_batch(), ticket);
  ++room.amendments;
  pending.amendment = amendment.what;
  pending.bytes = static_cast<std::uint32_t>(bytes);
  pending.message = std::move(amendment.message);
  room.pending_bytes += bytes;
  parts_.store.appended();
}

void Durable::finish_amendment(Room& room, Room::Pending&& pending) {
  --room.amendments;
  const hub::Position position = pending.message.position;
  hub::Amendment amendment{pending.amendment, std::move(pending.message)};
  if (amendment.what == hub::Amendment::What::cleared) room.log.clear_up_to(position.offset);
  for (auto& [number, reading] : readings_) {
    if (reading.room == &room) reading.amended.push_back(amendment);
  }
  if (room.is_subscribed) events_->on_amended(room.name, std::move(amendment));
  answer(pending.ticket, hub::Published{position, true});
}

// --- Reads ---

void Durable::read(std::string_view name, const hub::Position& after, std::size_t messages_max,
                   std::size_t bytes_max, hub::Ticket ticket) {
  read(name, after.epoch, Room::Read{after.offset, messages_max, bytes_max, ticket});
}

void Durable::read_back(std::string_view name, const hub::Position& before, std::size_t messages,
                        std::size_t messages_max, std::size_t bytes_max, hub::Ticket ticket) {
  read(name, before.epoch, Room::Read{before.offset, messages_max, bytes_max, ticket, messages});
}

void Durable::read(std::string_view name, std::uint64_t epoch, Room::Read&& read) {
  const hub::Ticket ticket = read.ticket;
  Room* const room = find(name);
  if (room != nullptr && room->is_in_memory())
    return memory_.read_back(name, {epoch, read.after}, read.back, read.messages_max, read.bytes_max, ticket);
  if (room == nullptr || !room->log.is_open()) return events_->on_page(ticket, being_opened);
  // What is read back ends at what has been announced, and is there without a page.
  const bool is_there = read.after < room->announced || read.back != 0;
  if (!room->log.is_written() || !is_there || epoch != room->log.epoch())
    return events_->on_page(ticket, hub::LogPage{{}, room->log.floor(), room->log.holes(), read.after});
  const std::uint64_t kept = room->log.kept_up_to(committed_);
  if (read.back != 0 ? read.after <= kept : read.after < kept) return ask_store(*room, std::move(read));
  // What is wanted has been announced, and is not on the disk yet.
  if (order_.size() >= waiting_max) return events_->on_page(ticket, too_many_reads);
  add_pending(*room, Room::Pending::What::read, room->log.last_batch(), 0).read =
      std::make_unique<Room::Read>(std::move(read));
}

void Durable::ask_store(Room& room, Room::Read&& read) {
  ++room.users;
  const std::uint64_t after = read.after;
  const std::size_t back = read.back;
  const std::size_t messages_max = read.messages_max;
  const std::size_t bytes_max = read.bytes_max;
  const std::uint64_t number = ++last_read_;
  readings_.emplace(number, Reading{&room, std::move(read)});
  parts_.store.read(room.log.id(), room.name, after, back, messages_max, bytes_max, number);
}

void Durable::on_read(std::uint64_t ticket, base::Result<store::RecordPage, hub::Refusal>&& page) {
  const auto found = readings_.find(ticket);
  if (found == readings_.end()) return;
  Reading reading = std::move(found->second);
  readings_.erase(found);
  Room& room = *reading.room;
  --room.users;
  if (reading.read.check) {
    on_checked(std::move(reading), std::move(page));
  } else if (!page) {
    events_->on_page(reading.read.ticket, page.error());
  } else {
    answer_read(std::move(reading), std::move(*page));
  }
  on_settled(room);
}

void Durable::answer_read(Reading&& reading, store::RecordPage&& page) {
  Room& room = *reading.room;
  if (!room.log.is_open() || room.is_aside) return events_->on_page(reading.read.ticket, being_opened);
  room.log.learn(page.floor, page.holes);
  hub::LogPage made;
  made.floor = room.log.floor();
  made.holes = room.log.holes();
  made.after = std::max(page.after, made.floor);
  store::RecordReader reader(page.records);
  while (const std::optional<Record> record = reader.next()) {
    std::optional<hub::Message> message = store::to_message(*record, room.log.epoch());
    // What is on the disk and has not been announced yet is left for later.
    const bool is_wanted =
        message && message->position.offset > made.after && message->position.offset <= room.announced;
    if (is_wanted) made.messages.push_back(std::move(*message));
  }
  for (const hub::Amendment& amendment : reading.amended)
    hub::apply_amendment(amendment, made.messages);
  events_->on_page(reading.read.ticket, std::move(made));
}

}  // namespace roomcast::engine
