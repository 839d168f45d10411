#include "serve/forked_process.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace roomcast::bench {

namespace {

[[noreturn]] void be_the_process(int channel, const std::function<void(int)>& work, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
  close_range(3, static_cast<unsigned>(channel) - 1, 0);
  close_range(static_cast<unsigned>(channel) + 1, ~0U, 0);
  work(channel);
  // Not by way of exit(): what the tool has registered, and what its objects own, is the tool's.
  _exit(0);
}

}  // namespace

ForkedProcess::ForkedProcess(const std::function<void(int channel)>& work) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) be_the_process(ends[1], work, parent);
  const int error = errno;
  close(ends[1]);
  channel_ = ends[0];
  if (pid_ > 0) return;
  close(channel_);
  throw std::system_error(error, std::generic_category(), "fork");
}

ForkedProcess::~ForkedProcess() {
  close(channel_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace roomcast::bench
