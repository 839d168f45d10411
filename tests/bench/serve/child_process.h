#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace roomcast::bench {

/// A program that runs below the tool and ends with it: killed, with all that it started itself, by the
/// destructor, and by the kernel should the tool die before.
class ChildProcess {
 public:
  /// Where what it prints goes: into a file in memory, or into a pipe that is not read and so fills up.
  enum class Output { kept, unread };

  /// Runs `command`, found in PATH unless its first word has a slash, on `cpu` (-1: anywhere), with as
  /// many descriptors as it may have. Throws std::runtime_error when no process can be made; a program that
  /// does not exist ends at once and says so.
  ChildProcess(const std::vector<std::string>& command, int cpu, Output output = Output::kept);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// What it has printed so far, on standard output and standard error; nothing when that is not kept. Both
  /// are a file in memory: a program that logs much never waits for a reader. At most the first
  /// `max_output_bytes` are given.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] bool has_ended();

  static constexpr std::size_t max_output_bytes = 65536;

 private:
  pid_t pid_ = -1;
  int output_ = -1;  ///< the file, or the end of the pipe that would be read from
  bool ended_ = false;
};

/// Raises the calling process's limit of open descriptors as far as it may.
void allow_many_descriptors();

/// Binds the calling process to one CPU; does nothing for -1 or when there is no such CPU.
void pin_to_cpu(int cpu);

}  // namespace roomcast::bench
