#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace roomcast::base {

/// The destination of log lines. Only `wait` may block.
class LogOutput {
 public:
  /// Writes as much of `bytes`, which are not empty, as is possible without waiting, and returns the number
  /// of bytes, 0 if none. Nothing if writing fails: a full disk, a closed pipe.
  [[nodiscard]] virtual std::optional<std::size_t> write(std::string_view bytes) = 0;
  /// Waits until it can take more; false if it cannot within `ms` milliseconds.
  virtual bool wait(int ms) = 0;

 protected:
  ~LogOutput() = default;
};

/// Standard error, or another inherited descriptor.
///
/// Such a descriptor is in blocking mode, and O_NONBLOCK must not be set on it: that is a flag of the open
/// file description, which is shared with the shell and all other users of the terminal or pipe. So:
/// - a socket (the journal's) is written with MSG_DONTWAIT;
/// - a pipe or terminal is reopened through /proc/self/fd, which creates a description of our own in
///   non-blocking mode (libuv does the same with terminals);
/// - where that is not allowed (a pipe of another user, no /proc) the descriptor is polled and given at most
///   PIPE_BUF bytes, which a writable pipe takes without blocking, unless another process fills it in
///   between;
/// - a regular file is simply written: the page cache takes the data, and files have no non-blocking mode.
///
/// A thread with blocking writes would serve for all of these. It was rejected because the loop would pay for
/// it: in a process with a second thread glibc's send, recv and epoll_wait do more work around each system
/// call (a recv that finds nothing took 10 to 18 % longer in a measurement), and a thread that is blocked in
/// write() cannot be joined at exit.
class DescriptorOutput final : public LogOutput {
 public:
  /// Does not own `fd`.
  explicit DescriptorOutput(int fd);
  DescriptorOutput(const DescriptorOutput&) = delete;
  DescriptorOutput& operator=(const DescriptorOutput&) = delete;
  ~DescriptorOutput();

  [[nodiscard]] std::optional<std::size_t> write(std::string_view bytes) override;
  bool wait(int ms) override;

  /// Whether JOURNAL_STREAM (systemd.exec(5)) says that this descriptor is the journal's.
  [[nodiscard]] bool is_journal() const { return is_journal_; }

 private:
  enum class Way : std::uint8_t { plain, socket, reopened, polled };

  int fd_;
  Way way_ = Way::plain;
  bool is_journal_ = false;
};

}  // namespace roomcast::base
