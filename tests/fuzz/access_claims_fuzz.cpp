#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "access/claims.h"
#include "access/policy.h"
#include "base/name_pattern.h"
#include "base/text.h"
#include "check.h"

using namespace roomcast::access;

/// Whatever the payload of a token, its members are those that a plain reader finds, what it becomes is
/// within bounds, and a refusal repeats nothing of it but names of claims.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t size_max = 8'192;  // of a token
  if (size > size_max) return 0;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  const auto claims = roomcast::base::read_json_object(payload);
  if (!claims) return 0;
  roomcast::base::JsonMembers plain{roomcast::base::JsonValue(payload)};
  for (const auto& [name, value] : claims->members) {
    const auto expected = plain.next();
    FUZZ_CHECK(expected && expected->name.equals(name) && value.raw() == expected->value.raw());
  }
  FUZZ_CHECK(!plain.next());
  auto profile = profile_from_claims(*claims);
  if (!profile) {
    FUZZ_CHECK(profile.error().code == roomcast::base::Refusal::Code::bad_token);
    FUZZ_CHECK(profile.error().message.view().size() < 200);
    return 0;
  }
  FUZZ_CHECK(!profile->id.empty() && profile->id.size() <= Profile::id_bytes_max);
  FUZZ_CHECK(roomcast::base::is_valid_utf8(profile->id) && roomcast::base::is_valid_utf8(profile->name));
  FUZZ_CHECK(profile->info.size() <= Profile::info_bytes_max);
  FUZZ_CHECK(profile->roles.size() <= roles_max);
  FUZZ_CHECK(profile->grants.size() <= grants_max + 1);  // one for `may` of a ticket
  FUZZ_CHECK(profile->issued_s >= 0 && profile->expires_s >= 0);
  const std::string only_room = profile->only_room;
  const Identity identity(std::move(*profile));
  const Policy policy;
  for (const std::string& room : {std::string("a"), only_room + "a"}) {
    const bool is_elsewhere = !only_room.empty() && room != only_room;
    FUZZ_CHECK(!is_elsewhere || policy.decide(identity, room).may.empty());
  }
  return 0;
}
