#pragma once

#include "hub/encode_cache.h"

namespace roomcast::hub {

/// What a room delivers to. It knows messages, never sockets.
class Subscriber {
 public:
  /// Everything the room has for this subscriber in this turn, in order. It may queue references and mark
  /// itself dirty, nothing else: no publish, subscribe or unsubscribe from here (asserted by the hub).
  virtual void deliver(const Batch& batch, std::size_t from) = 0;

 protected:
  ~Subscriber() = default;
};

}  // namespace roomcast::hub
