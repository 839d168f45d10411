#include "engine/redis_primary.h"

#include <utility>

#include "base/digest.h"
#include "hub/cursor.h"
#include "redis/command.h"

namespace roomcast::engine {

namespace {

constexpr std::size_t epoch_digits = 16;
// A call takes so much beside its batch.
constexpr std::size_t call_overhead = 512;

std::string epoch_of(const hub::Position& position) {
  return hub::to_cursor(position).substr(0, epoch_digits);
}

std::string random_epoch() {
  std::uint64_t bits = 0;
  while (bits == 0)
    bits = base::random_u64();
  return epoch_of({bits, 0});
}

std::string_view name_of(RedisPort::Amend::What what) {
  if (what == RedisPort::Amend::What::removed) return "removed";
  return what == RedisPort::Amend::What::replaced ? "replaced" : "cleared";
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
  std::optional<hub::Position> again_after{};
  Amend amend{};
  // Of a sync.
  std::uint64_t after = 0;
  std::size_t messages_max = 0;
  std::size_t bytes_max = 0;
  // That the server has not done it.
  std::size_t repeats = 0;
  // Of a restore: `after`, and what its arguments are but for the terms.
  std::string epoch{};
  std::vector<std::string> more_keys{};
  std::vector<std::string> batches{};

  [[nodiscard]] std::size_t bytes() const {
    std::size_t all = call_overhead + batch.size() + amend.replacement.size();
    for (const std::string& one : batches)
      all += one.size();
    return all;
  }
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
  void on_reply(const redis::Value& reply) override { primary_.on_beat(reply, since_us_); }
  void on_lost() override {}

 private:
  RedisPrimary& primary_;
  std::int64_t since_us_;
};

RedisPrimary::RedisPrimary(const Parts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      commands_(parts.connection, options_.connection, *this),
      subscriptions_(parts.connection, options_.connection,
                     {options_.prefix, options_.node, options_.is_sharded}, *this),
      due_(parts.connection.deadlines, *this),
      delay_due_(parts.connection.deadlines, delay_) {
  for (std::size_t i = 0; i < redis_script_count; ++i)
    sha1s_.at(i) = sha1_of(static_cast<RedisScript>(i));
}

RedisPrimary::~RedisPrimary() = default;

RedisPrimaryStats RedisPrimary::stats() const {
  RedisPrimaryStats stats;
  stats.is_up = has_scripts_ && subscriptions_.is_up();
  stats.reconnects = reconnects_;
  stats.entered = entered_;
  stats.calls = calls_;
  stats.repeated = repeated_;
  stats.under_way = under_way_;
  stats.waiting = waiting_;
  stats.subscriptions = subscriptions_.count();
  stats.round_trip_us = round_trip_us_;
  return stats;
}

void RedisPrimary::start(RedisPort::Listener& listener) {
  listener_ = &listener;
  set_partitions(options_.partitions);
  commands_.start();
  subscriptions_.start();
  due_.set_in(options_.beat_ms);
}

void RedisPrimary::stop(std::string_view why) {
  if (std::exchange(is_stopped_, true)) return;
  due_.clear();
  commands_.stop(why);
  subscriptions_.stop(why);
}

// --- Partitions ---

void RedisPrimary::set_partitions(const RedisPartitionSet& partitions) {
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    if (partitions_.at(i).is_here && !partitions.test(i)) leave(static_cast<RedisPartition>(i));
  }
  subscriptions_.set_partitions(partitions);
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    if (!partitions.test(i) || std::exchange(partitions_.at(i).is_here, true)) continue;
    if (has_scripts_) tell_calls(static_cast<RedisPartition>(i), true);
  }
}

RedisPartitionSet RedisPrimary::partitions() const {
  RedisPartitionSet here;
  for (std::size_t i = 0; i < redis_partitions; ++i)
    here.set(i, partitions_.at(i).is_here);
  return here;
}

void RedisPrimary::leave(RedisPartition number) {
  Partition& partition = partitions_.at(number);
  partition.is_here = false;
  partition.term.clear();
  lose_all(partition.waiting);
  Calls stay;
  Calls go;
  for (std::unique_ptr<Call>& call : delayed_)
    (call->partition == number ? go : stay).push_back(std::move(call));
  delayed_ = std::move(stay);
  lose_all(go);
  tell_calls(number, false);
}

void RedisPrimary::tell_calls(RedisPartition number, bool are_possible) {
  if (std::exchange(partitions_.at(number).is_told, are_possible) == are_possible) return;
  listener_->on_calls(number, are_possible);
}

void RedisPrimary::on_partition_pushes(RedisPartition partition, bool are_possible) {
  listener_->on_pushes(partition, are_possible);
}

void RedisPrimary::on_subscription(std::string_view room) { listener_->on_room_subscribed(room); }

void RedisPrimary::on_room_push(std::string_view room, std::string_view bytes) {
  listener_->on_push(room, bytes);
}

void RedisPrimary::on_partition_refused(RedisPartition /*partition*/, std::string_view /*why*/) { doubt(); }

void RedisPrimary::doubt() {
  if (parts_.owner != nullptr && !is_stopped_) parts_.owner->on_doubt(*this);
}

// --- Connections ---

void RedisPrimary::on_connected(redis::Connection& /*connection*/, const redis::ServerInfo& server) {
  if (server.is_cluster && !options_.is_sharded)
    return commands_.restart("the server is part of a Redis Cluster: set redis.cluster");
  for (const std::string& advice : redis::advice_for(server))
    parts_.log.warn("Redis is set up in a way that may lose messages", {{"what", advice}});
  load_scripts();
}

void RedisPrimary::on_disconnected(redis::Connection& /*connection*/, std::string_view why) {
  note_down(commands_down_, "calls", why);
  has_scripts_ = false;
  scripts_to_load_ = 0;
  lose_all(delayed_);
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    Partition& partition = partitions_.at(i);
    partition.term.clear();
    partition.is_entering = false;
    lose_all(partition.waiting);
    tell_calls(static_cast<RedisPartition>(i), false);
  }
  doubt();
}

