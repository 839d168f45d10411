#pragma once

#include <string>
#include <string_view>

#include "load/target.h"

namespace roomcast::bench {

/// What came for a request; status 0 when no whole answer did.
struct Answer {
  int status = 0;
  std::string body;
};

/// One request on a connection of its own, waited for at most `patience_ms`. Nothing that goes wrong is an
/// error: the answer is missing then. The answer to HEAD has no body, which this cannot know: do not ask so.
[[nodiscard]] Answer ask(const Target& target, std::string_view request, int patience_ms = 10'000);

}  // namespace roomcast::bench
