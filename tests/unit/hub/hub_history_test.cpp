// What a subscriber gets of a room's history, and how it becomes live.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/hub_fixture.h"

namespace hub_history_test {

using namespace roomcast;

namespace {

hub::Draft text(std::string_view payload) { return {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0}; }

/// Records what it receives: "joined 3", "joined 3 gap 3", "gap 5", "a b c" for what was delivered at
/// once.
struct Reader final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) override {
    told.push_back("joined " + std::to_string(joined.cursor.offset));
    if (joined.gap) told.back() += " gap " + std::to_string(joined.gap->earliest.offset);
    cursor = joined.cursor;
    if (leaves) membership.reset();
  }
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& gap) override {
    told.push_back("gap " + std::to_string(gap.cursor.offset));
    if (leaves) membership.reset();
  }
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override {
    std::string all;
    for (const hub::Message& message : batch.messages().subspan(from))
      all += (all.empty() ? "" : " ") + std::string(message.payload.view());
    told.push_back(all);
  }

  std::unique_ptr<hub::Membership> membership;
  bool leaves = false;
  std::vector<std::string> told;
  hub::Position cursor;
};

using Told = std::vector<std::string>;

struct Fixture : test::HubFixture<> {
  Fixture() : HubFixture(test::tiny_pages(10)) {}

