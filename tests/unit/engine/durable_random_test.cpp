// Long random sessions over a disk that is slow, full and broken, and a server that loses its power: no place
// ever has two messages, nothing that was said to be durable is lost, and no reader passes what is missing
// without being told of a gap.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/hub.h"
#include "hub/idempotent_publisher.h"
#include "part/settings.h"
#include "support/durable_engine.h"

namespace durable_random_test {

using namespace roomcast;

namespace {

using Meanings = std::map<std::pair<std::uint64_t, std::uint64_t>, std::string>;

/// A client that remembers over restarts what it has got.
struct Reader final : hub::Subscriber {
  explicit Reader(Meanings& meanings_) : meanings(&meanings_) {}
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) override {
    // Who has said where it is goes on there, unless it is told of a gap.
    if (at.epoch != 0 && !joined.gap) is_sound = is_sound && joined.cursor == at;
    at = joined.cursor;
    gaps += joined.gap ? 1 : 0;
    is_joined = true;
  }
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& gap) override {
    is_sound = is_sound && (gap.cursor.epoch != at.epoch || gap.cursor.offset > at.offset);
    at = gap.cursor;
    ++gaps;
  }
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {
    membership.reset();
    is_joined = false;
  }
  void deliver(hub::Batch& batch, std::size_t from) override {
    for (const hub::Message& message : batch.messages().subspan(from)) {
      is_sound = is_sound && message.position == hub::Position{at.epoch, at.offset + 1};
      at = message.position;
      const auto& [known, is_new] =
          meanings->try_emplace({at.epoch, at.offset}, std::string(message.payload.view()));
      is_sound = is_sound && known->second == message.payload.view();
    }
    wants_more = true;
  }
  Meanings* meanings;
  hub::Position at;
  std::unique_ptr<hub::Membership> membership;
  bool is_sound = true;
  bool is_joined = false;
  bool wants_more = false;
  int gaps = 0;
};

hub::HubLimits limits() {
  hub::HubLimits made = part::hub_limits({});
  made.page_bytes = 40;
  return made;
}

