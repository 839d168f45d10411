#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/refusal.h"

namespace roomcast::base {

/// The refusals that clients have been given, counted by code, and a few log lines a second of those that
/// have to do with who the client is or how much it asks for. Noted where a refusal becomes an answer: in
/// http::Connection, session::Session and api::PublishBatch.
class RefusalTally {
 public:
  /// Lines a second; further refusals are counted in the next line.
  static constexpr std::uint32_t lines_per_second = 5;

  RefusalTally() = default;
  RefusalTally(const RefusalTally&) = delete;
  RefusalTally& operator=(const RefusalTally&) = delete;

  /// Both outlive this. Without them nothing is logged.
  void set_log(Log& log, const Clock& clock) {
    log_ = &log;
    clock_ = &clock;
  }
  /// For the log: `address` of the client, and `principal`, which it has proven to be; empty: nothing.
  void note(Refusal::Code code, std::string_view address, std::string_view principal) {
    ++counts_.at(static_cast<std::size_t>(code));
    if (log_ != nullptr && is_logged(code)) log(code, address, principal);
  }
  [[nodiscard]] std::uint64_t count(Refusal::Code code) const {
    return counts_.at(static_cast<std::size_t>(code));
  }

 private:
  [[nodiscard]] static bool is_logged(Refusal::Code code);
  void log(Refusal::Code code, std::string_view address, std::string_view principal);

  std::array<std::uint64_t, static_cast<std::size_t>(Refusal::Code::count_)> counts_{};
  Log* log_ = nullptr;
  const Clock* clock_ = nullptr;
  std::int64_t second_ = -1;  // the last one with a line
  std::uint32_t lines_ = 0;   // in it
  std::uint64_t left_out_ = 0;
};

}  // namespace roomcast::base
