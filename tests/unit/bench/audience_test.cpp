#include "scenario/audience.h"

#include <doctest/doctest.h>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"

namespace roomcast::bench::audience_test {

namespace {

/// Clients that never connect; the test says what happens to them.
struct Books {
  explicit Books(std::size_t clients)
      : audience(clients),
        crowd(poller, target, {.kind = {}, .clients = clients, .path = [](std::size_t) { return "/"; }},
              audience) {
    for (std::size_t i = 0; i < clients; ++i)
      audience.on_open(crowd[i]);
  }
  void deliver(std::size_t client, std::uint32_t number) {
    audience.on_message(crowd[client], Stamp{0, number, now_ns()});
  }
  [[nodiscard]] Measurement entered() const {
    Measurement measurement;
    audience.enter(measurement);
    return measurement;
  }

  Target target;
  Poller poller;
  Audience audience;
  Crowd crowd;
};

}  // namespace

TEST_CASE("what is published is owed to everybody who is open, until it has come") {
  Books books(3);
  CHECK(books.audience.owed() == 0);
  books.audience.expect_one_more();
  books.audience.expect_one_more();
  CHECK(books.audience.owed() == 6);
  for (std::size_t client = 0; client < 3; ++client)
    books.deliver(client, 0);
  CHECK(books.audience.owed() == 3);
  for (std::size_t client = 0; client < 3; ++client)
    books.deliver(client, 1);
  CHECK(books.audience.owed() == 0);
  CHECK(books.audience.deliveries() == 6);
  const Measurement measurement = books.entered();
  CHECK(measurement.operations == 6);
  CHECK(measurement.faults.none());
  CHECK(measurement.refused == 0);
  CHECK(books.audience.take_latency().count() == 6);
  CHECK(books.audience.take_latency().count() == 0);
}

TEST_CASE("a message that is jumped over is lost, and waited for no longer") {
  Books books(2);
  for (int i = 0; i < 3; ++i)
    books.audience.expect_one_more();
  books.deliver(0, 0);
  books.deliver(0, 2);
  CHECK(books.audience.owed() == 3);
  CHECK(books.entered().faults.lost == 1 + 3);  // and all that the other one has not got
}

TEST_CASE("a message that comes twice is counted as repeated, and owed to nobody less") {
  Books books(2);
  books.audience.expect_one_more();
  books.deliver(0, 0);
  books.deliver(0, 0);
  CHECK(books.audience.owed() == 1);
  CHECK(books.entered().faults.repeated == 1);
}

TEST_CASE("a message without a stamp is no delivery") {
  Books books(1);
  books.audience.expect_one_more();
  books.audience.on_message(books.crowd[0], std::nullopt);
  CHECK(books.audience.owed() == 1);
  CHECK(books.audience.deliveries() == 0);
  CHECK(books.entered().faults.unstamped == 1);
}

TEST_CASE("who is cut off is counted, is owed nothing more, and has lost what did not come") {
  Books books(2);
  books.audience.expect_one_more();
  books.audience.on_closed(books.crowd[0], Ended::cut);
  CHECK(books.audience.owed() == 1);
  books.audience.expect_one_more();
  CHECK(books.audience.owed() == 2);
  books.deliver(1, 0);
  books.deliver(1, 1);
  CHECK(books.audience.owed() == 0);
  CHECK(books.entered().refused == 1);
  CHECK(books.entered().faults.lost == 2);
}

TEST_CASE("who left by itself is no fault of the server") {
  Books books(1);
  books.audience.on_closed(books.crowd[0], Ended::by_us);
  CHECK(books.entered().refused == 0);
}

TEST_CASE("of an excused subscriber nothing is expected, and what it gets or meets does not count") {
  Books books(2);
  books.audience.expect_one_more();
  books.audience.excuse(0);
  books.audience.excuse(0);
  CHECK(books.audience.owed() == 1);
  books.audience.expect_one_more();
  CHECK(books.audience.owed() == 2);
  books.deliver(0, 0);
  CHECK(books.audience.deliveries() == 0);
  books.audience.on_closed(books.crowd[0], Ended::cut);
  CHECK(books.audience.excused_cut() == 1);
  books.deliver(1, 0);
  books.deliver(1, 1);
  CHECK(books.audience.owed() == 0);
  const Measurement measurement = books.entered();
  CHECK(measurement.operations == 2);
  CHECK(measurement.faults.none());
  CHECK(measurement.refused == 0);
}

TEST_CASE("what was delivered before a subscriber was excused stays counted") {
  Books books(1);
  books.audience.expect_one_more();
  books.deliver(0, 0);
  books.audience.excuse(0);
  CHECK(books.entered().operations == 1);
}

}  // namespace roomcast::bench::audience_test
