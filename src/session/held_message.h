#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "base/deadlines.h"
#include "hub/message.h"
#include "session/session.h"

namespace roomcast::session {

/// The message of a client that sends faster than it may and has no words to be told so: it waits here, and
/// nothing more is read, until it may be published.
struct Session::HeldMessage final : base::Deadline::Listener {
  HeldMessage(Session& owner, base::Deadlines& deadlines) : session(owner), deadline(deadlines, *this) {}

  void on_deadline() override { session.publish_held(); }
  [[nodiscard]] static std::int64_t time_for(std::uint32_t retry_ms) {
    return std::min<std::int64_t>(retry_ms, wait_max_ms) + patience_ms;
  }
  void wait(std::uint32_t retry_ms, std::int64_t now_ms) {
    deadline.set_in(std::min<std::int64_t>(retry_ms, give_up_ms - now_ms));
  }
  void note_free_message(std::int64_t now_ms) {
    if (now_ms - published_ms >= break_ms) give_up_ms = 0;
  }
  void stop() {
    deadline.clear();
    payload = {};
  }

  /// How long a client may send faster than it may without a break, besides what its first message has to
  /// wait, of which `wait_max_ms` counts at most: then it is closed with rate_limited.
  static constexpr std::int64_t patience_ms = 30'000;
  static constexpr std::int64_t wait_max_ms = 60'000;
  /// A message that need not wait is a break if the last one that had to was published so long ago: waits end
  /// a little late, and until then there is place for a few.
  static constexpr std::int64_t break_ms = 1'000;

  Session& session;
  base::Deadline deadline;
  hub::Kind kind = hub::Kind::text;
  base::Bytes payload;
  std::int64_t give_up_ms = 0;    ///< monotonic; 0: there was a break since its last message was held back
  std::int64_t published_ms = 0;  ///< monotonic: when that was published
};

}  // namespace roomcast::session
