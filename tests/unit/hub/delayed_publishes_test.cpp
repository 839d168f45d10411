// Publishes that wait, without a hub.
#include "hub/delayed_publishes.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "hub/room.h"
#include "support/hub_fixture.h"

namespace delayed_publishes_test {

using namespace roomcast::hub;
using roomcast::base::Bytes;

namespace {

struct NoOwner final : Retention::Owner {
  void on_evicted(std::string_view /*room*/) override {}
};

/// Two rooms with a queue each.
struct Fixture : roomcast::test::HubFixture<> {
  void add(Room& room, std::string_view payload, std::int64_t until_ms = 1'000) {
    delayed.add(room.record().delayed, {Kind::text, Bytes::copy_of(payload), {}}, {}, until_ms);
  }
  static std::string text_of(const std::optional<DelayedPublishes::Publish>& publish) {
    return publish ? std::string(publish->draft.payload.view()) : "none";
  }
  std::string take(Room& room) { return text_of(delayed.take_first(room.record().delayed)); }

  NoOwner owner;
  Retention retention{clock, owner, sizeof(Room)};
  Room a{hub, retention, deadlines, "a", {}};
  Room b{hub, retention, deadlines, "b", {}};
  DelayedPublishes delayed;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "delayed publishes: each room's come in their order, and count until they are taken") {
  add(a, "1");
  add(b, "2");
  add(a, "three");
  CHECK(delayed.size() == 3);
  CHECK(delayed.bytes() == 3 * 512 + 7);
  CHECK(take(a) == "1");
  CHECK(take(a) == "three");
  CHECK(take(a) == "none");
  CHECK_FALSE(a.record().delayed.has_publishes());
  CHECK(b.record().delayed.has_publishes());
  CHECK(delayed.bytes() == 513);
  CHECK(take(b) == "2");
  CHECK(delayed.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "delayed publishes: idempotency keys count") {
  Draft draft{Kind::text, Bytes::copy_of("1"), {}};
  draft.key = DraftKey("order-17", "0123456789abcdef");
  delayed.add(a.record().delayed, std::move(draft), {}, 1'000);
  CHECK(delayed.bytes() == 512 + 1 + 8 + 16);
  CHECK(take(a) == "1");
  CHECK(delayed.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "delayed publishes: rooms take turns, each once, and only with something to publish") {
  delayed.give_turn(a.record().delayed);
  CHECK_FALSE(delayed.has_turns());
  add(a, "1");
  add(b, "2");
  delayed.give_turn(b.record().delayed);
  delayed.give_turn(a.record().delayed);
  delayed.give_turn(b.record().delayed);
  CHECK(&delayed.take_turn().room() == &b);
  CHECK_FALSE(b.record().delayed.has_turn());
  CHECK(&delayed.take_turn().room() == &a);
  CHECK_FALSE(delayed.has_turns());
}

TEST_CASE_FIXTURE(Fixture,
                  "delayed publishes: the longest waiting is overdue first, unless it has been taken") {
  add(a, "1", 10);
  add(b, "2", 20);
  add(a, "3", 30);
  add(b, "4", 40);
  CHECK(text_of(delayed.take_overdue(9)) == "none");
  CHECK(take(a) == "1");
  CHECK(text_of(delayed.take_overdue(20)) == "2");
  CHECK(text_of(delayed.take_overdue(29)) == "none");
  CHECK(text_of(delayed.take_overdue(50)) == "3");
  CHECK(text_of(delayed.take_overdue(50)) == "4");
  CHECK(text_of(delayed.take_overdue(50)) == "none");
  CHECK(delayed.size() == 0);
}

}  // namespace delayed_publishes_test
