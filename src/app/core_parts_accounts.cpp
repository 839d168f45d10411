// Users who sign in with a password: their settings.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "app/core_parts.h"
#include "app/memory_limit.h"
#include "auth/password.h"
#include "config/config.h"

namespace roomcast::app {

namespace {

constexpr std::size_t hashes_at_a_time_max = 2;
// Of limits.memory_bytes, for the hashes that are computed at a time.
constexpr std::uint64_t share_for_hashes = 8;

class AccountsPart final : public part::Part {
 public:
  explicit AccountsPart(const Core& core) : accounts_(core.accounts), memory_ceiling_(core.memory_ceiling) {}

  [[nodiscard]] std::optional<base::Error> load(const config::Config& config) override {
    return accounts_.load(settings_of(config));
  }
  void apply(const config::Config& config) override { accounts_.apply(settings_of(config)); }

 private:
  [[nodiscard]] auth::Accounts::Settings settings_of(const config::Config& config) const {
    auth::Accounts::Settings settings;
    settings.users_file = config.auth.users_file;
    if (!config.auth.cookie.empty()) settings.cookie = config.auth.cookie;
    settings.secret_file = config.auth.cookie_secret_file;
    settings.session_ms = config.auth.session_ms;
    settings.ipv6_prefix = static_cast<unsigned>(config.limits.ipv6_prefix);
    const std::uint64_t memory_bytes = plan_memory(config, memory_ceiling_).memory_bytes / share_for_hashes;
    settings.hashing.at_a_time = std::clamp<std::size_t>(
        static_cast<std::size_t>(memory_bytes / auth::ScryptCost{}.memory_bytes()), 1, hashes_at_a_time_max);
    return settings;
  }

  auth::Accounts& accounts_;
  const MemoryCeiling& memory_ceiling_;
};

}  // namespace

std::unique_ptr<part::Part> make_accounts(const Core& core) { return std::make_unique<AccountsPart>(core); }

}  // namespace roomcast::app
