#pragma once

#include <string>
#include <string_view>

#include "session/transport.h"

namespace roomcast::transport {

/// A format of endless answers: the wire form of units, and what surrounds them. Stateless, one object for
/// all clients.
class StreamContent : public session::Framing {
 public:
  virtual ~StreamContent() = default;
  /// Of the transport: in `?transport=`, the log and the metrics.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// For Accept and Content-Type.
  [[nodiscard]] virtual std::string_view media_type() const = 0;
  /// What a body begins with; may be empty, and may differ from client to client.
  [[nodiscard]] virtual std::string opening() const { return {}; }
  /// Content without a meaning, which keeps the connection in use.
  [[nodiscard]] virtual std::string_view heartbeat() const = 0;
};

}  // namespace roomcast::transport
