#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/server_frame.h"

namespace roomcast::bench {

inline constexpr std::string_view text_type = "text/plain";
/// Near `limits.message_bytes`, in the envelope of every dialect.
inline constexpr std::size_t large_bytes = 64'000;

/// The bytes that attackers send, made before they are sent. All are well-formed unless said otherwise: what
/// a server refuses at once is no attack.

/// A WebSocket handshake for `path`; `deflate` offers permessage-deflate without context takeover.
[[nodiscard]] std::string upgrade_request(std::string_view path, bool json = false, bool deflate = false);
/// A request without a body. `fields` are whole header lines with their line ends.
[[nodiscard]] std::string bare_request(std::string_view method, std::string_view path,
                                       std::string_view fields = {});
/// POST with a whole body.
[[nodiscard]] std::string post_request(std::string_view path, std::string_view content_type,
                                       std::string_view body, std::string_view fields = {});
/// POST with a body of `bytes`, of which only the first half is there.
[[nodiscard]] std::string half_a_post(std::string_view path, std::size_t bytes);

/// Header lines of `bytes` in all, in lines of at most 1,000 bytes.
[[nodiscard]] std::string header_lines(std::size_t bytes);

/// A client's frame, `times` over.
[[nodiscard]] std::string frames(Opcode opcode, std::string_view payload, std::size_t times);
/// A client's frame with the compressed `message` (RFC 7692, no context taken over). Without `final` it is
/// the beginning of a message whose end does not come.
[[nodiscard]] std::string compressed_frame(Opcode opcode, std::string_view message, bool final = true);

/// The body of a batch with one message for all of `rooms`; `data` is JSON.
[[nodiscard]] std::string batch_for(const std::vector<std::string>& rooms, std::string_view data);
/// `prefix` with the numbers from `first`, `count` of them.
[[nodiscard]] std::vector<std::string> numbered(std::string_view prefix, std::uint64_t first,
                                                std::size_t count);

/// Names of 16 printable bytes that all have the same hash by the unseeded std::hash<std::string_view> of
/// libstdc++ on 64-bit machines (MurmurHash64A): for each first half that is tried, the second half that
/// leads to the same state is computed, and taken where it is printable. They need no escaping in JSON
/// strings.
class CollidingNames {
 public:
  [[nodiscard]] std::string next();

 private:
  std::uint32_t tried_ = 0;  ///< one in 3,600 is taken: enough for a million names
};

}  // namespace roomcast::bench
