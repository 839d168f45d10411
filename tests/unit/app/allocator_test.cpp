#include "app/allocator.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/allocation_count.h"

using namespace roomcast;

namespace {

struct End {
  int code = -1;  ///< of the exit; -1: a signal
  std::string said;
};

/// Runs `body` in a child that may map `more` bytes beyond what it has; what it says on standard error.
template <class Body>
End run_with_address_space(std::size_t more, const Body& body) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t space = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + more;
    const rlimit limit{space, space};
    ::setrlimit(RLIMIT_AS, &limit);
    ::_exit(body());
  }
  ::close(pipe[1]);
  End end;
  std::array<char, 1024> part{};
  for (ssize_t size = 0; (size = ::read(pipe[0], part.data(), part.size())) > 0;)
    end.said.append(part.data(), static_cast<std::size_t>(size));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  return end;
}

constexpr std::size_t space = std::size_t{64} << 20U;
constexpr std::size_t piece = 100'000;

/// Allocates until the reserve is used up.
std::vector<std::unique_ptr<std::string>> take_all() {
  std::vector<std::unique_ptr<std::string>> taken;
  taken.reserve(space / piece * 2);
  while (!app::EmergencyReserve::is_used_up())
    taken.push_back(std::make_unique<std::string>(piece, 'x'));
  return taken;
}

}  // namespace

// A sanitizer's allocator ends the process by itself, and has no use for a limited address space.
TEST_SUITE_BEGIN("allocator" * doctest::skip(!base::counts_allocations()));

TEST_CASE("allocator: the first failure is survived with the reserve, which can be restored") {
  const End end = run_with_address_space(space, [] {
    const app::EmergencyReserve reserve;
    if (app::EmergencyReserve::is_used_up()) return 10;
    auto taken = take_all();
    if (taken.size() < 100) return 11;
    taken.push_back(std::make_unique<std::string>(piece, 'x'));
    taken.clear();
    app::give_back_free_memory();
    if (!app::EmergencyReserve::restore() || app::EmergencyReserve::is_used_up()) return 12;
    return 0;
  });
  CHECK(end.code == 0);
  CHECK(end.said.empty());
}

TEST_CASE("allocator: the second failure ends the process with one line") {
  for (const bool by_malloc : {false, true}) {
    const End end = run_with_address_space(space, [by_malloc] {
      const app::EmergencyReserve reserve;
      auto taken = take_all();
      for (std::size_t i = 0; i < 1'000; ++i) {
        void* block = by_malloc ? std::malloc(piece) : ::operator new(piece);
        if (block == nullptr) return 20;
      }
      return 21;
    });
    CHECK(end.code == 1);
    CHECK(end.said.rfind("roomcast: out of memory: ", 0) == 0);
    CHECK(end.said.find("limits.memory_bytes") != std::string::npos);
    CHECK(end.said.find('\n') == end.said.size() - 1);
  }
}

TEST_CASE("allocator: where there is no reserve nothing is used up") {
  CHECK_FALSE(app::EmergencyReserve::is_used_up());
  CHECK(app::EmergencyReserve::restore());
}

TEST_SUITE_END();
