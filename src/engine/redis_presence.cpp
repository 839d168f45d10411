// Rooms, calls, and which servers are there.
#include "engine/redis_presence.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace roomcast::engine {

RedisPresence::RedisPresence(const Parts& parts, std::uint64_t node)
    : parts_(parts), node_(node), node_name_(redis_node_name(node)), due_(parts.deadlines, *this) {}

RedisPresence::~RedisPresence() { parts_.scheduler.forget(*this); }

RedisPresenceStats RedisPresence::stats() const {
  RedisPresenceStats stats = stats_;
  stats.nodes = nodes_.size();
  return stats;
}

void RedisPresence::start(hub::EngineEvents& events) {
  events_ = &events;
  next_tick_ms_ = parts_.clock.monotonic_ms() + tick_ms;
  look_in(tick_ms);
}

// --- Rooms ---

RedisPresence::Room* RedisPresence::find(std::string_view name) {
  const auto* const found = rooms_.find(name);
  return found == nullptr ? nullptr : found->second.get();
}

RedisPresence::Room& RedisPresence::find_or_make(std::string_view name) {
  if (Room* const found = find(name)) return *found;
  const auto& [entry, is_new] = rooms_.try_emplace(std::string(name), std::make_unique<Room>());
  Room& room = *entry.second;
  room.name = entry.first;
  room.partition = redis_partition_of(room.name);
  room.index = all_.size();
  all_.push_back(&room);
  return room;
}

void RedisPresence::erase_if_idle(const Room& room) {
  const bool has_field = room.is_uncertain || room.wanted || !room.written.empty();
  if (room.is_open || has_field || room.write != 0 || room.read != 0) return;
  // The last one is looked at once more, if at all, by what goes through all of them from the back.
  all_[room.index] = all_.back();
  all_[room.index]->index = room.index;
  all_.pop_back();
  rooms_.erase(*rooms_.find(room.name));
}

void RedisPresence::open(std::string_view name, bool has_pushes) {
  Room& room = find_or_make(name);
  room.is_open = true;
  if (has_pushes) need_read(room, 0);
}

void RedisPresence::close(std::string_view name) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_open) return;
  room->is_open = false;
  room->fields.clear();
  room->base::Linked<RedisPresenceToRead>::unlink();
  room->wanted.reset();
  if (room->write != 0 || room->is_uncertain || !room->written.empty()) {
    room->wanted.emplace();
    return need_write(*room);
  }
  room->base::Linked<RedisPresenceToWrite>::unlink();
  erase_if_idle(*room);
}

// --- Calls ---

bool RedisPresence::can_call(const Room& room) const {
  return partitions_.at(room.partition).has_calls && calls_.size() < calls_max &&
         parts_.port.has_space_for(room.partition, call_space) &&
         parts_.clock.monotonic_ms() >= room.not_before_ms;
}

RedisCallId RedisPresence::call(const RedisPresenceCall& what, Call&& record) {
  const RedisCallId id = ++last_call_;
  calls_.emplace(id, std::move(record));
  parts_.port.presence(id, what);
  return id;
}

void RedisPresence::on_calls(RedisPartition number, bool are_possible) {
  Partition& partition = partitions_.at(number);
  partition.has_calls = are_possible;
  if (!are_possible) return;
  // What was written may be lost: the server may have begun anew, or another one has taken over.
  ++partition.connections;
  rewrites_ = all_.size();
  wake();
  if (number != RedisPresenceCall::lease_partition) return;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  for (auto& [id, node] : nodes_)
    node.heard_ms = now_ms;
  renew_lease();
}

void RedisPresence::on_answer(RedisCallId id, base::Result<RedisPresenceAnswer, RedisFault>&& outcome) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const Call done = std::move(found->second);
  calls_.erase(found);
  if (done.what == RedisPresenceCall::What::announce) {
    on_written(*done.room, outcome.ok());
  } else if (done.what == RedisPresenceCall::What::read) {
    on_read(*done.room, outcome);
  } else if (done.what == RedisPresenceCall::What::lease) {
    is_leasing_ = false;
    if (outcome) on_lease(done.nodes, *outcome);
    if (std::exchange(leases_again_, false)) renew_lease();
  }
  if (!to_write_.empty() || !to_read_.empty()) wake();
}

void RedisPresence::run_at_turn_end() {
  rewrite_some();
  sweep_some();
  const bool has_written = write_some();
  const bool has_read = read_some();
  const bool has_more = (has_written && !to_write_.empty()) || (has_read && !to_read_.empty());
  if (has_more || rewrites_ != 0 || sweep_ != 0) wake();
  // What could not be done yet is tried again in a moment.
  if (!to_write_.empty() || !to_read_.empty()) look_in(retry_ms);
}