void RedisPrimary::on_push(redis::Connection& /*connection*/, const redis::Value& /*value*/) {
  // Nothing is subscribed there.
}

void RedisPrimary::on_subscriptions_up() { note_up(pushes_down_, "pushes"); }

void RedisPrimary::on_subscriptions_down(std::string_view why) {
  note_down(pushes_down_, "pushes", why);
  doubt();
}

void RedisPrimary::note_up(std::string& down, std::string_view purpose) {
  if (down.empty()) return;
  down.clear();
  parts_.log.info("connected to Redis again",
                  {{"for", purpose}, {"server", options_.connection.address.to_text()}});
}

/// Logs it unless that is what was logged last.
void RedisPrimary::note_down(std::string& down, std::string_view purpose, std::string_view why) {
  ++reconnects_;
  if (is_stopped_ || down == why) return;
  down = why;
  parts_.log.warn("no connection to Redis", {{"for", purpose}, {"why", why}});
}

// --- Scripts ---

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
  const bool is_first = !std::exchange(has_scripts_, true);
  if (is_first) {
    note_up(commands_down_, "calls");
    beat();
  }
  for (std::size_t i = 0; i < redis_partitions && has_scripts_; ++i) {
    if (!partitions_.at(i).is_here) continue;
    if (is_first) {
      tell_calls(static_cast<RedisPartition>(i), true);
    } else {
      send_waiting(static_cast<RedisPartition>(i));
    }
  }
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
  if (reply.type == redis::Value::Type::text && !reply.text.empty()) {
    if (partition.is_here) partition.term = reply.text;
    return send_waiting(number);
  }
  // What waits for it has not been done for the same reason.
  const RedisFault fault = reply.is_error() ? read_redis_fault(reply.text)
                                            : RedisFault{RedisFault::Code::garbled, "a term that is none", 0};
  Calls waiting = std::exchange(partition.waiting, {});
  for (std::unique_ptr<Call>& call : waiting) {
    --waiting_;
    waiting_bytes_ -= call->bytes();
    on_fault(std::move(call), fault);
  }
}

void RedisPrimary::send_waiting(RedisPartition number) {
  Calls waiting = std::exchange(partitions_.at(number).waiting, {});
  for (std::unique_ptr<Call>& call : waiting) {
    --waiting_;
    waiting_bytes_ -= call->bytes();
    begin_call(std::move(call));
  }
}

// --- Calls ---

