// A fan-out by itself: members of no room, messages of no engine.
#include "hub/fan_out.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/membership.h"

namespace fan_out_test {

using namespace roomcast::hub;
using roomcast::base::Bytes;

namespace {

constexpr std::size_t page_bytes = 100'000;
constexpr std::size_t all_members = 1'000;

/// A subscriber with its member, which is part of no membership.
struct Reader final : Subscriber, Member {
  Reader() : Member(static_cast<Subscriber&>(*this), {}) {}
  void on_joined(Membership& /*membership*/, const Joined& /*joined*/) override {}
  void on_gap(Membership& /*membership*/, const Gap& /*gap*/) override {}
  void on_refused(Membership& /*membership*/, const Refusal& /*refusal*/) override {}
  void deliver(Batch& batch, std::size_t from) override {
    std::string words;
    for (const Message& message : batch.messages().subspan(from)) {
      if (!message.is_removed) words += (words.empty() ? "" : " ") + std::to_string(message.position.offset);
    }
    got.push_back(words);
  }
  void on_amendment(AmendmentUpdate& update) override {
    got.push_back("-" + std::to_string(update.amendment().message.position.offset));
  }
  void run_at_turn_end() override {}
  Membership& membership() override { std::abort(); }
  /// What was delivered since the last call: one string for each delivery.
  std::vector<std::string> take() { return std::exchange(got, {}); }

  std::vector<std::string> got;
};

using Words = std::vector<std::string>;

struct Fixture {
  /// Adds readers that are live.
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      readers.push_back(std::make_unique<Reader>());
      fan_out.add(*readers.back());
      fan_out.set_live(*readers.back(), last);
      readers.back()->go_live();
    }
  }
  void remove(std::size_t index) { fan_out.remove(*readers.at(index)); }
  void push(std::size_t count = 1, std::size_t bytes = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      ++last;
      fan_out.push({Kind::text, Bytes::copy_of(std::string(bytes, 'x')), {}, 0, Position{1, last}, 0});
    }
  }
  FanOut::Progress run(std::size_t members = all_members) { return fan_out.run(members, page_bytes); }
  Words take(std::size_t index) { return readers.at(index)->take(); }

  FanOut fan_out{"lobby"};
  std::uint64_t last = 0;  // offset of the last message
  std::vector<std::unique_ptr<Reader>> readers;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fan-out: each live member gets all messages in one batch, once") {
  add(3);
  push(2);
  CHECK(fan_out.has_work());
  const FanOut::Progress progress = run();
  CHECK(progress.deliveries == 6);
  CHECK(progress.members == 3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(take(i) == Words{"1 2"});
  CHECK_FALSE(fan_out.has_work());
}

TEST_CASE_FIXTURE(Fixture, "fan-out: a slice passes so many members, and the next one goes on after them") {
  add(5);
  push();
  CHECK(run(2).members == 2);
  CHECK(fan_out.is_under_way());
  CHECK(take(1) == Words{"1"});
  CHECK(take(2).empty());
  CHECK(run(2).members == 2);
  CHECK(run(2).members == 1);
  CHECK_FALSE(fan_out.is_under_way());
  CHECK(take(4) == Words{"1"});
}

