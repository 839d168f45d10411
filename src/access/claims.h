#pragma once
#include <string_view>
#include "access/identity.h"
#include "base/refusal.h"
#include "base/result.h"
namespace roomcast::access {
[[nodiscard]] base::Result<Profile, base::Refusal> profile_from_claims(std::string_view payload_json);
}