void RedisPresence::look_in(std::int64_t ms) {
  const std::int64_t at_ms = parts_.clock.monotonic_ms() + ms;
  if (due_.is_set() && due_at_ms_ <= at_ms) return;
  due_at_ms_ = at_ms;
  due_.set_in(ms);
}

void RedisPresence::on_deadline() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  if (now_ms >= next_tick_ms_) {
    next_tick_ms_ = now_ms + tick_ms;
    renew_lease();
    refresh_some();
  }
  look_in(next_tick_ms_ - now_ms);
  wake();
}

// --- Which servers are there ---

RedisPresence::Node* RedisPresence::meet(std::uint64_t id) {
  const auto found = nodes_.find(id);
  if (found != nodes_.end()) return &found->second;
  if (nodes_.size() == nodes_max) return nullptr;
  return &nodes_.emplace(id, Node{false, parts_.clock.monotonic_ms(), false}).first->second;
}

void RedisPresence::hear(std::uint64_t id) {
  Node* const node = meet(id);
  if (node == nullptr) return;
  node->heard_ms = parts_.clock.monotonic_ms();
  node->is_gone = false;
  if (std::exchange(node->is_there, true)) return;
  // Rooms may have its fields, and have waited for this.
  sweep_ = all_.size();
  wake();
}

void RedisPresence::renew_lease() {
  constexpr RedisPartition partition = RedisPresenceCall::lease_partition;
  leases_again_ = is_leasing_;
  const bool can_call =
      partitions_.at(partition).has_calls && parts_.port.has_space_for(partition, call_space);
  if (is_leasing_ || !can_call) return;
  is_leasing_ = true;
  RedisPresenceCall lease{.what = RedisPresenceCall::What::lease, .node = node_name_};
  Call record{RedisPresenceCall::What::lease, nullptr, {}};
  for (const auto& [id, node] : nodes_) {
    lease.others.push_back(redis_node_name(id));
    record.nodes.push_back(id);
  }
  call(lease, std::move(record));
}

void RedisPresence::on_lease(const std::vector<std::uint64_t>& asked, const RedisPresenceAnswer& answer) {
  if (answer.size() != asked.size() + 1) return;
  if (answer.front() != "1" && std::exchange(has_lease_, true)) {
    // Others may have taken this server for gone, and have removed what it wrote.
    for (Partition& partition : partitions_)
      ++partition.connections;
    rewrites_ = all_.size();
  }
  has_lease_ = true;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto found = nodes_.find(asked[i]);
    if (found == nodes_.end()) continue;
    if (answer[i + 1] == "1") {
      hear(asked[i]);
    } else if (now_ms - found->second.heard_ms >= absent_ms && !std::exchange(found->second.is_gone, true)) {
      ++stats_.gone_nodes;
      sweep_ = all_.size();
    }
  }
  wake();
}

/// Rooms forget servers that are gone, and read the fields of those of which it was not known that they are
/// there.
void RedisPresence::sweep_some() {
  if (sweep_ == 0) return;
  sweep_ = std::min(sweep_, all_.size());
  for (std::size_t i = 0; i < rooms_per_slice && sweep_ != 0; ++i) {
    Room& room = *all_[--sweep_];
    if (!room.is_open) continue;
    for (std::size_t at = room.fields.size(); at-- != 0;) {
      const Field field = room.fields[at];
      const auto node = nodes_.find(field.node);
      if (node == nodes_.end()) continue;
      if (node->second.is_gone) {
        room.fields.erase(room.fields.begin() + static_cast<std::ptrdiff_t>(at));
        tell_gone(room, field);
        drop(room, field);
      } else if (node->second.is_there && !field.is_told) {
        need_read(room, field.node);
      }
    }
  }
  if (sweep_ != 0) return;
  for (auto node = nodes_.begin(); node != nodes_.end();)
    node = node->second.is_gone ? nodes_.erase(node) : std::next(node);
}

/// Has the field of a server that is gone removed, unless it has been written since.
void RedisPresence::drop(const Room& room, const Field& field) {
  const bool can_call =
      partitions_.at(room.partition).has_calls && parts_.port.has_space_for(room.partition, call_space);
  if (!can_call) return;
  const std::string head =
      encode(RedisPresenceField{field.version, {}}).substr(0, RedisPresenceField::head_bytes);
  const RedisPresenceNews news{
      .what = RedisPresenceNews::What::dropped, .node = field.node, .version = field.version};
  call({RedisPresenceCall::What::drop, std::string(room.name), redis_node_name(field.node), head,
        encode(news)},
       {RedisPresenceCall::What::drop, nullptr, {}});
}

}  // namespace roomcast::engine
