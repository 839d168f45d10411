#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/redis_batch.h"
#include "engine/redis_port.h"
#include "hub/cursor.h"

namespace roomcast::test {

/// What the scripts of the Redis engine do, on a data set in memory: a model of one server, or of one that a
/// replica takes over from. What it can do wrong is what such a server can. Several of them, each with a
/// number of its own, are the servers of a split brain.
class FakeRedis {
 public:
  explicit FakeRedis(std::uint64_t number = 0) : term(1 + number * servers_apart), epochs(100 + term) {}

  struct Entry {
    std::uint64_t last = 0;
    std::size_t count = 0;
    std::string batch;
  };
  struct Room {
    std::uint64_t epoch = 0;
    std::uint64_t top = 0;
    std::uint64_t floor = 0;
    std::uint64_t term = 0;
    std::vector<hub::Ancestor> lineage;
    std::deque<Entry> stream;
    std::map<std::uint64_t, std::string> amended;
  };
  struct Data {
    std::map<std::string, Room, std::less<>> rooms;
    std::map<std::string, std::pair<hub::Position, std::string>, std::less<>> keys;
    std::map<std::string, std::map<std::string, std::string>> presence;  // fields by room
    std::set<std::string> leases;
  };

  /// Another process answers from here on, with `then` as its data: a replica that had not got more, or what
  /// was last saved. While has_doubt rooms can get back what they have lost.
  void fail_over(const Data& then) {
    data = then;
    if (is_fenced) ++term;
  }

  struct Pushed {
    std::string room;
    std::string bytes;
  };
  /// A subscriber of all rooms gets what is published.
  class Sink {
   public:
    virtual void push(const Pushed& pushed) = 0;

   protected:
    ~Sink() = default;
  };

  base::Result<engine::RedisPublished, engine::RedisFault> publish(const engine::RedisPort::Publish& call) {
    using Code = engine::RedisFault::Code;
    Room* const room = ready(call);
    if (room == nullptr) return engine::RedisFault{Code::doubt, "DOUBT 10", 10};
    const std::string key = std::string(call.room) + '\n' + call.key.text;
    if (!call.key.text.empty()) {
      const auto known = data.keys.find(key);
      if (known != data.keys.end()) {
        if (known->second.second != call.key.digest) return engine::RedisFault{Code::key_reused, "", 0};
        return engine::RedisPublished{known->second.first, 0, true};
      }
    }
    if (call.again_after) {
      const std::uint64_t after = end_of(*room, *call.again_after);
      for (const Entry& entry : room->stream) {
        if (entry.last > after && entry.batch.substr(1, 16) == call.batch.substr(1, 16))
          return engine::RedisPublished{position_in(*room, entry.last), 0, false};
      }
      const std::uint64_t first =
          room->stream.empty() ? room->top + 1 : room->stream.front().last - room->stream.front().count + 1;
      if (first > after + 1) return engine::RedisFault{Code::unknown, "UNKNOWN", 0};
    }
    const engine::RedisPublished done = append(*room, call);
    if (!call.key.text.empty()) data.keys[key] = {done.last, call.key.digest};
    return done;
  }

  base::Result<engine::RedisPublished, engine::RedisFault> amend(const engine::RedisPort::Publish& call,
                                                                 const engine::RedisPort::Amend& amend) {
    using Code = engine::RedisFault::Code;
    using What = engine::RedisPort::Amend::What;
    const auto not_found = [] { return engine::RedisFault{Code::not_found, "NOTFOUND", 0}; };
    const bool is_new = data.rooms.find(call.room) == data.rooms.end();
    Room* const room = ready(call);
    if (room == nullptr) return engine::RedisFault{Code::doubt, "DOUBT 10", 10};
    if (is_new) return not_found();
    if (amend.what == What::cleared) {
      if (room->floor >= room->top) return not_found();
      const std::uint64_t floor = room->top;
      const engine::RedisPublished done = append(*room, call);
      room->floor = floor;
      while (!room->stream.empty() && room->stream.front().last <= floor)
        room->stream.pop_front();
      room->amended = {{done.last.offset, ""}};
      return done;
    }
    const hub::Lineage lineage(room->lineage);
    const std::uint64_t offset = amend.about.offset;
    const bool is_there =
        lineage.has(amend.about, {room->epoch, room->top}) && offset > floor_of(*room, call.limits);
    const auto before = room->amended.find(offset);
    if (!is_there || (before != room->amended.end() && before->second.empty())) return not_found();
    const engine::RedisPublished done = append(*room, call);
    room->amended[offset] = amend.what == What::removed ? "" : amend.replacement;
    room->amended[done.last.offset] = "";
    return done;
  }

