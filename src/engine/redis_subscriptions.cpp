#include "engine/redis_subscriptions.h"

#include <memory>
#include <utility>
#include <vector>

#include "engine/redis_calls.h"

namespace roomcast::engine {

namespace {

constexpr std::string_view after_tag = "}c:";
// Of one connection. Each has a name at least.
constexpr std::size_t subscription_commands_max = 1'000;

}  // namespace

/// Waits until all names of a command are confirmed.
class RedisSubscriptions::Confirmation final : public redis::Request {
 public:
  Confirmation(RedisSubscriptions& owner, RedisPartition partition, std::size_t names)
      : owner_(owner), partition_(partition), names_(names) {}
  void on_reply(const redis::Value& reply) override { owner_.on_answer(reply, partition_, names_); }
  void on_lost() override {}

 private:
  RedisSubscriptions& owner_;
  RedisPartition partition_;  // of the first name
  std::size_t names_;
};

RedisSubscriptions::RedisSubscriptions(const redis::Connection::Parts& parts,
                                       const redis::Connection::Options& connection, Options options,
                                       Owner& owner)
    : scheduler_(parts.scheduler),
      clock_(parts.clock),
      options_(std::move(options)),
      owner_(owner),
      connection_(parts, connection, *this) {}

RedisSubscriptions::~RedisSubscriptions() { scheduler_.forget(*this); }

std::size_t RedisSubscriptions::count() const {
  std::size_t rooms = 0;
  for (const Partition& partition : partitions_)
    rooms += partition.rooms;
  return rooms;
}

// --- Partitions ---

void RedisSubscriptions::set_partitions(const RedisPartitionSet& partitions) {
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    Partition& partition = partitions_.at(i);
    if (partition.is_here && !partitions.test(i)) {
      partition.is_here = partition.is_refused = false;
      end(static_cast<RedisPartition>(i));
    }
  }
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    Partition& partition = partitions_.at(i);
    if (!partitions.test(i) || std::exchange(partition.is_here, true)) continue;
    if (is_up()) begin(static_cast<RedisPartition>(i));
  }
  choose_probe();
}

void RedisSubscriptions::begin(RedisPartition number) {
  Partition& partition = partitions_.at(number);
  partition.is_refused = false;
  if (!std::exchange(partition.has_pushes, true)) owner_.on_partition_pushes(number, true);
}

bool RedisSubscriptions::end(RedisPartition number) {
  Partition& partition = partitions_.at(number);
  ++partition.generation;
  partition.awaited.clear();
  partition.rooms = 0;
  if (!std::exchange(partition.has_pushes, false)) return false;
  owner_.on_partition_pushes(number, false);
  return true;
}

/// The server does not have the partition, or not any more.
void RedisSubscriptions::refuse(RedisPartition number, std::string_view why) {
  const std::string reason(why);  // of a reply
  partitions_.at(number).is_refused = partitions_.at(number).is_here;
  if (!end(number)) return;
  choose_probe();
  owner_.on_partition_refused(number, reason);
}

// --- The connection ---

void RedisSubscriptions::on_connected(redis::Connection& /*connection*/,
                                      const redis::ServerInfo& /*server*/) {
  subscribe_probe();
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    // One of these calls may end the connection.
    if (partitions_.at(i).is_here && is_up()) begin(static_cast<RedisPartition>(i));
  }
}

void RedisSubscriptions::on_disconnected(redis::Connection& /*connection*/, std::string_view why) {
  changes_.clear();
  names_under_way_ = 0;
  has_probe_ = is_probe_asked_ = false;
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    partitions_.at(i).is_refused = false;
    end(static_cast<RedisPartition>(i));
  }
  owner_.on_subscriptions_down(why);
}

// --- Changes ---

void RedisSubscriptions::subscribe(std::string_view room) { change(true, room); }
void RedisSubscriptions::unsubscribe(std::string_view room) { change(false, room); }

void RedisSubscriptions::change(bool subscribes, std::string_view room) {
  const RedisPartition number = redis_partition_of(room);
  Partition& partition = partitions_.at(number);
  if (!partition.has_pushes) return;
  Awaited& awaited = partition.awaited.try_emplace(std::string(room)).first->second;
  if (subscribes) {
    ++partition.rooms;
    ++awaited.subscribed;
  } else {
    partition.rooms -= partition.rooms != 0 ? 1 : 0;
    ++awaited.unsubscribed;
  }
  changes_.push_back({subscribes, number, partition.generation, std::string(room)});
  scheduler_.mark_dirty(*this);
}

void RedisSubscriptions::run_at_turn_end() {
  while (send_some()) {
  }
}

/// Sends the next changes, those of one kind that follow each other, as one command. False if there is
/// nothing to be sent now.
bool RedisSubscriptions::send_some() {
  const bool can_send = is_up() && !changes_.empty() && names_under_way_ < names_under_way_max &&
                        connection_.link().under_way() < subscription_commands_max;
  if (!can_send) return false;
  const bool subscribes = changes_.front().subscribes;
  const RedisPartition partition = changes_.front().partition;
  std::vector<std::string> channels;
  for (; !changes_.empty() && channels.size() < names_of_command; changes_.pop_front()) {
    const Change& change = changes_.front();
    if (change.generation != partitions_.at(change.partition).generation) continue;
    if (change.subscribes != subscribes || (options_.is_sharded && change.partition != partition)) break;
    channels.push_back(RedisKeys(options_.prefix, change.room).channel());
  }
  if (channels.empty()) return true;
  std::string_view command = subscribes ? "SUBSCRIBE" : "UNSUBSCRIBE";
  if (options_.is_sharded) command = subscribes ? "SSUBSCRIBE" : "SUNSUBSCRIBE";
  names_under_way_ += channels.size();
  const std::vector<std::string_view> names(channels.begin(), channels.end());
  connection_.link().send_subscription(command, names,
                                       std::make_unique<Confirmation>(*this, partition, names.size()));
  return true;
}

