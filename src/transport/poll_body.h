#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/deadlines.h"
#include "base/frame.h"
#include "hub/message.h"
#include "hub/subscriber.h"

namespace roomcast::transport {

/// What a poll has to say.
struct PollResult {
  std::string_view room;
  hub::Position cursor;         ///< where to go on
  std::optional<hub::Gap> gap;  ///< what was asked for is not all there
  base::FrameRef items;  ///< JSON objects with a comma before each (dialect::MessageList); may be empty
};

/// Writes the answers of polls: `{"room","cursor","gap","messages"}`. Thousands who waited for the same
/// message get the same bytes, compressed once: the last body is kept for a moment, known again by its items,
/// which the room's batch encodes once.
class PollBodies final : private base::Deadline::Listener {
 public:
  explicit PollBodies(base::Deadlines& deadlines) : deadlines_(deadlines), forget_(deadlines, *this) {}
  PollBodies(const PollBodies&) = delete;
  PollBodies& operator=(const PollBodies&) = delete;

  struct Body {
    base::FrameRef bytes;
    bool gzipped = false;
  };
  /// `gzip`: the client accepts it. Bodies that are small, or so large that compressing them would hold up
  /// everybody else, are left as they are all the same, and so are those that come when as much has just been
  /// compressed as there is time for.
  [[nodiscard]] Body make(const PollResult& result, bool gzip);

 private:
  struct Kept {
    base::FrameRef items;
    std::optional<hub::Gap> gap;
    base::FrameRef plain;
    base::FrameRef gzipped;  // empty: not asked for yet
  };
  void on_deadline() override { last_ = {}; }
  [[nodiscard]] bool has_time_for(std::size_t bytes);

  base::Deadlines& deadlines_;
  Kept last_;
  std::size_t gzip_allowance_ = 0;  // bytes that may be compressed as of then
  std::int64_t allowance_at_ms_ = std::numeric_limits<std::int64_t>::min();
  base::Deadline forget_;
};

}  // namespace roomcast::transport
