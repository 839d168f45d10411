#include "access/claims.h"
namespace roomcast::access {
base::Result<Profile, base::Refusal> profile_from_claims(std::string_view /*payload_json*/) {
  return base::Refusal{};
}
}  // namespace roomcast::access
