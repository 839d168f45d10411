#include "scenario/pace.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace roomcast::bench::pace_test {
namespace {

using Sent = std::vector<std::pair<std::size_t, std::uint32_t>>;  // publisher, count

/// What a pace has had sent since it was last asked.
class Sends {
 public:
  [[nodiscard]] Pace::Send note() {
    return [this](std::size_t publisher, std::uint32_t count) { sent_.emplace_back(publisher, count); };
  }
  [[nodiscard]] Sent take() { return std::exchange(sent_, {}); }

 private:
  Sent sent_;
};

}  // namespace

TEST_CASE("at a fixed rate the next message waits for its time and for the last one") {
  Sends sends;
  FixedRate pace(1, 1, 100, sends.note());
  pace.begin(3, 1000);
  CHECK(pace.keep(1000) > 2000);
  CHECK(sends.take() == Sent{{0, 1}});
  pace.on_settled(0, 1030);
  CHECK(pace.keep(1099) == 1100);
  CHECK(sends.take().empty());
  pace.keep(1100);
  CHECK(sends.take() == Sent{{0, 1}});
  pace.keep(1250);
  CHECK(sends.take().empty());
  pace.on_settled(0, 1250);
  pace.keep(1250);
  CHECK(sends.take() == Sent{{0, 1}});
  pace.on_settled(0, 1260);
  pace.keep(5000);
  CHECK(sends.take().empty());
}

TEST_CASE("at a fixed rate a room's publishers take turns, and each sends its share") {
  Sends sends;
  FixedRate pace(2, 3, 100, sends.note());
  pace.begin(2, 0);
  std::vector<int> count(6);
  for (std::int64_t now = 0; now < 1000; now += 50) {
    pace.keep(now);
    for (const auto& [publisher, messages] : sends.take()) {
      CHECK(messages == 1);
      ++count[publisher];
      pace.on_settled(publisher / 3, now);
    }
  }
  CHECK(count == std::vector<int>{2, 2, 2, 2, 2, 2});
}

TEST_CASE("at a fixed rate the rooms are spread over the interval") {
  Sends sends;
  FixedRate pace(4, 1, 100, sends.note());
  pace.begin(1, 0);
  for (std::size_t room = 0; room < 4; ++room) {
    const auto now = static_cast<std::int64_t>(room) * 25;
    pace.keep(now);
    CHECK(sends.take() == Sent{{room, 1}});
  }
}

TEST_CASE("a window is sent at once, and made up for by as much as has come back") {
  Sends sends;
  Window pace(1, 4, sends.note());
  pace.begin(10, 0);
  pace.keep(0);
  CHECK(sends.take() == Sent{{0, 4}});
  pace.keep(0);
  CHECK(sends.take().empty());
  for (int i = 0; i < 3; ++i)
    pace.on_back(0);
  CHECK(sends.take().empty());
  pace.keep(0);
  CHECK(sends.take() == Sent{{0, 3}});
  for (int i = 0; i < 4; ++i)
    pace.on_back(0);
  pace.keep(0);
  CHECK(sends.take() == Sent{{0, 3}});
  for (int i = 0; i < 3; ++i)
    pace.on_back(0);
  pace.keep(0);
  CHECK(sends.take().empty());
}

TEST_CASE("each publisher has a window of its own") {
  Sends sends;
  Window pace(2, 2, sends.note());
  pace.begin(3, 0);
  pace.keep(0);
  CHECK(sends.take() == Sent{{0, 2}, {1, 2}});
  pace.on_back(1);
  pace.keep(0);
  CHECK(sends.take() == Sent{{1, 1}});
}

TEST_CASE("what comes back late, of the messages before a beginning, makes no window wider") {
  Sends sends;
  Window pace(1, 4, sends.note());
  pace.begin(10, 0);
  pace.on_back(0);
  pace.keep(0);
  CHECK(sends.take() == Sent{{0, 4}});
}

}  // namespace roomcast::bench::pace_test
