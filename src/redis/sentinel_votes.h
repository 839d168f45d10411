#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/server_address.h"

namespace roomcast::redis {

/// What one Sentinel says.
struct SentinelAnswer {
  ServerAddress primary{};
  std::uint64_t epoch = 0;
  std::size_t sentinels = 1;  ///< that there are, as far as this one knows, itself included
};

/// Decides between the answers of several Sentinels which server is the primary.
///
/// Each failover that Sentinels agree on has a number, the configuration epoch, which only grows. So the
/// answer with the highest epoch counts at once, and one with a lower epoch comes from a Sentinel that has
/// not heard yet, for as long as it may take. There are three exceptions, each of which needs an answer of
/// more than half of all Sentinels, none older than Options::overrule_ms:
/// - The epoch is the same: Sentinels that are configured with different primaries. The majority counts.
/// - No Sentinel has named the present primary for overrule_ms: they were set up anew, and their epochs with
///   them.
/// - Who uses the primary has doubted it for overrule_ms, again and again: a single Sentinel claims an epoch
///   that the others have not. From then on that answer is passed over.
class SentinelVotes {
 public:
  struct Options {
    std::int64_t overrule_ms = 5'000;
  };

  explicit SentinelVotes(const Options& options) : options_(options) {}

  /// `sentinel`, named by its own id, gives this answer. True if the primary is another one now.
  bool hear(std::string_view sentinel, const SentinelAnswer& answer, std::int64_t now_ms);
  /// The primary can't be used, or says that it is none.
  void doubt(std::int64_t now_ms);

  /// None before the first answer.
  [[nodiscard]] const ServerAddress* primary() const { return chosen_ ? &chosen_->primary : nullptr; }
  /// Whether a Sentinel has named another server within the last overrule_ms: all are to be asked more often.
  [[nodiscard]] bool is_contested(std::int64_t now_ms) const;

 private:
  struct Vote {
    std::string sentinel;
    SentinelAnswer answer;
    std::int64_t at_ms = 0;
  };

  void note(std::string_view sentinel, const SentinelAnswer& answer, std::int64_t now_ms);
  [[nodiscard]] bool has_majority(const SentinelAnswer& answer, std::int64_t now_ms) const;
  [[nodiscard]] bool is_overruled_by(const SentinelAnswer& answer, std::int64_t now_ms) const;
  [[nodiscard]] bool is_passed_over(const SentinelAnswer& answer) const;
  [[nodiscard]] bool is_recent(std::int64_t at_ms, std::int64_t now_ms) const {
    return now_ms - at_ms < options_.overrule_ms;
  }

  Options options_;
  std::optional<SentinelAnswer> chosen_;
  std::optional<SentinelAnswer> passed_over_;
  std::vector<Vote> votes_;    // the last of each Sentinel, none that is not recent
  std::int64_t named_ms_ = 0;  // when a Sentinel last named the chosen one
  // A row of doubts, none of them later than overrule_ms after the one before.
  std::optional<std::int64_t> first_doubt_ms_;
  std::int64_t last_doubt_ms_ = 0;
};

}  // namespace roomcast::redis
