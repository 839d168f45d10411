#include "redis/sentinel_votes.h"

#include <algorithm>
#include <utility>

namespace roomcast::redis {

bool SentinelVotes::hear(std::string_view sentinel, const SentinelAnswer& answer, std::int64_t now_ms) {
  note(sentinel, answer, now_ms);
  if (chosen_ && chosen_->primary == answer.primary) {
    chosen_->epoch = std::max(chosen_->epoch, answer.epoch);
    named_ms_ = now_ms;
    return false;
  }
  const bool is_newer = !chosen_ || (answer.epoch > chosen_->epoch && !is_passed_over(answer));
  if (!is_newer) {
    if (!is_overruled_by(answer, now_ms)) return false;
    passed_over_ = std::exchange(chosen_, std::nullopt);
  } else if (passed_over_ && answer.epoch > passed_over_->epoch) {
    passed_over_.reset();
  }
  chosen_ = answer;
  named_ms_ = now_ms;
  first_doubt_ms_.reset();
  return true;
}

void SentinelVotes::doubt(std::int64_t now_ms) {
  if (!first_doubt_ms_ || !is_recent(last_doubt_ms_, now_ms)) first_doubt_ms_ = now_ms;
  last_doubt_ms_ = now_ms;
}

bool SentinelVotes::is_contested(std::int64_t now_ms) const {
  return chosen_ && std::any_of(votes_.begin(), votes_.end(), [&](const Vote& vote) {
           return is_recent(vote.at_ms, now_ms) && vote.answer.primary != chosen_->primary;
         });
}

void SentinelVotes::note(std::string_view sentinel, const SentinelAnswer& answer, std::int64_t now_ms) {
  std::erase_if(
      votes_, [&](const Vote& vote) { return vote.sentinel == sentinel || !is_recent(vote.at_ms, now_ms); });
  votes_.push_back({std::string(sentinel), answer, now_ms});
}

/// Each of those that agree says how many there are: the largest number counts.
bool SentinelVotes::has_majority(const SentinelAnswer& answer, std::int64_t now_ms) const {
  std::size_t agreed = 0;
  std::size_t all = 1;
  for (const Vote& vote : votes_) {
    if (!is_recent(vote.at_ms, now_ms) || vote.answer.primary != answer.primary) continue;
    ++agreed;
    all = std::max(all, vote.answer.sentinels);
  }
  return 2 * agreed > all;
}

bool SentinelVotes::is_overruled_by(const SentinelAnswer& answer, std::int64_t now_ms) const {
  if (!has_majority(answer, now_ms)) return false;
  if (answer.epoch == chosen_->epoch || !is_recent(named_ms_, now_ms)) return true;
  return first_doubt_ms_ && !is_recent(*first_doubt_ms_, now_ms) && is_recent(last_doubt_ms_, now_ms);
}

bool SentinelVotes::is_passed_over(const SentinelAnswer& answer) const {
  return passed_over_ && answer.epoch == passed_over_->epoch && answer.primary == passed_over_->primary;
}

}  // namespace roomcast::redis
