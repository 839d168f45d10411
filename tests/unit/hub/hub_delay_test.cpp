// What waits in the hub, and what is done a slice at a time.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/hub_fixture.h"
#include "support/read_history.h"

namespace hub_delay_test {

using namespace roomcast;

namespace {

constexpr std::size_t fixed_cost = 1'024;    // of a message, see FanOut::backlog_cost
constexpr std::size_t fan_out_cost = 2'048;  // of a room that has any

struct PlainEncoder final : hub::Encoder {
  std::size_t encode(std::string_view /*room*/, const hub::Message& message,
                     std::string& out) const override {
    out += message.payload.view();
    out += ' ';
    return 0;
  }
};

struct Listener final : hub::Subscriber {
  Listener(const hub::Encoder& e, std::string& s) : encoder(e), story(s) {}
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override {
    const base::Bytes wire = batch.wire(encoder, from, batch.messages().size());
    heard += wire.view();
    story += wire.view();
    batches.push_back(batch.messages().size() - from);
  }
  const hub::Encoder& encoder;
  std::string& story;
  std::string heard;
  std::vector<std::size_t> batches;
};

struct Fixture : test::HubFixture<> {
  explicit Fixture(const hub::HubLimits& limits_ = part::hub_limits({})) : HubFixture(limits_) {}

  Listener& join(std::string_view room) {
    listeners.push_back(std::make_unique<Listener>(encoder, story));
    members.push_back(hub.subscribe(room, *listeners.back()));
    turn();
    return *listeners.back();
  }
  void publish(std::string_view room, std::string_view payload) {
    hub.publish(room, {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0},
                [this](const hub::PublishResult& result) {
                  ++(result.ok() ? published : refused);
                  if (!result) why = result.error().message;
                });
  }
  /// Without the end of a turn before.
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    turn();
  }

  PlainEncoder encoder;
  std::string story;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<hub::Membership>> members;
  int published = 0;
  int refused = 0;
  std::string why;
};

hub::HubLimits with_backlog(std::size_t messages) {
  return test::small_backlog(fan_out_cost + messages * fixed_cost);
}

}  // namespace

TEST_CASE("hub: past the backlog publishes wait, and none is refused") {
  Fixture f(with_backlog(2));
  Listener& a = f.join("lobby");
  for (const char* payload : {"", "", ""})
    f.publish("lobby", payload);
  CHECK(f.hub.delayed() == 0);  // at the limit, and one past it
  CHECK(f.hub.would_wait("lobby"));
  for (const char* payload : {"d", "e", "f"})
    f.publish("lobby", payload);
  CHECK(f.hub.delayed() == 3);
  f.turn();
  CHECK(f.hub.delayed() == 0);
  CHECK(f.published == 6);
  CHECK(f.refused == 0);
  CHECK(a.heard == "   d e f ");
  CHECK(f.hub.backlog_bytes() == 0);
  CHECK_FALSE(f.hub.would_wait("lobby"));
}

TEST_CASE("hub: an empty message counts for something, so that many of them are a backlog too") {
  Fixture f;
  const std::size_t messages = (part::hub_limits({}).room_backlog_bytes - fan_out_cost) / fixed_cost;
  for (std::size_t i = 0; i < messages; ++i)
    f.hub.publish("lobby", {hub::Kind::text, {}, {}, 0});
  CHECK_FALSE(f.hub.would_wait("lobby"));
  f.hub.publish("lobby", {hub::Kind::text, {}, {}, 0});
  CHECK(f.hub.would_wait("lobby"));
  CHECK_FALSE(f.hub.would_wait("attic"));
  f.turn();
  CHECK_FALSE(f.hub.would_wait("lobby"));
}

TEST_CASE("hub: rooms whose publishes wait take turns: one with many holds up none with few") {
  Fixture f(with_backlog(0));
  f.join("a");
  f.join("b");
  f.publish("a", "a0");
  for (const char* payload : {"a1", "a2", "a3"})
    f.publish("a", payload);
  f.publish("b", "b1");
  f.turn();
  CHECK(f.story.find("b1") < f.story.find("a2"));
  CHECK(f.story.find("a1") < f.story.find("a2"));
  CHECK(f.story.find("a2") < f.story.find("a3"));
  CHECK(f.published == 5);
}

TEST_CASE("hub: what waits is bounded in bytes, and past that refused") {
  hub::HubLimits limits = with_backlog(0);
  limits.delayed_bytes = 2 * (512 + 10);
  Fixture f(limits);
  f.publish("lobby", "first");
  f.publish("lobby", "0123456789");
  f.publish("lobby", "0123456789");
  CHECK(f.hub.delayed() == 2);
  f.publish("lobby", "x");
  f.turn();
  CHECK(f.refused == 1);
  CHECK(f.published == 3);
}

