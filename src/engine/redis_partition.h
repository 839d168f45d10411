#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::engine {

/// Rooms are spread over 256 partitions. The keys of a partition have its tag in braces, so that in a cluster
/// they are all in one slot. The tags are chosen so that these slots are 64 apart: any split of the slots
/// between servers splits the partitions evenly. The same without a cluster, so that a move into one needs no
/// rewriting.
inline constexpr std::size_t redis_partitions = 256;

using RedisPartition = std::uint8_t;
using RedisPartitionSet = std::bitset<redis_partitions>;

/// By the 64 bits of FNV-1a of the name.
[[nodiscard]] RedisPartition redis_partition_of(std::string_view room);
/// The tag: one to four of 0-9 and a-z. Its slot, CRC16 modulo 16,384, is 64 * partition + 32.
[[nodiscard]] std::string_view redis_tag_of(RedisPartition partition);
/// Of a cluster.
[[nodiscard]] constexpr std::uint16_t redis_slot_of(RedisPartition partition) {
  return static_cast<std::uint16_t>(64 * partition + 32);
}

/// The names of a room's keys and of its channel: prefix, the partition's tag in braces, a letter for the
/// kind, and the room. Names of rooms may have braces: the tag's come first.
struct RedisKeys {
  RedisKeys(std::string_view prefix, std::string_view room_name);

  std::string term;  ///< `rc{tag}t`, one for the partition
  std::string room;

  [[nodiscard]] std::string meta() const { return of_room('m'); }    ///< a hash: where the log stands
  [[nodiscard]] std::string stream() const { return of_room('s'); }  ///< the log
  [[nodiscard]] std::string amended() const {
    return of_room('a');
  }  ///< a hash: what was removed or replaced
  [[nodiscard]] std::string presence() const {
    return of_room('p');
  }  ///< a hash: who is in the room, a field for each server
  [[nodiscard]] std::string channel() const { return of_room('c'); }
  /// `rc{tag}k:` and 32 hexadecimal digits of a digest of the room and the key.
  [[nodiscard]] std::string idempotency(std::string_view key) const;

 private:
  [[nodiscard]] std::string of_room(char kind) const;
};

}  // namespace roomcast::engine
