#include "hub/idempotent_publisher.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/hub_fixture.h"

namespace idempotent_publisher_test {

using namespace roomcast;
using hub::IdempotentPublisher;
using hub::Kind;
using hub::Refusal;

namespace {

/// What the key "k" of the room "r" takes.
constexpr std::size_t one_key = 3 + hub::IdempotencyKeys::key_bytes;

struct Fixture : test::HubFixture<> {
  explicit Fixture(std::size_t limit_bytes = 100'000)
      : publisher(hub, scheduler, clock, deadlines, limit_bytes) {}

  /// Publishes; the outcome is added to `told` by `who`: "ada=1" for the first position of the room,
  /// "ada=1 again" for a duplicate.
  void publish(std::string_view who, std::string_view key, std::string_view payload = "hi",
               Kind kind = Kind::text, std::string_view room = "r", hub::Source source = 0) {
    publisher.publish(room, {kind, base::Bytes::copy_of(payload), {}, 0, source}, key,
                      [this, name = std::string(who)](const hub::PublishResult& result) {
                        told.push_back(name + "=" + outcome(result));
                      });
  }
  static std::string outcome(const hub::PublishResult& result) {
    if (result) return std::to_string(result->position.offset) + (result->duplicate ? " again" : "");
    const std::string why =
        result.error().code == Refusal::Code::key_reused ? "key_reused: " : "overloaded: ";
    return why + std::string(result.error().message);
  }
  /// What was said in the turn that ends now.
  std::vector<std::string> heard() {
    turn();
    return std::exchange(told, {});
  }
  /// The engine says that the message of the `index`th held ticket has this place.
  void accept(std::size_t index, std::uint64_t offset) {
    engine.events().on_published(engine.held.at(index), hub::Published{hub::Position{1, offset}});
  }
  void refuse(std::size_t index) {
    engine.events().on_published(engine.held.at(index), Refusal{Refusal::Code::overloaded, "no"});
  }
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
  }
  /// How many messages the room has got.
  std::uint64_t messages(const std::string& room = "r") { return engine.top(room).offset; }

  std::vector<std::string> told;
  IdempotentPublisher publisher;
};

/// Space for two keys like "k" and nothing more.
struct TwoKeys : Fixture {
  TwoKeys() : Fixture(2 * one_key) {}
};

using Words = std::vector<std::string>;

const std::string too_many_keys = "overloaded: too many keys are remembered (limits.idempotency_bytes)";
const std::string too_many_wait = "overloaded: too many wait for the same keys (limits.idempotency_bytes)";
const std::string reused = "key_reused: that idempotency key belongs to another message";

}  // namespace

TEST_CASE("idempotency key: it has 1 to 200 bytes of printable ASCII") {
  CHECK_FALSE(hub::check_idempotency_key(""));
  CHECK(hub::check_idempotency_key("k"));
  CHECK(hub::check_idempotency_key(std::string(200, 'k')));
  const auto too_long = hub::check_idempotency_key(std::string(201, 'k'));
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().message == "an idempotency key has 1 to 200 bytes, not 201");
  CHECK(hub::check_idempotency_key(" ~"));
  for (const char* key : {"a\x1f", "a\x7f", "\xc3\xa4", "a\n"})
    CHECK_FALSE(hub::check_idempotency_key(key));
  CHECK_FALSE(hub::check_idempotency_key(std::string_view("\0", 1)));
}

TEST_CASE_FIXTURE(Fixture, "publish once: the first with a key is published, the next gets its receipt") {
  publish("ada", "k");
  CHECK(heard() == Words{"ada=1"});
  publish("ada", "k");
  publish("bob", "k");
  CHECK(told.empty());  // not from within publish
  CHECK(heard() == Words{"ada=1 again", "bob=1 again"});
  CHECK(messages() == 1);
  publish("ada", "k2");
  CHECK(heard() == Words{"ada=2"});
}

