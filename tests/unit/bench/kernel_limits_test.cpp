#include "serve/kernel_limits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace roomcast::bench::kernel_limits_test {

TEST_CASE("the kernel's limits are read from this machine") {
  CHECK(available_bytes() > (1 << 20));
  CHECK(descriptor_limit() >= 64);
  CHECK(ports_to_connect_from() > 0);
  CHECK(ports_to_connect_from() <= 65535);
}

TEST_CASE("limits are named as sysctl names them, and have their values in one line") {
  const auto limits = kernel_limits();
  CHECK(limits.front().name == "RLIMIT_NOFILE (hard)");
  CHECK(limits.front().value == std::to_string(descriptor_limit()));
  const auto memory = std::find_if(limits.begin(), limits.end(),
                                   [](const KernelLimit& limit) { return limit.name == "net.ipv4.tcp_mem"; });
  REQUIRE(memory != limits.end());
  CHECK(std::count(memory->value.begin(), memory->value.end(), ' ') == 2);
  for (const KernelLimit& limit : limits) {
    CHECK_FALSE(limit.value.empty());
    CHECK(limit.value.find('\n') == std::string::npos);
  }
}

}  // namespace roomcast::bench::kernel_limits_test
