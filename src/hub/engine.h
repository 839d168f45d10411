#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/amendment.h"
#include "hub/lineage.h"
#include "hub/message.h"
#include "hub/node_members.h"
#include "hub/refusal.h"
#include "hub/source.h"

namespace roomcast::hub {

/// Identifies one outstanding publish or read; 0: no outcome is wanted.
using Ticket = std::uint64_t;

/// Offsets that no message is kept for, although some may have been sent: what is lost in the middle of a
/// log.
struct Hole {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< not less than `first`
  friend bool operator==(const Hole&, const Hole&) = default;
};

/// Where a room's log stands in the engine.
struct LogState {
  /// The floor of an engine that keeps nothing for Engine::read: the hub's own history is all there is.
  static constexpr std::uint64_t no_past = std::numeric_limits<std::uint64_t>::max();

  LogState(const Position& top_, std::uint64_t floor_ = no_past) : top(top_), floor(floor_) {}

  Position top;                   ///< of the last message; offset 0: there is none yet. The epoch is never 0
  std::uint64_t floor = no_past;  ///< Engine::read has everything after this offset, but for `holes`
  std::vector<Hole> holes{};      ///< after the floor, in order; few
  Lineage lineage{};              ///< the epochs before that of `top`
};

/// Messages of a room's log, with nothing missing between them.
struct LogPage {
  /// The first that are kept after the position asked for, oldest first; a removed one as its place. Each in
  /// the epoch in which it was given its offset (Lineage::epoch_at).
  std::vector<Message> messages;
  std::uint64_t floor = LogState::no_past;  ///< as in LogState, now
  std::vector<Hole> holes{};                ///< likewise
  std::uint64_t after = 0;  ///< the answer to Engine::read_back: the offset that the messages follow
};

/// What has become of a publish or an amendment.
struct Published {
  Position position;
  bool is_durable = false;    ///< it is on the disk of this server, and survives a power cut
  bool is_duplicate = false;  ///< `position` is that of an earlier message with the same key
  std::size_t nodes = 0;      ///< servers that it was sent to, with this one; 0: not known
};

using PublishOutcome = base::Result<Published, Refusal>;
using ReadOutcome = base::Result<LogPage, Refusal>;

/// The calls by which an engine answers. It may make them at any time, also from within the request: the hub
/// only records them and acts at the end of the turn.
///
/// For one room, in this order: on_subscribed, then messages that follow each other without a hole. When that
/// can't be guaranteed any more, on_lost; then the messages that were missed, as far as they are available;
/// then on_resumed. Nothing comes for a room after Engine::unsubscribe.
class EngineEvents {
 public:
  /// The room's log stands at `log.top`: messages after that follow through on_message, none comes before.
  /// Answers one Engine::subscribe, once.
  virtual void on_subscribed(std::string_view room, const LogState& log) = 0;
  /// The other answer: the room is not available for now. It is not subscribed; the hub may ask again.
  virtual void on_subscribe_refused(std::string_view room, const Refusal& refusal) = 0;
  /// A message of a subscribed room has its position. The one way in, for local and remote messages alike;
  /// within a room in the order of positions. One that is_removed only takes its place: nobody is sent it.
  virtual void on_message(std::string_view room, Message&& message) = 0;
  /// Messages of a subscribed room are removed, replaced or cleared, here or elsewhere: after the last of
  /// them came through on_message, if it did. Pages that are answered from here on have none of what was
  /// before.
  virtual void on_amended(std::string_view room, Amendment&& amendment) = 0;
  /// The link over which a subscribed room's messages come is down: some may be missing from here on, until
  /// on_resumed. Joins are not acknowledged meanwhile, and refused after HubLimits::engine_ms.
  virtual void on_lost(std::string_view room) = 0;
  /// Messages follow each other again, the next one after `log.top`. In the same epoch, messages between the
  /// last one and that top are fetched by Engine::read, or members are notified of a gap. The same where the
  /// log goes on in another epoch and has all that there was here (LogState::lineage). Where it has a part of
  /// it, members that have got more are notified of a gap, and go on where that part ends. With nothing in
  /// common the log has begun anew: every member is notified of a gap.
  virtual void on_resumed(std::string_view room, const LogState& log) = 0;
  /// The outcome of the publish or amendment with that ticket; called once for each ticket other than 0.
  virtual void on_published(Ticket ticket, const PublishOutcome& outcome) = 0;
  /// The outcome of the read with that ticket; called once for each.
  virtual void on_page(Ticket ticket, ReadOutcome&& outcome) = 0;
  /// Another server, `node`, has said something about its members of a room that is subscribed or about to
  /// be. While the link over which that comes is down, what was said before holds. See
  /// Engine::shares_presence.
  virtual void on_presence(std::string_view /*room*/, std::uint64_t /*node*/, const NodeChange& /*change*/) {}

