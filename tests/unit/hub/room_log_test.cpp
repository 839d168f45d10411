// The log of a room by itself: positions, resets, starting positions and pages.
#include "hub/room_log.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace room_log_test {

using namespace roomcast::hub;
using roomcast::base::Bytes;

namespace {

constexpr std::size_t page_bytes = 12;
constexpr HistoryLimits limits{4, 1'000'000, 1'000'000};

Message message(std::uint64_t offset, std::string_view payload = {}, std::uint64_t epoch = 1) {
  return {Kind::text,
          Bytes::copy_of(payload.empty() ? std::to_string(offset) : payload),
          {},
          0,
          Position{epoch, offset},
          0};
}

std::string text_of(std::span<const Message> messages) {
  std::string text;
  for (const Message& one : messages)
    text += (text.empty() ? "" : " ") + std::string(one.payload.view());
  return text;
}

/// A log that is open at offset 0 of epoch 1 and retains four messages.
struct Fixture {
  Fixture() { log.open(LogState({1, 0})); }
  explicit Fixture(std::uint64_t floor) { log.open(LogState({1, 0}, floor)); }

  void accept(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t offset = from; offset <= to; ++offset) {
      log.advance_to({1, offset});
      log.history().append(message(offset), 0, limits);
    }
  }
  /// "2", or "2 behind a gap from 1".
  static std::string say(const Joined& start) {
    std::string text = std::to_string(start.cursor.offset);
    return start.gap ? text + " after a gap from " + std::to_string(start.gap->earliest.offset) : text;
  }
  static Interest since(std::uint64_t offset, std::optional<std::size_t> history = {},
                        std::uint64_t epoch = 1) {
    return {Position{epoch, offset}, history};
  }
  static LogPage read(std::initializer_list<std::uint64_t> offsets, std::uint64_t floor = 0) {
    LogPage page;
    page.floor = floor;
    for (const std::uint64_t offset : offsets)
      page.messages.push_back(message(offset));
    return page;
  }
  std::string page_after(std::uint64_t offset) {
    REQUIRE(log.has_page_after(offset));
    (void)log.turn_page_to(offset, page_bytes);
    return text_of(log.page().messages().subspan(first_after(log.page().messages(), offset)));
  }

  KeptBytes kept_bytes;
  RoomLog log{"lobby", kept_bytes};
};

struct WithPast : Fixture {
  WithPast() : Fixture(0) {}
};

}  // namespace

TEST_CASE(
    "room log: it is open from the engine's answer on, but not while it is lost or a reset is pending") {
  KeptBytes kept_bytes;
  RoomLog log("lobby", kept_bytes);
  CHECK_FALSE(log.is_known());
  CHECK_FALSE(log.is_open());
  log.open(LogState({1, 5}));
  CHECK(log.is_open());
  log.lose();
  CHECK(log.is_known());
  CHECK_FALSE(log.is_open());
  log.resume(LogState({1, 5}));
  CHECK(log.is_open());
  CHECK_FALSE(log.is_reset_pending());
  log.resume(LogState({1, 9}));
  CHECK(log.is_reset_pending());
  CHECK_FALSE(log.is_open());
  (void)log.apply_reset();
  CHECK(log.is_open());
  CHECK(log.top() == Position{1, 9});
}

TEST_CASE_FIXTURE(Fixture, "room log: a position is the next one, a duplicate, or does not follow") {
  accept(1, 3);
  CHECK(log.order_of({1, 4}) == RoomLog::Order::next);
  CHECK(log.order_of({1, 3}) == RoomLog::Order::duplicate);
  CHECK(log.order_of({1, 5}) == RoomLog::Order::not_next);
  CHECK(log.order_of({2, 4}) == RoomLog::Order::not_next);
}

TEST_CASE_FIXTURE(Fixture,
                  "room log: with a reset pending messages follow the reset, and are given back with it") {
  accept(1, 3);
  log.resume(LogState({2, 7}));
  CHECK(log.order_of({1, 4}) == RoomLog::Order::not_next);
  CHECK(log.order_of({2, 8}) == RoomLog::Order::next);
  (void)log.hold(message(8, {}, 2));
  CHECK(log.order_of({2, 8}) == RoomLog::Order::duplicate);
  CHECK(log.order_of({2, 9}) == RoomLog::Order::next);
  const RoomLog::AppliedReset reset = log.apply_reset();
  CHECK_FALSE(reset.common_offset);
  CHECK(reset.old_offset == 3);
  CHECK(text_of(reset.accepted) == "8");
  CHECK(log.top() == Position{2, 7});
}

