// What the engine has been asked for, without an engine.
#include "hub/engine_requests.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"

namespace engine_requests_test {

using namespace roomcast;
using hub::EngineRequests;
using hub::Ticket;

namespace {

struct Fixture : EngineRequests::Owner {
  void on_overdue(Ticket ticket) override { overdue.push_back(ticket); }
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
  }

  test::FakeClock clock;
  base::Deadlines deadlines{clock, 50};
  EngineRequests requests{*this, clock, deadlines};
  std::vector<Ticket> overdue;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "engine requests: each has a ticket of its own and is taken once") {
  const Ticket publish = requests.add(EngineRequests::Publish{"a", {}});
  const Ticket read = requests.add(EngineRequests::Read{"b"});
  CHECK(publish != 0);
  CHECK(read != publish);
  CHECK_FALSE(requests.take_read(publish));
  CHECK_FALSE(requests.take_publish(read));
  REQUIRE(requests.take_publish(publish));
  CHECK_FALSE(requests.take_publish(publish));
  REQUIRE(requests.take_read(read));
  CHECK_FALSE(requests.take_read(read));
}

TEST_CASE_FIXTURE(Fixture, "engine requests: reads for members and for history requests are counted apart") {
  const Ticket member = requests.add(EngineRequests::Read{"a"});
  const Ticket history = requests.add(EngineRequests::Read{"a", {}, 1, [](const hub::HistoryResult&) {}});
  CHECK(requests.member_reads() == 1);
  CHECK(requests.history_reads() == 1);
  (void)requests.take_read(member);
  CHECK(requests.member_reads() == 0);
  CHECK(requests.history_reads() == 1);
  (void)requests.take_read(history);
  CHECK(requests.history_reads() == 0);
}

TEST_CASE_FIXTURE(Fixture, "engine requests: one that is not answered is overdue after its time, once") {
  const Ticket first = requests.add(EngineRequests::Publish{"a", {}});
  const Ticket answered = requests.add(EngineRequests::Publish{"a", {}});
  requests.watch(first, 1'000);
  requests.watch(answered, 1'000);
  (void)requests.take_publish(answered);
  pass(500);
  const Ticket second = requests.add(EngineRequests::Read{"a"});
  requests.watch(second, 1'000);
  pass(499);
  CHECK(overdue.empty());
  pass(251);
  REQUIRE_FALSE(overdue.empty());
  CHECK(overdue.front() == first);
  (void)requests.take_publish(first);
  pass(750);
  pass(250);
  CHECK(overdue.back() == second);
  const std::size_t calls = overdue.size();
  pass(10'000);
  CHECK(overdue.size() == calls);
}

TEST_CASE_FIXTURE(Fixture, "engine requests: what was answered before it was watched is not overdue") {
  const Ticket ticket = requests.add(EngineRequests::Publish{"a", {}});
  (void)requests.take_publish(ticket);
  requests.watch(ticket, 1);
  pass(1'000);
  CHECK(overdue.empty());
}

}  // namespace engine_requests_test