bool RedisPrimary::has_space_for(RedisPartition /*partition*/, std::size_t bytes) const {
  // What waits is sent as well, much of it at once.
  const redis::Link::Limits& limits = options_.connection.limits;
  return under_way_ + waiting_ < limits.requests && waiting_bytes_ + bytes <= limits.bytes &&
         commands_.has_space_for(bytes + call_overhead + waiting_bytes_);
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

void RedisPrimary::restore(RedisCallId id, const Restore& restore) {
  auto call = std::make_unique<Call>();
  call->id = id;
  call->script = RedisScript::restore;
  call->partition = redis_partition_of(restore.room);
  call->room = restore.room;
  call->limits = restore.limits;
  call->after = restore.after.offset;
  call->epoch = epoch_of(restore.after);
  const RedisKeys keys(options_.prefix, restore.room);
  for (const Restore::Batch& batch : restore.batches) {
    if (!batch.key.text.empty()) call->more_keys.push_back(keys.idempotency(batch.key.text));
    call->batches.push_back(std::to_string(batch.count));
    call->batches.emplace_back(batch.what ? name_of(*batch.what) : std::string_view());
    call->batches.push_back(std::to_string(batch.about));
    call->batches.push_back(batch.key.digest);
    call->batches.emplace_back(batch.bytes);
  }
  begin_call(std::move(call));
}

/// Sends the call, or has it wait for what it needs.
void RedisPrimary::begin_call(std::unique_ptr<Call> call) {
  const RedisPartition number = call->partition;
  Partition& partition = partitions_.at(number);
  if (!partition.is_here)
    return fail(*call, {RedisFault::Code::not_primary, "the partition is at another server", 0});
  if (scripts_to_load_ == 0 && !partition.term.empty()) return send(std::move(call));
  have_wait(partition.waiting, std::move(call));
  if (scripts_to_load_ == 0 && commands_.is_up()) enter(number);
}

void RedisPrimary::have_wait(Calls& calls, std::unique_ptr<Call> call) {
  ++waiting_;
  waiting_bytes_ += call->bytes();
  calls.push_back(std::move(call));
}

/// They have not been sent, or the server has not done them.
void RedisPrimary::lose_all(Calls& calls) {
  const Calls lost = std::exchange(calls, {});
  for (const std::unique_ptr<Call>& call : lost) {
    --waiting_;
    waiting_bytes_ -= call->bytes();
    fail(*call, {RedisFault::Code::not_primary, "there is no connection to the partition's server", 0});
  }
}

void RedisPrimary::send_delayed() {
  Calls delayed = std::exchange(delayed_, {});
  for (std::unique_ptr<Call>& call : delayed) {
    --waiting_;
    waiting_bytes_ -= call->bytes();
    begin_call(std::move(call));
  }
}

void RedisPrimary::send_restore(std::unique_ptr<Call> call) {
  const RedisKeys keys(options_.prefix, call->room);
  const std::size_t key_count = 4 + call->more_keys.size();
  std::string bytes;
  redis::CommandWriter command(bytes, 3 + key_count + 10 + call->batches.size());
  command.add("EVALSHA").add(sha1s_.at(static_cast<std::size_t>(call->script))).add(std::uint64_t{key_count});
  command.add(keys.term).add(keys.meta()).add(keys.stream()).add(keys.amended());
  for (const std::string& key : call->more_keys)
    command.add(key);
  command.add(partitions_.at(call->partition).term).add(call->epoch).add(call->after + 1);
  command.add(std::uint64_t{call->limits.messages}).add(std::uint64_t{call->limits.bytes});
  command.add(call->limits.age_ms)
      .add(options_.grace_ms)
      .add(options_.is_sharded ? "SPUBLISH" : "PUBLISH")
      .add(keys.channel());
  command.add(options_.key_seconds);
  for (const std::string& argument : call->batches)
    command.add(argument);
  ++calls_;
  ++under_way_;
  commands_.link().send(std::move(bytes), std::make_unique<Answer>(*this, std::move(call)));
}

void RedisPrimary::send(std::unique_ptr<Call> call) {
  if (call->script == RedisScript::restore) return send_restore(std::move(call));
  const RedisKeys keys(options_.prefix, call->room);
  const std::string meta = keys.meta();
  const std::string stream = keys.stream();
  const std::string amended = keys.amended();
  const bool has_key = !call->key.text.empty();
  const bool is_sync = call->script == RedisScript::sync;
  const std::size_t key_count = has_key ? 5 : 4;
  std::size_t arguments = 12;
  if (is_sync) arguments = 8;
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
    command.add(call->limits.room_seconds(options_.room_seconds)).add(std::uint64_t{call->limits.messages});
    command.add(options_.grace_ms);
  } else {
    command.add(std::uint64_t{call->count}).add(std::uint64_t{call->limits.messages});
    command.add(std::uint64_t{call->limits.bytes}).add(call->limits.age_ms);
    command.add(call->limits.room_seconds(options_.room_seconds)).add(options_.grace_ms);
    command.add(options_.is_sharded ? "SPUBLISH" : "PUBLISH").add(keys.channel()).add(call->batch);
  }
  if (call->script == RedisScript::publish) {
    command.add(call->again_after ? hub::to_cursor(*call->again_after) : std::string());
    if (has_key) command.add(call->key.digest).add(options_.key_seconds);
  } else if (call->script == RedisScript::amend) {
    const bool is_clear = call->amend.what == Amend::What::cleared;
    command.add(name_of(call->amend.what));
    command.add(is_clear ? std::string() : epoch_of(call->amend.about));
    command.add(is_clear ? std::string() : std::to_string(call->amend.about.offset));
    command.add(call->amend.replacement);
  }
  ++calls_;
  ++under_way_;
  commands_.link().send(std::move(bytes), std::make_unique<Answer>(*this, std::move(call)));
}

