#include "engine/redis_primary.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "hub/cursor.h"
#include "redis/command.h"

namespace roomcast::engine {

namespace {

constexpr std::size_t epoch_digits = 16;
// A call takes so much beside its batch.
constexpr std::size_t call_overhead = 512;
constexpr std::string_view not_a_primary = "READONLY";

std::string random_epoch() {
  std::uint64_t bits = 0;
  while (bits == 0)
    bits = base::random_u64();
  return hub::to_cursor({bits, 0}).substr(0, epoch_digits);
}

std::string_view name_of(RedisPort::Amend::What what) {
  if (what == RedisPort::Amend::What::removed) return "removed";
  return what == RedisPort::Amend::What::replaced ? "replaced" : "cleared";
}

bool is_of_term(const redis::Value& reply) {
  return reply.is_error() && read_redis_fault(reply.text).code == RedisFault::Code::stale;
}
bool is_without_script(const redis::Value& reply) {
  return reply.is_error() && read_redis_fault(reply.text).code == RedisFault::Code::no_script;
}

}  // namespace

struct RedisPrimary::Call {
  RedisCallId id = 0;
  RedisScript script = RedisScript::publish;
  RedisPartition partition = 0;
  std::string room;
  // Of a publish or an amendment.
  std::string batch{};
  std::size_t count = 0;
  RedisLimits limits{};
  RedisKey key{};
  std::optional<std::uint64_t> again_after{};
  Amend amend{};
  // Of a sync.
  std::uint64_t after = 0;
  std::size_t messages_max = 0;
  std::size_t bytes_max = 0;

  [[nodiscard]] std::size_t bytes() const { return call_overhead + batch.size() + amend.replacement.size(); }
};

/// Waits for the answer to a call.
class RedisPrimary::Answer final : public redis::Request {
 public:
  Answer(RedisPrimary& primary, std::unique_ptr<Call> call) : primary_(primary), call_(std::move(call)) {}
  void on_reply(const redis::Value& reply) override { primary_.on_answer(std::move(call_), reply); }
  void on_lost() override { primary_.on_call_lost(*call_); }

 private:
  RedisPrimary& primary_;
  std::unique_ptr<Call> call_;
};

class RedisPrimary::LoadAnswer final : public redis::Request {
 public:
  LoadAnswer(RedisPrimary& primary, RedisScript script) : primary_(primary), script_(script) {}
  void on_reply(const redis::Value& reply) override { primary_.on_loaded(reply, script_); }
  void on_lost() override {}

 private:
  RedisPrimary& primary_;
  RedisScript script_;
};

class RedisPrimary::EnterAnswer final : public redis::Request {
 public:
  EnterAnswer(RedisPrimary& primary, RedisPartition partition) : primary_(primary), partition_(partition) {}
  void on_reply(const redis::Value& reply) override { primary_.on_entered(partition_, reply); }
  void on_lost() override {}

 private:
  RedisPrimary& primary_;
  RedisPartition partition_;
};

class RedisPrimary::BeatAnswer final : public redis::Request {
 public:
  BeatAnswer(RedisPrimary& primary, std::int64_t since_us) : primary_(primary), since_us_(since_us) {}
  void on_reply(const redis::Value& reply) override {
    primary_.round_trip_us_ = primary_.parts_.connection.clock.monotonic_us() - since_us_;
    if (is_without_script(reply)) return primary_.load_scripts();
    if (reply.is_error()) primary_.commands_.restart(reply.text);
  }
  void on_lost() override {}

