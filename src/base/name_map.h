#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/string_hash.h"

namespace roomcast::base {

/// A map from names that clients choose to values. Entries do not move until they are erased.
///
/// Growing an unordered map rehashes all its entries in one call, which takes tens of milliseconds for a few
/// hundred thousand. This is an array of smaller maps, which grow independently, and each of which releases
/// its table when it has become empty.
template <class T>
class NameMap {
 public:
  using Entry = std::pair<const std::string, T>;

  NameMap() = default;
  NameMap(const NameMap&) = delete;
  NameMap& operator=(const NameMap&) = delete;

  [[nodiscard]] Entry* find(std::string_view name) {
    Part& part = part_of(name);
    const auto found = part.find(name);
    return found == part.end() ? nullptr : &*found;
  }
  [[nodiscard]] const Entry* find(std::string_view name) const {
    const Part& part = parts_[index_of(name)];
    const auto found = part.find(name);
    return found == part.end() ? nullptr : &*found;
  }
  /// The entry of that name, constructed from `arguments` if there was none, and whether it is new.
  template <class... Arguments>
  std::pair<Entry&, bool> try_emplace(std::string name, Arguments&&... arguments) {
    Part& part = part_of(name);
    const auto [place, is_new] = part.try_emplace(std::move(name), std::forward<Arguments>(arguments)...);
    if (is_new) ++size_;
    return {*place, is_new};
  }
  /// `entry` must belong to this map.
  void erase(const Entry& entry) {
    Part& part = part_of(entry.first);
    part.erase(part.find(entry.first));
    --size_;
    constexpr std::size_t spare_buckets = 64;
    if (part.empty() && part.bucket_count() > spare_buckets) Part().swap(part);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  using Part = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;
  static constexpr std::size_t parts = 64;

  /// Uses other bits than those that select the bucket within a part.
  [[nodiscard]] static std::size_t index_of(std::string_view name) {
    return (StringHash{}(name) >> 48U) % parts;
  }
  [[nodiscard]] Part& part_of(std::string_view name) { return parts_[index_of(name)]; }

  std::array<Part, parts> parts_;
  std::size_t size_ = 0;
};

}  // namespace roomcast::base
