#include "service/rooms.h"

#include <string>
#include <utility>

#include "hub/internal_rooms.h"

namespace roomcast::service {

namespace {

using access::Permission;
using base::Refusal;
using WhenShort = hub::Hub::WhenShort;

access::Spender spender_of(const Caller& caller) { return {caller.identity, caller.address, caller.session}; }

hub::Draft draft_of(const Caller& caller, const Payload& payload, hub::SubscriberId sender) {
  hub::Draft draft{payload.kind(), payload.bytes(), caller.author, sender, caller.source};
  draft.labels = payload.labels();
  return draft;
}

}  // namespace

void Rooms::set_rules(RoomRules rules, std::int64_t burst_ms) {
  rules_ = std::move(rules);
  pace_.set_burst(burst_ms);
}

/// What the policy and the sanctions say.
std::optional<Refusal> Rooms::check_access(const Caller& caller, Permission permission,
                                           std::string_view room) const {
  if (auto refusal = control_.policy.check(caller.identity, permission, room)) return refusal;
  if (auto refusal = control_.sanctions.check_ban(caller.identity, caller.address, room)) return refusal;
  if (permission != Permission::publish) return std::nullopt;
  return control_.sanctions.check_mute(caller.identity, caller.address, room);
}

// --- Joining ---

std::optional<Refusal> Rooms::check_join(const Caller& caller, std::optional<std::string_view> room,
                                         const hub::Interest& interest) const {
  if (hub_.overloaded()) {
    return Refusal{Refusal::Code::overloaded, "memory is short (limits.memory_bytes): try again later"};
  }
  if (!room) {
    if (auto refusal = control_.sanctions.check_ban(caller.identity, caller.address, room)) return refusal;
  } else {
    if (auto refusal = check_room_name(*room)) return refusal;
    if (auto refusal = check_access(caller, Permission::join, *room)) return refusal;
    if (auto refusal = check_interest(caller, *room, interest)) return refusal;
    if (!hub_.has_space_for(*room)) return hub::no_space_for_room;
    const std::uint64_t members_max = rules_.find(*room).members_max;
    if (members_max != 0 && hub_.subscribers(*room) >= members_max) {
      return Refusal{Refusal::Code::room_full,
                     "the room is full: rooms.members_max allows " + std::to_string(members_max)};
    }
    if (auto refusal = control_.rates.check(spender_of(caller), access::one_of(access::Resource::joins)))
      return refusal;
  }
  return check_client_name(caller.author.name());
}

std::optional<Refusal> Rooms::check_interest(const Caller& caller, std::string_view room,
                                             const hub::Interest& interest) const {
  if (interest.history.value_or(0) > 0) {
    if (auto refusal = control_.policy.check(caller.identity, Permission::history, room)) return refusal;
  }
  if (!interest.watch_presence) return std::nullopt;
  return control_.policy.check(caller.identity, Permission::presence, room);
}

hub::Interest Rooms::permitted(const Caller& caller, std::string_view room, hub::Interest interest) const {
  interest.author = caller.author;
  interest.source = caller.source;
  if (!interest.since || control_.policy.permits(caller.identity, Permission::history, room)) return interest;
  // A position in no log: there is a gap, and nothing before it.
  interest.since = hub::Position{};
  interest.history = 0;
  return interest;
}

std::optional<Refusal> Rooms::check_stay(const Caller& caller, const hub::Membership& member) const {
  const std::string_view room = member.room_name();
  if (auto refusal = control_.sanctions.revocation_of(caller.identity)) return refusal;
  if (auto refusal = check_access(caller, Permission::join, room)) return refusal;
  if (!member.watches_presence()) return std::nullopt;
  return control_.policy.check(caller.identity, Permission::presence, room);
}

std::optional<Refusal> Rooms::join(const Caller& caller, std::string_view room, hub::Subscriber& subscriber,
                                   hub::Interest interest, HomeRoom& place) {
  if (auto refusal = check_join(caller, room, interest)) return refusal;
  control_.rates.spend(spender_of(caller), access::one_of(access::Resource::joins));
  place.emplace<hub::Membership>(hub_, room, subscriber, permitted(caller, room, std::move(interest)));
  return std::nullopt;
}

std::optional<Refusal> Rooms::join(const Caller& caller, std::string_view room, hub::Subscriber& subscriber,
                                   hub::Interest interest, std::unique_ptr<hub::Membership>& place) {
  if (auto refusal = check_join(caller, room, interest)) return refusal;
  control_.rates.spend(spender_of(caller), access::one_of(access::Resource::joins));
  place = hub_.subscribe(room, subscriber, permitted(caller, room, std::move(interest)));
  return std::nullopt;
}

std::optional<Refusal> Rooms::take_request(const Caller& caller) {
  return control_.rates.take(spender_of(caller), access::one_of(access::Resource::requests));
}

// --- Publishing ---

/// Overload and space for the room are left to the hub, which decides them in the order of all publishes.
std::optional<Refusal> Rooms::check_publish(const Caller& caller, std::string_view room,
                                            std::string_view key) const {
  if (auto refusal = check_room_name(room)) return refusal;
  if (auto refusal = check_access(caller, Permission::publish, room)) return refusal;
  if (auto refusal = check_client_name(caller.author.name())) return refusal;
  return key.empty() ? std::nullopt : check_key(key);
}

std::optional<Refusal> Rooms::spend(const Caller& caller, std::string_view room, std::size_t bytes) {
  const access::Spender spender = spender_of(caller);
  if (rules_.is_default()) return control_.rates.take(spender, access::publish_of(bytes));
  const RoomRule& rule = rules_.find(room);
  if (rule.publish_only_keys && caller.identity.kind() != access::Kind::key) {
    return Refusal{Refusal::Code::publish_only_keys,
                   "only clients with an API key may publish in this room (rooms.publish_only_keys)"};
  }
  if (rule.message_bytes != 0 && bytes > rule.message_bytes) {
    return Refusal{Refusal::Code::message_too_big, "the message has " + std::to_string(bytes) +
                                                       " bytes, rooms.message_bytes allows " +
                                                       std::to_string(rule.message_bytes)};
  }
  if (!rule.is_paced()) return control_.rates.take(spender, access::publish_of(bytes));
  const RoomPace::Publisher publisher = publisher_for(caller, room, rule);
  auto by_room = pace_.check(room, rule, publisher);
  auto by_client = control_.rates.check(spender, access::publish_of(bytes));
  // Whoever waits for the longer one has waited for both.
  if (by_room && (!by_client || by_room->retry_ms >= by_client->retry_ms)) return by_room;
  if (by_client) return by_client;
  pace_.spend(room, rule, publisher);
  control_.rates.spend(spender, access::publish_of(bytes));
  return std::nullopt;
}

RoomPace::Publisher Rooms::publisher_for(const Caller& caller, std::string_view room,
                                         const RoomRule& rule) const {
  RoomPace::Publisher publisher{std::nullopt, control_.rates.now_ns()};
  const bool is_excepted =
      rule.slow_mode_ms == 0 || (!caller.identity.is_anonymous() &&
                                 control_.policy.permits(caller.identity, Permission::moderate, room));
  if (!is_excepted) publisher.key = control_.rates.key_of(spender_of(caller));
  return publisher;
}

base::Result<Publication, Refusal> Rooms::accept(const Caller& caller, std::string_view room,
                                                 const RawPayload& payload, std::string_view key,
                                                 hub::SubscriberId sender) {
  if (auto refusal = check_publish(caller, room, key)) return *std::move(refusal);
  const auto checked = check(payload);
  if (!checked) return checked.error();
  if (auto refusal = spend(caller, room, checked->bytes().size())) return *std::move(refusal);
  return Publication(room, draft_of(caller, *checked, sender), key, WhenShort::refuse);
}

base::Result<Publication, Refusal> Rooms::accept(const Caller& caller, std::string_view room,
                                                 const Payload& payload, std::string_view key) {
  if (auto refusal = check_publish(caller, room, key)) return *std::move(refusal);
  if (auto refusal = spend(caller, room, payload.bytes().size())) return *std::move(refusal);
  return Publication(room, draft_of(caller, payload, 0), key, WhenShort::refuse);
}

base::Result<Publication, Refusal> Rooms::accept(const Caller& caller, const hub::Membership& member,
                                                 const RawPayload& payload, hub::SubscriberId sender) {
  // The names were checked when it joined.
  if (auto refusal = check_access(caller, Permission::publish, member.room_name()))
    return *std::move(refusal);
  const auto checked = check(payload);
  if (!checked) return checked.error();
  if (auto refusal = spend(caller, member.room_name(), checked->bytes().size())) return *std::move(refusal);
  return Publication(member.room_name(), draft_of(caller, *checked, sender), {}, WhenShort::wait);
}

void Rooms::publish(Publication publication, hub::PublishDone done) {
  Publication& it = publication;
  if (it.when_short_ == WhenShort::wait) {
    return hub_.publish(it.room_, std::move(it.draft_), std::move(done), it.when_short_);
  }
  publisher_.publish(it.room_, std::move(it.draft_), it.key_, std::move(done));
}

// --- Moderating ---

void Rooms::remove_message(const Caller& caller, std::string_view room, const hub::Position& position,
                           hub::PublishDone done) {
  if (auto refusal = check_moderate(caller, room)) return hub_.complete(std::move(done), *std::move(refusal));
  hub_.remove(room, position, std::move(done));
}

void Rooms::replace_message(const Caller& caller, std::string_view room, const hub::Position& position,
                            const RawPayload& payload, hub::PublishDone done) {
  auto refusal = check_moderate(caller, room);
  if (!refusal) refusal = check_client_name(caller.author.name());
  if (refusal) return hub_.complete(std::move(done), *std::move(refusal));
  const auto checked = check(payload);
  if (!checked) return hub_.complete(std::move(done), checked.error());
  hub_.replace(room, position, draft_of(caller, *checked, 0), std::move(done));
}

void Rooms::clear_room(const Caller& caller, std::string_view room, hub::PublishDone done) {
  if (auto refusal = check_moderate(caller, room)) return hub_.complete(std::move(done), *std::move(refusal));
  hub_.clear(room, std::move(done));
}

// --- Asking ---

void Rooms::read_history(const Caller& caller, std::string_view room,
                         const std::optional<hub::Position>& since, const std::optional<std::size_t>& limit,
                         hub::HistoryDone done) {
  if (auto refusal = check_room_name(room)) return done(*std::move(refusal));
  if (auto refusal = check_access(caller, Permission::history, room)) return done(*std::move(refusal));
  hub_.read_history(room, since, limit, std::move(done), caller.source);
}

base::Result<hub::PresenceSnapshot, Refusal> Rooms::presence(const Caller& caller,
                                                             std::string_view room) const {
  if (auto refusal = check_room_name(room)) return *std::move(refusal);
  if (auto refusal = check_access(caller, Permission::presence, room)) return *std::move(refusal);
  hub::PresenceSnapshot seen = hub_.presence(room);
  if (!seen.members && !check_moderate(caller, room)) return hub_.presence(room, hub::Hidden::listed);
  return seen;
}

void Rooms::await_presence(const Caller& caller, std::string_view room, hub::HistoryDone done) {
  if (auto refusal = check_room_name(room)) return done(*std::move(refusal));
  if (auto refusal = check_access(caller, Permission::presence, room)) return done(*std::move(refusal));
  hub_.open_for_presence(room, std::move(done), caller.source);
}

// --- Operating ---

std::optional<Refusal> Rooms::check_moderate(const Caller& caller, std::string_view room) const {
  if (auto refusal = check_room_name(room)) return refusal;
  if (!check_admin(caller)) return std::nullopt;
  return control_.policy.check(caller.identity, Permission::moderate, room);
}

std::optional<Refusal> Rooms::check_admin(const Caller& caller) const {
  return control_.policy.check_everywhere(caller.identity, Permission::admin);
}

std::optional<std::size_t> Rooms::list(const Caller& caller, const RoomQuery& query,
                                       const std::function<void(const hub::RoomSummary&)>& visit) const {
  // A millisecond's worth: what is looked at is rarely in the processor's cache, and the policy takes longer.
  constexpr std::size_t looks_of_admin = 5'000;
  constexpr std::size_t looks_of_moderator = 500;
  const bool is_admin = !check_admin(caller);
  std::size_t left = query.most;
  const auto look = [&](const hub::RoomSummary& room) {
    if (!room.name.starts_with(query.prefix) || hub::is_internal_room(room.name)) return true;
    if (!is_admin && !control_.policy.permits(caller.identity, Permission::moderate, room.name)) return true;
    visit(room);
    return --left != 0;
  };
  return hub_.visit_rooms(query.below, is_admin ? looks_of_admin : looks_of_moderator, look);
}

base::Result<hub::RoomSummary, Refusal> Rooms::inspect(const Caller& caller, std::string_view room) const {
  if (auto refusal = check_moderate(caller, room)) return *std::move(refusal);
  if (const auto found = hub_.summary(room)) return *found;
  return Refusal{Refusal::Code::not_found, "there is no room called " + std::string(room)};
}

}  // namespace roomcast::service