TEST_CASE("hub: a publish waits for its time at the most") {
  Fixture f;
  f.hub.set_overloaded(true);
  int outcome = 0;
  f.hub.publish(
      "lobby", {hub::Kind::text, {}, {}, 0},
      [&](const hub::PublishResult& result) { outcome = result.ok() ? 1 : 2; }, hub::Hub::WhenShort::wait);
  f.pass(part::hub_limits({}).delayed_ms - 1);
  CHECK(outcome == 0);
  f.pass(250);
  CHECK(outcome == 2);
  CHECK(f.hub.delayed() == 0);
  f.hub.set_overloaded(false);
  f.publish("lobby", "x");
  f.turn();
  CHECK(f.published == 1);
}

TEST_CASE("hub: a publisher that can't be sent a refusal waits until memory suffices again") {
  Fixture f;
  f.hub.set_overloaded(true);
  bool ok = false;
  f.hub.publish(
      "lobby", {hub::Kind::text, {}, {}, 0}, [&](const hub::PublishResult& result) { ok = result.ok(); },
      hub::Hub::WhenShort::wait);
  f.turn();
  CHECK_FALSE(ok);
  f.hub.set_overloaded(false);
  f.turn();
  CHECK(ok);
}

TEST_CASE("hub: a burst is handed out by pages") {
  Fixture f;
  Listener& a = f.join("lobby");
  SUBCASE("of so many messages") {
    for (int i = 0; i < 1'200; ++i)
      f.publish("lobby", "x");
    f.turn();
    CHECK(a.batches == std::vector<std::size_t>{512, 512, 176});
  }
  SUBCASE("of so many bytes, or one message") {
    const std::string half(part::hub_limits({}).page_bytes / 2, 'x');
    for (int i = 0; i < 3; ++i)
      f.publish("lobby", half);
    f.publish("lobby", half + half + "x");
    f.turn();
    CHECK(a.batches == std::vector<std::size_t>{2, 1, 1});
  }
  CHECK(f.refused == 0);
}

namespace {

/// Two pages for the room, which differ in their first letters.
void publish_burst(Fixture& f, std::string_view room, char first) {
  for (const char letter : {first, static_cast<char>(first + 1)})
    f.publish(room, std::string(part::hub_limits({}).page_bytes, letter));
}

/// The first letters of the messages that it has got.
std::string letters(const Listener& listener) {
  std::string found;
  for (std::size_t at = 0; at < listener.heard.size(); at = listener.heard.find(' ', at) + 1)
    found += listener.heard[at];
  return found;
}

}  // namespace

TEST_CASE("hub: a burst waits for members that are busy with the last one, but not for long") {
  Fixture f;
  for (int i = 0; i < 3; ++i)
    f.join("lobby");
  const Listener& other = *f.listeners[1];
  f.members[0]->hold_up();
  f.members[0]->hold_up();  // said again and again
  publish_burst(f, "lobby", 'a');
  f.turn();
  CHECK(letters(other).empty());
  SUBCASE("until they have got rid of it") {
    f.members[0]->let_go();
    f.turn();
    CHECK(letters(other) == "ab");
    CHECK(letters(*f.listeners[0]) == "ab");
  }
  SUBCASE("or have left") {
    f.members.erase(f.members.begin());
    f.turn();
    CHECK(letters(other) == "ab");
  }
  SUBCASE("or have taken too long: then not again before they have caught up") {
    f.pass(hub::FanOut::wait_ms - 1);
    CHECK(letters(other).empty());
    f.pass(250);  // it is looked at now and then
    CHECK(letters(other) == "ab");
    publish_burst(f, "lobby", 'c');
    f.turn();
    CHECK(letters(other) == "abcd");
    f.members[0]->let_go();
    f.members[0]->hold_up();
    publish_burst(f, "lobby", 'e');
    f.turn();
    CHECK(letters(other) == "abcd");
    f.members[0]->let_go();
    f.turn();
    CHECK(letters(other) == "abcdef");
  }
}

TEST_CASE("hub: less than a burst does not wait for busy members") {
  Fixture f;
  f.join("lobby");
  f.members[0]->hold_up();
  f.publish("lobby", "x");
  f.turn();
  CHECK(f.listeners[0]->heard == "x ");
}

TEST_CASE("hub: a room with messages to hand out counts once, however many they are") {
  Fixture f;
  f.publish("lobby", "");
  CHECK(f.hub.backlog_bytes() == fan_out_cost + fixed_cost);
  f.publish("lobby", "");
  CHECK(f.hub.backlog_bytes() == fan_out_cost + 2 * fixed_cost);
  f.publish("attic", "");
  CHECK(f.hub.backlog_bytes() == 2 * fan_out_cost + 3 * fixed_cost);
  f.turn();
  CHECK(f.hub.backlog_bytes() == 0);
}

TEST_CASE("hub: other rooms and their publishers do not wait with one") {
  Fixture f;
  f.join("lobby");
  const Listener& other = f.join("attic");
  f.members[0]->hold_up();
  const std::size_t messages = (part::hub_limits({}).room_backlog_bytes - fan_out_cost) / fixed_cost;
  for (std::size_t i = 0; i < messages + 2; ++i)
    f.publish("lobby", "");
  f.publish("attic", "x");
  f.turn();
  CHECK(other.heard == "x ");
  CHECK(f.hub.delayed() == 1);  // of the room that waits
  f.members[0]->let_go();
  f.turn();
  CHECK(f.hub.delayed() == 0);
}

TEST_CASE("hub: a slice hands out many small rooms, or a hundred members of a large one") {
  Fixture f;
  for (int i = 0; i < 40; ++i)
    f.publish("room" + std::to_string(i), "x");
  f.hub.do_slice();
  const std::size_t left = f.hub.backlog_bytes() / fixed_cost;
  CHECK(left < 10);
  f.turn();
  CHECK(f.hub.backlog_bytes() == 0);
}

TEST_CASE("hub: outcomes are reported some at a time") {
  Fixture f;
  for (int i = 0; i < 1'000; ++i)
    f.publish("lobby", "");
  f.hub.do_slice();
  CHECK(f.published > 0);
  CHECK(f.published < 200);
  f.turn();
  CHECK(f.published == 1'000);
}

TEST_CASE("hub: new rules reach the rooms there are some at a time, and new rooms at once") {
  Fixture f;
  std::vector<std::string> names;
  for (int i = 0; i < 2'000; ++i) {
    names.push_back("room" + std::to_string(i));
    f.publish(names.back(), "x");
  }
  f.turn();
  hub::RoomSettings forgetful = part::room_settings({});
  forgetful.history.messages = 0;
  f.hub.set_rules(hub::RoomRules(forgetful));
  const auto kept = [&] {
    std::size_t count = 0;
    for (const std::string& name : names)
      count += test::read_now(f.hub, name, std::nullopt, 10)->messages.size();
    return count;
  };
  f.hub.do_slice();
  CHECK(kept() > 1'000);
  CHECK(kept() < 2'000);
  f.publish("new", "x");
  CHECK(test::read_now(f.hub, "new", std::nullopt, 10)->messages.empty());
  f.turn();
  CHECK(kept() == 0);
}

TEST_CASE("hub: rooms are forgotten some at a time") {
  Fixture f;
  for (int i = 0; i < 5'000; ++i)
    f.publish("room" + std::to_string(i), "x");
  f.turn();
  hub::HubLimits limits = part::hub_limits({});
  limits.history_bytes = 10'000;
  f.hub.set_limits(limits);
  f.hub.do_slice();
  CHECK(f.hub.history_bytes() > 1'000'000);
  f.turn();
  CHECK(f.hub.history_bytes() <= 10'000);
}

TEST_CASE("hub: rooms with members are bounded in bytes, others make room for them") {
  hub::HubLimits limits = part::hub_limits({});
  limits.room_bytes = 10'000;
  Fixture f(limits);
  std::size_t rooms = 0;
  while (f.hub.has_space_for("room" + std::to_string(rooms)))
    f.join("room" + std::to_string(rooms++));
  CHECK(rooms > 3);
  CHECK(rooms < 20);
  CHECK(f.hub.has_space_for("room0"));
  f.publish("more", "x");
  CHECK_FALSE(test::read_now(f.hub, "more", std::nullopt, 1).has_value());
  f.turn();
  CHECK(f.refused == 1);
  CHECK(f.why.find("history.total_bytes") != std::string::npos);
  f.members.pop_back();
  CHECK(f.hub.has_space_for("more"));
}

TEST_CASE("hub: a payload that many rooms keep is counted once, and as long as one keeps it") {
  Fixture f;
  const base::Bytes payload = base::Bytes::copy_of(std::string(65'536, 'x'));
  const std::size_t before = f.hub.history_bytes();
  for (int i = 0; i < 100; ++i)
    f.hub.publish("room" + std::to_string(i), {hub::Kind::text, payload, {}, 0});
  CHECK(f.hub.backlog_bytes() == 100 * (fan_out_cost + fixed_cost) + 65'536);
  f.turn();
  CHECK(f.hub.backlog_bytes() == 0);
  CHECK(f.hub.history_bytes() - before > 65'536);
  CHECK(f.hub.history_bytes() - before < 300'000);
  hub::RoomSettings one = part::room_settings({});
  one.history.messages = 1;
  f.hub.set_rules(hub::RoomRules(one));
  // All but one let go of it.
  for (int i = 0; i < 99; ++i)
    f.publish("room" + std::to_string(i), "x");
  f.turn();
  CHECK(f.hub.history_bytes() - before > 65'536);
  f.publish("room99", "x");
  f.turn();
  CHECK(f.hub.history_bytes() - before < 150'000);
  CHECK_FALSE(payload.is_kept());
}

}  // namespace hub_delay_test
