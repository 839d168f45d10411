#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"

namespace roomcast::hub {

/// Who a message or a member of a room is from: the name to show and, if the client is identified, its
/// principal ("user:ada", "key:ci"). One block of bytes, which all messages of a session share; nothing at
/// all for a client without either.
///
/// The block is the name, and for an identified client a NUL and the principal. No name has a NUL, so an
/// anonymous client can't get a principal by its name.
class Author {
 public:
  Author() = default;
  /// An anonymous client. The name may be empty, and need not have been checked: a NUL in it becomes another
  /// control character, which no valid name has either.
  explicit Author(std::string_view name);
  /// An identified client; `principal` is not empty.
  Author(std::string_view name, std::string_view principal);

  /// May be empty.
  [[nodiscard]] std::string_view name() const {
    const std::string_view text = text_.view();
    return text.substr(0, text.find('\0'));
  }
  /// "user:ID" or "key:NAME"; empty if it is anonymous.
  [[nodiscard]] std::string_view principal() const {
    const std::string_view text = text_.view();
    const std::size_t end = text.find('\0');
    return end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  /// Neither name nor principal.
  [[nodiscard]] bool empty() const { return text_.empty(); }
  /// Memory of the block; 0 without one.
  [[nodiscard]] std::size_t held_bytes() const { return text_.held_bytes(); }

  friend bool operator==(const Author& a, const Author& b) { return a.text_.view() == b.text_.view(); }

 private:
  base::Bytes text_;
};

/// The order in which members of a room are kept and listed: those with the same principal are one member,
/// whatever their names; anonymous ones of the same name are one. Anonymous ones come first, by the bytes of
/// their names, then the others by those of their principals.
struct ByMember {
  bool operator()(const Author& a, const Author& b) const;
};

}  // namespace roomcast::hub
