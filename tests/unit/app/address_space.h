#pragma once

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "app/allocator.h"

namespace roomcast::test {

struct End {
  int code = -1;  ///< of the exit; -1: a signal
  std::string said;
};

/// Runs `body` in a child that may map `more` bytes beyond what it has; what it says on standard error.
template <class Body>
[[nodiscard]] End run_with_address_space(std::size_t more, const Body& body) {
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

inline constexpr std::size_t space = std::size_t{64} << 20U;
inline constexpr std::size_t piece = 100'000;

/// Allocates until the reserve is used up.
inline std::vector<std::unique_ptr<std::string>> take_all() {
  std::vector<std::unique_ptr<std::string>> taken;
  taken.reserve(space / piece * 2);
  while (!app::EmergencyReserve::is_used_up())
    taken.push_back(std::make_unique<std::string>(piece, 'x'));
  return taken;
}

}  // namespace roomcast::test
