#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "access/control.h"
#include "base/refusal.h"
#include "base/result.h"
#include "hub/hub.h"
#include "hub/idempotent_publisher.h"
#include "hub/membership.h"
#include "hub/subscriber.h"
#include "service/checks.h"
#include "service/room_pace.h"
#include "service/room_rules.h"

namespace roomcast::service {

/// A message that may be published, as Rooms::accept says; Rooms::publish takes it.
class Publication {
 private:
  friend class Rooms;
  Publication(std::string_view room, hub::Draft draft, std::string_view key, hub::Hub::WhenShort when_short)
      : room_(room), draft_(std::move(draft)), key_(key), when_short_(when_short) {}

  std::string_view room_;
  hub::Draft draft_;
  std::string_view key_;
  hub::Hub::WhenShort when_short_;
};

/// The one room of a connection: none, its membership, or the name of the room that it has left. The name
/// takes the place of the membership, so that a connection that waits has no memory reserved for it.
using HomeRoom = std::variant<std::monostate, hub::Membership, std::string>;

/// The rooms as every way in sees them: sessions, polls and the HTTP endpoints join, publish, and ask for
/// history and presence here alone, and what may be refused before the hub has to do anything is refused
/// here. A way in checks the form of its requests, and nothing else.
///
/// Permissions (access::Policy) and sanctions (access::Sanctions) are decided in check_join, check_stay, the
/// accept functions, those that moderate or operate, read_history and presence, and nowhere else: tests/tidy
/// keeps the hub out of reach of everything else.
class Rooms {
 public:
  /// All but the limits outlive it.
  Rooms(hub::Hub& hub, hub::IdempotentPublisher& publisher, access::Control& control, const Limits& limits)
      : hub_(hub), publisher_(publisher), control_(control), limits_(limits) {}
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  [[nodiscard]] const Limits& limits() const { return limits_; }
  void set_limits(const Limits& limits) { limits_ = limits; }
  /// Applies to joins and messages from here on. `burst_ms`: of messages_per_second.
  void set_rules(RoomRules rules, std::int64_t burst_ms);

  // --- Joining ---

  /// Why `caller` can't join `room` now, if so, or can't be served at all where there is no room. What is
  /// asked before a connection is taken over; join asks again.
  [[nodiscard]] std::optional<base::Refusal> check_join(const Caller& caller,
                                                        std::optional<std::string_view> room,
                                                        const hub::Interest& interest = {}) const;
  /// Why `caller`, who is `member`, may no longer be that, if so: by the policy, a ban, or because its token
  /// has been revoked.
  [[nodiscard]] std::optional<base::Refusal> check_stay(const Caller& caller,
                                                        const hub::Membership& member) const;
  /// Joins `subscriber` to the room as the author of `caller` and puts the membership into `place`, which
  /// is empty; or returns why not. `interest.author` is ignored.
  ///
  /// `interest.history` and `interest.watch_presence` need the permissions `history` and `presence`. Who may
  /// join and not read history gets a gap in place of what came after `interest.since`.
  [[nodiscard]] std::optional<base::Refusal> join(const Caller& caller, std::string_view room,
                                                  hub::Subscriber& subscriber, hub::Interest interest,
                                                  HomeRoom& place);
  [[nodiscard]] std::optional<base::Refusal> join(const Caller& caller, std::string_view room,
                                                  hub::Subscriber& subscriber, hub::Interest interest,
                                                  std::unique_ptr<hub::Membership>& place);
  /// Whether senders get their own messages in the room, unless they ask not to.
  [[nodiscard]] bool echoes(std::string_view room) const { return rules_.find(room).echo; }

  // --- Connections ---

  /// Whether `identity`, which has so many, can have another connection that stays: see access::Rates.
  [[nodiscard]] bool counts_connections() const { return control_.rates.counts_connections(); }
  [[nodiscard]] std::optional<base::Refusal> check_connection(const access::Identity& identity,
                                                              std::size_t connections) const {
    return control_.rates.check_connection(identity, connections);
  }
  void begin_connection(const access::Identity& identity) { control_.rates.begin_connection(identity); }
  /// A client has been given this refusal.
  void note(base::Refusal::Code code, std::string_view address, const access::Identity& identity) {
    control_.refused.note(code, address, identity.principal_text());
  }

  /// Why `caller` can't have what costs as much as an HTTP request now, if so; otherwise that is taken from
  /// what it may do (access::Rates).
  [[nodiscard]] std::optional<base::Refusal> take_request(const Caller& caller);

  // --- Publishing ---

  /// Whether a message may be published, which counts for the limits of how many may be; the result refers to
  /// `room` and `key`. `key` makes a retry safe (see hub::IdempotentPublisher); empty: none. `sender`: the
  /// session that publishes; 0: none.
  [[nodiscard]] base::Result<Publication, base::Refusal> accept(const Caller& caller, std::string_view room,
                                                                const RawPayload& payload,
                                                                std::string_view key = {},
                                                                hub::SubscriberId sender = 0);
  /// The same for a payload that goes to several rooms: it has been checked once, and is shared.
  [[nodiscard]] base::Result<Publication, base::Refusal> accept(const Caller& caller, std::string_view room,
                                                                const Payload& payload, std::string_view key);
  /// The same for a member that publishes into its room and whose client gets no answer: while memory is
  /// short the message waits, where others are refused. The result refers to the room's name.
  [[nodiscard]] base::Result<Publication, base::Refusal> accept(const Caller& caller,
                                                                const hub::Membership& member,
                                                                const RawPayload& payload,
                                                                hub::SubscriberId sender);
  [[nodiscard]] base::Result<Payload, base::Refusal> check(const RawPayload& payload) const {
    return Payload::check(payload, limits_);
  }
  /// `done` is called as hub::Hub::publish says: never from within the call. It may be empty.
  void publish(Publication publication, hub::PublishDone done);
  /// See hub::Hub.
  [[nodiscard]] bool would_wait(std::string_view room) const { return hub_.would_wait(room); }
  [[nodiscard]] bool may_refuse_late() const { return hub_.may_refuse_late(); }