 private:
  RedisPrimary& primary_;
  std::int64_t since_us_;
};

RedisPrimary::RedisPrimary(const Parts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      commands_(parts.connection, options_.connection, *this),
      pushes_(parts.connection, options_.connection, *this),
      probe_channel_(options_.prefix + '{' + std::string(redis_tag_of(0)) + "}b:" + options_.node),
      due_(parts.connection.deadlines, *this) {
  for (std::size_t i = 0; i < redis_script_count; ++i)
    sha1s_.at(i) = sha1_of(static_cast<RedisScript>(i));
}

RedisPrimary::~RedisPrimary() { parts_.connection.scheduler.forget(*this); }

RedisPrimaryStats RedisPrimary::stats() const {
  return {has_scripts_ && pushes_.is_up(),
          reconnects_,
          entered_,
          calls_,
          under_way_,
          subscriptions_,
          round_trip_us_};
}

void RedisPrimary::start(RedisPort::Listener& listener) {
  listener_ = &listener;
  commands_.start();
  pushes_.start();
  due_.set_in(beat_ms);
}

// --- Connections ---

void RedisPrimary::on_connected(redis::Connection& connection, const redis::ServerInfo& server) {
  if (&connection == &commands_) {
    for (const std::string& advice : redis::advice_for(server))
      parts_.log.warn("Redis is set up in a way that may lose messages", {{"what", advice}});
    return load_scripts();
  }
  probed_ms_ = parts_.connection.clock.monotonic_ms();
  std::string command = "SUBSCRIBE";
  const std::array<std::string_view, 1> channels{probe_channel_};
  pushes_.link().send_subscription(command, channels, nullptr);
  tell_pushes(true);
}

void RedisPrimary::on_disconnected(redis::Connection& connection, std::string_view why) {
  ++reconnects_;
  const bool is_commands = &connection == &commands_;
  parts_.log.warn("no connection to Redis", {{"for", is_commands ? "calls" : "pushes"}, {"why", why}});
  if (is_commands) {
    const bool had_scripts = std::exchange(has_scripts_, false);
    scripts_to_load_ = 0;
    for (Partition& partition : partitions_) {
      partition.term.clear();
      partition.is_entering = false;
    }
    lose_waiting();
    if (had_scripts) tell_calls(false);
    return;
  }
  changes_.clear();
  to_confirm_.clear();
  subscriptions_ = 0;
  tell_pushes(false);
}

void RedisPrimary::tell_calls(bool are_possible) {
  for (std::size_t i = 0; i < redis_partitions; ++i)
    listener_->on_calls(static_cast<RedisPartition>(i), are_possible);
}

void RedisPrimary::tell_pushes(bool are_possible) {
  for (std::size_t i = 0; i < redis_partitions; ++i)
    listener_->on_pushes(static_cast<RedisPartition>(i), are_possible);
}

void RedisPrimary::load_scripts() {
  // Calls wait until they are all there again.
  if (scripts_to_load_ != 0 || !commands_.is_up()) return;
  scripts_to_load_ = redis_script_count;
  for (std::size_t i = 0; i < redis_script_count; ++i) {
    const auto script = static_cast<RedisScript>(i);
    std::string command;
    redis::append_command(command, {"SCRIPT", "LOAD", source_of(script)});
    commands_.link().send(std::move(command), std::make_unique<LoadAnswer>(*this, script));
  }
}

void RedisPrimary::on_loaded(const redis::Value& reply, RedisScript script) {
  if (scripts_to_load_ == 0) return;
  if (reply.type != redis::Value::Type::text || reply.text != sha1s_.at(static_cast<std::size_t>(script)))
    return commands_.restart("SCRIPT LOAD failed: " + std::string(reply.text));
  if (--scripts_to_load_ != 0) return;
  if (!std::exchange(has_scripts_, true)) {
    beat();
    return tell_calls(true);
  }
  for (std::size_t i = 0; i < redis_partitions; ++i)
    send_waiting(static_cast<RedisPartition>(i));
}

// --- Terms ---

void RedisPrimary::enter(RedisPartition number) {
  Partition& partition = partitions_.at(number);
  if (std::exchange(partition.is_entering, true)) return;
  ++entered_;
  std::string key = options_.prefix + '{' + std::string(redis_tag_of(number)) + "}t";
  std::string command;
  redis::append_command(command, {"EVALSHA", sha1s_.at(static_cast<std::size_t>(RedisScript::enter)), "1",
                                  key, random_epoch()});
  commands_.link().send(std::move(command), std::make_unique<EnterAnswer>(*this, number));
}

void RedisPrimary::on_entered(RedisPartition number, const redis::Value& reply) {
  Partition& partition = partitions_.at(number);
  partition.is_entering = false;
  if (is_without_script(reply)) {
    load_scripts();
    return enter(number);
  }
  if (reply.type != redis::Value::Type::text || reply.text.empty())
    return commands_.restart("a partition could not be entered: " + std::string(reply.text));
  partition.term = reply.text;
  send_waiting(number);
}

void RedisPrimary::send_waiting(RedisPartition number) {
  Partition& partition = partitions_.at(number);
  std::deque<std::unique_ptr<Call>> waiting = std::exchange(partition.waiting, {});
  for (std::unique_ptr<Call>& call : waiting) {
    waiting_bytes_ -= call->bytes();
    begin_call(std::move(call));
  }
}

// --- Calls ---

bool RedisPrimary::has_space_for(std::size_t bytes) const {
  // What waits for a term goes out together.
  return commands_.has_space_for(bytes + call_overhead + waiting_bytes_);
}

void RedisPrimary::publish(RedisCallId id, Publish&& publish) {
  begin_call(std::make_unique<Call>(Call{.id = id,
                                         .script = RedisScript::publish,
                                         .partition = redis_partition_of(publish.room),
                                         .room = std::string(publish.room),
                                         .batch = std::move(publish.batch),
                                         .count = publish.count,
                                         .limits = publish.limits,
                                         .key = std::move(publish.key),
                                         .again_after = publish.again_after}));
}

void RedisPrimary::amend(RedisCallId id, Publish&& publish, const Amend& amend) {
  begin_call(std::make_unique<Call>(Call{.id = id,
                                         .script = RedisScript::amend,
                                         .partition = redis_partition_of(publish.room),
                                         .room = std::string(publish.room),
                                         .batch = std::move(publish.batch),
                                         .count = publish.count,
                                         .limits = publish.limits,
                                         .amend = amend}));
}

void RedisPrimary::sync(RedisCallId id, const Sync& sync) {
  begin_call(std::make_unique<Call>(Call{.id = id,
                                         .script = RedisScript::sync,
                                         .partition = redis_partition_of(sync.room),
                                         .room = std::string(sync.room),
                                         .limits = sync.limits,
                                         .after = sync.after,
                                         .messages_max = sync.messages_max,
                                         .bytes_max = sync.bytes_max}));
}

/// Sends the call, or has it wait for what it needs.
void RedisPrimary::begin_call(std::unique_ptr<Call> call) {
  Partition& partition = partitions_.at(call->partition);
  if (scripts_to_load_ == 0 && !partition.term.empty()) return send(std::move(call));
  const RedisPartition number = call->partition;
  waiting_bytes_ += call->bytes();
  partition.waiting.push_back(std::move(call));
  if (scripts_to_load_ == 0 && commands_.is_up()) enter(number);
}

void RedisPrimary::send(std::unique_ptr<Call> call) {
  const RedisKeys keys(options_.prefix, call->room);
  const std::string meta = keys.meta();
  const std::string stream = keys.stream();
  const std::string amended = keys.amended();
  const bool has_key = !call->key.text.empty();
  const bool is_sync = call->script == RedisScript::sync;
  const std::size_t key_count = has_key ? 5 : 4;
  std::size_t arguments = 12;
  if (is_sync) arguments = 7;
  if (has_key) arguments = 14;
  if (call->script == RedisScript::amend) arguments = 15;
  std::string bytes;
  redis::CommandWriter command(bytes, 3 + key_count + arguments);
  command.add("EVALSHA").add(sha1s_.at(static_cast<std::size_t>(call->script))).add(std::uint64_t{key_count});
  command.add(keys.term).add(meta).add(stream).add(amended);
  if (has_key) command.add(keys.idempotency(call->key.text));
  command.add(partitions_.at(call->partition).term).add(random_epoch());
  if (is_sync) {
    command.add(call->after).add(std::uint64_t{call->messages_max}).add(std::uint64_t{call->bytes_max});
    command.add(options_.room_seconds).add(std::uint64_t{call->limits.messages});
  } else {
    command.add(std::uint64_t{call->count}).add(std::uint64_t{call->limits.messages});
    command.add(std::uint64_t{call->limits.bytes}).add(call->limits.age_ms).add(options_.room_seconds);
    command.add(options_.grace_ms).add("PUBLISH").add(channel_of(call->room)).add(call->batch);
  }
  if (call->script == RedisScript::publish) {
    command.add(call->again_after ? std::to_string(*call->again_after) : std::string());
    if (has_key) command.add(call->key.digest).add(options_.key_seconds);
  } else if (call->script == RedisScript::amend) {
    const bool is_clear = call->amend.what == Amend::What::cleared;
    command.add(name_of(call->amend.what));
    command.add(is_clear ? std::string() : hub::to_cursor(call->amend.about).substr(0, epoch_digits));
    command.add(is_clear ? std::string() : std::to_string(call->amend.about.offset));
    command.add(call->amend.replacement);
  }
  ++calls_;
  ++under_way_;
  commands_.link().send(std::move(bytes), std::make_unique<Answer>(*this, std::move(call)));
}

void RedisPrimary::on_answer(std::unique_ptr<Call> call, const redis::Value& reply) {
  --under_way_;
  if (is_of_term(reply)) {
    Partition& partition = partitions_.at(call->partition);
    partition.term.clear();
    return begin_call(std::move(call));
  }
  if (is_without_script(reply)) {
    load_scripts();
    return begin_call(std::move(call));
  }
  finish(*call, reply);
  if (reply.is_error() && reply.error_code() == not_a_primary)
    commands_.restart("the server is a replica now: " + std::string(reply.text));
}

void RedisPrimary::finish(const Call& call, const redis::Value& reply) {
  if (call.script == RedisScript::sync) return listener_->on_call_synced(call.id, read_log_state(reply));
  listener_->on_call_published(call.id, read_published(reply));
}

void RedisPrimary::on_call_lost(const Call& call) {
  --under_way_;
  fail(call, {RedisFault::Code::lost, "the connection ended before the answer", 0});
}

void RedisPrimary::fail(const Call& call, const RedisFault& fault) {
  if (call.script == RedisScript::sync) return listener_->on_call_synced(call.id, fault);
  listener_->on_call_published(call.id, fault);
}

/// Calls that have not been sent.
void RedisPrimary::lose_waiting() {
  for (Partition& partition : partitions_) {
    const std::deque<std::unique_ptr<Call>> waiting = std::exchange(partition.waiting, {});
    for (const std::unique_ptr<Call>& call : waiting)
      fail(*call, {RedisFault::Code::not_primary, "there is no connection", 0});
  }
  waiting_bytes_ = 0;
}

// --- Subscriptions ---

std::string RedisPrimary::channel_of(std::string_view room) const {
  return RedisKeys(options_.prefix, room).channel();
}

std::string_view RedisPrimary::room_of(std::string_view channel) const {
  const std::size_t tag_end = channel.find('}', options_.prefix.size());
  constexpr std::size_t kind_bytes = 3;  // }c:
  if (tag_end == std::string_view::npos || channel.size() < tag_end + kind_bytes) return {};
  return channel.substr(tag_end + kind_bytes);
}

void RedisPrimary::subscribe(std::string_view room) {
  ++subscriptions_;
  ++to_confirm_.try_emplace(std::string(room), 0).first->second;
  changes_.push_back({true, std::string(room)});
  parts_.connection.scheduler.mark_dirty(*this);
}

void RedisPrimary::unsubscribe(std::string_view room) {
  --subscriptions_;
  changes_.push_back({false, std::string(room)});
  parts_.connection.scheduler.mark_dirty(*this);
}

/// Sends the changes in their order, those of one kind that follow each other in one command.
void RedisPrimary::run_at_turn_end() {
  const std::vector<Change> changes = std::exchange(changes_, {});
  if (!pushes_.is_up()) return;
  std::vector<std::string> channels;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    channels.push_back(channel_of(changes[i].room));
    const bool is_last = i + 1 == changes.size() || changes[i + 1].subscribes != changes[i].subscribes;
    if (!is_last && channels.size() < subscribe_names) continue;
    const std::vector<std::string_view> names(channels.begin(), channels.end());
    pushes_.link().send_subscription(changes[i].subscribes ? "SUBSCRIBE" : "UNSUBSCRIBE", names, nullptr);
    channels.clear();
  }
}

void RedisPrimary::on_push(redis::Connection& connection, const redis::Value& value) {
  if (&connection != &pushes_ || value.items.size() < 3) return;
  const std::string_view kind = value.items[0].text;
  const std::string_view channel = value.items[1].text;
  if (kind == "message") {
    if (channel == probe_channel_) {
      probed_ms_ = parts_.connection.clock.monotonic_ms();
      return;
    }
    return listener_->on_push(room_of(channel), value.items[2].text);
  }
  if (kind != "subscribe" || channel == probe_channel_) return;
  const auto found = to_confirm_.find(room_of(channel));
  if (found == to_confirm_.end() || --found->second != 0) return;
  const std::string room = found->first;
  to_confirm_.erase(found);
  listener_->on_room_subscribed(room);
}

// --- Beats ---

void RedisPrimary::beat() {
  std::string command;
  redis::append_command(command, {"EVALSHA", sha1s_.at(static_cast<std::size_t>(RedisScript::beat)), "1",
                                  probe_channel_, options_.node, "PUBLISH", probe_channel_});
  commands_.link().send(std::move(command),
                        std::make_unique<BeatAnswer>(*this, parts_.connection.clock.monotonic_us()));
}

void RedisPrimary::on_deadline() {
  due_.set_in(beat_ms);
  const std::int64_t now_ms = parts_.connection.clock.monotonic_ms();
  const bool can_call = has_scripts_ && commands_.is_up();
  if (can_call) beat();
  // Without beats no probe comes.
  if (!can_call || !pushes_.is_up()) {
    probed_ms_ = now_ms;
  } else if (now_ms - probed_ms_ >= probe_ms) {
    pushes_.restart("no messages come, although the server takes them");
  }
}

}  // namespace roomcast::engine
