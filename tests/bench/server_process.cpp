#include "server_process.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace roomcast::bench {

void pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

ServerProcess::ServerProcess(const std::vector<std::string>& command, int cpu) {
  std::array<int, 2> pipe_ends{};
  if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("pipe failed");
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    pin_to_cpu(cpu);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[0]);
    std::vector<char*> arguments;
    for (const std::string& part : command)
      arguments.push_back(const_cast<char*>(part.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    std::perror(arguments[0]);
    _exit(127);
  }
  close(pipe_ends[1]);
  errors_ = pipe_ends[0];
  const std::string mark = "http://127.0.0.1:";
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const std::size_t at = text.find(mark);
    if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
      port_ = static_cast<std::uint16_t>(std::atoi(text.c_str() + at + mark.size()));
      return;
    }
    const ssize_t size = read(errors_, buffer.data(), buffer.size());
    if (size <= 0) throw std::runtime_error("the server did not start: " + text);
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

ServerProcess::~ServerProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(errors_);
}

std::int64_t ServerProcess::cpu_ns() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/schedstat");
  std::int64_t on_cpu_ns = 0;
  file >> on_cpu_ns;
  return on_cpu_ns;
}

}  // namespace roomcast::bench
