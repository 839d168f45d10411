// Long random sessions of several nodes over one Redis that fails over, loses what was written last, and
// drops connections: no place is given twice, nobody misses a message without being told, all agree in the
// end.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/redis_engine.h"
#include "support/redis_view.h"

namespace redis_random_test {

using namespace roomcast;

namespace {

constexpr std::array<std::string_view, 3> rooms{"attic", "cellar", "lobby"};
using View = test::RedisView;
using Ledger = test::RedisLedger;

struct Faults {
  bool is_fenced = true;
  bool forks = true;
};

struct Session {
  Session(unsigned seed, const Faults& faults) : random(seed) {
    redis.is_fenced = faults.is_fenced;
    redis.forks = faults.forks;
    for (std::uint64_t number = 1; number <= 3; ++number) {
      views.push_back(std::make_unique<View>(ledger));
      nodes.push_back(std::make_unique<test::RedisEngine>(redis, clock, number, 40));
      nodes.back()->engine.start(*views.back());
      nodes.back()->port.connect();
      for (const std::string_view room : rooms)
        nodes.back()->engine.subscribe(room, 0);
    }
    saved = redis.data;
  }

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  }

  void publish(std::size_t at, std::string_view room) {
    const hub::Ticket ticket = ++last_ticket;
    const std::string payload = std::to_string(ticket);
    views[at]->asked[ticket] = {std::string(room), payload};
    hub::Draft draft{hub::Kind::text, base::Bytes::copy_of(payload), {}, 0};
    if (below(4) == 0) draft.key = hub::DraftKey(payload, "0123456789abcdef");
    nodes[at]->engine.publish(room, std::move(draft), ticket);
  }

  void amend(std::size_t at, std::string_view room) {
    const View::Room& known = views[at]->of(room);
    if (!known.is_told || known.top.offset == 0) return;
    const hub::Ticket ticket = ++last_ticket;
    views[at]->asked[ticket] = {std::string(room), {}};
    const std::uint64_t offset = 1 + below(known.top.offset);
    const hub::Position position{known.lineage.epoch_at(offset, known.top.epoch), offset};
    switch (below(8)) {
      case 0:
        return nodes[at]->engine.clear(room, ticket);
      case 1:
      case 2:
        return nodes[at]->engine.replace(room, position,
                                         {hub::Kind::text, base::Bytes::copy_of("instead"), {}, 0}, ticket);
      default:
        return nodes[at]->engine.remove(room, position, ticket);
    }
  }

  void step() {
    const std::size_t at = below(nodes.size());
    test::RedisEngine& node = *nodes[at];
    const std::string_view room = rooms.at(below(rooms.size()));
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return publish(at, room);
      case 4:
        if (below(4) == 0) amend(at, room);
        return;
      case 5:
        if (below(10) == 0) node.port.drop_push();
        return;
      case 6:
        if (below(10) == 0) node.port.set_pushes(false);
        return;
      case 7:
        return node.port.set_pushes(true);
      case 8:
        if (below(10) != 0) return;
        node.port.lose_calls(below(3));
        return node.port.set_calls(false);
      case 9:
        return node.port.set_calls(true);
      case 10:
        if (below(20) == 0) fail_over();
        return;
      case 11:
        if (below(4) == 0) saved = redis.data;
        return;
      case 12:
        return node.pass(static_cast<std::int64_t>(below(200)));
      case 13:
        redis.has_doubt = below(4) == 0;
        return;
      case 14:
      case 15:
        node.flush();
        return;
      default:
        node.flush();
        if (below(2) == 0) (void)node.port.answer_one();
        if (below(2) == 0) (void)node.port.push_one();
    }
  }

  /// A replica takes over that had only got what was saved. All connections go, some after what was under way
  /// has been done.
  void fail_over() {
    for (const auto& node : nodes) {
      node->port.lose_calls(below(3));
      node->port.set_calls(false);
      node->port.set_pushes(false);
    }
    redis.fail_over(saved);
  }

  void finish() {
    redis.has_doubt = false;
    for (int round = 0; round < 40; ++round) {
      for (const auto& node : nodes) {
        node->port.connect();
        node->settle();
        node->pass(300);
        node->settle();
      }
    }
  }

  /// Whether each node has in the end what Redis has, but for what it was told to be missing.
  bool is_whole() {
    for (const auto& view : views) {
      for (const std::string_view name : rooms) {
        const test::FakeRedis::Room& log = redis.data.rooms[std::string(name)];
        View::Room& room = view->of(name);
        if (!room.is_told || room.top.offset != log.top) return false;
        for (const auto& entry : log.stream) {
          const auto entries = engine::RedisBatch::read(entry.batch, 0);
          std::uint64_t at = entry.last - entry.count;
          for (const auto& one : *entries) {
            if (++at <= room.start || at <= log.floor || room.missing.count(at) != 0) continue;
            const auto amended = log.amended.find(at);
            std::string payload =
                one.message.is_removed ? "removed" : std::string(one.message.payload.view());
            if (amended != log.amended.end()) payload = amended->second.empty() ? "removed" : "instead";
            const auto had = room.have.find(at);
            if (had == room.have.end() || had->second != payload) return false;
          }
        }
      }
    }
    return true;
  }
  bool is_sound() const {
    return std::all_of(views.begin(), views.end(), [](const auto& view) { return view->is_sound; });
  }
  bool is_unique() const {
    return std::all_of(views.begin(), views.end(), [](const auto& view) { return view->is_unique; });
  }
  bool is_answered() const {
    return std::all_of(views.begin(), views.end(),
                       [](const auto& view) { return view->asked.size() == view->outcomes.size(); });
  }

  std::mt19937 random;
  test::FakeClock clock;
  test::FakeRedis redis;
  test::FakeRedis::Data saved;
  Ledger ledger;
  std::vector<std::unique_ptr<View>> views;
  std::vector<std::unique_ptr<test::RedisEngine>> nodes;
  hub::Ticket last_ticket = 0;
};

struct Verdict {
  std::size_t unsound = 0;
  std::size_t not_unique = 0;
  std::size_t not_whole = 0;
  std::size_t unanswered = 0;
};

Verdict run(unsigned seeds, const Faults& faults) {
  Verdict verdict;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    Session session(seed, faults);
    for (int i = 0; i < 3'000; ++i)
      session.step();
    session.finish();
    if (!session.is_sound()) ++verdict.unsound;
    if (!session.is_unique()) ++verdict.not_unique;
    if (!session.is_whole()) ++verdict.not_whole;
    if (!session.is_answered()) ++verdict.unanswered;
  }
  return verdict;
}

}  // namespace

TEST_CASE(
    "redis engine: in random sessions with failovers no place has two messages and nothing is missing "
    "untold") {
  const Verdict verdict = run(200, {});
  CHECK(verdict.unsound == 0);
  CHECK(verdict.not_unique == 0);
  CHECK(verdict.not_whole == 0);
  CHECK(verdict.unanswered == 0);
}

TEST_CASE("redis engine: control: without the fence, or without a new epoch, places have two messages") {
  CHECK(run(50, {false, true}).not_unique > 0);
  CHECK(run(50, {true, false}).not_unique > 0);
}

}  // namespace redis_random_test
