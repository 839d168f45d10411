#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadlines.h"
#include "redis/connection.h"
#include "redis/sentinel_votes.h"
#include "redis/server_address.h"
#include "redis/topology.h"
#include "redis/value.h"

namespace roomcast::redis {

/// The primary that Sentinels watch over, and which of its replicas takes its place when it fails.
///
/// Keeps a connection to each Sentinel: those that are configured, and those that these know (SENTINEL
/// SENTINELS), sentinels_max in all. A Sentinel is asked when it is connected, when it announces a failover
/// (`+switch-master`, and `+promoted-slave`, with which the Sentinel that leads a failover names the new
/// primary already while the other replicas are yet to follow it), and by turns, one every poll_ms. While a
/// user of the layout doubts it, or Sentinels contradict each other, all are asked every hurry_ms. What a
/// Sentinel announces is not taken as it stands: only answers count, and SentinelVotes decides between them.
/// So a Sentinel that still names the old primary, for however long, neither hides a failover from the others
/// nor undoes it.
///
/// A planned failover (SENTINEL FAILOVER) leaves the old primary writable for some ten seconds, and what is
/// written there is lost: the layout changes with the first Sentinel that says so.
///
/// Of a Sentinel's user these commands are needed (ACL): `+hello +subscribe +sentinel|master
/// +sentinel|get-master-addr-by-name +sentinel|sentinels +sentinel|myid`, and both channels.
/// Without `+subscribe` a failover is noticed up to poll_ms later.
class SentinelTopology final : public Topology, private base::Deadline::Listener {
 public:
  static constexpr std::size_t sentinels_max = 16;

  struct Options {
    std::string name;  ///< of the primary, as the Sentinels know it
    /// The configured Sentinels, at least one. User and password of an address are those of its Sentinel;
    /// where it has none, those of `handshake`. Sentinels that are found later get what the first one gets.
    /// If the first speaks TLS, so do they and the primary.
    std::vector<ServerAddress> sentinels;
    Handshake::Options handshake{};
    std::int64_t connect_ms = 2'000;
    std::int64_t wait_ms = 100;  ///< between attempts to connect, doubled with each
    std::int64_t wait_max_ms = 3'000;
    std::int64_t reply_ms = 2'000;
    std::int64_t poll_ms = 1'000;
    std::int64_t hurry_ms = 250;
    SentinelVotes::Options votes{};
  };
  struct Stats {
    std::size_t sentinels = 0;  ///< known
    std::size_t connected = 0;
    std::uint64_t switches = 0;  ///< layouts after the first
  };

  SentinelTopology(const Connection::Parts& parts, Options options);
  ~SentinelTopology() override;

  void start(Topology::Listener& listener) override;
  void doubt() override;
  [[nodiscard]] Stats stats() const;

 private:
  /// One Sentinel.
  class Watch;
  /// Waits for one answer of it.
  class Question;

  void on_deadline() override;
  void on_answer(const Watch& watch, const SentinelAnswer& answer);
  void on_unknown_name(const Watch& watch, std::string_view why);
  void on_list(const Value& list);
  void on_lost(std::string_view why);

  void add(const ServerAddress& address, std::string id);
  void forget_old();
  void ask_all();
  void ask_next();
  [[nodiscard]] ServerAddress::Scheme primary_scheme() const;
  [[nodiscard]] bool is_in_a_hurry() const;
  [[nodiscard]] std::int64_t now_ms() const { return parts_.clock.monotonic_ms(); }

  Connection::Parts parts_;
  Options options_;
  SentinelVotes votes_;
  Topology::Listener* listener_ = nullptr;
  std::vector<std::unique_ptr<Watch>> watches_;
  base::Deadline due_;    // the next poll
  std::size_t next_ = 0;  // whose turn it is
  std::uint64_t polls_ = 0;
  std::int64_t hurry_until_ms_ = 0;
  std::int64_t asked_all_ms_ = 0;
  std::int64_t asked_one_ms_ = 0;
  bool is_lost_ = false;
  std::uint64_t switches_ = 0;
};

}  // namespace roomcast::redis
