#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "access/bucket_table.h"
#include "access/identity.h"
#include "access/token_bucket.h"
#include "base/clock.h"
#include "base/refusal.h"

namespace roomcast::access {

/// What rates are counted of.
enum class Resource : std::uint8_t { connects, requests, joins, publishes, publish_bytes };
inline constexpr std::size_t resource_count = 5;

/// The client that spends something.
struct Spender {
  const Identity& identity;
  std::string_view address;      ///< numeric, or "unix"; empty: unknown
  std::uint64_t connection = 0;  ///< id of the session; 0: none
};

/// What is to be spent, of each resource.
using Amounts = std::array<std::uint64_t, resource_count>;
[[nodiscard]] constexpr Amounts one_of(Resource resource) {
  Amounts amounts{};
  amounts.at(static_cast<std::size_t>(resource)) = 1;
  return amounts;
}
/// One message of that size.
[[nodiscard]] constexpr Amounts publish_of(std::size_t bytes) {
  Amounts amounts = one_of(Resource::publishes);
  amounts.at(static_cast<std::size_t>(Resource::publish_bytes)) = bytes;
  return amounts;
}

/// How fast clients may do what they may: token buckets by user, address and connection.
///
/// A user spends of its own buckets, whatever its address, and an anonymous client of those of its address:
/// so nobody who has not signed in can use up what a user behind the same address has. Both spend of the
/// connection's besides. API keys spend of none: they belong to backends, which speak for many. Nor do
/// clients on Unix sockets and trusted proxies that do not say who their client is. What is refused spends
/// nothing.
class Rates {
 public:
  struct Limits {
    using PerSecond = std::array<std::uint64_t, resource_count>;  // 0: no limit
    PerSecond address{};
    PerSecond user{};
    PerSecond connection{};
    std::int64_t burst_ms = 5'000;
    std::uint64_t connections_per_user = 0;  ///< 0: no limit
    std::size_t table_bytes = std::size_t{8} << 20U;
    unsigned ipv6_prefix_bits = 64;
    friend bool operator==(const Limits&, const Limits&) = default;
  };
  using Exempt = std::function<bool(std::string_view address)>;

  Rates() : Rates(Limits{}) {}
  Rates(const Rates&) = delete;
  Rates& operator=(const Rates&) = delete;

  /// The clock outlives this. Needed before there is any limit.
  void set_clock(const base::Clock& clock) { clock_ = &clock; }
  /// The addresses of trusted proxies.
  void set_exempt(Exempt exempt) { exempt_ = std::move(exempt); }
  /// What has been spent stays so, unless `table_bytes` changes.
  void set_limits(const Limits& limits);
  [[nodiscard]] const Limits& limits() const { return limits_; }

  /// Why `amounts` can't be spent now, if so: `rate_limited` with the time to wait. Spends nothing.
  [[nodiscard]] std::optional<base::Refusal> check(const Spender& spender, const Amounts& amounts) const {
    return has_limits_ ? check_limits(spender, amounts) : std::nullopt;
  }
  /// Spends them; check has passed.
  void spend(const Spender& spender, const Amounts& amounts) {
    if (has_limits_) spend_limited(spender, amounts);
  }
  /// Both.
  [[nodiscard]] std::optional<base::Refusal> take(const Spender& spender, const Amounts& amounts);

  // --- Connections of users ---

  /// Whether check_connection has to know how many there are.
  [[nodiscard]] bool counts_connections() const { return limits_.connections_per_user != 0; }
  /// Why the user, who has so many, can't have another connection, if so. Others can.
  [[nodiscard]] std::optional<base::Refusal> check_connection(const Identity& identity,
                                                              std::size_t connections) const;
  /// A connection of `identity` has begun, or has become its.
  void begin_connection(const Identity& identity);

  // --- For other limits of the same clients ---

  /// What identifies the spender where only one bucket is kept for it: its user, its connection, or its
  /// address; nothing if it spends of none.
  [[nodiscard]] std::optional<std::uint64_t> key_of(const Spender& spender) const;
  /// The time that buckets go by.
  [[nodiscard]] std::int64_t now_ns() const {
    return clock_ == nullptr ? 0 : time_.at_ns(clock_->monotonic_ms());
  }

  [[nodiscard]] std::size_t bytes() const { return table_.bytes(); }
  [[nodiscard]] std::uint64_t forgotten() const { return table_.forgotten(); }

 private:
  static constexpr std::size_t shares_max = 2;
  /// Buckets that a spender spends of: those of `key`, by `rates`.
  struct Share {
    std::uint64_t key = 0;
    const Limits::PerSecond* rates = nullptr;
    std::string_view by;
  };
  struct Shares {
    std::array<Share, shares_max> list{};
    std::size_t count = 0;
  };

  explicit Rates(const Limits& limits) : limits_(limits), table_(limits.table_bytes) {}
  [[nodiscard]] std::optional<base::Refusal> check_limits(const Spender& spender,
                                                          const Amounts& amounts) const;
  void spend_limited(const Spender& spender, const Amounts& amounts);
  [[nodiscard]] Shares shares_of(const Spender& spender) const;
  [[nodiscard]] std::optional<std::uint64_t> key_of_address(std::string_view address) const;
  [[nodiscard]] Rate rate_of(const Limits::PerSecond& rates, std::size_t resource) const {
    return {rates.at(resource), 1'000, limits_.burst_ms};
  }

  Limits limits_;
  bool has_limits_ = false;
  const base::Clock* clock_ = nullptr;
  mutable SteadyTime time_;
  Exempt exempt_;
  BucketTable<resource_count> table_;
};

/// `rate_limited` for a wait of that length; `message` names the setting.
[[nodiscard]] base::Refusal rate_limited(std::int64_t wait_ns, base::RefusalMessage message);

}  // namespace roomcast::access
