#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/author.h"
#include "hub/node_members.h"

namespace roomcast::engine {

// What servers tell each other of their members of a room, in bytes; numbers are little endian.

/// The field that a server has in the room's presence hash:
///
///     format u8 (1) | version u64 | named u32 | nameless u32 | names
///
/// Names are a count u32 and for each: bytes of the name u16, bytes of the principal u8, both texts. There
/// are none if only their number is told.
struct RedisPresenceField {
  /// What is compared to find out whether it still is the same one: format and version.
  static constexpr std::size_t head_bytes = 9;

  std::uint64_t version = 0;  ///< grows with each write of this server
  hub::NodeMembers members{};
};
[[nodiscard]] std::string encode(const RedisPresenceField& field);
/// Nothing if the bytes are not one, or of a format that is not known here.
[[nodiscard]] std::optional<RedisPresenceField> read_redis_presence_field(std::string_view bytes);

/// A change, as it is distributed over the room's channel, where nothing else begins with `p:`.
///
///     p: | format u8 (1) | kind u8 | node u64 | before u64 | version u64 | named u32 | nameless u32 |
///     names that joined | names that left
struct RedisPresenceNews {
  enum class What : std::uint8_t {
    all = 1,      ///< `joined` are all
    changed = 2,  ///< to what there was in version `before`
    dropped = 3,  ///< somebody has removed the field of `node`, which seemed to be gone
  };
  What what = What::all;
  std::uint64_t node = 0;
  std::uint64_t before = 0;
  std::uint64_t version = 0;
  std::size_t named = 0;
  std::size_t nameless = 0;
  std::vector<hub::Author> joined{};
  std::vector<hub::Author> left{};
};
inline constexpr std::string_view redis_presence_prefix = "p:";
[[nodiscard]] std::string encode(const RedisPresenceNews& news);
[[nodiscard]] std::optional<RedisPresenceNews> read_redis_presence_news(std::string_view bytes);

/// Sets `news.joined` and `news.left` to what has changed between two lists in the order of ByMember.
void find_changes(const std::vector<hub::Author>& before, const std::vector<hub::Author>& after,
                  RedisPresenceNews& news);

/// A server's number as the name of a field: 16 hexadecimal digits.
[[nodiscard]] std::string redis_node_name(std::uint64_t node);
[[nodiscard]] std::optional<std::uint64_t> read_redis_node_name(std::string_view name);

}  // namespace roomcast::engine
