// What a poll gets where a room changes behind it: messages are removed, or its client may no longer be
// there.
#include <doctest/doctest.h>

#include <cstdint>

#include "unit/transport/poll_fixture.h"

namespace poll_changes_test {

using namespace roomcast;
using namespace roomcast::transport;
using namespace roomcast::transport::test;

TEST_CASE_FIXTURE(PollFixture, "poll: removed messages are left out, and no reason to answer") {
  publish("1");
  publish("2");
  publish("3");
  hub.remove("lobby", {1, 2}, {});
  hub.replace("lobby", {1, 1}, {hub::Kind::text, base::Bytes::copy_of("one"), {}, 0}, {});
  turn();
  ask("?since=" + cursor(0));
  turn();
  CHECK(heard() == Words{"one 3 " + cursor(3)});
  ask("?since=" + cursor(3) + "&wait=5");
  turn();
  publish("4");
  hub.remove("lobby", {1, 4}, {});
  turn();
  CHECK(heard().empty());
  publish("5");
  turn();
  CHECK(heard() == Words{"5 " + cursor(5)});
  ask("?since=" + cursor(3));
  turn();
  hub.remove("lobby", {1, 5}, {});
  turn();
  ask("?since=" + cursor(3) + "&wait=0");
  turn();
  CHECK(heard() == Words{"5 " + cursor(5), cursor(5)});
}

TEST_CASE_FIXTURE(PollFixture, "poll: what is behind whole pages of removed messages is found") {
  hub::RoomSettings settings = part::room_settings({});
  settings.history.messages = 2'000;
  hub.set_rules(hub::RoomRules(settings));
  for (std::uint64_t i = 1; i <= 1'300; ++i) {
    publish("x");
    hub.remove("lobby", {1, i}, {});
    turn();
  }
  publish("last");
  turn();
  for (const char* wait : {"", "&wait=5"}) {
    ask("?since=" + cursor(0) + wait);
    for (int i = 0; i < 5; ++i)
      turn();
    CHECK(heard() == Words{"last " + cursor(1'301)});
  }
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: one whose client may no longer be in the room gets none of its messages") {
  ask("?wait=30");
  ask("?wait=30", "open");
  turn();
  access.policy = *access::Policy::make({{"open", "anyone", access::PermissionSet::ordinary()}});
  publish("secret");
  publish("x", "open");
  turn();
  REQUIRE(answers.all.size() == 2);
  CHECK(answers.all[0].status == 401);
  CHECK(content(answers.all[0]).find("secret") == std::string::npos);
  CHECK(answers.all[1].status == 200);
}

}  // namespace poll_changes_test
