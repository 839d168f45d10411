// Messages that are removed or replaced, and rooms that are cleared: what members, late joiners and readers
// of the history get of it.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/amendment.h"
#include "support/hub_fixture.h"
#include "support/read_history.h"

namespace hub_amend_test {

using namespace roomcast;
using hub::Position;

namespace {

hub::Draft text(std::string_view payload, hub::Author author = {}) {
  return {hub::Kind::text, base::Bytes::copy_of(payload), std::move(author), 0};
}

/// Encodes messages as "[payload]", amendments as "-3", "3=payload" and "0..3".
struct Notation final : hub::Encoder {
  std::size_t encode(std::string_view /*room*/, const hub::Message& message,
                     std::string& out) const override {
    out.append("[").append(message.payload.view()).append("]");
    return 0;
  }
  void encode_amendment(std::string_view /*room*/, const hub::Amendment& amendment,
                        std::string& out) const override {
    using What = hub::Amendment::What;
    const std::string offset = std::to_string(amendment.message.position.offset);
    if (amendment.what == What::removed) out += "-" + offset;
    if (amendment.what == What::replaced) {
      out.append(offset).append("=").append(amendment.message.payload.view());
    }
    if (amendment.what == What::cleared) out += "0.." + offset;
  }
};

struct Reader final : hub::Subscriber {
  explicit Reader(const hub::Encoder& e) : encoder(e) {}
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) override {
    got += "joined " + std::to_string(joined.cursor.offset) + (joined.gap ? " gap " : " ");
  }
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& gap) override {
    got += "gap " + std::to_string(gap.cursor.offset) + " ";
  }
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override {
    got += batch.wire(encoder, from, batch.messages().size()).view();
  }
  void on_amendment(hub::AmendmentUpdate& update) override { got += update.wire(encoder).view(); }
  std::string take() { return std::exchange(got, {}); }

  const hub::Encoder& encoder;
  std::string got;
  std::unique_ptr<hub::Membership> membership;
};

