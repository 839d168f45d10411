#include "access/rates.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/address_block.h"
#include "base/string_hash.h"

namespace roomcast::access {

namespace {

using base::Refusal;

// In the order of Resource, as the keys of `rates` write them.
constexpr std::array<std::string_view, resource_count> resource_names{"connects", "requests", "joins",
                                                                      "publishes", "publish_bytes"};

// So that a user called like an address, or the id of a connection, has buckets of its own.
constexpr std::uint64_t user_salt = 0x9e37'79b9'7f4a'7c15;
constexpr std::uint64_t connection_salt = 0xc2b2'ae3d'27d4'eb4f;

std::uint64_t key_of_user(const Identity& identity) { return base::StringHash{}(identity.id()) ^ user_salt; }

std::uint64_t key_of_connection(std::uint64_t connection) {
  const std::string_view bytes(reinterpret_cast<const char*>(&connection), sizeof connection);
  return base::StringHash{}(bytes) ^ connection_salt;
}

bool is_any(const Rates::Limits::PerSecond& rates) {
  return std::any_of(rates.begin(), rates.end(), [](std::uint64_t rate) { return rate != 0; });
}

std::string setting_of(std::string_view by, std::size_t resource, std::uint64_t rate) {
  return std::string("rates.")
      .append(by)
      .append("_")
      .append(resource_names.at(resource))
      .append("_per_second allows ")
      .append(std::to_string(rate));
}

}  // namespace

Refusal rate_limited(std::int64_t wait_ns, base::RefusalMessage message) {
  constexpr std::int64_t ns_per_ms = 1'000'000;
  constexpr std::int64_t most_ms = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t wait_ms = std::clamp<std::int64_t>((wait_ns + ns_per_ms - 1) / ns_per_ms, 1, most_ms);
  return {Refusal::Code::rate_limited, std::move(message), static_cast<std::uint32_t>(wait_ms)};
}

void Rates::set_limits(const Limits& limits) {
  if (limits.table_bytes != limits_.table_bytes) table_ = BucketTable<resource_count>(limits.table_bytes);
  limits_ = limits;
  has_limits_ =
      clock_ != nullptr && (is_any(limits.address) || is_any(limits.user) || is_any(limits.connection));
}

std::optional<std::uint64_t> Rates::key_of_address(std::string_view address) const {
  if (address.empty() || address == "unix") return std::nullopt;
  if (exempt_ && exempt_(address)) return std::nullopt;
  return base::StringHash{}(base::address_block(address, limits_.ipv6_prefix_bits));
}

std::optional<std::uint64_t> Rates::key_of(const Spender& spender) const {
  if (spender.identity.kind() == Kind::user) return key_of_user(spender.identity);
  if (spender.identity.kind() == Kind::key) return std::nullopt;
  if (spender.connection != 0) return key_of_connection(spender.connection);
  return key_of_address(spender.address);
}

Rates::Shares Rates::shares_of(const Spender& spender) const {
  Shares shares;
  const auto add = [&shares](std::uint64_t key, const Limits::PerSecond& rates, std::string_view by) {
    shares.list.at(shares.count++) = {key, &rates, by};
  };
  if (spender.identity.kind() == Kind::key) return shares;
  if (spender.identity.kind() == Kind::user) {
    if (is_any(limits_.user)) add(key_of_user(spender.identity), limits_.user, "user");
  } else if (is_any(limits_.address)) {
    if (const auto key = key_of_address(spender.address)) add(*key, limits_.address, "address");
  }
  if (spender.connection != 0 && is_any(limits_.connection))
    add(key_of_connection(spender.connection), limits_.connection, "connection");
  return shares;
}

std::optional<Refusal> Rates::check_limits(const Spender& spender, const Amounts& amounts) const {
  const std::int64_t now = now_ns();
  const Shares shares = shares_of(spender);
  std::int64_t longest_ns = 0;
  std::size_t refusing = 0;
  const Share* refused_by = nullptr;
  for (std::size_t i = 0; i < shares.count; ++i) {
    const Share& share = shares.list.at(i);
    const auto* const buckets = table_.find(share.key);
    if (buckets == nullptr) continue;
    for (std::size_t resource = 0; resource < resource_count; ++resource) {
      if (amounts.at(resource) == 0 || share.rates->at(resource) == 0) continue;
      const std::int64_t wait =
          buckets->at(resource).wait_ns(rate_of(*share.rates, resource), amounts.at(resource), now);
      if (wait <= longest_ns) continue;
      longest_ns = wait;
      refused_by = &share;
      refusing = resource;
    }
  }
  if (refused_by == nullptr) return std::nullopt;
  return rate_limited(longest_ns, setting_of(refused_by->by, refusing, refused_by->rates->at(refusing)));
}

void Rates::spend_limited(const Spender& spender, const Amounts& amounts) {
  const std::int64_t now = now_ns();
  const Shares shares = shares_of(spender);
  for (std::size_t i = 0; i < shares.count; ++i) {
    const Share& share = shares.list.at(i);
    for (std::size_t resource = 0; resource < resource_count; ++resource) {
      if (amounts.at(resource) == 0 || share.rates->at(resource) == 0) continue;
      table_.take(share.key, now)
          .at(resource)
          .spend(rate_of(*share.rates, resource), amounts.at(resource), now);
    }
  }
}

std::optional<Refusal> Rates::take(const Spender& spender, const Amounts& amounts) {
  if (auto refusal = check(spender, amounts)) return refusal;
  spend(spender, amounts);
  return std::nullopt;
}

std::optional<Refusal> Rates::check_connection(const Identity& identity, std::size_t connections) const {
  if (identity.kind() != Kind::user) return std::nullopt;
  const std::uint64_t most = limits_.connections_per_user;
  if (most != 0 && connections >= most) {
    return Refusal{Refusal::Code::too_many_of_address,
                   "limits.connections_per_user allows " + std::to_string(most)};
  }
  return check({identity, {}}, one_of(Resource::connects));
}

void Rates::begin_connection(const Identity& identity) {
  if (identity.kind() == Kind::user) spend({identity, {}}, one_of(Resource::connects));
}

}  // namespace roomcast::access
