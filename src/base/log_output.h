#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace roomcast::base {

/// Where log lines go. Never blocks but in `wait`.
class LogOutput {
 public:
  /// Takes what goes at once of `bytes`, which are not empty: how many it took, 0 if none for now. Nothing if
  /// they can't be written: a full disk, a closed pipe.
  [[nodiscard]] virtual std::optional<std::size_t> write(std::string_view bytes) = 0;
  /// Waits until it takes more; false if it does not within `ms` milliseconds.
  virtual bool wait(int ms) = 0;

 protected:
  ~LogOutput() = default;
};

/// Standard error, or another descriptor that was inherited.
///
/// Such a descriptor is in blocking mode, and O_NONBLOCK must not be set on it: that is a flag of the open
/// file description, which the shell and everybody else who has this terminal or pipe shares. So:
/// - a socket (the journal's) is written with MSG_DONTWAIT;
/// - a pipe or terminal is opened once more through /proc/self/fd, which gives a description of our own, in
///   non-blocking mode (libuv does the same with terminals);
/// - where that is not allowed (a pipe of another user's, no /proc) it is polled and given at most PIPE_BUF
///   bytes, which a pipe that polls writable takes at once, unless another process fills it in between;
/// - a regular file is just written: the page cache takes it, and no call for files can be told not to wait.
///
/// A thread that does blocking writes would do for all of these. It was refused because the loop would pay
/// for it: in a process with a second thread glibc's send, recv and epoll_wait do more around each system
/// call (a recv that finds nothing took 10 to 18 % longer where it was measured), and a thread that hangs in
/// write() can't be joined at the end.
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
