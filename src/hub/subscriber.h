#pragma once

#include <cstddef>

#include "hub/encode_cache.h"

namespace roomcast::hub {

/// What a room delivers to. It knows messages, never sockets.
class Subscriber {
 public:
  /// Messages [from, batch.messages().size()) are what the room has for this subscriber now, in order. It may
  /// queue references and mark itself dirty and nothing else: no publish, subscribe or unsubscribe from here
  /// (asserted by the room), so that no room changes while it is walked.
  virtual void deliver(Batch& batch, std::size_t from) = 0;

 protected:
  ~Subscriber() = default;
};

}  // namespace roomcast::hub
