// Which rooms have a presence, and whose turn it is to announce.
#include <memory>
#include <optional>
#include <utility>

#include "hub/engine.h"
#include "hub/presence.h"

namespace roomcast::hub {

Presence& PresenceTracker::make(ObservedRoom& room) {
  if (!room.presence())
    room.presence() =
        std::make_unique<Presence>(room, presence_owner(), deadlines_, clock_, engine_.shares_presence());
  return *room.presence();
}

void PresenceTracker::on_remote(ObservedRoom& room, std::uint64_t node, const NodeChange& change) {
  make(room).take_remote(node, change);
  update(room);
  owner_.on_presence_changed(room);
}

void PresenceTracker::on_remote_presence_due(Presence& presence) {
  ObservedRoom& room = presence.room();
  if (std::optional<NodeMembers> own = presence.on_remote_due())
    engine_.announce(room.name(), *std::move(own));
  update(room);
  owner_.on_presence_changed(room);
}

void PresenceTracker::on_member_joined(ObservedRoom& room, Member& member) {
  const Interest& interest = member.interest();
  const bool is_needed = !interest.author.empty() || interest.watch_presence || engine_.shares_presence();
  if (is_needed) make(room);
  if (!room.presence()) return;
  room.presence()->enter(member);
  update(room);
}

void PresenceTracker::on_member_acknowledged(ObservedRoom& room, Member& member) {
  if (room.presence()) room.presence()->begin_watching(member);
}

void PresenceTracker::on_member_left(ObservedRoom& room, Member& member) {
  if (!room.presence()) return;
  room.presence()->leave(member);
  update(room);
}

void PresenceTracker::on_member_renamed(ObservedRoom& room, Member& member, const Author& author) {
  if (!room.presence()) return;
  room.presence()->rename(member, author);
  update(room);
}

void PresenceTracker::on_settings(ObservedRoom& room) {
  if (!room.presence()) return;
  room.presence()->on_settings();
  update(room);
}

void PresenceTracker::on_presence_due(Presence& presence) {
  ObservedRoom& room = presence.room();
  presence.on_due();
  update(room);
  owner_.on_presence_changed(room);
}

void PresenceTracker::announce_next(std::size_t count) {
  Presence& presence = *queue_.front();
  ObservedRoom& room = presence.room();
  presence.unlink();
  // What there was may have been dropped meanwhile.
  if (presence.has_updates()) presence.announce(count);
  update(room);
  owner_.on_presence_changed(room);
}

void PresenceTracker::update(ObservedRoom& room) {
  std::unique_ptr<Presence>& presence = room.presence();
  if (!presence->is_needed()) return presence.reset();
  if (!presence->has_updates() || presence->is_linked()) return;
  queue_.push_back(*presence);
  scheduler_.wake();
}

PresenceSnapshot PresenceTracker::snapshot(const ObservedRoom& room, Hidden hidden) {
  if (room.presence() != nullptr) return room.presence()->snapshot(hidden);
  PresenceSnapshot nameless{room.members(), std::nullopt, room.members()};
  const PresenceLimits& limits = room.settings().presence;
  const std::size_t listed_max = hidden == Hidden::listed ? limits.crowd : limits.announced_max();
  if (nameless.count <= listed_max) nameless.members.emplace();
  return nameless;
}

std::size_t PresenceTracker::listed(const ObservedRoom& room) {
  return room.presence() != nullptr ? room.presence()->listed() : 0;
}

ObservedRoom::ObservedRoom() = default;
ObservedRoom::~ObservedRoom() = default;

}  // namespace roomcast::hub
