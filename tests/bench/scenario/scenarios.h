#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "load/target.h"
#include "measurement.h"

namespace roomcast::bench {

/// The path of the room that all clients join, in scenarios that need but one.
inline constexpr const char* one_room = "/rooms/bench";

/// Called now and then with how far a long run is; may be empty.
using Progress = std::function<void(std::string_view what, std::uint64_t done, std::uint64_t of)>;

/// What the scenarios have in common. A run that takes longer than `give_up_seconds` ends with what it has.
struct Common {
  ClientKind kind;
  std::int64_t give_up_seconds = 60;
  Progress progress;
  /// Called before each of some twenty blocks of what counts, where a scenario can be halted there: it
  /// returns when it is this run's turn. Empty: all is done in one go.
  std::function<void()> rest;
};

/// Subscribers in rooms; the first `publishers` of each room publish there by WebSocket.
/// An operation is one delivery. The latency is that of a sample of the deliveries, from publish to receipt.
struct FanoutSettings {
  Common common;
  std::size_t subscribers = 1000;  ///< in all; divided evenly over the rooms
  std::size_t rooms = 1;
  std::size_t publishers = 1;  ///< in each room
  std::size_t message_bytes = 64;
  std::size_t messages = 200;  ///< of each publisher
  /// Fixed rate: each room's next message `interval_us` after the last one was due, and not before that has
  /// arrived everywhere in the room. 0: saturating, each publisher has up to `window` messages on their way.
  std::int64_t interval_us = 10'000;
  std::size_t window = 32;
};
[[nodiscard]] Measurement run_fanout(const Target& target, const FanoutSettings& settings);

/// Connections that wait. Figures: server_bytes (user memory, growth of the server's resident size for each),
/// kernel_bytes (growth of the machine's socket memory and slab for each pair, both ends). Then one message
/// to the room that all are in; an operation is a connection that got it.
struct IdleSettings {
  Common common;
  std::size_t connections = 8000;
  std::size_t warm_up =
      500;  ///< opened before the first look: the first ones cost more than those that follow
};
[[nodiscard]] Measurement run_idle(const Target& target, const IdleSettings& settings);

/// How a client of `connect` ends its connection.
enum class Ending {
  close_frame,  ///< a Close frame; then it waits for the server's Close frame and for its FIN (RFC 6455
                ///< section 7.1.1)
  fin,          ///< FIN at once, without a Close frame
};

/// Connect, handshake, close, over and over. An operation is one such connection; the latency is that from
/// connect to the 101. A connection whose Close frame is not answered counts as cut.
struct ConnectSettings {
  Common common;
  std::size_t connections = 5000;
  std::size_t at_once = 32;  ///< connections that exist at a time
  std::size_t rooms = 1;     ///< that the clients join, one each; 0: none, they connect to `/echo`
  Ending ending = Ending::close_frame;
  bool resume = false;  ///< TLS: with the ticket of an earlier connection
};
[[nodiscard]] Measurement run_connect(const Target& target, const ConnectSettings& settings);

/// Round trips over `/echo`: each client has one message on its way. An operation is a round trip.
struct EchoSettings {
  Common common;
  std::size_t clients = 100;
  std::size_t message_bytes = 64;
  std::size_t round_trips = 100'000;  ///< in all
};
[[nodiscard]] Measurement run_echo(const Target& target, const EchoSettings& settings);

/// All clients of a room are cut (by themselves, at once) and connect again at once, while `watchers` in
/// another room go on receiving a message every 10 ms. An operation is a client that is back. The latency is
/// that of the watchers' deliveries; figures: back_seconds (until all were), watcher_p99_before_ms.
struct StormSettings {
  Common common;
  std::size_t clients = 15'000;
  std::size_t watchers = 10;
};
[[nodiscard]] Measurement run_storm(const Target& target, const StormSettings& settings);

/// A share of the subscribers stops reading. An operation is a delivery to one of the others, the latency is
/// theirs. Figures: p99_before_ms (the same load while all read), server_growth_bytes (most that its memory
/// grew by).
struct SlowSettings {
  Common common;
  std::size_t subscribers = 10'000;
  double slow_share = 0.1;
  std::size_t message_bytes = 1024;
  std::size_t messages = 300;
  std::int64_t interval_us = 50'000;
};
[[nodiscard]] Measurement run_slow(const Target& target, const SlowSettings& settings);

/// One room is fanned out to without pause, while another connection makes round trips over `/echo`, is
/// pinged, and new ones come. An operation is a delivery, the latency is that of the round trips; figures:
/// pings_answered, ping_p99_ms, connects, connect_p99_ms.
struct FairSettings {
  Common common;
  std::size_t subscribers = 15'000;
  std::size_t message_bytes = 64;
  std::int64_t seconds = 10;
};
[[nodiscard]] Measurement run_fair(const Target& target, const FairSettings& settings);

}  // namespace roomcast::bench
