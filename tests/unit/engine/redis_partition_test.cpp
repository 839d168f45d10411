#include "engine/redis_partition.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

using namespace roomcast;

namespace redis_partition_test {

namespace {

/// CRC16 as Redis Cluster has it (XMODEM): polynomial 0x1021, from 0.
std::uint16_t crc16_of(std::string_view bytes) {
  std::uint16_t crc = 0;
  for (const char byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ (static_cast<unsigned char>(byte) << 8U));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 0x8000U) != 0 ? (crc << 1U) ^ 0x1021U : crc << 1U);
  }
  return crc;
}

}  // namespace

TEST_CASE("redis partitions: the slot of each tag is 64 p + 32, and no tag is there twice") {
  // The check value of the algorithm.
  CHECK(crc16_of("123456789") == 0x31C3);
  std::set<std::string_view> tags;
  for (std::size_t i = 0; i < engine::redis_partitions; ++i) {
    const auto partition = static_cast<engine::RedisPartition>(i);
    const std::string_view tag = engine::redis_tag_of(partition);
    CHECK(crc16_of(tag) % 16'384 == 64 * i + 32);
    CHECK(engine::redis_slot_of(partition) == 64 * i + 32);
    CHECK(tag.size() <= 4);
    CHECK(tag.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string_view::npos);
    tags.insert(tag);
  }
  CHECK(tags.size() == engine::redis_partitions);
}

TEST_CASE("redis partitions: all keys of a room have the tag of its partition, whatever its name") {
  for (const std::string_view room : {"lobby", "{odd}", "}c:", "a:b", ""}) {
    const engine::RedisKeys keys("rc", room);
    const std::string tag = "rc{" + std::string(engine::redis_tag_of(engine::redis_partition_of(room))) + "}";
    CHECK(keys.term == tag + "t");
    for (const std::string& key : {keys.meta(), keys.stream(), keys.amended(), keys.channel()}) {
      CHECK(key.starts_with(tag));
      CHECK(key.ends_with(":" + std::string(room)));
    }
    CHECK(keys.idempotency("k").starts_with(tag + "k:"));
  }
}

}  // namespace redis_partition_test
