#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load/link.h"
#include "load/poller.h"
#include "load/target.h"
#include "load/tls_client.h"

namespace roomcast::bench {

/// What an attacker has got done. Sent through a channel as it is.
struct SwarmTally {
  std::uint64_t opened = 0;   ///< connections that were made, again and again where the server ends them
  std::uint64_t sent = 0;     ///< bursts, or openings where there are no bursts
  std::uint64_t bytes = 0;    ///< that the kernel took
  std::uint64_t answers = 0;  ///< heads of HTTP answers
  std::uint64_t refused = 0;  ///< answers of 400 and more
  std::uint64_t cut = 0;      ///< connections that the server refused or ended
};

/// What each connection of a swarm does: it connects, sends `opening`, then `queue`, then bursts for as long
/// as it lasts.
struct SwarmPlan {
  std::size_t connections = 1;
  /// Most that are connecting, or waiting for an answer to their opening, at a time.
  std::size_t at_once = 512;
  std::string opening;
  /// Nothing more goes before an answer to the opening has come; one that is not 101 ends the connection.
  bool upgrades = false;
  std::string queue;
  /// Gives the next burst. `number` counts those of the whole swarm; `scratch` is the connection's own, for
  /// bytes that are made anew. Empty: nothing is sent behind the queue.
  std::function<std::string_view(std::uint64_t number, std::string& scratch)> burst;
  /// Most HTTP answers that a connection is owed at a time; 0: as many as the sockets hold. Counts answers to
  /// bursts, and to an opening that upgrades.
  std::uint64_t window = 0;
  std::uint64_t answers_to_burst = 1;
  bool reads = true;
  bool narrow = false;  ///< as of `Target`
  /// The first bytes that come end a connection, and a new one is made.
  bool leaves_when_answered = false;
  /// A connection is ended this long after it was opened, and a new one is made; 0: it stays.
  std::int64_t lives_ms = 0;
  /// How many connections are made anew in a second at most, all together. A client that was cut waits 100 ms
  /// at least when no other does.
  std::int64_t comes_back_per_second = 2000;
};

/// Many connections that carry out one plan, from one epoll loop. What the server does to them (answers,
/// refusals, resets) is counted and never an error: a client that is cut comes back.
class Swarm {
 public:
  /// Throws like `Poller::make_room_for`.
  Swarm(const Target& target, SwarmPlan plan);
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;
  ~Swarm();

  /// Throws like `Link::open`.
  void run_for(std::int64_t duration_ns);
  [[nodiscard]] const SwarmTally& tally() const { return tally_; }

 private:
  class Member;
  void start_some();
  void end_old(std::int64_t now);
  void serve_eager();
  /// When something is to be done that no socket reports.
  [[nodiscard]] std::int64_t next_ns() const;

  Target target_;
  SwarmPlan plan_;
  SwarmTally tally_;
  std::unique_ptr<TlsClient> tls_;
  Poller poller_;
  std::vector<char> incoming_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Member*> waiting_;  ///< to be started
  std::vector<Member*> eager_;    ///< could go on at once, but have to let others have a turn
  std::size_t under_way_ = 0;
  std::uint64_t started_ = 0;  ///< since the beginning
  std::int64_t deadline_ns_ = 0;
  std::int64_t start_next_ns_ = 0;  ///< members that wait are not started before
  std::int64_t look_next_ns_ = 0;   ///< when it is looked again for those that have lived long enough
};

}  // namespace roomcast::bench