TEST_CASE_FIXTURE(Fixture,
                  "fan-out: an amendment comes behind the messages before it, and in front of those after") {
  add(2);
  push(2);
  fan_out.amend(Amendment::remove({1, 1}));
  push();
  fan_out.amend(Amendment::remove({1, 3}));
  fan_out.amend(Amendment::clear({1, 3}));
  push();
  const std::size_t all = fan_out.backlog_bytes();
  CHECK(fan_out.amendment_bytes() == 3 * FanOut::backlog_cost({}));
  CHECK(all == 7 * FanOut::backlog_cost({}) + 1);  // the payload of the last message is left
  while (fan_out.has_work())
    run(1);
  CHECK(take(0) == Words{"", "-1", "", "-3", "-3", "4"});
  CHECK(take(1) == Words{"", "-1", "", "-3", "-3", "4"});
  CHECK(fan_out.backlog_bytes() == 0);
  CHECK(fan_out.amendment_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "fan-out: a member that leaves or comes while an amendment is under way is no matter") {
  add(3);
  push();
  run();
  fan_out.amend(Amendment::remove({1, 1}));
  CHECK(run(1).members == 1);
  CHECK(fan_out.has_handed(*readers[2], 1));
  remove(1);
  add(1);
  push();
  while (fan_out.has_work())
    run(1);
  CHECK(take(0) == Words{"1", "-1", "2"});
  CHECK(take(1) == Words{"1"});
  CHECK(take(2) == Words{"1", "-1", "2"});
  CHECK(take(3) == Words{"2"});
  remove(0);
  remove(2);
  remove(3);
  fan_out.amend(Amendment::remove({1, 2}));
  while (fan_out.has_work())
    run();
  CHECK(fan_out.size() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "fan-out: a member that is not live gets nothing until it is, then exactly what follows") {
  readers.push_back(std::make_unique<Reader>());
  fan_out.add(*readers[0]);
  push(2);
  run();
  CHECK(take(0).empty());
  push(3);
  fan_out.set_live(*readers[0], 3);  // it has read 3 elsewhere
  run();
  CHECK(take(0) == Words{"4 5"});
}

TEST_CASE_FIXTURE(Fixture, "fan-out: a member that becomes live during a fan-out gets nothing of its batch") {
  add(2);
  push();
  run(1);
  add(1);
  push();
  run();
  CHECK(take(2).empty());
  run();
  CHECK(take(2) == Words{"2"});
  CHECK(take(0) == Words{"1", "2"});
}

TEST_CASE_FIXTURE(Fixture, "fan-out: members that leave during a fan-out leave holes that close at its end") {
  add(6);
  push();
  run(2);
  remove(0);
  remove(3);
  remove(5);
  CHECK(fan_out.size() == 3);
  run();
  CHECK(fan_out.size() == 3);
  std::size_t visited = 0;
  fan_out.for_each([&](Member& member) {
    const std::size_t index = member.fan_out_place().index;
    CHECK(index < 3);
    CHECK(&member == readers.at(index == 0 ? 4 : index).get());
    ++visited;
  });
  CHECK(visited == 3);
  for (const std::size_t left : {3, 5})
    CHECK(take(left).empty());
  push();
  run();
  for (const std::size_t stayed : {1, 2, 4})
    CHECK(take(stayed) == Words{"1", "2"});
}

TEST_CASE_FIXTURE(Fixture, "fan-out: all members may leave while it is under way") {
  add(3);
  push();
  run(1);
  for (std::size_t i = 0; i < 3; ++i)
    remove(i);
  push();
  run();
  CHECK(fan_out.size() == 0);
  run();
  CHECK(fan_out.backlog_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "fan-out: the backlog counts what is not delivered to every member") {
  add(2);
  push(1, 10);
  CHECK(fan_out.backlog_bytes() == 1'034);
  run(1);
  push(1, 20);
  CHECK(fan_out.backlog_bytes() == 1'034 + 1'044);
  run(1);
  CHECK(fan_out.backlog_bytes() == 1'044);
  run();
  CHECK(fan_out.backlog_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "fan-out: more than a page is delivered page by page") {
  add(1);
  push(3, page_bytes / 2);
  push(page_messages);
  run();
  CHECK(take(0) == Words{"1 2"});
  run();
  CHECK(take(0).size() == 1);
  CHECK(fan_out.handed_offset() == 2 + page_messages);
  run();
  CHECK(take(0) == Words{std::to_string(last)});
}

TEST_CASE_FIXTURE(Fixture, "fan-out: it knows what a live member has been handed") {
  add(3);
  push(2);
  CHECK_FALSE(fan_out.has_handed(*readers[0], 1));
  run(1);
  CHECK(fan_out.has_handed(*readers[0], 2));
  CHECK_FALSE(fan_out.has_handed(*readers[1], 1));
  add(1);
  CHECK(fan_out.has_handed(*readers[3], 2));
  run();
  CHECK(fan_out.has_handed(*readers[1], 2));
  CHECK_FALSE(fan_out.has_handed(*readers[1], 3));
}

TEST_CASE_FIXTURE(Fixture, "fan-out: after a reset no member gets anything until it is live again") {
  add(2);
  push();
  run();
  fan_out.set_all_not_live();
  fan_out.continue_after(7);
  CHECK(fan_out.handed_offset() == 7);
  last = 7;
  push();
  fan_out.set_live(*readers[1], 7);
  run();
  CHECK(take(0) == Words{"1"});
  CHECK(take(1) == Words{"1", "8"});
}

// --- Hold-ups ---

TEST_CASE_FIXTURE(Fixture, "fan-out: only much waits for a member that holds it up") {
  add(2);
  fan_out.hold_up(*readers[0]);
  push();
  CHECK_FALSE(fan_out.should_wait(page_bytes));
  push(1, 20'000);
  CHECK(fan_out.should_wait(page_bytes));
  fan_out.let_go(*readers[0]);
  CHECK_FALSE(fan_out.should_wait(page_bytes));
}

TEST_CASE_FIXTURE(Fixture, "fan-out: after a wait a member is not waited for again until it has let go") {
  add(2);
  push(1, 20'000);
  fan_out.hold_up(*readers[0]);
  fan_out.end_wait();
  CHECK_FALSE(fan_out.should_wait(page_bytes));
  fan_out.hold_up(*readers[0]);  // it has not let go
  CHECK_FALSE(fan_out.should_wait(page_bytes));
  fan_out.hold_up(*readers[1]);
  CHECK(fan_out.should_wait(page_bytes));
  fan_out.let_go(*readers[0]);  // of the round before: the other one still counts
  CHECK(fan_out.should_wait(page_bytes));
  fan_out.let_go(*readers[1]);
  fan_out.hold_up(*readers[0]);
  CHECK(fan_out.should_wait(page_bytes));
}

TEST_CASE_FIXTURE(Fixture, "fan-out: a member that leaves holds nothing up any more") {
  add(2);
  push(1, 20'000);
  fan_out.hold_up(*readers[0]);
  CHECK(fan_out.should_wait(page_bytes));
  remove(0);
  CHECK_FALSE(fan_out.should_wait(page_bytes));
}

}  // namespace fan_out_test
