#include "app/memory_limit.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_directory.h"

namespace memory_limit_test {

using namespace roomcast;
using app::MemoryCeiling;

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

/// A machine of 8 GiB with files below a directory.
struct Fixture {
  Fixture() { write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:  17 kB\n"); }
  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path(directory.file(name));
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  [[nodiscard]] MemoryCeiling ceiling(const app::ResourceLimits& limits = {}) const {
    return app::memory_ceiling(directory.file(""), limits);
  }
  void check(std::uint64_t bytes, const std::string& from) const {
    CHECK(ceiling().bytes == bytes);
    CHECK(ceiling().from == from);
  }

  test::TemporaryDirectory directory;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "memory limit: without any other it is the physical memory") {
  check(8 * gib, "physical memory");
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "max\n");
  check(8 * gib, "physical memory");
  write("sys/fs/cgroup/memory.max", std::to_string(9 * gib) + "\n");
  check(8 * gib, "physical memory");
}

TEST_CASE_FIXTURE(Fixture, "memory limit: none can be found at all") {
  std::filesystem::remove_all(directory.file("proc"));
  CHECK(ceiling().bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "memory limit: the process's own cgroup of version 2, and all above it") {
  write("proc/self/cgroup", "0::/a.slice/b.service\n");
  write("sys/fs/cgroup/a.slice/b.service/memory.max", std::to_string(700 * mib) + "\n");
  check(700 * mib, "cgroup memory.max");
  write("sys/fs/cgroup/a.slice/memory.max", std::to_string(600 * mib) + "\n");
  check(600 * mib, "cgroup memory.max");
  write("sys/fs/cgroup/memory.max", std::to_string(500 * mib) + "\n");
  check(500 * mib, "cgroup memory.max");
  write("sys/fs/cgroup/a.slice/b.service/memory.high", std::to_string(400 * mib) + "\n");
  check(400 * mib, "cgroup memory.high");
  write("sys/fs/cgroup/a.slice/b.service/memory.high", "max\n");
  check(500 * mib, "cgroup memory.max");
}

TEST_CASE_FIXTURE(Fixture, "memory limit: in a container whose path is the host's, what is mounted counts") {
  write("proc/self/cgroup", "0::/kubepods/pod1/container2\n");
  write("sys/fs/cgroup/memory.max", std::to_string(512 * mib) + "\n");
  check(512 * mib, "cgroup memory.max");
}

TEST_CASE_FIXTURE(Fixture, "memory limit: the memory controller of version 1") {
  write("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/abc\n0::/elsewhere\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1\n");
  check(8 * gib, "physical memory");
  write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", std::to_string(300 * mib) + "\n");
  check(300 * mib, "cgroup memory.limit_in_bytes");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(200 * mib) + "\n");
  check(200 * mib, "cgroup memory.limit_in_bytes");
}

TEST_CASE_FIXTURE(Fixture, "memory limit: files that hold something else are passed over") {
  write("proc/self/cgroup", "rubbish\n:\n0::\n12:memory\n");
  write("sys/fs/cgroup/memory.max", "many\n");
  check(8 * gib, "physical memory");
}

TEST_CASE_FIXTURE(Fixture, "memory limit: what setrlimit says, the address space less what is used already") {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  write("proc/self/statm", std::to_string(50 * mib / page) + " 3 2 1 0 5 0\n");
  const MemoryCeiling data = ceiling({UINT64_MAX, 300 * mib});
  CHECK(data.bytes == 300 * mib);
  CHECK(data.from == "RLIMIT_DATA");
  const MemoryCeiling space = ceiling({200 * mib, 300 * mib});
  CHECK(space.bytes == 150 * mib);
  CHECK(space.from == "RLIMIT_AS");
  CHECK(ceiling({10 * mib, UINT64_MAX}).bytes == 1);
}

TEST_CASE("memory limit: this machine has some") { CHECK(app::memory_ceiling("/", {}).bytes > mib); }

TEST_CASE("memory plan: 70 % of what there is, for history a quarter of that, for an address another") {
  const config::Config config;
  const app::MemoryPlan plan = app::plan_memory(config, {1'000'000'000, "somewhere"});
  CHECK(plan.memory_bytes == 700'000'000);
  CHECK(plan.history_bytes == 175'000'000);
  CHECK(plan.address_memory_bytes == 175'000'000);
  CHECK(plan.is_automatic);
  CHECK_FALSE(plan.is_past_ceiling);
  CHECK(app::plan_memory(config, {100 * gib, ""}).history_bytes == 256 * mib);
  CHECK(app::plan_memory(config, {}).memory_bytes > 700 * mib);
  CHECK(app::plan_memory(config, {1, ""}).memory_bytes == mib);
}

TEST_CASE("memory plan: what is configured counts, and is said to be too much") {
  config::Config config;
  config.limits.memory_bytes = 800 * mib;
  config.limits.address_memory_bytes = 17 * mib;
  config.history.total_bytes = 500 * mib;
  app::MemoryPlan plan = app::plan_memory(config, {800 * mib, "cgroup"});
  CHECK(plan.memory_bytes == 800 * mib);
  CHECK(plan.address_memory_bytes == 17 * mib);
  CHECK(plan.history_bytes == 500 * mib);
  CHECK_FALSE(plan.is_automatic);
  CHECK_FALSE(plan.is_past_ceiling);
  plan = app::plan_memory(config, {800 * mib - 1, "cgroup"});
  CHECK(plan.memory_bytes == 800 * mib);
  CHECK(plan.is_past_ceiling);
}

}  // namespace memory_limit_test
