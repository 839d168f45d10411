#pragma once

#include <memory>

#include "net/byte_stream.h"

namespace roomcast::net {

/// Puts another stream over each one that a listener accepts.
class StreamWrapper {
 public:
  [[nodiscard]] virtual std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream) = 0;

 protected:
  ~StreamWrapper() = default;
};

}  // namespace roomcast::net
