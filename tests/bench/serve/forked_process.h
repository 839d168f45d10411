#pragma once

#include <sys/types.h>

#include <functional>

namespace roomcast::bench {

/// A part of the tool in a process of its own, with a channel to the one that made it. Killed by the
/// destructor, and by the kernel should the tool die before.
class ForkedProcess {
 public:
  /// `work` runs in the new process, which ends when that returns: the tool's destructors and exit handlers
  /// do not run there. It must not throw. `channel` is one end of a SOCK_SEQPACKET pair, and the only
  /// descriptor above standard error that is open. Throws std::system_error.
  explicit ForkedProcess(const std::function<void(int channel)>& work);
  ForkedProcess(const ForkedProcess&) = delete;
  ForkedProcess& operator=(const ForkedProcess&) = delete;
  ~ForkedProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// This process's end; closed by the destructor.
  [[nodiscard]] int channel() const { return channel_; }

 private:
  pid_t pid_ = -1;
  int channel_ = -1;
};

}  // namespace roomcast::bench