TEST_CASE_FIXTURE(Fixture, "publish once: a receipt has the subscribers at the time of the publish") {
  struct Nobody final : hub::Subscriber {
    void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
    void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
    void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
    void deliver(hub::Batch& /*batch*/, std::size_t /*from*/) override {}
  } member;
  auto membership = hub.subscribe("r", member);
  turn();
  publish("ada", "k");
  turn();
  membership.reset();
  std::optional<hub::Receipt> receipt;
  publisher.publish("r", {Kind::text, base::Bytes::copy_of("hi"), {}, 0}, "k",
                    [&](const hub::PublishResult& result) { receipt = *result; });
  turn();
  REQUIRE(receipt);
  CHECK(receipt->duplicate);
  CHECK(receipt->position == hub::Position{1, 1});
  CHECK(receipt->subscribers == 1);
}

TEST_CASE_FIXTURE(Fixture, "publish once: while the first is under way others wait for its outcome") {
  engine.hold_answers = true;
  publish("ada", "k");
  publish("bob", "k");
  publish("eve", "k");
  CHECK(heard().empty());
  REQUIRE(engine.held.size() == 1);
  CHECK(publisher.bytes() == one_key + 2 * hub::IdempotencyKeys::waiter_bytes);
  accept(0, 1);
  CHECK(told.empty());  // not from within the engine
  CHECK(heard() == Words{"ada=1", "bob=1 again", "eve=1 again"});
  CHECK(publisher.bytes() == one_key);
  publish("ada", "k");
  CHECK(heard() == Words{"ada=1 again"});
  CHECK(messages() == 1);
}

TEST_CASE_FIXTURE(Fixture, "publish once: repeats without a callback do no harm") {
  engine.hold_answers = true;
  for (int i = 0; i < 2; ++i)
    publisher.publish("r", {Kind::text, base::Bytes::copy_of("hi"), {}, 0}, "k", {});
  accept(0, 1);
  turn();
  publisher.publish("r", {Kind::text, base::Bytes::copy_of("hi"), {}, 0}, "k", {});
  CHECK(heard().empty());
  CHECK(publisher.bytes() == one_key);
  CHECK(messages() == 1);
}

TEST_CASE_FIXTURE(Fixture, "publish once: a key is no good for another payload or kind, before and after") {
  engine.hold_answers = true;
  publish("ada", "k", "1", Kind::json);
  const auto try_others = [&] {
    publish("bob", "k", "2", Kind::json);
    publish("eve", "k", "1", Kind::text);
    publish("kim", "k", "1", Kind::binary);
    CHECK(told.empty());  // not from within publish
    CHECK(heard() == Words{"bob=" + reused, "eve=" + reused, "kim=" + reused});
  };
  try_others();
  accept(0, 1);
  CHECK(heard() == Words{"ada=1"});
  try_others();
  CHECK(messages() == 1);
  CHECK(publisher.keys() == 1);
}

TEST_CASE_FIXTURE(Fixture, "publish once: a key is no good for another event name or other tags") {
  const auto publish = [&](std::string_view event, std::vector<hub::Tag> tags) {
    hub::Draft draft{hub::Kind::text, base::Bytes::copy_of("x"), {}};
    draft.labels = hub::Labels(event, std::move(tags));
    publisher.publish("r", std::move(draft), "k", [this](const hub::PublishResult& result) {
      told.push_back(outcome(result).substr(0, 11));
    });
    return heard().back();
  };
  CHECK(publish("e", {{"a", "1"}}) == "1");
  CHECK(publish("e", {{"a", "1"}}) == "1 again");
  CHECK(publish("f", {{"a", "1"}}) == "key_reused:");
  CHECK(publish("e", {{"a", "2"}}) == "key_reused:");
  CHECK(publish("e", {}) == "key_reused:");
  CHECK(publish("", {}) == "key_reused:");
}

TEST_CASE_FIXTURE(Fixture, "publish once: the same key in another room is another key") {
  publish("ada", "k", "hi", Kind::text, "r");
  publish("bob", "k", "ho", Kind::binary, "s");
  CHECK(heard() == Words{"ada=1", "bob=1"});
  CHECK(publisher.keys() == 2);
  CHECK(messages("s") == 1);
  // Room and key side by side are not the same as one longer room.
  publish("eve", "bc", "1", Kind::text, "a");
  publish("kim", "c", "2", Kind::text, "ab");
  CHECK(heard() == Words{"eve=1", "kim=1"});
}

