#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log_output.h"

namespace roomcast::base {

/// Lines on their way to an output that may take none for a while. What does not fit is dropped, the newest
/// first so that the order stays, and counted. After a drop nothing is taken until half of the room is free
/// again: one gap is better than many, and it is told of once.
class LogQueue {
 public:
  /// At most `bytes_max` bytes wait. The output outlives the queue.
  LogQueue(LogOutput& output, std::size_t bytes_max) : output_(output), bytes_max_(bytes_max) {}
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;
  ~LogQueue() = default;

  /// Takes a line with its line break.
  void add(std::string_view line);
  /// Takes a line that tells of `lost` lines, all that `untold` says. If it is lost itself, they count again.
  void add_notice(std::string_view line, std::uint64_t lost);

  /// Writes as much as the output takes now. What it can't take at all is lost, and counted.
  void write_out();
  /// The same, but waits for the output for at most `ms` milliseconds in all.
  void write_out_within(int ms);

  /// Bytes that wait.
  [[nodiscard]] std::size_t bytes() const { return waiting_.size() - written_; }
  /// Lines lost so far.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// Lines lost that no notice has told of; 0 as long as there is no room for one.
  [[nodiscard]] std::uint64_t untold() const { return full_ ? 0 : untold_; }

 private:
  void append(std::string_view line);
  void lose_all();
  void forget_written();

  LogOutput& output_;
  std::size_t bytes_max_;
  std::string waiting_;
  std::size_t written_ = 0;   // bytes at its front that have gone
  bool full_ = false;         // lines are dropped until half of the room is free
  bool is_mid_line_ = false;  // the output has seen a part of a line
  bool is_torn_ = false;      // and the rest of it was lost
  std::uint64_t dropped_ = 0;
  std::uint64_t untold_ = 0;
  // The last notice: where it ends in waiting_ (0: it has gone), and what it tells of.
  std::size_t notice_end_ = 0;
  std::uint64_t notice_lost_ = 0;
};

}  // namespace roomcast::base
