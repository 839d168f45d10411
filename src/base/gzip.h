#pragma once

#include <string>
#include <string_view>

namespace roomcast::base {

/// `bytes` compressed to one gzip file (RFC 1952). Throws std::bad_alloc when out of memory.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace roomcast::base
