#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "load/crowd.h"
#include "load/latency.h"
#include "load/tally.h"
#include "measurement.h"

namespace roomcast::bench {

/// The subscribers of a room that one publisher fills, all of them open before its first message: what each
/// is owed, what went wrong, and how old the deliveries were (a sample of about a thousand subscribers,
/// spread over the room).
class Audience final : public CrowdListener {
 public:
  explicit Audience(std::size_t clients);

  /// The publisher has sent one more message: each open client is owed it.
  void expect_one_more();
  /// Nothing more is expected of this subscriber, nor is it held against the server when it cuts it off.
  void excuse(std::size_t index);

  /// Deliveries that are yet to come.
  [[nodiscard]] std::uint64_t owed() const { return owed_; }
  /// Without those to excused subscribers, from here on.
  [[nodiscard]] std::uint64_t deliveries() const { return deliveries_; }
  /// The latency so far; it starts anew.
  [[nodiscard]] Latency take_latency();
  /// Excused subscribers that the server cut off.
  [[nodiscard]] std::uint64_t excused_cut() const { return excused_cut_; }

  /// Pongs that came, from anybody.
  [[nodiscard]] std::uint64_t pongs() const { return pongs_; }

  /// Enters deliveries (added), faults, and clients that were refused or cut. What is still owed counts as
  /// lost.
  void enter(Measurement& measurement) const;

  void on_open(Client& client) override;
  void on_message(Client& client, const std::optional<Stamp>& stamp) override;
  void on_pong(Client& /*client*/) override { ++pongs_; }
  void on_closed(Client& client, Ended ended) override;

 private:
  struct Subscriber {
    Tally tally{0, 1};
    bool open = false;
    bool excused = false;
  };
  /// Of what was published, as much as `subscriber` has neither got nor missed for good.
  [[nodiscard]] std::uint64_t owed_to(const Subscriber& subscriber) const;

  std::vector<Subscriber> subscribers_;
  std::size_t sampled_each_;
  std::uint64_t creditors_ = 0;  ///< open and not excused
  std::uint32_t published_ = 0;
  std::uint64_t owed_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t excused_cut_ = 0;
  std::uint64_t pongs_ = 0;
  Faults faults_;
  Latency latency_;
};

}  // namespace roomcast::bench
