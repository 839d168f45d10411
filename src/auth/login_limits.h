#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace roomcast::auth {

/// A map of those that were used lately, bounded: the younger half of it, and the older, which is forgotten
/// as a whole when the younger is full or `half_life_ms` old. So what is used is remembered for that long at
/// least, unless so many others are that there is no room.
template <class Value>
class RecentMap {
 public:
  RecentMap(std::size_t entries_max, std::int64_t half_life_ms)
      : half_max_(entries_max / 2), half_life_ms_(half_life_ms) {}

  /// The value of `key`, or null.
  [[nodiscard]] Value* find(std::uint64_t key) {
    if (const auto found = younger_.find(key); found != younger_.end()) return &found->second;
    const auto found = older_.find(key);
    return found == older_.end() ? nullptr : &found->second;
  }
  /// The value of `key`, a new one if there was none.
  Value& use(std::uint64_t key, std::int64_t now_ms) {
    if (const auto found = younger_.find(key); found != younger_.end()) return found->second;
    const Value* const known = find(key);
    const Value value = known == nullptr ? Value{} : *known;
    if (younger_.size() >= half_max_ || now_ms - begun_ms_ >= half_life_ms_) {
      older_ = std::exchange(younger_, {});
      begun_ms_ = now_ms;
    }
    return younger_.try_emplace(key, value).first->second;
  }
  [[nodiscard]] std::size_t size() const { return younger_.size() + older_.size(); }

 private:
  using Half = std::unordered_map<std::uint64_t, Value>;

  std::size_t half_max_;
  std::int64_t half_life_ms_;
  std::int64_t begun_ms_ = 0;
  Half younger_;
  Half older_;
};

/// How often somebody may try to sign in: token buckets for a user from one address, for an address, and for
/// a user from everywhere. The last is what many addresses together come up against; those from which the
/// user has signed in lately are exempt from it, so that an attack on a user does not lock the user out where
/// he or she works. What a success took is given back: only failures count.
///
/// Takes at most about 3 MiB: users and addresses are remembered as hashes with a secret key.
class LoginLimits {
 public:
  struct Limits {
    std::int64_t period_ms = 600'000;  ///< in which an empty bucket fills
    std::int64_t user_and_address = 10;
    std::int64_t address = 30;
    std::int64_t user = 50;
    std::size_t entries = 40'000;
  };

  LoginLimits() : LoginLimits(Limits{}) {}
  explicit LoginLimits(const Limits& limits);

  /// Takes one try. If there is none left, nothing is taken: the time in ms until there is one.
  [[nodiscard]] std::optional<std::int64_t> take(std::string_view user, std::string_view address,
                                                 std::int64_t now_ms);
  /// The try did not come to pass.
  void give_back(std::string_view user, std::string_view address, std::int64_t now_ms);
  /// The try succeeded.
  void succeed(std::string_view user, std::string_view address, std::int64_t now_ms);
  /// What is remembered: buckets, and addresses that are exempt.
  [[nodiscard]] std::size_t size() const { return buckets_.size() + known_.size(); }

 private:
  /// When the bucket is full again; what it lacks is that time divided by the interval between two tokens.
  struct Bucket {
    std::int64_t full_at_ms = 0;
  };
  struct Keys {
    std::uint64_t user_and_address;
    std::uint64_t address;
    std::uint64_t user;
  };
  [[nodiscard]] static Keys keys_of(std::string_view user, std::string_view address);
  [[nodiscard]] std::int64_t wait_ms(std::uint64_t key, std::int64_t capacity, std::int64_t now_ms);
  void spend(std::uint64_t key, std::int64_t capacity, std::int64_t now_ms);
  void refund(std::uint64_t key, std::int64_t capacity, std::int64_t now_ms);

  Limits limits_;
  RecentMap<Bucket> buckets_;
  RecentMap<bool> known_;
};

}  // namespace roomcast::auth