 protected:
  ~EngineEvents() = default;
};

/// Orders the messages of rooms and distributes them to the servers that have subscribers. Requests may
/// complete later than they are made (a durable commit, a round trip), so the position of a message is known
/// only when it comes back. The hub gives each request a deadline (HubLimits::engine_ms); later answers are
/// ignored.
class Engine {
 public:
  /// Called once, before anything else; `events` outlives the engine's last call.
  virtual void start(EngineEvents& events) = 0;
  /// Subscribes this server to `room`: asks for on_subscribed, and for on_message from there on. `source` is
  /// that of the client that needs the room. While it has not been answered it may be asked again, for a
  /// client of another source: an engine in which rooms wait has sources take turns. The answer comes once.
  virtual void subscribe(std::string_view room, Source source = 0) = 0;
  /// The room is not needed any more; also one whose subscribe has not been answered.
  virtual void unsubscribe(std::string_view room) = 0;
  /// Gives the draft its position after everything published before it on this server in the same room. Only
  /// for rooms that are subscribed, unless publishes_unsubscribed().
  virtual void publish(std::string_view room, Draft&& draft, Ticket ticket) = 0;
  /// Removes one message of the room, or replaces it by the draft; its offset stays as it is, and taken. An
  /// engine may give the amendment a place of its own in the log, which is that of a removed message. The
  /// outcome is the position; `not_found` (no_such_message) if the log has no message there. An engine that
  /// does not keep messages knows only whether there ever was one. For which rooms: see publish.
  virtual void remove(std::string_view room, const Position& position, Ticket ticket) = 0;
  virtual void replace(std::string_view room, const Position& position, Draft&& draft, Ticket ticket) = 0;
  /// Removes all messages of the room up to the last one, whose position is the outcome. Cursors stay valid,
  /// but what is before it can't be read any more: the floor is raised.
  virtual void clear(std::string_view room, Ticket ticket) = 0;
  /// Whether it takes publishes and amendments for rooms that are not subscribed. If so, publishing into a
  /// room that has no members here does not open it.
  [[nodiscard]] virtual bool publishes_unsubscribed() const { return false; }
  /// Whether a room that was not subscribed before may have messages. If so, an amendment opens its room, and
  /// is handed over before the room is open.
  [[nodiscard]] virtual bool keeps_rooms() const { return false; }
  /// Whether a subscribed room may lag behind its log, unnoticed, because others publish into it elsewhere.
  [[nodiscard]] virtual bool may_lag() const { return false; }
  /// Asks for on_resumed once the subscribed room stands where its log stood at the time of the call. Only if
  /// may_lag().
  virtual void confirm(std::string_view /*room*/) {}
  /// Whether a publish that was handed over can still be refused. If not, publishers that have no way to
  /// receive a refusal need not wait for the outcome.
  [[nodiscard]] virtual bool may_refuse_publishes() const = 0;
  /// Asks for up to `messages_max` of the subscribed room's messages after `after`, and no more than about
  /// `bytes_max` of payload (one message at least). Only for logs whose LogState has a floor.
  virtual void read(std::string_view room, const Position& after, std::size_t messages_max,
                    std::size_t bytes_max, Ticket ticket) = 0;
  /// The same, beginning `messages` messages before `before`, or with the first that is kept. Removed ones do
  /// not count, as far back as the engine looks for them.
  virtual void read_back(std::string_view room, const Position& before, std::size_t messages,
                         std::size_t messages_max, std::size_t bytes_max, Ticket ticket) = 0;
  /// Whether other servers may have members of the same rooms: then they are told of this server's, and the
  /// hub is told of theirs. The answer is always the same.
  [[nodiscard]] virtual bool shares_presence() const { return false; }
  /// These are now the members that a subscribed room has on this server. The hub calls it a few times a
  /// second and room at most. What was announced ends with Engine::unsubscribe.
  virtual void announce(std::string_view /*room*/, NodeMembers&& /*members*/) {}

 protected:
  ~Engine() = default;
};

}  // namespace roomcast::hub