  void publish(std::string_view payloads, std::string_view room = "lobby") {
    for (const char c : payloads)
      hub.publish(room, text({&c, 1}));
  }
  void join(Reader& reader, const hub::Interest& interest, std::string_view room = "lobby") {
    reader.membership = hub.subscribe(room, reader, interest);
  }
  void keep(std::size_t messages) {
    hub::RoomSettings settings = part::room_settings({});
    settings.history.messages = messages;
    hub.set_rules(hub::RoomRules(settings));
  }
  static hub::Interest since(std::uint64_t offset, std::optional<std::size_t> history = {}) {
    return {hub::Position{1, offset}, history};
  }
  static hub::Interest last(std::size_t messages) { return {std::nullopt, messages}; }
  /// What a subscriber that joins with these options receives.
  Told told(const hub::Interest& interest, std::string_view room = "lobby") {
    Reader reader;
    join(reader, interest, room);
    turn();
    return reader.told;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "hub history: from every kept place everything after it is replayed, and no gap") {
  publish("abcde");
  turn();
  CHECK(told(since(0)) == Told{"joined 0", "a b c d e"});
  CHECK(told(since(1)) == Told{"joined 1", "b c d e"});
  CHECK(told(since(4)) == Told{"joined 4", "e"});
  CHECK(told(since(5)) == Told{"joined 5"});
}

TEST_CASE_FIXTURE(Fixture, "hub history: what is no longer kept, not yet there or of another log is a gap") {
  keep(3);
  publish("abcde");
  turn();
  CHECK(told(since(2)) == Told{"joined 2", "c d e"});
  CHECK(told(since(1)) == Told{"joined 2 gap 2", "c d e"});
  CHECK(told(since(6)) == Told{"joined 2 gap 2", "c d e"});
  CHECK(told(since(~std::uint64_t{0})) == Told{"joined 2 gap 2", "c d e"});
  CHECK(told({hub::Position{2, 5}, {}}) == Told{"joined 2 gap 2", "c d e"});
  CHECK(told({hub::Position{0, 0}, {}}) == Told{"joined 2 gap 2", "c d e"});
  CHECK(hub.stats().gaps == 5);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub history: without a cursor the last so many, after a gap no more than asked for") {
  publish("abcde");
  turn();
  CHECK(told({}) == Told{"joined 5"});
  CHECK(told(last(0)) == Told{"joined 5"});
  CHECK(told(last(2)) == Told{"joined 3", "d e"});
  CHECK(told(last(5)) == Told{"joined 0", "a b c d e"});
  CHECK(told(last(6)) == Told{"joined 0", "a b c d e"});
  CHECK(told(last(~std::size_t{0})) == Told{"joined 0", "a b c d e"});
  CHECK(told(since(4, 2)) == Told{"joined 4", "e"});
  CHECK(told(since(1, 2)) == Told{"joined 1", "b c d e"});
  CHECK(told(since(9, 2)) == Told{"joined 3 gap 0", "d e"});
  CHECK(told(since(9, 0)) == Told{"joined 5 gap 0"});
  CHECK(told(since(9, 99)) == Told{"joined 0 gap 0", "a b c d e"});
  CHECK(hub.stats().replayed == 2 + 5 + 5 + 5 + 1 + 4 + 2 + 5);
}

TEST_CASE_FIXTURE(Fixture, "hub history: an empty room has a cursor that is good for what comes") {
  Reader reader;
  join(reader, {});
  turn();
  CHECK(reader.cursor == hub::Position{1, 0});
  reader.membership.reset();
  publish("ab");
  turn();
  CHECK(told(since(0)) == Told{"joined 0", "a b"});
}

TEST_CASE_FIXTURE(
    Fixture, "hub history: a room that keeps nothing can be resumed at its top, and is honest below it") {
  keep(0);
  publish("ab");
  turn();
  CHECK(told(since(2)) == Told{"joined 2"});
  CHECK(told(since(1)) == Told{"joined 2 gap 2"});
  CHECK(told(last(5)) == Told{"joined 2"});
  // What waits for its fan-out can still be had.
  Reader reader;
  publish("cd");
  join(reader, since(3));
  turn();
  CHECK(reader.told == Told{"joined 3", "d"});
}

TEST_CASE_FIXTURE(Fixture,
                  "hub history: whenever one joins between publishes and fan-outs, all is there once") {
  // Before the second of the three parts: 0 nothing, 1 a slice, 2 a whole turn; the same before the third.
  for (int pause = 0; pause < 9; ++pause) {
    for (std::uint64_t from = 0; from <= 6; ++from) {
      const std::string room = "room " + std::to_string(pause) + " " + std::to_string(from);
      const auto rest = [&](int how) {
        if (how == 1) hub.do_slice();
        if (how == 2) turn();
      };
      publish("ab", room);
      rest(pause % 3);
      publish("cd", room);
      Reader reader;
      join(reader, since(from > 4 ? 0 : from), room);
      rest(pause / 3);
      publish("ef", room);
      turn();
      std::string heard;
      for (std::size_t i = 1; i < reader.told.size(); ++i)
        heard += reader.told[i] + " ";
      CHECK(reader.told[0] == "joined " + std::to_string(from > 4 ? 0 : from));
      CHECK(heard == std::string("a b c d e f ").substr(2 * (from > 4 ? 0 : from)));
    }
  }
  CHECK(hub.stats().gaps == 0);
}

TEST_CASE_FIXTURE(Fixture, "hub history: a long past comes in pages, the next when the reader asks for it") {
  publish("abcdefghijklmnopqrstuvwxy");
  turn();
  Reader reader;
  join(reader, since(0));
  turn();
  CHECK(reader.told == Told{"joined 0", "a b c d e f g h i j"});
  CHECK(reader.membership->is_catching_up());
  publish("z");
  turn();
  CHECK(reader.told.size() == 2);  // what is new waits behind what is owed
  reader.membership->continue_replay();
  reader.membership->continue_replay();  // twice is once
  turn();
  CHECK(reader.told.back() == "k l m n o p q r s t");
  reader.membership->continue_replay();
  turn();
  CHECK(reader.told.back() == "u v w x y z");
  CHECK_FALSE(reader.membership->is_catching_up());
  reader.membership->continue_replay();  // nothing happens
  publish("!");
  turn();
  CHECK(reader.told == Told{"joined 0", "a b c d e f g h i j", "k l m n o p q r s t", "u v w x y z", "!"});
}

TEST_CASE_FIXTURE(Fixture, "hub history: a page holds at most its bytes, but always one message") {
  hub.publish("lobby", text("12345"));
  hub.publish("lobby", text("67890"));
  hub.publish("lobby", text("the next one is larger than a page"));
  hub.publish("lobby", text("x"));
  turn();
  Reader reader;
  join(reader, since(0));
  for (int i = 0; i < 4; ++i) {
    turn();
    reader.membership->continue_replay();
  }
  CHECK(reader.told == Told{"joined 0", "12345 67890", "the next one is larger than a page", "x"});
}

TEST_CASE_FIXTURE(
    Fixture,
    "hub history: a member that is overtaken while catching up gets a gap, and goes on from what is kept") {
  keep(15);
  publish("abcdefghijklmno");
  turn();
  Reader reader;
  join(reader, since(0));
  turn();
  CHECK(reader.told.back() == "a b c d e f g h i j");
  publish("pqrstuvwxy");  // "k" is the oldest now
  turn();
  reader.membership->continue_replay();
  turn();
  CHECK(reader.told.back() == "k l m n o p q r s t");
  publish("0123456789AB");  // "w" is the next one it needs, "y" … "B" are kept
  turn();
  reader.membership->continue_replay();
  turn();
  CHECK(reader.told[3] == "gap 22");
  CHECK(reader.told[4] == "w x y 0 1 2 3 4 5 6");
  CHECK(hub.stats().gaps == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub history: a member that is overtaken before on_joined begins where it still can") {
  publish("abcdef");
  turn();
  Reader resuming;
  Reader curious;
  join(resuming, since(1));
  join(curious, last(4));
  keep(2);
  turn();
  CHECK(resuming.told == Told{"joined 4 gap 4", "e f"});
  CHECK(curious.told == Told{"joined 4", "e f"});  // it had no claim, so nothing is missing
}

TEST_CASE_FIXTURE(Fixture, "hub history: no fan-out begins before all joins are acknowledged") {
  keep(0);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 1'000; ++i) {
    readers.push_back(std::make_unique<Reader>());
    join(*readers.back(), since(0));
  }
  publish("a");
  for (int slice = 0; slice < 3; ++slice)
    CHECK(hub.do_slice());
  CHECK(readers.front()->told == Told{"joined 0"});
  readers.back()->membership.reset();  // a member that left is not waited for
  turn();
  readers.pop_back();
  for (const auto& reader : readers)
    CHECK(reader->told == Told{"joined 0", "a"});
  CHECK(hub.stats().gaps == 0);
}

TEST_CASE_FIXTURE(Fixture, "hub history: a reader may leave when it hears of a gap") {
  keep(2);
  publish("abcd");
  turn();
  Reader reader;
  reader.leaves = true;
  join(reader, since(1));
  Reader other;
  join(other, since(1));
  turn();
  CHECK(reader.told == Told{"joined 2 gap 2"});
  CHECK(other.told == Told{"joined 2 gap 2", "c d"});
  CHECK(hub.subscribers("lobby") == 1);

  keep(20);
  publish("efghijklmnopqr");
  turn();
  join(reader, since(2));
  reader.leaves = false;
  turn();
  keep(1);
  reader.leaves = true;
  reader.membership->continue_replay();
  turn();
  CHECK(reader.told.back() == "gap 17");
  CHECK(hub.subscribers("lobby") == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub history: a reader may leave between its pages, with or without a page under way") {
  publish("abcdefghijklmno");
  turn();
  Reader reader;
  join(reader, since(0));
  turn();
  reader.membership->continue_replay();
  reader.membership.reset();
  turn();
  CHECK(reader.told.size() == 2);
  join(reader, since(0));
  reader.membership.reset();
  turn();
  CHECK(reader.told.size() == 2);
}

TEST_CASE_FIXTURE(
    Fixture, "hub history: members that catch up from the same position share one page and its encoding") {
  struct Counter final : hub::Encoder {
    std::size_t encode(std::string_view /*room*/, const hub::Message& message,
                       std::string& out) const override {
      ++encoded;
      out += message.payload.view();
      return 0;
    }
    mutable int encoded = 0;
  } encoder;
  struct Encoding final : hub::Subscriber {
    explicit Encoding(const hub::Encoder& e) : encoder(e) {}
    void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
    void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
    void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
    void deliver(hub::Batch& batch, std::size_t from) override {
      heard += batch.wire(encoder, from, batch.messages().size()).view();
    }
    const hub::Encoder& encoder;
    std::string heard;
  };
  publish("abcdef");
  turn();
  std::vector<std::unique_ptr<Encoding>> readers;
  std::vector<std::unique_ptr<hub::Membership>> members;
  for (std::uint64_t i = 0; i < 600; ++i) {
    readers.push_back(std::make_unique<Encoding>(encoder));
    members.push_back(hub.subscribe("lobby", *readers.back(), since(i % 4)));
  }
  turn();
  for (std::size_t i = 0; i < readers.size(); ++i)
    CHECK(readers[i]->heard == std::string("abcdef").substr(i % 4));
  CHECK(encoder.encoded == 6);
}

TEST_CASE_FIXTURE(Fixture, "hub history: a room that opens late gives all members that wait a position") {
  engine.hold_rooms = true;
  Reader fresh;
  Reader resuming;
  Reader gone;
  join(fresh, {});
  join(resuming, since(1));
  join(gone, {});
  publish("ab");  // from elsewhere, as far as this server knows
  turn();
  gone.membership.reset();
  CHECK(fresh.told.empty());
  engine.open("lobby");
  engine.open("lobby");  // said twice: no matter
  publish("c");
  turn();
  CHECK(fresh.told == Told{"joined 2", "c"});
  CHECK(resuming.told == Told{"joined 2 gap 2", "c"});
  CHECK(gone.told.empty());
  CHECK(told(since(2)) == Told{"joined 2", "c"});
}

TEST_CASE_FIXTURE(Fixture,
                  "hub history: an answer about a room that was forgotten meanwhile changes nothing") {
  engine.hold_rooms = true;
  publish("a");
  clock.advance(600'000);
  deadlines.sweep();
  CHECK(hub.rooms() == 0);
  engine.open("lobby");
  turn();
  CHECK(hub.rooms() == 0);
}

}  // namespace hub_history_test
