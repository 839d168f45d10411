#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"
#include "hub/message.h"
#include "hub/refusal.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

/// The acknowledgement of a publish.
struct Receipt {
  Position position;
  std::size_t subscribers = 0;  ///< members of the room on this server at that moment
  bool duplicate = false;       ///< published earlier under the same key (see idempotent_publisher.h)
  bool durable = false;         ///< see Published::is_durable
  std::size_t nodes = 0;        ///< see Published::nodes
};
using PublishResult = base::Result<Receipt, Refusal>;
/// Called once, at the end of a turn, never from within publish. Keep ids in it, not pointers.
using PublishDone = std::function<void(const PublishResult&)>;
using HistoryResult = base::Result<HistoryPage, Refusal>;
/// Called once, perhaps from within the call that asked. Keep ids in it, not pointers.
using HistoryDone = std::function<void(const HistoryResult&)>;

}  // namespace roomcast::hub
