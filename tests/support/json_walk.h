#pragma once

#include <string>

#include "base/json_cursor.h"

namespace roomcast::test {

/// Traverses a text, container by container, and prints it again without space between tokens.
inline void rebuild(base::JsonCursor& cursor, std::string& out) {  // NOLINT(misc-no-recursion)
  const base::JsonKind kind = cursor.kind();
  if (kind == base::JsonKind::object && cursor.enter()) {
    out += '{';
    while (const auto name = cursor.next_name()) {
      if (out.back() != '{') out += ',';
      out.append(name->raw()).append(":");
      rebuild(cursor, out);
    }
    out += '}';
  } else if (kind == base::JsonKind::array && cursor.enter()) {
    out += '[';
    while (cursor.next_element()) {
      if (out.back() != '[') out += ',';
      rebuild(cursor, out);
    }
    out += ']';
  } else if (const auto value = cursor.value()) {
    out += value->raw();
  }
}

}  // namespace roomcast::test
