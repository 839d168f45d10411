#include "app/explain_command.h"

#include "access/explanation.h"
#include "auth/key_profile.h"
#include "part/access_settings.h"
#include "service/checks.h"

namespace roomcast::app {

base::Result<std::string> explain_access(const config::Config& config,
                                         const CommandLine::ExplainAccess& question) {
  if (const auto refusal = service::check_room_name(question.room)) {
    return base::Error{"--explain-access: " + std::string(refusal->message.view())};
  }
  const auto keys = auth::key_profiles(config);
  const auto identity = access::identity_named(question.user, question.roles, keys);
  if (!identity) return base::Error{"--explain-access: " + identity.error().message};
  const auto policy = part::access_policy(config);
  if (!policy) return policy.error();
  return access::explanation_text(*policy, *identity, question.room);
}

}  // namespace roomcast::app
