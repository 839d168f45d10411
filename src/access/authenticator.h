#pragma once

#include <functional>
#include <string_view>

#include "access/identity.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::access {

/// Finds out who a client is by the token that it shows.
class Authenticator {
 public:
  using Done = std::function<void(const base::Result<Identity, base::Refusal>&)>;
  /// `token`: a token (RFC 7519) or an API key; it is copied where it is needed later. `done` is called once,
  /// from within the call or within a few seconds: keys may have to be fetched first.
  virtual void authenticate(std::string_view token, Done done) = 0;

 protected:
  ~Authenticator() = default;
};

}  // namespace roomcast::access