  /// Calls `answer` with what refers to the data.
  template <class Answer>
  void sync(const engine::RedisPort::Sync& call, const Answer& answer) {
    Room& room = data.rooms[std::string(call.room)];
    if (room.epoch == 0) {
      room.epoch = ++epochs;
      room.term = term;
    }
    engine::RedisLogState state;
    state.top = {room.epoch, room.top};
    state.floor = room.stream.empty() ? room.top : floor_of(room, call.limits);
    state.lineage = hub::Lineage(room.lineage);
    state.doubt_ms = has_doubt && room.term != term ? 10 : 0;
    std::size_t messages = 0;
    std::size_t bytes = 0;
    for (const Entry& entry : room.stream) {
      if (entry.last <= call.after) continue;
      if (messages >= call.messages_max || bytes >= call.bytes_max) break;
      state.batches.push_back({entry.last, entry.batch});
      messages += entry.count;
      bytes += entry.batch.size();
    }
    for (const auto& [offset, what] : room.amended) {
      if (!state.batches.empty() && offset > call.after && offset <= state.batches.back().last)
        state.amended.push_back({offset, what});
    }
    answer(std::move(state));
  }

  /// The texts of the answer.
  std::vector<std::string> presence(const engine::RedisPresenceCall& call) {
    using What = engine::RedisPresenceCall::What;
    std::vector<std::string> answer;
    if (call.what == What::lease) {
      answer.emplace_back(data.leases.insert(call.node).second ? "0" : "1");
      for (const std::string& other : call.others)
        answer.emplace_back(data.leases.count(other) != 0 ? "1" : "0");
      return answer;
    }
    std::map<std::string, std::string>& fields = data.presence[call.room];
    if (call.what == What::read) {
      for (const auto& [node, field] : fields) {
        if (call.node.empty() || call.node == node) answer.insert(answer.end(), {node, field});
      }
      return answer;
    }
    const auto field = fields.find(call.node);
    const bool is_there = field != fields.end() && field->second.starts_with(call.value);
    if (call.what == What::drop && !is_there) return answer;
    ++presence_writes;
    if (call.what == What::announce && !call.value.empty()) {
      fields[call.node] = call.value;
    } else {
      fields.erase(call.node);
    }
    for (Sink* sink : sinks) {
      if (!call.news.empty()) sink->push({call.room, call.news});
    }
    return answer;
  }

  /// `bytes` may refer to what the caller has.
  base::Result<engine::RedisPublished, engine::RedisFault> restore(const engine::RedisPort::Restore& call) {
    using What = engine::RedisPort::Amend::What;
    const auto found = data.rooms.find(call.room);
    const bool is_late = !has_doubt || found == data.rooms.end() || found->second.epoch != call.after.epoch ||
                         found->second.term == term;
    if (is_late) return engine::RedisFault{engine::RedisFault::Code::late, "LATE", 0};
    Room& room = found->second;
    std::uint64_t last = call.after.offset;
    std::uint64_t restored = 0;
    for (const auto& batch : call.batches) {
      const std::uint64_t before = std::exchange(last, last + batch.count);
      if (before > room.top || (before < room.top && last > room.top)) break;
      if (before < room.top) continue;
      engine::RedisPort::Publish publish{call.room, std::string(batch.bytes), batch.count, call.limits};
      const engine::RedisPublished done = append(room, publish);
      if (batch.what == What::cleared) {
        room.floor = before;
        while (!room.stream.empty() && room.stream.front().last <= before)
          room.stream.pop_front();
        room.amended = {{last, ""}};
      } else if (batch.what) {
        room.amended[batch.about] = batch.what == What::removed ? "" : std::string(batch.bytes);
        room.amended[last] = "";
      }
      if (!batch.key.text.empty())
        data.keys[std::string(call.room) + '\n' + batch.key.text] = {done.last, batch.key.digest};
      restored += batch.count;
    }
    restored_messages += restored;
    return engine::RedisPublished{{room.epoch, room.top}, restored, false};
  }

  void publish_to(Sink& sink) { sinks.push_back(&sink); }
  void publish_no_more_to(Sink& sink) {
    sinks.erase(std::remove(sinks.begin(), sinks.end(), &sink), sinks.end());
  }

  static constexpr std::uint64_t servers_apart = 1'000'000'000;

  Data data;
  std::vector<Sink*> sinks;
  std::uint64_t term;
  std::uint64_t epochs;
  int presence_writes = 0;
  std::uint64_t restored_messages = 0;
  bool has_doubt = false;  ///< the grace: publishes into rooms of an earlier term have to wait
  bool is_fenced = true;   ///< false: another process is not noticed, as if there were no terms
  bool forks = true;       ///< false: rooms keep their epoch over a failover

