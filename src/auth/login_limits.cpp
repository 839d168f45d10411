#include "auth/login_limits.h"

#include <algorithm>
#include <string>

#include "base/string_hash.h"

namespace roomcast::auth {

namespace {

constexpr std::int64_t known_half_life_ms = std::int64_t{7} * 86'400'000;
constexpr std::size_t known_entries_max = 10'000;

std::uint64_t key_of(char kind, std::string_view user, std::string_view address) {
  std::string text(1, kind);
  text.append(user).append(1, '\0').append(address);
  return base::StringHash{}(text);
}

}  // namespace

LoginLimits::LoginLimits(const Limits& limits)
    : limits_(limits),
      buckets_(limits.entries, limits.period_ms),
      known_(known_entries_max, known_half_life_ms) {}

LoginLimits::Keys LoginLimits::keys_of(std::string_view user, std::string_view address) {
  return {key_of('b', user, address), key_of('a', {}, address), key_of('u', user, {})};
}

std::int64_t LoginLimits::wait_ms(std::uint64_t key, std::int64_t capacity, std::int64_t now_ms) {
  const Bucket* const bucket = buckets_.find(key);
  if (bucket == nullptr) return 0;
  const std::int64_t interval_ms = limits_.period_ms / capacity;
  return std::max<std::int64_t>(bucket->full_at_ms - now_ms - (capacity - 1) * interval_ms, 0);
}

void LoginLimits::spend(std::uint64_t key, std::int64_t capacity, std::int64_t now_ms) {
  Bucket& bucket = buckets_.use(key, now_ms);
  bucket.full_at_ms = std::max(bucket.full_at_ms, now_ms) + limits_.period_ms / capacity;
}

void LoginLimits::refund(std::uint64_t key, std::int64_t capacity, std::int64_t now_ms) {
  Bucket& bucket = buckets_.use(key, now_ms);
  bucket.full_at_ms -= limits_.period_ms / capacity;
}

std::optional<std::int64_t> LoginLimits::take(std::string_view user, std::string_view address,
                                              std::int64_t now_ms) {
  const Keys keys = keys_of(user, address);
  const bool is_known = known_.find(keys.user_and_address) != nullptr;
  std::int64_t wait = std::max(wait_ms(keys.user_and_address, limits_.user_and_address, now_ms),
                               wait_ms(keys.address, limits_.address, now_ms));
  if (!is_known) wait = std::max(wait, wait_ms(keys.user, limits_.user, now_ms));
  if (wait > 0) return wait;
  spend(keys.user_and_address, limits_.user_and_address, now_ms);
  spend(keys.address, limits_.address, now_ms);
  if (!is_known) spend(keys.user, limits_.user, now_ms);
  return std::nullopt;
}

void LoginLimits::give_back(std::string_view user, std::string_view address, std::int64_t now_ms) {
  const Keys keys = keys_of(user, address);
  refund(keys.user_and_address, limits_.user_and_address, now_ms);
  refund(keys.address, limits_.address, now_ms);
  if (known_.find(keys.user_and_address) == nullptr) refund(keys.user, limits_.user, now_ms);
}

void LoginLimits::succeed(std::string_view user, std::string_view address, std::int64_t now_ms) {
  give_back(user, address, now_ms);
  const std::uint64_t pair = keys_of(user, address).user_and_address;
  buckets_.use(pair, now_ms).full_at_ms = 0;
  known_.use(pair, now_ms) = true;
}

}  // namespace roomcast::auth
