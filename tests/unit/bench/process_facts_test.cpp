#include "serve/process_facts.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <vector>

#include "serve/child_process.h"

namespace roomcast::bench::process_facts_test {

namespace {

/// Keeps the CPU busy until this process has used `ns` more of it.
void work_for(std::int64_t ns) {
  const std::int64_t end = cpu_ns(getpid()) + ns;
  while (cpu_ns(getpid()) < end) {
  }
}

constexpr pid_t nobody = 1 << 22;  // one more than Linux ever gives

}  // namespace

TEST_CASE("the CPU time of a process is what the process itself is told") {
  work_for(1'000'000);
  timespec before{};
  timespec after{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  const std::int64_t told = cpu_ns(getpid());
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  CHECK(told >= std::int64_t{before.tv_sec} * 1'000'000'000 + before.tv_nsec);
  CHECK(told <= std::int64_t{after.tv_sec} * 1'000'000'000 + after.tv_nsec);
}

TEST_CASE("what a process below the process uses counts too") {
  const std::int64_t before = cpu_ns(getpid());
  // It ends by itself, because nobody ends it when this program is killed.
  constexpr const char* busy =
      "sh -c 'i=0; while [ $i -lt 2000000 ]; do i=$((i + 1)); done' & echo started; wait";
  ChildProcess child({"sh", "-c", busy}, -1);
  while (child.output().empty()) {
  }
  const std::int64_t own = cpu_ns(child.pid());
  while (cpu_ns(child.pid()) < own + 5'000'000) {
  }
  CHECK(cpu_ns(getpid()) >= before + 5'000'000);
}

TEST_CASE("memory that is written to becomes resident") {
  constexpr std::int64_t size = 16 * 1024 * 1024;
  const std::int64_t before = resident_bytes(getpid());
  const std::int64_t counted_before = counted_bytes(getpid());
  REQUIRE(before > 0);
  REQUIRE(counted_before > 0);
  const auto memory = std::make_unique<std::vector<char>>(size, 'x');
  const std::int64_t grown = resident_bytes(getpid()) - before;
  CHECK(grown >= size);
  // What each CPU may not have entered into the books yet.
  CHECK(counted_bytes(getpid()) - counted_before >= size - size / 4);
  CHECK(grown < 2 * size);  // allocators that look for mistakes keep books of their own
}

TEST_CASE("a process that does not exist has no facts") {
  CHECK(cpu_ns(nobody) == -1);
  CHECK(resident_bytes(nobody) == -1);
  CHECK(counted_bytes(nobody) == -1);
  CHECK(cpu_ns(0) == -1);
  CHECK(resident_bytes(0) == -1);
}

TEST_CASE("the kernel's memory for sockets is known") { CHECK(kernel_socket_bytes() > 0); }

}  // namespace roomcast::bench::process_facts_test