 private:
  Room* ready(const engine::RedisPort::Publish& call) {
    Room& room = data.rooms[std::string(call.room)];
    if (room.epoch == 0) {
      room.epoch = ++epochs;
    } else if (room.term != term) {
      if (has_doubt) return nullptr;
      if (forks) {
        room.lineage.push_back({room.epoch, room.top});
        if (room.lineage.size() > hub::Lineage::ancestors_max) room.lineage.erase(room.lineage.begin());
        room.epoch = ++epochs;
      }
    }
    room.term = term;
    return &room;
  }
  static std::uint64_t floor_of(const Room& room, const engine::RedisLimits& limits) {
    std::uint64_t floor = room.top > limits.messages ? room.top - limits.messages : 0;
    if (!room.stream.empty()) floor = std::max(floor, room.stream.front().last - room.stream.front().count);
    return std::max(floor, room.floor);
  }
  static std::uint64_t end_of(const Room& room, const hub::Position& position) {
    if (position.epoch == room.epoch) return std::min(position.offset, room.top);
    for (const hub::Ancestor& ancestor : room.lineage) {
      if (ancestor.epoch == position.epoch) return std::min(position.offset, ancestor.end);
    }
    return 0;
  }
  static hub::Position position_in(const Room& room, std::uint64_t offset) {
    return {hub::Lineage(room.lineage).epoch_at(offset, room.epoch), offset};
  }
  engine::RedisPublished append(Room& room, const engine::RedisPort::Publish& call) {
    const std::uint64_t first = room.top + 1;
    room.top += call.count;
    if (call.limits.messages != 0) room.stream.push_back({room.top, call.count, call.batch});
    while (!room.stream.empty() && room.stream.front().last + call.limits.messages <= room.top)
      room.stream.pop_front();
    const std::string epoch = hub::to_cursor({room.epoch, 0});
    const Pushed pushed{std::string(call.room),
                        epoch.substr(0, epoch.size() - 1) + std::to_string(first) + ':' + call.batch};
    for (Sink* sink : sinks)
      sink->push(pushed);
    return {{room.epoch, room.top}, sinks.size(), false};
  }
};

/// The connections of one node to it: what is asked for is answered, and pushed, when the test says so.
class FakeRedisPort final : public engine::RedisPort, private FakeRedis::Sink {
 public:
  explicit FakeRedisPort(FakeRedis& redis) : redis_(&redis) { redis.publish_to(*this); }

  /// Another server is the primary, as far as this node knows. Only while there are no connections.
  void move_to(FakeRedis& redis) {
    redis_->publish_no_more_to(*this);
    redis_ = &redis;
    redis.publish_to(*this);
  }
  [[nodiscard]] bool is_at(const FakeRedis& redis) const { return redis_ == &redis; }

  void start(Listener& listener) override { listener_ = &listener; }
  [[nodiscard]] bool has_space_for(engine::RedisPartition /*partition*/,
                                   std::size_t /*bytes*/) const override {
    return has_space;
  }
  void subscribe(std::string_view room) override {
    pushes_.push_back({true, [this, room = std::string(room)] {
                         subscribed_[room] = true;
                         listener_->on_room_subscribed(room);
                       }});
  }
  void unsubscribe(std::string_view room) override { subscribed_.erase(std::string(room)); }
  void publish(engine::RedisCallId call, Publish&& publish) override {
    calls_.push_back({call, false, std::string(publish.room), std::move(publish), {}, {}, {}});
  }
  void amend(engine::RedisCallId call, Publish&& publish, const Amend& amend) override {
    calls_.push_back({call, false, std::string(publish.room), std::move(publish), amend, {}, {}});
  }
  void sync(engine::RedisCallId call, const Sync& sync) override {
    calls_.push_back({call, true, std::string(sync.room), {}, {}, sync, {}});
  }
  void restore(engine::RedisCallId call, const Restore& restore) override {
    Kept kept{restore, {}};
    for (const Restore::Batch& batch : restore.batches)
      kept.bytes.emplace_back(batch.bytes);
    calls_.push_back({call, false, std::string(restore.room), {}, {}, {}, {}, std::move(kept)});
  }
  void presence(engine::RedisCallId call, const engine::RedisPresenceCall& what) override {
    Call made;
    made.id = call;
    made.presence = what;
    calls_.push_back(std::move(made));
  }

