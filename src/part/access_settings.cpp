#include "part/access_settings.h"

#include <utility>

#include "base/name_pattern.h"

namespace roomcast::part {

access::PermissionSet permissions(const std::vector<std::string>& words) {
  access::PermissionSet set;
  for (const std::string& word : words) {
    if (const auto permission = access::permission_from(word)) set.add(*permission);
  }
  return set;
}

base::Result<access::Policy> access_policy(const config::Config& config) {
  std::vector<access::Row> rows;
  rows.reserve(config.access.size());
  for (const config::AccessRule& rule : config.access)
    rows.push_back({rule.rooms, rule.who, permissions(rule.may)});
  return access::Policy::make(rows);
}

access::Profile key_profile(const config::ApiKey& key) {
  access::Profile profile;
  profile.kind = access::Kind::key;
  profile.proof = access::Proof::api_key;
  profile.id = key.name;
  profile.grants.reserve(key.rooms.size());
  for (const std::string& pattern : key.rooms)
    profile.grants.push_back({base::NamePattern(pattern), permissions(key.may)});
  return profile;
}

std::vector<access::Profile> key_profiles(const config::Config& config) {
  std::vector<access::Profile> profiles;
  profiles.reserve(config.auth.keys.size());
  for (const config::ApiKey& key : config.auth.keys)
    profiles.push_back(key_profile(key));
  return profiles;
}

}  // namespace roomcast::part
