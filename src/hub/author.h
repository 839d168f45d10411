#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/name_block.h"

namespace roomcast::hub {

/// Who a message or a member of a room is from: the name to show and, if the client is identified, its
/// principal ("user:ada", "key:ci"). A reference to a block that the messages of a session share, and which
/// may be that of its identity; nothing at all for a client without either.
class Author {
 public:
  Author() = default;
  /// An anonymous client. The name may be empty, and need not have been checked: a NUL in it becomes another
  /// control character, which no valid name has either.
  explicit Author(std::string_view name) : Author(name, {}) {}
  /// An identified client; `principal` is not empty.
  Author(std::string_view name, std::string_view principal);
  explicit Author(base::NameRef name) : name_(std::move(name)) {}

  /// May be empty.
  [[nodiscard]] std::string_view name() const { return name_.name(); }
  /// "user:ID" or "key:NAME"; empty if it is anonymous.
  [[nodiscard]] std::string_view principal() const { return name_.principal(); }
  /// Neither name nor principal.
  [[nodiscard]] bool empty() const { return name_.get() == nullptr; }
  /// Memory of the block with the overhead of its allocation; 0 without one.
  [[nodiscard]] std::size_t held_bytes() const;
  [[nodiscard]] const base::NameBlock* block() const { return name_.get(); }

  friend bool operator==(const Author& a, const Author& b) {
    if (a.block() == b.block()) return true;
    return a.name() == b.name() && a.principal() == b.principal();
  }

 private:
  base::NameRef name_;
};

/// The order in which members of a room are kept and listed: those with the same principal are one member,
/// whatever their names; anonymous ones of the same name are one. Anonymous ones come first, by the bytes of
/// their names, then the others by those of their principals.
struct ByMember {
  bool operator()(const Author& a, const Author& b) const;
};

}  // namespace roomcast::hub