/// Room a is async, s is sync; the hub retains 3 messages of each.
hub::RoomRules rules(std::size_t messages) {
  const hub::HistoryLimits history{messages, 1'000'000, 3'600'000};
  const hub::PresenceLimits presence{3'000, 100};
  return hub::RoomRules({history, presence, hub::Durability::sync},
                        {{"a", {history, presence, hub::Durability::async}}});
}

struct Process {
  Process(test::FakeRoomStore& store, test::FakeClock& clock)
      : disk(store, hub::Durability::sync, clock),
        hub({disk.engine, disk.scheduler, clock, disk.deadlines}, limits(), rules(3)),
        publisher(hub, disk.scheduler, clock, disk.deadlines, 1'000'000) {
    disk.engine.set_rules(rules(1'000));
  }
  test::DurableEngine disk;
  hub::Hub hub;
  hub::IdempotentPublisher publisher;
};

struct Session {
  explicit Session(unsigned seed) : random(seed) {
    store.queue_bytes_max = 20'000;
    for (int i = 0; i < 6; ++i)
      readers.push_back(std::make_unique<Reader>(meanings));
    process.emplace(store, clock);
  }
  ~Session() {
    for (const auto& reader : readers)
      reader->membership.reset();
  }
  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  }
  static std::string_view room_of(std::size_t reader) { return reader % 2 == 0 ? "a" : "s"; }

  void publish(std::string_view room, const std::string& payload, const std::string& key) {
    process->publisher.publish(
        room, {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0}, key,
        [this, name = std::string(room), payload, key](const hub::PublishResult& result) {
          if (!result) return;
          const auto& [known, is_new] =
              meanings.try_emplace({result->position.epoch, result->position.offset}, payload);
          CHECK(known->second == payload);
          if (name == "s") CHECK(result->durable);
          if (result->durable) durable[name].insert(result->position.offset);
          if (key.empty()) return;
          const auto& [place, is_first] = placed.try_emplace(name + key, result->position);
          if (name == "s") CHECK(place->second == result->position);
        });
  }
  void publish_some() {
    const std::string room(room_of(below(2)));
    if (below(3) == 0 && count > 3) {
      // Repeats one of the last with its key: it may have come to nothing, or to something.
      const std::size_t which = count - below(3) - 1;
      const std::string key = "k" + std::to_string(which);
      return publish("s", "with " + key, key);
    }
    ++count;
    if (room == "s") return publish(room, "with k" + std::to_string(count), "k" + std::to_string(count));
    publish(room, std::to_string(count), {});
  }
  void join_or_leave(std::size_t which) {
    Reader& reader = *readers[which];
    if (reader.membership) {
      reader.membership.reset();
      if (!reader.is_joined) return;
      reader.is_joined = false;
      return;
    }
    hub::Interest interest;
    if (reader.at.epoch != 0) interest.since = reader.at;
    reader.membership = process->hub.subscribe(room_of(which), reader, interest);
  }
  void crash(bool is_clean) {
    for (const auto& reader : readers) {
      reader->membership.reset();
      reader->is_joined = false;
    }
    if (is_clean) {
      process->disk.engine.close();
      process->disk.settle();
    }
    process.reset();
    store.lose_power(below(2) == 0);
    clock.advance(1'000);
    process.emplace(store, clock);
  }
  void turn() {
    process->disk.scheduler.run_turn(process->hub);
    for (const auto& reader : readers) {
      if (std::exchange(reader->wants_more, false) && reader->membership)
        reader->membership->continue_replay();
    }
  }
  void step() {
    switch (below(16)) {
      case 0:
      case 1:
        return join_or_leave(below(readers.size()));
      case 2:
      case 3:
      case 4:
      case 5:
        return publish_some();
      case 6:
        return store.begin_commit();
      case 7:
        return store.end_commit();
      case 8:
        return store.answer_loads();
      case 9:
        return store.answer_reads();
      case 10:
        if (below(6) == 0) process->disk.pass(static_cast<std::int64_t>(below(6'000)));
        return;
      case 11:
        if (below(8) == 0)
          store.set_state(below(2) == 0 ? store::State::ok
                                        : (below(2) == 0 ? store::State::full : store::State::failed));
        return;
      case 12:
        if (below(25) == 0) crash(below(3) == 0);
        return;
      default:
        return turn();
    }
  }
  void finish() {
    store.set_state(store::State::ok);
    for (std::size_t i = 0; i < readers.size(); ++i) {
      if (!readers[i]->membership) join_or_leave(i);
    }
    for (int i = 0; i < 200; ++i) {
      process->disk.settle();
      turn();
    }
  }

  std::mt19937 random;
  test::FakeClock clock;
  test::FakeRoomStore store;
  Meanings meanings;
  std::map<std::string, std::set<std::uint64_t>> durable;
  std::map<std::string, hub::Position> placed;
  std::vector<std::unique_ptr<Reader>> readers;
  std::optional<Process> process;
  std::size_t count = 0;
};

}  // namespace

TEST_CASE(
    "durable engine: in random sessions with crashes no place has two messages, and nothing is passed") {
  int gaps_in_sync = 0;
  int gaps_in_async = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Session session(seed);
    for (int i = 0; i < 1'500; ++i)
      session.step();
    session.finish();
    CHECK(session.store.is_sound);
    for (std::size_t i = 0; i < session.readers.size(); ++i) {
      const Reader& reader = *session.readers[i];
      CHECK(reader.is_sound);
      CHECK(reader.is_joined);
      (i % 2 == 0 ? gaps_in_async : gaps_in_sync) += reader.gaps;
      const auto summary = session.process->hub.summary(Session::room_of(i));
      REQUIRE(summary);
      CHECK(reader.at == summary->top);
    }
    for (const auto& [room, offsets] : session.durable) {
      for (const std::uint64_t offset : offsets)
        CHECK(session.store.on_disk(room).messages.count(offset) == 1);
    }
    // Each key of the sync room is on the disk once.
    std::set<std::string> payloads;
    for (const auto& [offset, record] : session.store.on_disk("s").messages) {
      store::RecordReader reader(record);
      const auto message = store::to_message(*reader.next(), 1);
      CHECK(payloads.insert(std::string(message->payload.view())).second);
    }
  }
  CHECK(gaps_in_sync == 0);
  CHECK(gaps_in_async > 0);
}

}  // namespace durable_random_test
