#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/holder.h"
#include "base/linked_list.h"
#include "base/string_hash.h"

namespace roomcast::net {

class AdmissionControl;
struct AdmissionRecord;
struct AdmissionPool;

/// The purpose that a connection is admitted for; each has its own limits.
enum class Lane : std::uint8_t {
  regular,     ///< all endpoints
  reserve,     ///< health checks and short refusals when the regular connections are used up
  operations,  ///< the operational endpoints of an admin listener, counted separately
  refusals,    ///< one response, that the address has reached its limit
};
inline constexpr std::size_t lane_count = 4;

/// What a waiting connection waits for.
enum class Wait : std::uint8_t { first_request, next_request };

using Holder = base::Holder;

/// The connections that hold 4 KiB or more, by size: one list per power of two, so that a change of size is
/// cheap and the largest is found without looking at all. `Tag` selects the link of a record that is used.
template <class Tag>
class HolderIndex {
 public:
  /// Changes the size of `record` from `before` to `bytes`; within a class only the total changes.
  void update(AdmissionRecord& record, std::size_t before, std::size_t bytes);
  /// A record of the largest class, or null.
  [[nodiscard]] AdmissionRecord* largest() const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t classes = 24;  // of 4 KiB, 8 KiB … 32 GiB and more
  [[nodiscard]] static std::size_t class_of(std::size_t bytes);

  std::array<base::LinkedList<AdmissionRecord, Tag>, classes> lists_;
  std::size_t bytes_ = 0;
};

/// The connections that wait for a request, in the order in which they began to.
template <class Tag>
struct WaitingLists {
  base::LinkedList<AdmissionRecord, Tag> first_request;
  base::LinkedList<AdmissionRecord, Tag> next_request;

  /// The connection to shed next: first one without any request that has waited since `latest_ms` or longer;
  /// the request of a newer one may be on the way. Null if there is none.
  [[nodiscard]] AdmissionRecord* next_to_go(std::int64_t latest_ms) const;
  /// The same among those without any request.
  [[nodiscard]] AdmissionRecord* next_silent_to_go(std::int64_t latest_ms) const;
  void add(AdmissionRecord& record, Wait what) {
    (what == Wait::first_request ? first_request : next_request).push_back(record);
  }
};

struct AdmissionTags {
  struct InPool;
  struct InAddress;
  struct OfAll;
  struct OfAddress;
};

/// All connections of one address in one lane.
struct AdmissionCount {
  explicit AdmissionCount(AdmissionPool& all) : pool(all) {}

  AdmissionPool& pool;
  std::uint32_t connections = 0;
  std::uint32_t silent = 0;  // of these, those that wait with Wait::first_request
  bool exempt = false;       // from the limit per address
  bool over_share = false;   // in AdmissionControl::over_share_
  WaitingLists<AdmissionTags::InAddress> waiting;
  std::unique_ptr<HolderIndex<AdmissionTags::OfAddress>>
      held;  // created when a connection first holds memory

  [[nodiscard]] std::size_t held_bytes() const { return held ? held->bytes() : 0; }
};
using AdmissionEntry = std::pair<const std::string, AdmissionCount>;

/// The state of one connection that holds memory or waits.
struct AdmissionRecord : AdmissionTags,
                         base::Linked<AdmissionTags::InPool>,
                         base::Linked<AdmissionTags::InAddress>,
                         base::Linked<AdmissionTags::OfAll>,
                         base::Linked<AdmissionTags::OfAddress> {
  static constexpr std::size_t least_bytes = 4096;  ///< less counts as 0

  AdmissionRecord(AdmissionEntry& of, Holder& by) : entry(of), holder(&by) {}
  AdmissionRecord(const AdmissionRecord&) = delete;
  AdmissionRecord& operator=(const AdmissionRecord&) = delete;
  ~AdmissionRecord() { stop_waiting(); }

  [[nodiscard]] bool is_waiting() const { return base::Linked<InPool>::is_linked(); }
  void stop_waiting() {
    if (is_silent) --entry.second.silent;
    is_silent = false;
    base::Linked<InPool>::unlink();
    base::Linked<InAddress>::unlink();
  }

  AdmissionEntry& entry;
  Holder* holder;
  std::size_t bytes = 0;
  std::int64_t waits_since_ms = 0;
  bool is_silent = false;  // waits with Wait::first_request
};

/// All connections of one lane.
struct AdmissionPool {
  explicit AdmissionPool(AdmissionControl& of, Lane l) : control(of), lane(l) {}

  AdmissionControl& control;
  Lane lane;
  std::size_t limit = 0;
  std::size_t limit_per_address = 0;
  std::size_t silent_per_address = 0;
  std::size_t connections = 0;
  std::unordered_map<std::string, AdmissionCount, base::StringHash, std::equal_to<>> by_address;
  WaitingLists<AdmissionTags::InPool> waiting;

  [[nodiscard]] bool is_full(std::int64_t latest_ms) const {
    return connections >= limit && waiting.next_to_go(latest_ms) == nullptr;
  }
};

template <class Tag>
AdmissionRecord* WaitingLists<Tag>::next_to_go(std::int64_t latest_ms) const {
  AdmissionRecord* silent = next_silent_to_go(latest_ms);
  return silent != nullptr ? silent : next_request.front();
}

template <class Tag>
AdmissionRecord* WaitingLists<Tag>::next_silent_to_go(std::int64_t latest_ms) const {
  AdmissionRecord* silent = first_request.front();
  return silent != nullptr && silent->waits_since_ms <= latest_ms ? silent : nullptr;
}

template <class Tag>
std::size_t HolderIndex<Tag>::class_of(std::size_t bytes) {
  const auto width = static_cast<std::size_t>(std::bit_width(bytes / AdmissionRecord::least_bytes));
  return std::min(width, classes) - 1;
}

template <class Tag>
void HolderIndex<Tag>::update(AdmissionRecord& record, std::size_t before, std::size_t bytes) {
  bytes_ += bytes - before;
  base::Linked<Tag>& link = record;
  if (bytes < AdmissionRecord::least_bytes) return link.unlink();
  if (link.is_linked() && class_of(bytes) == class_of(before)) return;
  lists_.at(class_of(bytes)).push_back(record);
}

template <class Tag>
AdmissionRecord* HolderIndex<Tag>::largest() const {
  for (std::size_t i = classes; i > 0; --i) {
    if (AdmissionRecord* record = lists_.at(i - 1).front()) return record;
  }
  return nullptr;
}

}  // namespace roomcast::net
