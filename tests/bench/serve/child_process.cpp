#include "serve/child_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace roomcast::bench {

namespace {

std::runtime_error failed(const char* what) {
  return std::runtime_error(std::string(what) + ": " + std::generic_category().message(errno));
}

[[noreturn]] void become(const std::vector<char*>& arguments, int cpu, int output, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  pin_to_cpu(cpu);
  allow_many_descriptors();
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  _exit(127);
}

}  // namespace

void allow_many_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void pin_to_cpu(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, int cpu, Output output) {
  int written = -1;
  if (output == Output::kept) {
    written = output_ = memfd_create("output", MFD_CLOEXEC);
    if (output_ < 0) throw failed("memfd_create");
  } else {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw failed("pipe2");
    output_ = ends[0];
    written = ends[1];
  }
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments, cpu, written, parent);
  const auto error = failed("fork");
  if (written != output_) close(written);
  if (pid_ < 0) {
    close(output_);
    throw error;
  }
  setpgid(pid_, pid_);  // both processes do it: the group must exist before it is killed
}

ChildProcess::~ChildProcess() {
  // The group, because a server's own children may outlive it.
  kill(-pid_, SIGKILL);
  if (!ended_) waitpid(pid_, nullptr, 0);
  close(output_);
}

std::string ChildProcess::output() const {
  std::string text(max_output_bytes, '\0');
  const ssize_t size = pread(output_, text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

bool ChildProcess::has_ended() {
  if (!ended_) ended_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
  return ended_;
}

}  // namespace roomcast::bench
