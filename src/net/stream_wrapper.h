#pragma once

#include <memory>
#include <string_view>

#include "net/byte_stream.h"

namespace roomcast::net {

/// Puts another stream over each one that a listener accepts.
class StreamWrapper {
 public:
  /// `peer` is the client's address, for the log.
  [[nodiscard]] virtual std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream,
                                                         std::string_view peer) = 0;

 protected:
  ~StreamWrapper() = default;
};

}  // namespace roomcast::net
