#pragma once

#include <cstdint>
#include <optional>

#include "hub/author.h"

namespace roomcast::hub {

/// A member that watches who else is there.
struct Watcher {
  Author author;                         ///< may be empty
  std::uint64_t after = 0;               ///< it knows of the changes up to this one
  std::optional<std::uint32_t> place{};  ///< among the watchers, once it watches
};

/// What Presence keeps about a member: nothing, who it is, or a Watcher if it watches. One pointer, since
/// each member has it.
class PresencePlace {
 public:
  PresencePlace() = default;
  PresencePlace(const PresencePlace&) = delete;
  PresencePlace& operator=(const PresencePlace&) = delete;
  ~PresencePlace() { clear(); }

  /// It has neither a name nor watches.
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] Author author() const;
  /// Null if it does not watch.
  [[nodiscard]] Watcher* watcher() const {
    return (bits_ & watches) == 0 ? nullptr : reinterpret_cast<Watcher*>(bits_ & ~watches);
  }
  void set(const Author& author, bool is_watcher);
  void clear();

 private:
  // Set in the address of a Watcher; otherwise it is that of the author's block, which this refers to.
  static constexpr std::uintptr_t watches = 1;

  std::uintptr_t bits_ = 0;
};

}  // namespace roomcast::hub
