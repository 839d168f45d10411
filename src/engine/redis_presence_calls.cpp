#include "engine/redis_presence_calls.h"

#include <array>

#include "redis/command.h"

namespace roomcast::engine {

namespace {

std::string_view name_of(RedisPresenceCall::What what) {
  constexpr std::array<std::string_view, 3> names{"announce", "drop", "read"};
  return names.at(static_cast<std::size_t>(what));
}

}  // namespace

std::string RedisPresenceCall::command(std::string_view prefix, std::string_view sha1,
                                       std::string_view publish) const {
  std::string bytes;
  if (what == What::lease) {
    const std::string key = std::string(prefix) + '{' + std::string(redis_tag_of(lease_partition)) + "}n:";
    redis::CommandWriter writer(bytes, 4 + others.size() + 1);
    writer.add("EVALSHA").add(sha1).add(std::uint64_t{1 + others.size()});
    writer.add(key + node);
    for (const std::string& other : others)
      writer.add(key + other);
    writer.add(lease_seconds);
    return bytes;
  }
  const RedisKeys keys(prefix, room);
  redis::CommandWriter writer(bytes, 11);
  writer.add("EVALSHA").add(sha1).add(std::uint64_t{1}).add(keys.presence());
  writer.add(name_of(what)).add(node).add(value).add(field_seconds);
  writer.add(publish).add(keys.channel()).add(news);
  return bytes;
}

base::Result<RedisPresenceAnswer, RedisFault> read_presence_answer(const redis::Value& reply) {
  if (reply.is_error()) return read_redis_fault(reply.text);
  if (!reply.is_list())
    return RedisFault{RedisFault::Code::garbled, "an answer that roomcast does not know", 0};
  RedisPresenceAnswer texts;
  texts.reserve(reply.items.size());
  for (const redis::Value& item : reply.items)
    texts.push_back(item.text);
  return texts;
}

}  // namespace roomcast::engine
