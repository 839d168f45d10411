#include "redis/sentinel_votes.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace roomcast;

namespace sentinel_votes_test {

/// Votes on primaries that have names of one letter.
struct Rig {
  redis::SentinelVotes votes{{.overrule_ms = 5'000}};
  std::int64_t now_ms = 1'000'000;

  bool hear(std::string_view sentinel, const std::string& primary, std::uint64_t epoch,
            std::size_t sentinels = 3) {
    redis::SentinelAnswer answer;
    answer.primary.host = primary;
    answer.epoch = epoch;
    answer.sentinels = sentinels;
    return votes.hear(sentinel, answer, now_ms);
  }
  [[nodiscard]] std::string primary() const {
    return votes.primary() == nullptr ? "none" : votes.primary()->host;
  }
};

TEST_CASE("votes: the first answer counts, then each with a higher epoch, at once") {
  Rig rig;
  CHECK(rig.primary() == "none");
  CHECK(rig.hear("1", "a", 4));
  CHECK_FALSE(rig.hear("2", "a", 4));
  CHECK(rig.hear("3", "b", 5));
  CHECK(rig.primary() == "b");
  CHECK_FALSE(rig.hear("2", "b", 6));
  CHECK(rig.hear("1", "a", 7));
  CHECK(rig.primary() == "a");
}

TEST_CASE("votes: a Sentinel that has not heard of a failover never undoes it") {
  Rig rig;
  rig.hear("1", "a", 1);
  rig.hear("2", "b", 2);
  for (int i = 0; i < 120; ++i) {
    rig.now_ms += 250;
    CHECK_FALSE(rig.hear("1", "a", 1));
    CHECK(rig.votes.is_contested(rig.now_ms));
    CHECK_FALSE(rig.hear("2", "b", 2));
  }
  // Not even two of three do, while one names the new primary.
  for (int i = 0; i < 120; ++i) {
    rig.now_ms += 250;
    CHECK_FALSE(rig.hear("1", "a", 1));
    CHECK_FALSE(rig.hear("3", "a", 1));
    CHECK_FALSE(rig.hear("2", "b", 2));
  }
  CHECK(rig.primary() == "b");
  CHECK_FALSE(rig.hear("1", "b", 2));
  CHECK_FALSE(rig.hear("3", "b", 2));
  CHECK_FALSE(rig.votes.is_contested(rig.now_ms));
}

TEST_CASE("votes: an answer that is old does not make the others contested") {
  Rig rig;
  rig.hear("1", "a", 1);
  rig.hear("2", "b", 2);
  CHECK(rig.votes.is_contested(rig.now_ms));
  rig.now_ms += 5'000;
  CHECK_FALSE(rig.votes.is_contested(rig.now_ms));
}

TEST_CASE(
    "votes: Sentinels that were set up anew, with epochs from the beginning, are believed after a time") {
  Rig rig;
  rig.hear("1", "a", 7);
  rig.now_ms += 4'999;
  CHECK_FALSE(rig.hear("2", "b", 0));
  CHECK_FALSE(rig.hear("3", "b", 0));
  rig.now_ms += 1;
  CHECK(rig.hear("2", "b", 0));
  CHECK(rig.primary() == "b");
  // The next failover counts as any other, back to the first as well.
  CHECK(rig.hear("3", "a", 1));
  CHECK(rig.primary() == "a");
}

TEST_CASE("votes: a minority is never believed against an answer with a higher epoch") {
  Rig rig;
  rig.hear("1", "a", 7);
  for (int i = 0; i < 100; ++i) {
    rig.now_ms += 250;
    CHECK_FALSE(rig.hear("2", "b", 0));
    // The same one twice is one.
    CHECK_FALSE(rig.hear("2", "b", 0));
  }
  CHECK(rig.hear("3", "b", 0));
}

TEST_CASE("votes: with the same epoch the majority counts") {
  Rig rig;
  rig.hear("1", "a", 0);
  CHECK_FALSE(rig.hear("2", "b", 0));
  CHECK(rig.primary() == "a");
  CHECK(rig.hear("3", "b", 0));
  CHECK(rig.primary() == "b");
  CHECK_FALSE(rig.hear("1", "a", 0));
  CHECK(rig.primary() == "b");
}

TEST_CASE("votes: a liar with a high epoch is passed over when its server is doubted for long") {
  Rig rig;
  rig.hear("1", "a", 1);
  rig.hear("2", "a", 1);
  CHECK(rig.hear("3", "liar", 9));
  const auto answer_all = [&] {
    rig.now_ms += 250;
    const bool one = rig.hear("1", "a", 1);
    const bool two = rig.hear("2", "a", 1);
    const bool three = rig.hear("3", "liar", 9);
    return one || two || three;
  };
  // Nobody doubts it: it counts.
  for (int i = 0; i < 40; ++i)
    CHECK_FALSE(answer_all());
  for (int i = 0; i < 20; ++i) {
    rig.votes.doubt(rig.now_ms);
    CHECK(answer_all() == (i == 19));
  }
  CHECK(rig.primary() == "a");
  for (int i = 0; i < 100; ++i)
    CHECK_FALSE(answer_all());
  CHECK(rig.primary() == "a");
  // A failover that is real is no less believed, and the liar no more.
  CHECK(rig.hear("1", "b", 2));
  CHECK_FALSE(rig.hear("3", "liar", 9));
  CHECK(rig.primary() == "b");
  CHECK(rig.hear("3", "c", 10));
}

TEST_CASE("votes: doubts that are far apart are not one long doubt") {
  Rig rig;
  rig.hear("3", "b", 2);
  rig.votes.doubt(rig.now_ms);
  rig.now_ms += 6'000;
  rig.votes.doubt(rig.now_ms);
  rig.hear("3", "b", 2);
  CHECK_FALSE(rig.hear("1", "a", 1));
  CHECK_FALSE(rig.hear("2", "a", 1));
  CHECK(rig.primary() == "b");
}

}  // namespace sentinel_votes_test
