#pragma once

#include <array>
#include <cstdint>

namespace roomcast::http {

/// What the metrics read.
struct HttpStats {
  std::array<std::uint64_t, 6> answers{};  ///< by class of status: [1] 1xx (upgrades), [2] 2xx … [5] 5xx
  std::uint64_t bad_requests = 0;  ///< refused before any handler saw them: malformed, or past a limit
  std::uint64_t timeouts = 0;      ///< deadlines passed: head, body, idle, or a client that does not read
};

}  // namespace roomcast::http
