#include "auth/key_profile.h"

#include <string>

#include "access/permission.h"
#include "base/name_pattern.h"

namespace roomcast::auth {

access::Profile key_profile(const config::ApiKey& key) {
  access::Profile profile;
  profile.kind = access::Kind::key;
  profile.proof = access::Proof::api_key;
  profile.id = key.name;
  profile.grants.reserve(key.rooms.size());
  for (const std::string& pattern : key.rooms)
    profile.grants.push_back({base::NamePattern(pattern), access::permissions_from(key.may)});
  return profile;
}

std::vector<access::Profile> key_profiles(const config::Config& config) {
  std::vector<access::Profile> profiles;
  profiles.reserve(config.auth.keys.size());
  for (const config::ApiKey& key : config.auth.keys)
    profiles.push_back(key_profile(key));
  return profiles;
}

}  // namespace roomcast::auth
