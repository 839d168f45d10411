#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace roomcast::redis {

/// One reply or push of a server, as RESP3 has it. Refers to bytes and values of the RespReader that read it,
/// and is valid as long as that says.
struct Value {
  enum class Type : std::uint8_t {
    null,
    boolean,  ///< `integer`: 0 or 1
    integer,
    number,  ///< a double; `text`: as it was sent
    text,    ///< simple, bulk or verbatim string, or a big number
    error,   ///< `text`: what the server says; its first word is a code
    array,
    set,
    map,   ///< `items`: keys and values by turns
    push,  ///< not the answer to a request; the first of its items names its kind
  };

  Type type = Type::null;
  std::int64_t integer = 0;
  std::string_view text{};
  std::span<const Value> items{};

  [[nodiscard]] bool is_error() const { return type == Type::error; }
  [[nodiscard]] bool is_list() const {
    return type == Type::array || type == Type::set || type == Type::push;
  }
  /// The first word of an error, such as `NOSCRIPT`; empty for anything else.
  [[nodiscard]] std::string_view error_code() const {
    return is_error() ? text.substr(0, text.find(' ')) : std::string_view();
  }
  /// The value of that key of a map whose keys are texts; null if it has none, or is no map.
  [[nodiscard]] const Value* find(std::string_view key) const;
};

}  // namespace roomcast::redis