TEST_CASE_FIXTURE(Fixture, "room log: a second reset replaces the first with what was held after it") {
  log.resume(LogState({2, 7}));
  (void)log.hold(message(8, {}, 2));
  log.resume(LogState({1, 4}));
  const RoomLog::AppliedReset reset = log.apply_reset();
  CHECK(reset.common_offset == 0);
  CHECK(reset.accepted.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "room log: without a past in the engine it can continue from what is retained here") {
  accept(1, 6);
  CHECK(log.earliest() == Position{1, 2});
  CHECK(Fixture::say(log.start_for(since(2), 6)) == "2");
  CHECK(Fixture::say(log.start_for(since(1), 6)) == "2 after a gap from 2");
  CHECK(Fixture::say(log.start_for(since(7), 6)) == "2 after a gap from 2");
  CHECK(Fixture::say(log.start_for(since(4, {}, 9), 6)) == "2 after a gap from 2");
  CHECK(Fixture::say(log.start_for(since(1, 1), 6)) == "5 after a gap from 2");
  CHECK(Fixture::say(log.start_for({}, 6)) == "6");
  CHECK(Fixture::say(log.start_for({std::nullopt, 3}, 6)) == "3");
  CHECK(Fixture::say(log.start_for({std::nullopt, 9}, 6)) == "2");
}

TEST_CASE_FIXTURE(Fixture, "room log: what no fan-out has taken yet is there although nothing is retained") {
  accept(1, 3);
  log.history().clear();
  CHECK(log.can_continue_after(1, 1));
  CHECK_FALSE(log.can_continue_after(1, 2));
  CHECK(Fixture::say(log.start_for(since(1), 1)) == "1");
  CHECK(Fixture::say(log.start_for(since(1), 2)) == "3 after a gap from 3");
}

TEST_CASE_FIXTURE(WithPast, "room log: an engine's past reaches down to its floor") {
  accept(1, 6);
  CHECK(log.earliest() == Position{1, 0});
  CHECK(log.earliest_here() == Position{1, 2});
  CHECK(Fixture::say(log.start_for(since(1), 6)) == "1");
  CHECK(Fixture::say(log.start_for({std::nullopt, 5}, 6)) == "1");
  CHECK(Fixture::say(log.start_for({std::nullopt, 50}, 6)) == "0");
  CHECK_FALSE(log.has_page_after(1));
  CHECK(log.has_page_after(2));
}

TEST_CASE_FIXTURE(
    WithPast,
    "room log: an engine's past follows the messages that come, where it is known how much it keeps") {
  log.set_kept(6);
  accept(1, 6);
  CHECK(log.earliest().offset == 0);
  accept(7, 10);
  CHECK(log.earliest().offset == 4);
  CHECK(say(log.start_for(since(3), 10)) == "4 after a gap from 4");
  CHECK(say(log.start_for(since(4), 10)) == "4");
  CHECK_FALSE(log.can_continue_after(3, 10));
  // Holes are no messages: what is known then is that it keeps no more than that.
  LogState state({1, 10}, 0);
  state.holes = {{5, 6}};
  log.resume(state);
  CHECK(log.earliest().offset == 2);
  // What the engine tells counts if it is more.
  log.resume(LogState({1, 10}, 5));
  CHECK(log.earliest().offset == 5);
}

TEST_CASE_FIXTURE(Fixture, "room log: a page is made once for all that continue after the same position") {
  accept(1, 4);
  CHECK(log.turn_page_to(1, page_bytes));
  CHECK(text_of(log.page().messages()) == "2 3 4");
  CHECK_FALSE(log.turn_page_to(1, page_bytes));
  CHECK_FALSE(log.turn_page_to(2, page_bytes));
  CHECK(log.turn_page_to(0, page_bytes));
  log.drop_page();
  CHECK(log.turn_page_to(0, page_bytes));
}

TEST_CASE_FIXTURE(Fixture, "room log: a page holds so many bytes, and one message whatever its size") {
  for (const std::string_view payload : {"123456", "123456", "x", "much too long for a page"}) {
    const Position next{1, log.top().offset + 1};
    log.advance_to(next);
    log.history().append(message(next.offset, payload), 0, limits);
  }
  CHECK(page_after(0) == "123456 123456");
  CHECK(page_after(2) == "x");
  CHECK(page_after(3) == "much too long for a page");
}

TEST_CASE_FIXTURE(
    WithPast, "room log: a page from the engine is cut where it does not follow or is not delivered yet") {
  accept(1, 8);
  log.take_page_read(0, read({1, 2, 3, 5}), 8);
  CHECK(page_after(0) == "1 2 3");
  log.take_page_read(0, read({1, 2, 3}), 2);
  CHECK(page_after(0) == "1 2");
}

TEST_CASE_FIXTURE(WithPast, "room log: what the engine no longer has raises the floor") {
  accept(1, 8);
  log.take_page_read(0, read({3, 4}), 8);
  CHECK_FALSE(log.can_continue_after(1, 8));
  CHECK(log.can_continue_after(2, 8));
  log.take_page_read(2, read({}), 8);
  CHECK_FALSE(log.can_continue_after(3, 8));
  CHECK(log.earliest() == log.earliest_here());
}

TEST_CASE_FIXTURE(WithPast,
                  "room log: a history page that begins before the retained messages is completed") {
  accept(1, 8);
  HistoryPage page = log.read(Position{1, 4}, 2, page_bytes);
  CHECK(text_of(page.messages) == "5 6");
  CHECK(page.more);
  page = log.read(Position{1, 1}, {}, page_bytes);
  CHECK(page.messages.empty());
  CHECK_FALSE(log.is_retained_after(page.cursor));
  log.complete(page, read({2, 3, 4}), 2, page_bytes);
  CHECK(text_of(page.messages) == "2 3");
  CHECK_FALSE(page.gap);
  CHECK(page.cursor.offset == 3);
  CHECK(page.more);
}

TEST_CASE_FIXTURE(WithPast, "room log: a history page whose messages are gone begins after a gap") {
  accept(1, 8);
  HistoryPage page = log.read(Position{1, 1}, {}, page_bytes);
  log.complete(page, read({4, 5}), 10, page_bytes);
  REQUIRE(page.gap);
  CHECK(page.gap->cursor == Position{1, 3});
  CHECK(text_of(page.messages) == "4 5");
}

TEST_CASE_FIXTURE(Fixture, "room log: it goes on in another epoch, with all that it has, without a reset") {
  accept(1, 5);
  LogState log_after(Position{2, 5});
  log_after.lineage = Lineage({{1, 5}});
  log.resume(log_after);
  CHECK_FALSE(log.is_reset_pending());
  CHECK(log.top() == Position{2, 5});
  CHECK(log.order_of({1, 6}) == RoomLog::Order::not_next);
  CHECK(log.order_of({2, 6}) == RoomLog::Order::next);
  log.advance_to({2, 6});
  log.history().append(message(6, {}, 2), 0, limits);
  // Positions are told in the epoch in which they were given, and understood in any.
  CHECK(log.earliest() == Position{1, 2});
  CHECK(log.start_for({}, 6).cursor == Position{2, 6});
  CHECK(log.start_for({std::nullopt, 1}, 6).cursor == Position{1, 5});
  CHECK(Fixture::say(log.start_for(since(3), 6)) == "3");
  CHECK(Fixture::say(log.start_for(since(5), 6)) == "5");
  CHECK(Fixture::say(log.start_for(since(4, {}, 2), 6)) == "4");
  CHECK(Fixture::say(log.start_for(since(6), 6)) == "2 after a gap from 2");
  CHECK(page_after(4) == "5 6");
}

TEST_CASE_FIXTURE(Fixture,
                  "room log: what it has got past the end of its epoch is not in common with the next") {
  accept(1, 5);
  LogState log_after(Position{2, 4});
  log_after.lineage = Lineage({{1, 3}});
  log.resume(log_after);
  REQUIRE(log.is_reset_pending());
  const RoomLog::AppliedReset reset = log.apply_reset();
  CHECK(reset.common_offset == 3);
  CHECK(reset.old_offset == 5);
}

TEST_CASE_FIXTURE(WithPast, "room log: a page of the engine may cross from one epoch into the next") {
  LogState log_after(Position{2, 6}, 0);
  log_after.lineage = Lineage({{1, 3}});
  log.resume(log_after);
  (void)log.apply_reset();
  LogPage page;
  page.floor = 0;
  for (const std::uint64_t offset : {2U, 3U, 4U})
    page.messages.push_back(message(offset, {}, offset <= 3 ? 1 : 2));
  log.take_page_read(1, std::move(page), 6);
  CHECK(text_of(log.page().messages()) == "2 3 4");
  // One that names another epoch than the log has there is not of this log.
  LogPage wrong;
  wrong.floor = 0;
  wrong.messages.push_back(message(5, {}, 2));
  wrong.messages.push_back(message(6, {}, 1));
  log.take_page_read(4, std::move(wrong), 6);
  CHECK(text_of(log.page().messages()) == "5");
}

}  // namespace room_log_test