void RedisSubscriptions::on_answer(const redis::Value& reply, RedisPartition partition, std::size_t names) {
  names_under_way_ -= names;
  if (!changes_.empty()) scheduler_.mark_dirty(*this);
  if (!reply.is_error()) return;
  const RedisFault fault = read_redis_fault(reply.text);
  if (options_.is_sharded && fault.code == RedisFault::Code::not_primary) {
    if (partition == probe_partition_) is_probe_asked_ = false;
    return refuse(partition, reply.text);
  }
  const bool is_right_missing = reply.error_code() == "NOPERM";
  restart(std::string("the server refuses a subscription: ") +
          (is_right_missing ? "the user's ACL needs &" + options_.prefix + "* " : "") + '(' + fault.message +
          ')');
}

// --- Pushes ---

/// The room of a channel that is one; empty otherwise.
std::string_view RedisSubscriptions::room_of(std::string_view channel) const {
  if (!channel.starts_with(options_.prefix) || !channel.substr(options_.prefix.size()).starts_with('{'))
    return {};
  const std::size_t tag_end = channel.find('}', options_.prefix.size());
  if (tag_end == std::string_view::npos || !channel.substr(tag_end).starts_with(after_tag)) return {};
  return channel.substr(tag_end + after_tag.size());
}

void RedisSubscriptions::on_push(redis::Connection& /*connection*/, const redis::Value& value) {
  if (value.items.size() < 3) return;
  std::string_view kind = value.items[0].text;
  const std::string_view channel = value.items[1].text;
  if (options_.is_sharded) {
    if (!kind.starts_with('s')) return;
    kind.remove_prefix(1);
  }
  if (channel == probe_) {
    if (kind == "message") probed_ms_ = clock_.monotonic_ms();
    if (kind != "subscribe" && kind != "unsubscribe") return;
    has_probe_ = kind == "subscribe";
    is_probe_asked_ = false;
    if (!has_probe_) return;
    excuse_probe();
    return owner_.on_subscriptions_up();
  }
  const std::string_view room = room_of(channel);
  if (room.empty()) return;
  if (kind == "message") {
    // Until a server has noticed that a partition is not its own any more it passes on what comes there.
    if (options_.is_sharded && !partitions_.at(redis_partition_of(room)).has_pushes) return;
    owner_.on_room_push(room, value.items[2].text);
  } else if (kind == "subscribe") {
    on_subscribed(room);
  } else if (kind == "unsubscribe") {
    on_unsubscribed(room);
  }
}

void RedisSubscriptions::on_subscribed(std::string_view room) {
  Partition& partition = partitions_.at(redis_partition_of(room));
  const auto found = partition.awaited.find(room);
  if (found == partition.awaited.end() || found->second.subscribed == 0) return;
  if (--found->second.subscribed != 0 || found->second.unsubscribed != 0) return;
  const std::string name = found->first;
  partition.awaited.erase(found);
  owner_.on_subscription(name);
}

void RedisSubscriptions::on_unsubscribed(std::string_view room) {
  const RedisPartition number = redis_partition_of(room);
  Partition& partition = partitions_.at(number);
  const auto found = partition.awaited.find(room);
  if (found == partition.awaited.end() || found->second.unsubscribed == 0) {
    // Not asked for: the slot has moved away.
    if (options_.is_sharded) refuse(number, "the server has ended the subscriptions of a slot");
    return;
  }
  if (--found->second.unsubscribed == 0 && found->second.subscribed == 0) partition.awaited.erase(found);
}

// --- The probe ---

void RedisSubscriptions::choose_probe() {
  const auto is_usable = [this](const Partition& one) {
    return one.is_here && (one.has_pushes || !is_up()) && !one.is_refused;
  };
  std::size_t chosen = probe_.empty() ? 0 : probe_partition_;
  for (std::size_t i = redis_partitions; i-- != 0;) {
    if (is_usable(partitions_.at(i))) chosen = i;
  }
  if (!probe_.empty() && chosen == probe_partition_) return;
  probe_partition_ = static_cast<RedisPartition>(chosen);
  probe_ = options_.prefix + '{' + std::string(redis_tag_of(probe_partition_)) + "}b:" + options_.node;
  has_probe_ = is_probe_asked_ = false;
  excuse_probe();
  if (is_up()) subscribe_probe();
}

void RedisSubscriptions::subscribe_probe() {
  excuse_probe();
  if (!is_up() || has_probe_ || std::exchange(is_probe_asked_, true)) return;
  const std::string_view channel = probe_;
  ++names_under_way_;
  connection_.link().send_subscription(options_.is_sharded ? "SSUBSCRIBE" : "SUBSCRIBE", {&channel, 1},
                                       std::make_unique<Confirmation>(*this, probe_partition_, 1));
}

void RedisSubscriptions::excuse_probe() { probed_ms_ = clock_.monotonic_ms(); }

void RedisSubscriptions::look(std::int64_t silent_ms) {
  if (!is_up()) return;
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    if (partitions_.at(i).is_refused && is_up()) begin(static_cast<RedisPartition>(i));
  }
  if (!is_up()) return;
  choose_probe();
  if (!has_probe_) return subscribe_probe();
  if (clock_.monotonic_ms() - probed_ms_ >= silent_ms)
    restart("no messages come, although the server takes them");
}

}  // namespace roomcast::engine