void RedisPrimary::on_answer(std::unique_ptr<Call> call, const redis::Value& reply) {
  --under_way_;
  if (reply.is_error()) return on_fault(std::move(call), read_redis_fault(reply.text));
  if (call->script == RedisScript::sync) return listener_->on_call_synced(call->id, read_log_state(reply));
  listener_->on_call_published(call->id, read_published(reply));
}

/// The server has not done the call, or not as is known here: makes it again, or has it answered.
void RedisPrimary::on_fault(std::unique_ptr<Call> call, const RedisFault& fault) {
  using Code = RedisFault::Code;
  const RedisPartition number = call->partition;
  Partition& partition = partitions_.at(number);
  const Code code = fault.code;
  if (code == Code::stale) partition.term.clear();
  if (code == Code::no_script) load_scripts();
  const bool is_repeatable = partition.is_here && has_scripts_;
  const bool is_at_once = code == Code::stale || code == Code::no_script;
  ++call->repeats;
  if (is_repeatable && is_at_once && call->repeats <= repeats_max) {
    ++repeated_;
    begin_call(std::move(call));
  } else if (is_repeatable && call->script == RedisScript::sync &&
             call->repeats <= repeats_max + delays_max) {
    // Whoever asked for it would ask again at once.
    ++repeated_;
    have_wait(delayed_, std::move(call));
    if (!delay_due_.is_set()) delay_due_.set_in(delay_ms);
  } else {
    fail(*call, fault);
  }
  if (code == Code::not_primary) on_not_primary(number, fault.message);
}

void RedisPrimary::on_not_primary(RedisPartition number, std::string_view error) {
  const bool is_replica = error.find("READONLY ") != std::string_view::npos;
  if (is_replica) return commands_.restart("the server is a replica now: " + std::string(error));
  // Should the partition come back, it may have been written elsewhere meanwhile.
  partitions_.at(number).term.clear();
  doubt();
}

void RedisPrimary::on_call_lost(const Call& call) {
  --under_way_;
  fail(call, {RedisFault::Code::lost, "the connection ended before the answer", 0});
}

void RedisPrimary::fail(const Call& call, const RedisFault& fault) {
  if (call.script == RedisScript::sync) return listener_->on_call_synced(call.id, fault);
  listener_->on_call_published(call.id, fault);
}

// --- Beats ---

void RedisPrimary::beat() {
  const std::string& probe = subscriptions_.probe();
  std::string command;
  redis::append_command(command, {"EVALSHA", sha1s_.at(static_cast<std::size_t>(RedisScript::beat)), "1",
                                  probe, options_.node, options_.is_sharded ? "SPUBLISH" : "PUBLISH", probe});
  commands_.link().send(std::move(command),
                        std::make_unique<BeatAnswer>(*this, parts_.connection.clock.monotonic_us()));
}

void RedisPrimary::on_beat(const redis::Value& reply, std::int64_t since_us) {
  using Code = RedisFault::Code;
  round_trip_us_ = parts_.connection.clock.monotonic_us() - since_us;
  if (!reply.is_error()) return;
  subscriptions_.excuse_probe();
  const RedisFault fault = read_redis_fault(reply.text);
  if (fault.code == Code::no_script) return load_scripts();
  // It is full, and still there.
  if (fault.code == Code::out_of_memory) return;
  if (fault.code != Code::not_primary) return commands_.restart(reply.text);
  // Of a cluster: it may have been a replica, and a primary once more, without any other sign.
  for (Partition& partition : partitions_)
    partition.term.clear();
  on_not_primary(0, fault.message);
}

void RedisPrimary::on_deadline() {
  due_.set_in(options_.beat_ms);
  const bool can_call = has_scripts_ && commands_.is_up();
  if (can_call) {
    beat();
  } else {
    // Without beats no probe comes.
    subscriptions_.excuse_probe();
  }
  subscriptions_.look(options_.probe_ms);
}

}  // namespace roomcast::engine
