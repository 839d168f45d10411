#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/problem.h"

namespace roomcast::http {

/// What holds for every request and every answer of a server, whoever handles it: requests that no handler
/// may see, and which page of another origin may read an answer (CORS).
class RequestPolicy {
 public:
  /// Why no handler may see `request`, whose client is known; nothing if there is no reason.
  [[nodiscard]] virtual std::optional<Problem> objection(const Request& request) const = 0;
  /// Whether there is any other origin whose pages may read answers.
  [[nodiscard]] virtual bool has_readers() const = 0;
  /// The Origin of `request` as it was sent, if its page may read the answer; empty otherwise. Looks at that
  /// field only, so the request need not be whole.
  [[nodiscard]] virtual std::string reader_of(const Request& request) const = 0;
  /// Adds to `headers`, of the answer to `request`, what lets `reader` read it, if it is not there already.
  /// `reader` may be empty; of the request only the method and what is still there of its fields counts.
  virtual void complete(const Request& request, std::string_view reader, Headers& headers) const = 0;

 protected:
  ~RequestPolicy() = default;
};

}  // namespace roomcast::http