  // --- Moderating ---

  /// Removes one message of the room, replaces it by another, or removes all that the room has: see hub::Hub.
  /// The author of the replacement is `caller`. Needs the permission to moderate the room, also of the author
  /// of the message. `done` gets the position; it is called as for publish, refusals included.
  void remove_message(const Caller& caller, std::string_view room, const hub::Position& position,
                      hub::PublishDone done);
  void replace_message(const Caller& caller, std::string_view room, const hub::Position& position,
                       const RawPayload& payload, hub::PublishDone done);
  void clear_room(const Caller& caller, std::string_view room, hub::PublishDone done);

  // --- Asking ---

  /// See hub::Hub::read_history. A refusal is given to `done` from within the call.
  void read_history(const Caller& caller, std::string_view room, const std::optional<hub::Position>& since,
                    const std::optional<std::size_t>& limit, hub::HistoryDone done);
  /// The presence of the room: the members, or their number. Those of a room that hides them are listed for
  /// who may moderate it. A room that is not known is empty.
  [[nodiscard]] base::Result<hub::PresenceSnapshot, base::Refusal> presence(const Caller& caller,
                                                                            std::string_view room) const;
  /// Where servers share their rooms: whether `presence` has the members on all of them. If not,
  /// `await_presence` calls `done` once it has, with no messages, or with a refusal; perhaps from within the
  /// call.
  [[nodiscard]] bool knows_presence(std::string_view room) const { return hub_.knows_presence(room); }
  void await_presence(const Caller& caller, std::string_view room, hub::HistoryDone done);
  /// The same for a member that watches: its join has decided that it may.
  [[nodiscard]] hub::PresenceSnapshot presence(const hub::Membership& watcher) const {
    return hub_.presence(watcher.room_name());
  }
  /// How many members `presence` lists at most: what an answer costs.
  [[nodiscard]] std::size_t listed(std::string_view room) const { return hub_.listed(room); }
  /// How many members the room has.
  [[nodiscard]] std::size_t subscribers(std::string_view room) const { return hub_.subscribers(room); }

  // --- Operating ---

  /// Why `caller` may not moderate the room, if so; a name that is none is refused too.
  [[nodiscard]] std::optional<base::Refusal> check_moderate(const Caller& caller,
                                                            std::string_view room) const;
  /// Why `caller` may not do what concerns all rooms, if so.
  [[nodiscard]] std::optional<base::Refusal> check_admin(const Caller& caller) const;

  struct RoomQuery {
    std::string_view prefix;  ///< of the names; empty: all
    std::size_t below;        ///< where to go on: what `list` has returned; at first hub::Hub::last_room
    std::size_t most;         ///< rooms to be listed
  };
  /// The end from which a list of rooms begins.
  static constexpr std::size_t last_room = hub::Hub::last_room;
  /// Calls `visit` with rooms that `caller` may moderate, an administrator all. The work is bounded: there
  /// may be more even if fewer than `most` have been listed. Returns where to go on; nothing at the end. See
  /// hub::Hub::visit_rooms about rooms that come and go meanwhile.
  std::optional<std::size_t> list(const Caller& caller, const RoomQuery& query,
                                  const std::function<void(const hub::RoomSummary&)>& visit) const;
  [[nodiscard]] base::Result<hub::RoomSummary, base::Refusal> inspect(const Caller& caller,
                                                                      std::string_view room) const;
  /// How many rooms are remembered.
  [[nodiscard]] std::size_t size() const { return hub_.rooms(); }

 private:
  [[nodiscard]] std::optional<base::Refusal> check_access(const Caller& caller, access::Permission permission,
                                                          std::string_view room) const;
  [[nodiscard]] std::optional<base::Refusal> check_interest(const Caller& caller, std::string_view room,
                                                            const hub::Interest& interest) const;
  /// `interest` as far as the caller may have it, and under its name.
  [[nodiscard]] hub::Interest permitted(const Caller& caller, std::string_view room,
                                        hub::Interest interest) const;
  [[nodiscard]] std::optional<base::Refusal> check_publish(const Caller& caller, std::string_view room,
                                                           std::string_view key) const;
  /// What the room's rule says against a message of `bytes` bytes, and what limits of how many may be
  /// published; if nothing does, it is counted. The last check.
  [[nodiscard]] std::optional<base::Refusal> spend(const Caller& caller, std::string_view room,
                                                   std::size_t bytes);
  [[nodiscard]] RoomPace::Publisher publisher_for(const Caller& caller, std::string_view room,
                                                  const RoomRule& rule) const;

  hub::Hub& hub_;
  hub::IdempotentPublisher& publisher_;
  access::Control& control_;
  Limits limits_;
  RoomRules rules_;
  RoomPace pace_;
};

}  // namespace roomcast::service
