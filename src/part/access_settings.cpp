#include "part/access_settings.h"

#include <vector>

#include "access/permission.h"

namespace roomcast::part {

base::Result<access::Policy> access_policy(const config::Config& config) {
  std::vector<access::Row> rows;
  rows.reserve(config.access.size());
  for (const config::AccessRule& rule : config.access)
    rows.push_back({rule.rooms, rule.who, access::permissions_from(rule.may)});
  return access::Policy::make(rows);
}

}  // namespace roomcast::part
