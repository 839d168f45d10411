#pragma once

#include <string>

namespace roomcast::bench {

/// A line or two: processor, kernel, and the versions of the servers that are here.
[[nodiscard]] std::string describe_machine();

}  // namespace roomcast::bench
