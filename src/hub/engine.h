#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/message.h"
#include "hub/refusal.h"

namespace roomcast::hub {

/// Names one outstanding publish or read; 0: no outcome is wanted.
using Ticket = std::uint64_t;

/// Where a room's log stands in the engine.
struct LogState {
  /// Of an engine that keeps nothing for Engine::read: the hub's own history is all the past there is.
  static constexpr std::uint64_t no_past = std::numeric_limits<std::uint64_t>::max();

  LogState(const Position& top_, std::uint64_t floor_ = no_past) : top(top_), floor(floor_) {}

  Position top;                   ///< of the last message; offset 0: there is none yet. The epoch is never 0
  std::uint64_t floor = no_past;  ///< Engine::read has everything after this offset
};

/// Messages of a room's past, with nothing missing between them.
struct LogPage {
  std::vector<Message> messages;  ///< the first that are kept after the place asked for, oldest first
  std::uint64_t floor = LogState::no_past;  ///< as in LogState, now
};

using PublishOutcome = base::Result<Position, Refusal>;
using ReadOutcome = base::Result<LogPage, Refusal>;

/// How an engine answers. It may call these at any time, also from within the request: the hub only takes
/// notes here and acts at the end of the turn.
///
/// Of one room, in this order: on_subscribed, then messages that follow each other without a hole. Where that
/// can't be promised any more, on_lost; then the messages that were missed, as far as there are any; then
/// on_resumed. Nothing comes for a room after Engine::unsubscribe.
class EngineEvents {
 public:
  /// The room's log stands at `log.top`: messages after that follow through on_message, none comes before.
  /// Answers one Engine::subscribe, once.
  virtual void on_subscribed(std::string_view room, const LogState& log) = 0;
  /// The other answer: the room can't be had for now. It is not subscribed; the hub may ask again.
  virtual void on_subscribe_refused(std::string_view room, const Refusal& refusal) = 0;
  /// A message of a subscribed room has its place. The one way in, for local and remote messages alike;
  /// within a room in the order of positions.
  virtual void on_message(std::string_view room, Message&& message) = 0;
  /// The link is gone over which a subscribed room's messages come: some may be missing from here on, until
  /// on_resumed. Nobody joins meanwhile; that has a deadline of the hub's.
  virtual void on_lost(std::string_view room) = 0;
  /// Messages follow each other again, the next one after `log.top`. With the epoch of before, whatever is
  /// between the last message and that top is fetched by Engine::read, or told as a gap. With another epoch
  /// the log has begun anew: every member is told of a gap.
  virtual void on_resumed(std::string_view room, const LogState& log) = 0;
  /// The outcome of the publish with that ticket; called once for each ticket other than 0.
  virtual void on_published(Ticket ticket, const PublishOutcome& outcome) = 0;
  /// The outcome of the read with that ticket; called once for each.
  virtual void on_page(Ticket ticket, ReadOutcome&& outcome) = 0;

 protected:
  ~EngineEvents() = default;
};

/// Orders the messages of rooms and spreads them to the servers that have subscribers. Requests may complete
/// later than they are made (a durable commit, a round trip), so the position of a message is known only when
/// it comes back. The hub gives each request a deadline (HubLimits::engine_ms); what comes after that is
/// ignored.
class Engine {
 public:
  /// Called once, before anything else; `events` outlives the engine's last call.
  virtual void start(EngineEvents& events) = 0;
  /// This server wants to know of `room`: on_subscribed is wanted, and on_message from there on.
  virtual void subscribe(std::string_view room) = 0;
  /// The room is forgotten here; also one whose subscribe has not been answered.
  virtual void unsubscribe(std::string_view room) = 0;
  /// Gives the draft its position after everything published before it on this server in the same room. Only
  /// for rooms that are subscribed, unless publishes_unsubscribed().
  virtual void publish(std::string_view room, Draft&& draft, Ticket ticket) = 0;
  /// Whether it takes publishes for rooms that are not subscribed. If so, publishing into a room that has no
  /// members here does not open it.
  [[nodiscard]] virtual bool publishes_unsubscribed() const { return false; }
  /// Whether a publish that was handed over can still come to nothing. If not, publishers that have no way to
  /// be told so need not wait for the outcome.
  [[nodiscard]] virtual bool may_refuse_publishes() const = 0;
  /// Wants up to `messages_max` of the subscribed room's messages after `after`, and no more than about
  /// `bytes_max` of payload (one message at least). Only for logs that have said that they have a past.
  virtual void read(std::string_view room, const Position& after, std::size_t messages_max,
                    std::size_t bytes_max, Ticket ticket) = 0;

 protected:
  ~Engine() = default;
};

}  // namespace roomcast::hub
