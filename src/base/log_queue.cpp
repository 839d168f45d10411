#include "base/log_queue.h"

#include <algorithm>
#include <chrono>

namespace roomcast::base {

namespace {

// Memory beyond this is released after a burst.
constexpr std::size_t kept_capacity_bytes = 131'072;

}  // namespace

void LogQueue::add(std::string_view line) {
  if (full_ || bytes() + line.size() > bytes_max_) {
    full_ = true;
    ++dropped_;
    ++unreported_;
    return;
  }
  append(line);
}

void LogQueue::add_notice(std::string_view line, std::uint64_t lost) {
  append(line);
  notice_end_ = waiting_.size();
  notice_lost_ = lost;
  unreported_ -= lost;
}

void LogQueue::append(std::string_view line) {
  if (is_torn_) waiting_ += '\n';
  is_torn_ = false;
  waiting_ += line;
}

void LogQueue::write_out() {
  while (bytes() > 0) {
    const auto taken = output_.write(std::string_view(waiting_).substr(written_));
    if (!taken) return lose_all();
    if (*taken == 0) break;
    written_ += *taken;
    is_mid_line_ = waiting_[written_ - 1] != '\n';
  }
  forget_written();
  if (bytes() <= bytes_max_ / 2) full_ = false;
}

void LogQueue::write_out_within(int ms) {
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + std::chrono::milliseconds(ms);
  for (;;) {
    write_out();
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()).count();
    if (bytes() == 0 || left <= 0 || !output_.wait(static_cast<int>(left))) return;
  }
}

void LogQueue::lose_all() {
  const std::string_view rest = std::string_view(waiting_).substr(written_);
  auto lines = static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
  if (rest.front() == '\n') --lines;  // the line break after a torn line; no line is empty
  if (notice_end_ > written_) {
    --lines;  // the notice is not a line of the caller
    unreported_ += notice_lost_;
  }
  dropped_ += lines;
  unreported_ += lines;
  written_ = waiting_.size();
  forget_written();
  is_torn_ = is_mid_line_;
  full_ = false;
}

void LogQueue::forget_written() {
  if (notice_end_ <= written_) notice_end_ = 0;
  if (written_ == waiting_.size()) {
    waiting_.clear();
    if (waiting_.capacity() > kept_capacity_bytes) waiting_.shrink_to_fit();
    written_ = 0;
  } else if (written_ > waiting_.size() / 2) {
    waiting_.erase(0, written_);
    if (notice_end_ > 0) notice_end_ -= written_;
    written_ = 0;
  }
}

}  // namespace roomcast::base