  void connect() {
    set_calls(true);
    set_pushes(true);
  }
  void set_calls(bool are_possible) {
    if (std::exchange(has_calls_, are_possible) == are_possible) return;
    if (!are_possible) lose_calls();
    tell_all([&](engine::RedisPartition partition) { listener_->on_calls(partition, are_possible); });
  }
  void set_pushes(bool are_possible) {
    if (std::exchange(has_pushes_, are_possible) == are_possible) return;
    subscribed_.clear();
    pushes_.clear();
    tell_all([&](engine::RedisPartition partition) { listener_->on_pushes(partition, are_possible); });
  }
  /// The server does the next call and answers it; without `arrives` the answer is lost with the link.
  bool answer_one() {
    if (calls_.empty()) return false;
    const Call call = std::move(calls_.front());
    calls_.pop_front();
    run(call, true);
    return true;
  }
  bool push_one() {
    if (pushes_.empty()) return false;
    const Push next = std::move(pushes_.front());
    pushes_.pop_front();
    next.deliver();
    return true;
  }
  /// A push is lost, as when the connection of another one is cut unnoticed.
  void drop_push() {
    if (!pushes_.empty() && !pushes_.front().is_confirmation) pushes_.pop_front();
  }
  /// All calls fail; the server has done the first `done` of them.
  void lose_calls(std::size_t done = 0) {
    std::deque<Call> lost = std::exchange(calls_, {});
    for (std::size_t i = 0; i < lost.size(); ++i) {
      if (i < done) run(lost[i], false);
      const engine::RedisFault fault{engine::RedisFault::Code::lost, "the connection is down", 0};
      if (lost[i].presence) {
        listener_->on_call_presence(lost[i].id, fault);
      } else if (lost[i].is_sync) {
        listener_->on_call_synced(lost[i].id, fault);
      } else {
        listener_->on_call_published(lost[i].id, fault);
      }
    }
  }
  [[nodiscard]] bool is_idle() const { return calls_.empty() && pushes_.empty(); }
  [[nodiscard]] std::size_t calls() const { return calls_.size(); }

  bool has_space = true;

  /// Those of which the engine is told, or of all if there are none.
  std::vector<engine::RedisPartition> partitions;

 private:
  struct Kept {
    Restore restore;
    std::vector<std::string> bytes;
  };
  struct Call {
    engine::RedisCallId id = 0;
    bool is_sync = false;
    std::string room{};
    Publish publish{};
    std::optional<Amend> amend{};
    Sync sync{};
    std::optional<engine::RedisPresenceCall> presence{};
    std::optional<Kept> restore{};
  };
  struct Push {
    bool is_confirmation = false;
    std::function<void()> deliver{};
  };
  void push(const FakeRedis::Pushed& pushed) override {
    if (!has_pushes_) return;
    pushes_.push_back({false, [this, pushed] {
                         if (subscribed_.count(pushed.room) != 0)
                           listener_->on_push(pushed.room, pushed.bytes);
                       }});
  }
  void run(const Call& call, bool arrives) {
    if (call.presence) {
      const std::vector<std::string> texts = redis_->presence(*call.presence);
      if (arrives)
        listener_->on_call_presence(call.id, engine::RedisPresenceAnswer(texts.begin(), texts.end()));
      return;
    }
    if (call.is_sync) {
      Sync sync = call.sync;
      sync.room = call.room;
      redis_->sync(sync, [&](engine::RedisLogState&& state) {
        if (arrives) listener_->on_call_synced(call.id, std::move(state));
      });
      return;
    }
    if (call.restore) {
      Restore restore = call.restore->restore;
      restore.room = call.room;
      for (std::size_t i = 0; i < restore.batches.size(); ++i)
        restore.batches[i].bytes = call.restore->bytes[i];
      auto outcome = redis_->restore(restore);
      if (arrives) listener_->on_call_published(call.id, std::move(outcome));
      return;
    }
    Publish publish = call.publish;
    publish.room = call.room;
    auto outcome = call.amend ? redis_->amend(publish, *call.amend) : redis_->publish(publish);
    if (arrives) listener_->on_call_published(call.id, std::move(outcome));
  }

  template <class Tell>
  void tell_all(const Tell& tell) {
    for (const engine::RedisPartition partition : partitions)
      tell(partition);
    for (std::size_t i = 0; i < engine::redis_partitions && partitions.empty(); ++i)
      tell(static_cast<engine::RedisPartition>(i));
  }

  FakeRedis* redis_;
  Listener* listener_ = nullptr;
  std::deque<Call> calls_;
  std::deque<Push> pushes_;
  std::map<std::string, bool> subscribed_;
  bool has_calls_ = false;
  bool has_pushes_ = false;
};

}  // namespace roomcast::test
