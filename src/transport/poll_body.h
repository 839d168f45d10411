#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/deadlines.h"
#include "base/time_budget.h"
#include "http/message.h"
#include "hub/message.h"
#include "hub/subscriber.h"

namespace roomcast::transport {

/// What a poll has to say.
struct PollResult {
  std::string_view room;
  hub::Position cursor;         ///< where to go on
  std::optional<hub::Gap> gap;  ///< what was asked for is not all there
  base::Bytes items;  ///< JSON objects with a comma before each (dialect::MessageList); may be empty
};

/// Writes the answers of polls: `{"room","cursor","gap","messages"}`. Thousands of polls that waited for the
/// same messages share their bytes, however long they are. Short bodies, and what is compressed, are made
/// once for all: the last one is kept for a moment, known again by its items, which the room's batch encodes
/// once.
class PollBodies final : private base::Deadline::Listener {
 public:
  /// `compressing`: the time there is for it; what is more goes uncompressed.
  PollBodies(base::Deadlines& deadlines, base::TimeBudget& compressing)
      : compressing_(compressing), forget_(deadlines, *this) {}
  PollBodies(const PollBodies&) = delete;
  PollBodies& operator=(const PollBodies&) = delete;

  /// Sets the content of `response`, and says how it is coded. `gzip`: the client accepts it. Bodies that are
  /// small, or too large (see compressing.h), are left as they are all the same.
  void write(const PollResult& result, bool gzip, http::Response& response);

 private:
  struct Kept {
    base::Bytes items;
    std::optional<hub::Gap> gap;
    base::Bytes before_items;
    base::Bytes whole;    // empty: too long to be put together
    base::Bytes gzipped;  // empty: not asked for yet
  };
  void on_deadline() override { last_ = {}; }
  void keep(const PollResult& result);
  [[nodiscard]] bool gzip_last();

  base::TimeBudget& compressing_;
  Kept last_;
  const base::Bytes behind_items_ = base::Bytes::copy_of("]}\n");
  base::Deadline forget_;
};

}  // namespace roomcast::transport
