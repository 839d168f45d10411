#include "engine/redis_router.h"

#include <algorithm>
#include <utility>

namespace roomcast::engine {

namespace {

constexpr std::string_view no_server = "no server has the partition";

/// Whether both are the same server, spoken to in the same way.
bool is_same_server(const redis::ServerAddress& one, const redis::ServerAddress& other) {
  return one.scheme == other.scheme && one.host == other.host && one.port == other.port &&
         one.path == other.path;
}

RedisPartitionSet partitions_of(const redis::Layout::Shard& shard) {
  RedisPartitionSet partitions;
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    const std::uint16_t slot = redis_slot_of(static_cast<RedisPartition>(i));
    for (const auto& [first, last] : shard.slots) {
      if (first <= slot && slot <= last) partitions.set(i);
    }
  }
  return partitions;
}

}  // namespace

RedisRouter::RedisRouter(const Parts& parts, RedisPrimary::Options options)
    : parts_(parts), options_(std::move(options)) {}

RedisRouter::~RedisRouter() = default;

bool RedisRouter::is_up() const {
  return unserved_partitions() == 0 && std::all_of(known_.begin(), known_.end(), [](const Known& known) {
           return known.primary->stats().is_up;
         });
}

std::vector<RedisRouter::Server> RedisRouter::servers() const {
  std::vector<Server> servers;
  for (const Known& known : known_) {
    servers.push_back({known.address.to_text(), known.partitions.count(), known.primary->stats(),
                       known.primary->why_down()});
  }
  std::sort(servers.begin(), servers.end(),
            [](const Server& one, const Server& other) { return one.address < other.address; });
  return servers;
}

std::size_t RedisRouter::unserved_partitions() const {
  return static_cast<std::size_t>(std::count(by_partition_.begin(), by_partition_.end(), nullptr));
}

void RedisRouter::start(RedisPort::Listener& listener) {
  listener_ = &listener;
  parts_.topology.start(*this);
}

// --- Layouts ---

RedisRouter::Known& RedisRouter::find_or_make(const redis::ServerAddress& address) {
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& known) { return is_same_server(known.address, address); });
  if (found != known_.end()) return *found;
  RedisPrimary::Options options = options_;
  redis::ServerAddress& to = options.connection.address;
  to.scheme = address.scheme;
  to.host = address.host;
  to.port = address.port;
  to.path = address.path;
  options.partitions.reset();
  RedisPrimary::Owner& owner = *this;
  known_.push_back({address, std::make_unique<RedisPrimary>(
                                 RedisPrimary::Parts{parts_.connection, parts_.log, &owner}, options)});
  known_.back().primary->start(*listener_);
  return known_.back();
}

void RedisRouter::on_layout(const redis::Layout& layout) {
  ++layouts_;
  for (Known& known : known_)
    known.partitions.reset();
  RedisPartitionSet taken;
  for (const redis::Layout::Shard& shard : layout.shards) {
    // Of two that claim the same slot one is wrong.
    const RedisPartitionSet partitions = partitions_of(shard) & ~taken;
    if (partitions.none()) continue;
    taken |= partitions;
    find_or_make(shard.address).partitions |= partitions;
  }
  // Partitions are left before they are taken up elsewhere. Primaries without any are left altogether: who
  // hangs on to one that is none any more publishes what is lost.
  for (std::size_t i = 0; i < redis_partitions; ++i) {
    if (!taken.test(i)) by_partition_.at(i) = nullptr;
  }
  std::vector<Known> left;
  for (std::size_t i = 0; i < known_.size();) {
    if (known_[i].partitions.any()) {
      ++i;
      continue;
    }
    left.push_back(std::move(known_[i]));
    known_.erase(known_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (Known& known : left) {
    parts_.log.info("a Redis server is left: it is the primary of nothing any more",
                    {{"server", known.address.to_text()}});
    known.primary->stop("it is the primary of nothing any more");
    parts_.connection.scheduler.free_later(std::move(known.primary));
  }
  for (const Known& known : known_)
    known.primary->set_partitions(known.partitions & known.primary->partitions());
  for (const Known& known : known_) {
    for (std::size_t i = 0; i < redis_partitions; ++i) {
      if (known.partitions.test(i)) by_partition_.at(i) = known.primary.get();
    }
    if (known.partitions == known.primary->partitions()) continue;
    parts_.log.info("a Redis server is the primary of partitions",
                    {{"server", known.address.to_text()}, {"partitions", known.partitions.count()}});
    known.primary->set_partitions(known.partitions);
  }
}

void RedisRouter::on_topology_lost(std::string_view why) {
  parts_.log.warn(
      "it can't be found out which Redis servers are primaries: the last that were known are used",
      {{"why", why}});
}

void RedisRouter::on_doubt(RedisPrimary& /*primary*/) { parts_.topology.doubt(); }

// --- Calls ---

RedisPrimary* RedisRouter::primary_of(std::string_view room) const {
  return by_partition_.at(redis_partition_of(room));
}

bool RedisRouter::has_space_for(RedisPartition partition, std::size_t bytes) const {
  const RedisPrimary* const primary = by_partition_.at(partition);
  return primary != nullptr && primary->has_space_for(partition, bytes);
}

void RedisRouter::subscribe(std::string_view room) {
  if (RedisPrimary* const primary = primary_of(room)) primary->subscribe(room);
}

void RedisRouter::unsubscribe(std::string_view room) {
  if (RedisPrimary* const primary = primary_of(room)) primary->unsubscribe(room);
}

void RedisRouter::publish(RedisCallId call, Publish&& publish) {
  if (RedisPrimary* const primary = primary_of(publish.room))
    return primary->publish(call, std::move(publish));
  listener_->on_call_published(call, RedisFault{RedisFault::Code::not_primary, std::string(no_server), 0});
}

void RedisRouter::amend(RedisCallId call, Publish&& publish, const Amend& amend) {
  if (RedisPrimary* const primary = primary_of(publish.room))
    return primary->amend(call, std::move(publish), amend);
  listener_->on_call_published(call, RedisFault{RedisFault::Code::not_primary, std::string(no_server), 0});
}

void RedisRouter::sync(RedisCallId call, const Sync& sync) {
  if (RedisPrimary* const primary = primary_of(sync.room)) return primary->sync(call, sync);
  listener_->on_call_synced(call, RedisFault{RedisFault::Code::not_primary, std::string(no_server), 0});
}

void RedisRouter::restore(RedisCallId call, const Restore& restore) {
  if (RedisPrimary* const primary = primary_of(restore.room)) return primary->restore(call, restore);
  listener_->on_call_published(call, RedisFault{RedisFault::Code::not_primary, std::string(no_server), 0});
}

void RedisRouter::presence(RedisCallId call, const RedisPresenceCall& what) {
  if (RedisPrimary* const primary = by_partition_.at(what.partition())) return primary->presence(call, what);
  listener_->on_call_presence(call, RedisFault{RedisFault::Code::not_primary, std::string(no_server), 0});
}

}  // namespace roomcast::engine
