#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "hub/message.h"

namespace roomcast::hub {

/// Names one outstanding publish; 0: nobody waits for the outcome.
using Ticket = std::uint64_t;

/// Why a message has no place: the words go to the publisher.
struct PublishRefusal {
  enum class Why : std::uint8_t { overloaded, unavailable, timed_out, key_reused };
  Why why = Why::overloaded;
  std::string_view message;
};

/// The stable word that publishers are told, whichever way they came.
[[nodiscard]] constexpr std::string_view code_of(PublishRefusal::Why why) {
  return why == PublishRefusal::Why::key_reused ? "key_reused" : "overloaded";
}

using PublishOutcome = base::Result<Position, PublishRefusal>;

/// How an engine answers. It may call these at any time, also from within the request: the hub only takes
/// notes here and acts at the end of the turn.
class EngineEvents {
 public:
  /// The log of a room that was subscribed to stands at `top` (offset 0: it has no message yet): messages
  /// after that follow through on_message, none comes before. Called once for each Engine::subscribe.
  virtual void on_subscribed(std::string_view room, const Position& top) = 0;
  /// A message of a subscribed room has its place. The one way in, for local and remote messages alike;
  /// within a room in the order of positions.
  virtual void on_message(std::string_view room, Message&& message) = 0;
  /// The outcome of the publish with that ticket; called once for each ticket other than 0.
  virtual void on_published(Ticket ticket, const PublishOutcome& outcome) = 0;

 protected:
  ~EngineEvents() = default;
};

/// Orders the messages of rooms and spreads them to the servers that have subscribers. Requests may complete
/// later than they are made (a durable commit, a round trip), so the position of a message is known only when
/// it comes back.
class Engine {
 public:
  /// Called once, before anything else; `events` outlives the engine's last call.
  virtual void start(EngineEvents& events) = 0;
  /// This server wants to know of `room`: on_subscribed is wanted, and on_message from there on.
  virtual void subscribe(std::string_view room) = 0;
  /// The room is forgotten here; messages that come all the same are ignored.
  virtual void unsubscribe(std::string_view room) = 0;
  /// Gives the draft its place after everything published before it on this server in the same room, which is
  /// subscribed.
  virtual void publish(std::string_view room, Draft&& draft, Ticket ticket) = 0;

 protected:
  ~Engine() = default;
};

}  // namespace roomcast::hub
