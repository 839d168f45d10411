#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_object.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::jose {

/// What a verified token says. Of the claims of RFC 7519 section 4.1 those that say whether it is valid are
/// read. Times are seconds since 1970, rounded so that a token is never valid for longer than it says.
struct Claims {
  std::string issuer;                 ///< iss; empty: none
  std::vector<std::string> audience;  ///< aud
  std::optional<std::int64_t> expires_s;
  std::optional<std::int64_t> not_before_s;
  std::optional<std::int64_t> issued_s;
  /// The whole payload, which stays where it is when the claims are moved.
  std::unique_ptr<const std::string> json;
  base::JsonObject object;  ///< what `json` holds
};

/// What is expected of a token besides its signature.
struct Expectations {
  std::string issuer;                 ///< `iss` must be this; empty: any
  std::vector<std::string> audience;  ///< `aud` must contain one of these; empty: any
  std::int64_t leeway_s = 0;          ///< how far the clocks may be apart, >= 0
  std::int64_t now_s = 0;             ///< seconds since 1970
  bool require_expiry = false;        ///< refuse tokens without `exp`
};

/// Reads the claims of a payload, the text of which has been decoded. Refusals: bad_token for a payload that
/// is malformed.
[[nodiscard]] base::Result<Claims, base::Refusal> read_claims(std::string json);

/// Checks `iss`, `aud`, `exp`, `nbf` and `iat`. Refusals: wrong_issuer, wrong_audience, token_expired,
/// token_not_yet_valid, and bad_token if there is no `exp` where one is required.
[[nodiscard]] std::optional<base::Refusal> check_claims(const Claims& claims,
                                                        const Expectations& expectations);

}  // namespace roomcast::jose
