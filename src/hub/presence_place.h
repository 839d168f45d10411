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
  [[nodiscard]] bool empty() const { return at_ == nullptr; }
  [[nodiscard]] Author author() const;
  /// Null if it does not watch.
  [[nodiscard]] Watcher* watcher() const {
    return is_watcher() ? reinterpret_cast<Watcher*>(at_ - watches) : nullptr;
  }
  void set(const Author& author, bool is_watcher);
  /// It is not empty, and goes on as it is under the name of `author`.
  void rename(const Author& author);
  void clear();

 private:
  // Added to the address of a Watcher, which is even. Without it, it is that of the author's block, to which
  // this is a reference.
  static constexpr std::uintptr_t watches = 1;
  [[nodiscard]] bool is_watcher() const { return (reinterpret_cast<std::uintptr_t>(at_) & watches) != 0; }
  /// Null if there is none.
  [[nodiscard]] const base::NameBlock* block() const {
    return is_watcher() ? nullptr : reinterpret_cast<const base::NameBlock*>(at_);
  }

  char* at_ = nullptr;
};

}  // namespace roomcast::hub