struct Fixture : test::HubFixture<> {
  explicit Fixture(std::size_t page_bytes = 100'000) : HubFixture(test::tiny_pages(page_bytes)) {}
  std::unique_ptr<Reader> join(const hub::Interest& interest = {}) {
    auto reader = std::make_unique<Reader>(notation);
    reader->membership = hub.subscribe("lobby", *reader, interest);
    return reader;
  }
  /// Joins with everything after that offset.
  std::unique_ptr<Reader> join_after(std::uint64_t offset) { return join({at(offset), std::nullopt}); }
  void publish(std::string_view payloads) {
    for (const char payload : payloads)
      hub.publish("lobby", text({&payload, 1}), [this](const auto& result) { last = result->position; });
  }
  [[nodiscard]] Position at(std::uint64_t offset) const { return {last.epoch, offset}; }
  hub::PublishDone note() {
    return [this](const hub::PublishResult& result) {
      outcome = result ? "ok " + std::to_string(result->position.offset)
                       : std::string(hub::describe(result.error().code).name) + ": " +
                             std::string(result.error().message.view());
    };
  }
  std::string remove(std::uint64_t offset) {
    outcome.clear();
    hub.remove("lobby", at(offset), note());
    CHECK(outcome.empty());  // not from within the call
    turn();
    return outcome;
  }
  std::string replace(std::uint64_t offset, std::string_view payload) {
    hub.replace("lobby", at(offset), text(payload), note());
    turn();
    return outcome;
  }
  std::string clear() {
    hub.clear("lobby", note());
    turn();
    return outcome;
  }
  std::string history(std::optional<std::uint64_t> since = std::nullopt,
                      std::optional<std::size_t> limit = std::nullopt) {
    std::string all;
    const auto page = test::read_now(hub, "lobby", since ? std::optional(at(*since)) : std::nullopt, limit);
    if (page->gap) all += "gap ";
    for (const hub::Message& message : page->messages)
      all += message.payload.view();
    return all + " " + std::to_string(page->cursor.offset);
  }

  Notation notation;
  Position last;
  std::string outcome;
};

struct SmallPages : Fixture {
  SmallPages() : Fixture(2) {}
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "amendments: a removed message is gone for those to come, and those there are notified") {
  const auto present = join();
  publish("abc");
  turn();
  CHECK(present->take() == "joined 0 [a][b][c]");
  CHECK(remove(2) == "ok 2");
  publish("d");
  turn();
  CHECK(present->take() == "-2[d]");
  const auto late = join_after(0);
  turn();
  CHECK(late->take() == "joined 0 [a][c][d]");
  CHECK(history() == "acd 4");
  CHECK(history(2) == "cd 4");  // a cursor at the removed message is as good as any
  const auto resumed = join_after(2);
  turn();
  CHECK(resumed->take() == "joined 2 [c][d]");
}

TEST_CASE_FIXTURE(Fixture, "amendments: the last messages are counted without those that are removed") {
  publish("abcde");
  turn();
  (void)remove(4);
  (void)remove(5);
  CHECK(history(std::nullopt, 2) == "bc 5");
  CHECK(history(std::nullopt, 3) == "abc 5");
  CHECK(history(std::nullopt, 9) == "abc 5");
  CHECK(history(0, 1) == "a 1");
  hub::Interest two;
  two.history = 2;
  const auto late = join(two);
  turn();
  CHECK(late->take() == "joined 1 [b][c]");
}

TEST_CASE_FIXTURE(Fixture,
                  "amendments: a replaced message has its place and time, for those to come as well") {
  const auto present = join();
  publish("abc");
  turn();
  const std::int64_t time_ms = test::read_now(hub, "lobby", std::nullopt, 1)->messages[0].time_ms;
  clock.advance(5'000);
  present->take();
  CHECK(replace(3, "C") == "ok 3");
  CHECK(present->take() == "3=C");
  CHECK(history() == "abC 3");
  CHECK(test::read_now(hub, "lobby", std::nullopt, 1)->messages[0].time_ms == time_ms);
  CHECK(replace(3, "D") == "ok 3");
  CHECK(remove(3) == "ok 3");
  CHECK(present->take() == "3=D-3");
}

TEST_CASE_FIXTURE(Fixture, "amendments: a cleared room has nothing left, and goes on") {
  const auto present = join();
  publish("abc");
  turn();
  present->take();
  const std::size_t before = hub.history_bytes();
  CHECK(clear() == "ok 3");
  CHECK(hub.history_bytes() < before);
  publish("d");
  turn();
  CHECK(present->take() == "0..3[d]");
  CHECK(history() == "d 4");
  const auto late = join_after(1);
  turn();
  CHECK(late->take() == "joined 3 gap [d]");
  const auto at_the_end = join_after(3);
  turn();
  CHECK(at_the_end->take() == "joined 3 [d]");
}

TEST_CASE_FIXTURE(Fixture, "amendments: what is not there is refused, and nobody hears of it") {
  CHECK(remove(1) == "not_found: the room has no message with the cursor 0000000000000000-1");
  CHECK(clear() == "not_found: the room has no messages");
  const auto present = join();
  publish("a");
  turn();
  present->take();
  CHECK(remove(2).starts_with("not_found: the room has no message with the cursor "));
  CHECK(remove(0).starts_with("not_found"));
  CHECK(remove(1) == "ok 1");
  CHECK(remove(1).starts_with("not_found"));
  CHECK(replace(1, "b").starts_with("not_found"));
  hub.remove("lobby", {last.epoch + 2, 1}, note());
  turn();
  CHECK(outcome.starts_with("not_found"));
  CHECK(present->take() == "-1");
  CHECK(history() == " 1");
}

TEST_CASE_FIXTURE(Fixture, "amendments: those that have not got a message yet never get it") {
  // More members than a slice delivers to.
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 300; ++i)
    readers.push_back(join());
  turn();
  for (const auto& reader : readers)
    reader->take();
  publish("abc");
  (void)hub.do_slice();  // to the first of them
  hub.remove("lobby", {test::read_now(hub, "lobby", std::nullopt, 1)->messages[0].position.epoch, 2}, {});
  publish("d");
  turn();
  int early = 0;
  for (const auto& reader : readers) {
    const std::string got = reader->take();
    if (got == "[a][b][c]-2[d]") {
      ++early;
    } else {
      CHECK(got == "[a][c]-2[d]");
    }
  }
  CHECK(early > 0);
  CHECK(early < 300);
  CHECK(hub.backlog_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "amendments: a message that is still queued is not delivered at all") {
  const auto present = join();
  turn();
  present->take();
  publish("abc");
  const std::uint64_t epoch = test::read_now(hub, "lobby", std::nullopt, 1)->messages[0].position.epoch;
  hub.remove("lobby", {epoch, 3}, {});
  hub.replace("lobby", {epoch, 1}, text("A"), {});
  publish("d");
  turn();
  CHECK(present->take() == "[A][b]-31=A[d]");
  publish("e");
  hub.clear("lobby", {});
  turn();
  CHECK(present->take() == "0..5");
}

TEST_CASE_FIXTURE(SmallPages, "amendments: those that catch up are notified of what they have got, alone") {
  publish("abcdef");
  turn();
  const auto slow = join_after(0);
  turn();
  CHECK(slow->take() == "joined 0 [a][b]");
  CHECK(remove(1) == "ok 1");
  CHECK(remove(3) == "ok 3");
  CHECK(slow->take() == "-1");
  slow->membership->continue_replay();
  turn();
  slow->membership->continue_replay();
  turn();
  CHECK(slow->take() == "[d][e][f]");
}

TEST_CASE_FIXTURE(SmallPages,
                  "amendments: a page that others were given has nothing of what was removed since") {
  publish("abcd");
  turn();
  const auto first = join_after(0);
  const auto second = join_after(2);
  turn();
  CHECK(first->take() == "joined 0 [a][b]");
  CHECK(second->take() == "joined 2 [c][d]");
  hub.remove("lobby", at(4), {});
  first->membership->continue_replay();
  turn();
  CHECK(first->take() == "[c]-4");
}

TEST_CASE_FIXTURE(SmallPages, "amendments: those that catch up get a gap where the room is cleared") {
  publish("abcdef");
  turn();
  const auto slow = join_after(0);
  turn();
  slow->take();
  CHECK(clear() == "ok 6");
  slow->membership->continue_replay();
  publish("g");
  turn();
  CHECK(slow->take() == "0..6gap 6 [g]");
}

TEST_CASE_FIXTURE(Fixture, "amendments: what is retained is counted exactly") {
  const std::size_t empty = [&] {
    const auto reader = join();
    turn();
    return hub.history_bytes();
  }();
  publish("a");
  turn();
  const std::size_t with_a = hub.history_bytes();
  hub.publish("lobby", text(std::string(1'000, 'x'), hub::Author("Ada", "user:ada")));
  turn();
  const std::size_t with_both = hub.history_bytes();
  (void)replace(2, "b");
  CHECK(hub.history_bytes() == 2 * with_a - empty);
  (void)replace(2, std::string(1'000, 'x'));
  CHECK(hub.history_bytes() < with_both);  // without an author
  (void)remove(2);
  CHECK(hub.history_bytes() < 2 * with_a - empty);
  (void)clear();
  CHECK(hub.history_bytes() == empty);
}

TEST_CASE_FIXTURE(Fixture, "amendments: so many wait for slow deliveries, and further ones are refused") {
  hub::HubLimits limits = part::hub_limits({});
  limits.room_backlog_bytes = 10 * 1'024;
  hub.set_limits(limits);
  const auto present = join();
  publish("a");
  turn();
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    hub.replace("lobby", at(1), text("b"), [&](const hub::PublishResult& result) {
      if (!result) ++refused;
    });
  }
  turn();
  CHECK(refused == 10);
  CHECK(hub.backlog_bytes() == 0);
}

TEST_CASE_FIXTURE(
    Fixture, "amendments: a message that is no longer retained is still removed from those who have it") {
  hub::RoomSettings settings = part::room_settings({});
  settings.history.messages = 1;
  hub.set_rules(hub::RoomRules(settings));
  const auto present = join();
  publish("abc");
  turn();
  present->take();
  CHECK(remove(1) == "ok 1");
  CHECK(present->take() == "-1");
  CHECK(history() == "c 3");
}

}  // namespace hub_amend_test
