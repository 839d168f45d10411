#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log_output.h"

namespace roomcast::base {

/// Lines for an output that may take none for a while. Lines that do not fit are dropped, the newest first so
/// that the order is kept, and counted. After a drop no line is accepted until half of the space is free: one
/// gap is better than many, and is reported once.
class LogQueue {
 public:
  /// `bytes_max`: bound of the queued bytes. The output outlives the queue.
  LogQueue(LogOutput& output, std::size_t bytes_max) : output_(output), bytes_max_(bytes_max) {}
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;
  ~LogQueue() = default;

  /// Queues a line, which includes its line break.
  void add(std::string_view line);
  /// Queues a notice of `lost` lines, all of `unreported()`. If the notice is lost itself, they count as
  /// unreported again.
  void add_notice(std::string_view line, std::uint64_t lost);

  /// Writes as much as the output takes now. Lines that it fails to write are lost, and counted.
  void write_out();
  /// Like write_out, but waits for the output, at most `ms` milliseconds in total.
  void write_out_within(int ms);

  /// Queued bytes.
  [[nodiscard]] std::size_t bytes() const { return waiting_.size() - written_; }
  /// The number of lines lost so far.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// The number of lost lines that no notice has reported; 0 while there is no room for a notice.
  [[nodiscard]] std::uint64_t unreported() const { return full_ ? 0 : unreported_; }

 private:
  void append(std::string_view line);
  void lose_all();
  void forget_written();

  LogOutput& output_;
  std::size_t bytes_max_;
  std::string waiting_;
  std::size_t written_ = 0;   // bytes at its front that have been written
  bool full_ = false;         // lines are dropped until half of the space is free
  bool is_mid_line_ = false;  // part of a line has been written
  bool is_torn_ = false;      // and the rest of it was lost
  std::uint64_t dropped_ = 0;
  std::uint64_t unreported_ = 0;
  // The last notice: its end in waiting_ (0: written), and the number of lines it reports.
  std::size_t notice_end_ = 0;
  std::uint64_t notice_lost_ = 0;
};

}  // namespace roomcast::base