TEST_CASE_FIXTURE(Fixture, "publish once: without a key all is published and nothing remembered") {
  publish("ada", "");
  publish("ada", "");
  CHECK(told.empty());
  CHECK(heard() == Words{"ada=1", "ada=2"});
  CHECK(publisher.keys() == 0);
  CHECK(publisher.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "publish once: a refusal goes to all that wait, and leaves the key free") {
  engine.hold_answers = true;
  publish("ada", "k");
  publish("bob", "k");
  refuse(0);
  CHECK(heard() == Words{"ada=overloaded: no", "bob=overloaded: no"});
  CHECK(publisher.keys() == 0);
  CHECK(publisher.bytes() == 0);
  engine.hold_answers = false;
  publish("eve", "k", "something else");
  CHECK(heard() == Words{"eve=2"});
}

TEST_CASE_FIXTURE(Fixture, "publish once: what the hub does not take leaves the key free, too") {
  hub.set_overloaded(true);
  publish("ada", "k");
  publish("bob", "k");
  CHECK(told.empty());
  const Words words = heard();
  REQUIRE(words.size() == 2);
  for (const std::string& word : words)
    CHECK(word.find("=overloaded: ") == 3);
  CHECK(publisher.keys() == 0);
  hub.set_overloaded(false);
  publish("ada", "k");
  CHECK(heard() == Words{"ada=1"});
}

TEST_CASE_FIXTURE(Fixture, "publish once: a callback may publish again, under the same key as well") {
  hub.set_overloaded(true);
  publisher.publish("r", {Kind::text, base::Bytes::copy_of("hi"), {}, 0}, "k",
                    [this](const hub::PublishResult& result) {
                      CHECK_FALSE(result);
                      hub.set_overloaded(false);
                      publish("ada", "k");
                      publish("bob", "k");
                    });
  CHECK(heard() == Words{"ada=1", "bob=1 again"});
  publisher.publish("r", {Kind::text, base::Bytes::copy_of("hi"), {}, 0}, "k",
                    [this](const hub::PublishResult&) { publish("eve", "k"); });
  CHECK(heard() == Words{"eve=1 again"});
}

TEST_CASE_FIXTURE(Fixture, "publish once: a key is kept for five minutes after it was published") {
  engine.hold_answers = true;
  publish("ada", "k");
  pass(9'000);  // under way it does not age
  publish("bob", "k");
  accept(0, 1);
  CHECK(heard() == Words{"ada=1", "bob=1 again"});

  SUBCASE("one millisecond less") {
    pass(299'999);
    publish("eve", "k");
    CHECK(heard() == Words{"eve=1 again"});
    // That it was asked for does not keep it longer.
    pass(1);
    CHECK(publisher.keys() == 0);
  }
  SUBCASE("five minutes, seen by the sweep") {
    pass(300'000);
    CHECK(publisher.keys() == 0);
    CHECK(publisher.bytes() == 0);
  }
  SUBCASE("five minutes, before the sweep comes by") {
    clock.advance(300'000);
    engine.hold_answers = false;
    publish("eve", "k", "something else");
    CHECK(heard() == Words{"eve=2"});
  }
}

TEST_CASE_FIXTURE(Fixture, "publish once: each key goes when its own time is over") {
  publish("ada", "k");
  turn();
  pass(100'000);
  publish("ada", "l");
  turn();
  pass(199'999);
  CHECK(publisher.keys() == 2);
  pass(1);
  CHECK(publisher.keys() == 1);
  pass(99'999);
  publish("ada", "l");
  CHECK(heard().back() == "ada=2 again");
  pass(1);
  CHECK(publisher.keys() == 0);
  // And from the beginning again.
  publish("ada", "m");
  turn();
  pass(299'999);
  CHECK(publisher.keys() == 1);
  pass(1);
  CHECK(publisher.keys() == 0);
}

TEST_CASE_FIXTURE(TwoKeys, "publish once: past the bytes those published the longest ago are forgotten") {
  engine.hold_answers = true;
  publish("ada", "a");
  publish("bob", "b");
  accept(1, 2);  // that is the older one now
  turn();
  accept(0, 1);
  CHECK(heard() == Words{"bob=2", "ada=1"});
  CHECK(publisher.bytes() == 2 * one_key);

  engine.hold_answers = false;
  publish("eve", "c");
  CHECK(heard() == Words{"eve=3"});
  CHECK(publisher.keys() == 2);
  CHECK(publisher.bytes() == 2 * one_key);
  publish("ada", "a");
  CHECK(heard() == Words{"ada=1 again"});
  publish("bob", "b");
  CHECK(heard() == Words{"bob=4"});
}

TEST_CASE_FIXTURE(TwoKeys, "publish once: a longer key takes so much more") {
  publish("ada", "a");
  publish("bob", "b");
  turn();
  publish("eve", "cc");
  turn();
  CHECK(publisher.keys() == 1);
  CHECK(publisher.bytes() == one_key + 1);
}

TEST_CASE_FIXTURE(TwoKeys,
                  "publish once: keys under way are kept, and if they fill it all others are refused") {
  publish("ada", "a");
  CHECK(heard() == Words{"ada=1"});
  engine.hold_answers = true;
  publish("bob", "b");
  publish("eve", "c");  // for which "a" is forgotten
  CHECK(publisher.keys() == 2);
  publish("kim", "d");
  publish("joe", "");
  CHECK(told.empty());  // not from within publish
  CHECK(heard() == Words{"kim=" + too_many_keys});
  CHECK(publisher.keys() == 2);
  CHECK(publisher.bytes() == 2 * one_key);
  CHECK(messages() == 4);  // without a key all goes on

  accept(0, 2);
  CHECK(heard() == Words{"bob=2"});
  engine.hold_answers = false;
  publish("kim", "d");
  CHECK(heard() == Words{"kim=5"});
}

TEST_CASE_FIXTURE(TwoKeys, "publish once: repeats that wait count, too, and past the limit are refused") {
  engine.hold_answers = true;
  publish("ada", "k");
  const std::size_t places = one_key / hub::IdempotencyKeys::waiter_bytes;
  for (std::size_t i = 0; i < places; ++i)
    publish("bob", "k");
  CHECK(heard().empty());
  CHECK(publisher.bytes() == one_key + places * hub::IdempotencyKeys::waiter_bytes);
  publish("eve", "k");
  CHECK(heard() == Words{"eve=" + too_many_wait});
  publish("kim", "l");
  CHECK(heard() == Words{"kim=" + too_many_keys});
  accept(0, 1);
  CHECK(heard().size() == 1 + places);
  CHECK(publisher.bytes() == one_key);
}

TEST_CASE_FIXTURE(TwoKeys, "publish once: for a repeat that waits a published key is dropped") {
  publish("ada", "a");
  CHECK(heard() == Words{"ada=1"});
  engine.hold_answers = true;
  publish("bob", "b");
  publish("eve", "b");
  CHECK(publisher.keys() == 1);
  CHECK(publisher.bytes() == one_key + hub::IdempotencyKeys::waiter_bytes);
  accept(0, 2);
  CHECK(heard() == Words{"bob=2", "eve=2 again"});
}

TEST_CASE_FIXTURE(TwoKeys, "publish once: a lower limit forgets at once, a higher one lets more in") {
  publish("ada", "a");
  publish("bob", "b");
  turn();
  publisher.set_limit(2 * one_key);
  CHECK(publisher.keys() == 2);
  publisher.set_limit(2 * one_key - 1);
  CHECK(publisher.keys() == 1);
  publish("bob", "b");
  CHECK(heard().back() == "bob=2 again");

  engine.hold_answers = true;
  publisher.set_limit(2 * one_key);
  publish("eve", "c");
  publisher.set_limit(one_key - 1);
  CHECK(publisher.keys() == 1);  // under way
  publish("kim", "d");
  CHECK(heard() == Words{"kim=" + too_many_keys});
  publisher.set_limit(2 * one_key);
  publish("kim", "d");
  CHECK(publisher.keys() == 2);
  accept(0, 3);
  accept(1, 4);
  CHECK(heard() == Words{"eve=3", "kim=4"});
}

TEST_CASE_FIXTURE(Fixture,
                  "publish once: what was forgotten for its bytes leaves the later ones their time") {
  publisher.set_limit(one_key);
  publish("ada", "a");
  turn();
  pass(200'000);
  publish("bob", "b");
  turn();
  pass(100'000);  // the first one's time
  CHECK(publisher.keys() == 1);
  pass(199'999);
  CHECK(publisher.keys() == 1);
  pass(1);
  CHECK(publisher.keys() == 0);
}

TEST_CASE("publish once: a source with very many keys pushes out only its own") {
  Fixture f(40 * one_key);
  const hub::Source victim = 1;
  const hub::Source flood = 2;
  f.publish("ada", "v", "hi", Kind::text, "r", victim);
  f.turn();
  for (int i = 0; i < 200; ++i) {
    f.publish("eve", std::to_string(i), "x", Kind::text, "s", flood);
    f.turn();
  }
  CHECK(f.told.size() == 201);
  for (const std::string& outcome : f.heard())
    CHECK(outcome.find("overloaded") == std::string::npos);
  CHECK(f.publisher.bytes() <= 40 * one_key);
  f.publish("ada", "v", "hi", Kind::text, "r", victim);
  CHECK(f.heard() == Words{"ada=1 again"});
}

TEST_CASE("publish once: a new key is refused before one that is younger than a minute is forgotten") {
  Fixture f(8 * one_key);
  for (int i = 0; i < 8; ++i)
    f.publish("ada", std::to_string(i), "x", Kind::text, "r", static_cast<hub::Source>(1 + i));
  f.turn();
  f.told.clear();
  f.pass(hub::IdempotencyKeys::young_ms - 1);
  f.publish("eve", "n", "x", Kind::text, "r", 99);
  CHECK(f.heard() == Words{"eve=" + too_many_keys});
  f.pass(1);
  f.publish("eve", "n", "x", Kind::text, "r", 99);
  CHECK(f.heard() == Words{"eve=9"});
}

TEST_CASE("publish once: what is refused is not digested") {
  Fixture f(one_key);
  const base::Bytes payload = base::Bytes::copy_of("payload");
  SUBCASE("for want of room") {
    f.engine.hold_answers = true;
    f.publish("ada", "a");
    f.publisher.publish("r", {Kind::text, payload, {}}, "b", [](const hub::PublishResult&) {});
    CHECK(payload.use_count() == 1);  // digesting keeps it until the end of the turn
  }
  SUBCASE("for want of memory") {
    f.hub.set_overloaded(true);
    f.publisher.publish("r", {Kind::text, payload, {}}, "b", [](const hub::PublishResult&) {});
    CHECK(payload.use_count() == 1);
  }
  SUBCASE("and what was digested is not kept") {
    f.publisher.publish("r", {Kind::text, payload, {}}, "b", [](const hub::PublishResult&) {});
    CHECK(payload.use_count() > 1);
    f.turn();
    f.publisher.publish("r", {Kind::text, payload, {}}, "b", [](const hub::PublishResult&) {});
    f.turn();
    CHECK(payload.use_count() == 2);  // the room's history
  }
}

TEST_CASE("publish once: one payload for many rooms belongs to all of them, and another does not") {
  Fixture f;
  const base::Bytes first = base::Bytes::copy_of("first");
  const base::Bytes second = base::Bytes::copy_of("other");
  int done = 0;
  int reused = 0;
  const auto count = [&](const hub::PublishResult& result) { ++(result ? done : reused); };
  for (const base::Bytes& payload : {first, second, first}) {
    for (const char* room : {"a", "b", "c"})
      f.publisher.publish(room, {Kind::text, payload, {}}, "k", count);
  }
  f.turn();
  CHECK(done == 6);
  CHECK(reused == 3);
}

TEST_CASE("publish once: very many keys are forgotten a few at a time") {
  Fixture f(10'000'000);
  const int many = 1'000;
  for (int i = 0; i < many; ++i)
    f.publish("ada", std::to_string(i));
  f.turn();
  SUBCASE("when the limit is lowered") { f.publisher.set_limit(0); }
  SUBCASE("when their time is over") { f.pass(hub::IdempotencyKeys::keep_ms); }
  CHECK(f.publisher.keys() == many - hub::IdempotencyKeys::forgotten_at_once);
  f.turn();
  CHECK(f.publisher.keys() == 0);
  CHECK(f.publisher.bytes() == 0);
}

}  // namespace idempotent_publisher_test
