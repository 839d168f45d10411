#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "hub/author.h"
#include "hub/batch.h"
#include "hub/message.h"
#include "hub/refusal.h"
#include "hub/source.h"

namespace roomcast::hub {

class AmendmentUpdate;
class Membership;
class PresenceUpdate;

/// Messages may be missing between what a subscriber has and what it gets next.
struct Gap {
  Position cursor;    ///< everything after this place follows
  Position earliest;  ///< the earliest place from which the room can still replay everything
  friend bool operator==(const Gap&, const Gap&) = default;
};

/// What a subscriber asks for when it joins a room.
struct Interest {
  /// It has everything up to here and asks for all that follows.
  std::optional<Position> since;
  /// Without `since`, or if that is no longer kept: at most so many of the last messages. Nothing: none
  /// without `since`, all that are kept after a gap.
  std::optional<std::size_t> history;
  /// Who others see in the room (with a valid name, see room_name.h); one that is empty is only counted.
  Author author{};
  /// Whether it gets presence updates: Subscriber::on_presence.
  bool watch_presence = false;
  Source source = 0;  ///< for which the room is opened
};

/// What a subscriber gets when it has joined.
struct Joined {
  Position cursor;         ///< everything after this place follows
  std::optional<Gap> gap;  ///< if what was asked for can't be proven to be complete
};

/// Part of a room's history.
struct HistoryPage {
  Position cursor;         ///< where to continue: of the last message here, or where the page would begin
  std::optional<Gap> gap;  ///< if what was asked for can't be proven to be complete
  std::vector<Message> messages;
  bool more = false;  ///< the room has messages after `cursor`
};

/// The receiver of a room's messages. It knows no sockets. From within these calls it may queue references
/// and mark itself dirty and nothing else: no publish, subscribe or unsubscribe (asserted by FanOut), so
/// that no room changes during a fan-out. The one exception: on_joined, on_gap and on_refused may
/// drop that membership.
class Subscriber {
 public:
  /// The join is acknowledged: called once, before anything else.
  virtual void on_joined(Membership& membership, const Joined& joined) = 0;
  /// A subscriber that was catching up has been overtaken: messages that it had not got yet are no longer
  /// kept.
  virtual void on_gap(Membership& membership, const Gap& gap) = 0;
  /// A subscriber that was live has fallen behind a log that was lost and resumed: it catches up again, page
  /// by page, as after on_joined. Called before that begins.
  virtual void on_behind(Membership& /*membership*/) {}
  /// The engine could not open the room, or not read the history that the subscriber still needs: nothing
  /// more comes for this membership, which is to be dropped.
  virtual void on_refused(Membership& membership, const Refusal& refusal) = 0;
  /// Messages [from, batch.messages().size()) are the next ones for this subscriber, in order.
  virtual void deliver(Batch& batch, std::size_t from) = 0;
  /// Who is in the room has changed since on_joined, or since the last call: one change at a time, in order.
  /// Only for watchers (Interest::watch_presence).
  virtual void on_presence(Membership& /*membership*/, PresenceUpdate& /*update*/) {}
  /// Messages that the subscriber may have are changed. It comes behind these, and once; it may be about a
  /// message that the subscriber never got.
  virtual void on_amendment(AmendmentUpdate& /*update*/) {}
  /// A deliver follows soon: prefetches what that touches into the cache. Must not wait for anything.
  virtual void prefetch() const {}

 protected:
  ~Subscriber() = default;
};

}  // namespace roomcast::hub
