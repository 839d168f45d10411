#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::base {

/// Whether two ASCII words are equal without regard to case.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
/// `text` with its ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string_view text);
/// `text` without spaces and tabs at its ends (OWS, RFC 9110 section 5.6.3).
[[nodiscard]] std::string_view trim(std::string_view text);
/// Whether `text` is one or more decimal digits.
[[nodiscard]] bool is_digits(std::string_view text);
/// Whether `c` may occur in a token (tchar, RFC 9110 section 5.6.2).
[[nodiscard]] inline bool is_token_char(char c) {
  constexpr std::string_view special = "!#$%&'*+-.^_`|~";
  const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alphanumeric || special.find(c) != std::string_view::npos;
}
/// Whether `text` is one token, as field names are.
[[nodiscard]] bool is_token(std::string_view text);
/// The elements of a comma-separated list, trimmed (RFC 9110 section 5.6.1); one empty element for an empty
/// list.
[[nodiscard]] std::vector<std::string_view> list_elements(std::string_view list);
/// Whether the comma-separated `list` contains `token`, which must not be empty, ignoring case.
[[nodiscard]] bool list_has_token(std::string_view list, std::string_view token);

/// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
[[nodiscard]] bool is_valid_utf8(std::string_view text);
/// Whether well-formed UTF-8 has a control character: C0, DEL, or C1 (which UTF-8 writes as C2 80 to C2 9F).
[[nodiscard]] bool has_control_character(std::string_view text);
/// The first `bytes_max` bytes of `text`, or less so as not to cut a character of UTF-8.
[[nodiscard]] std::string_view cut_between_characters(std::string_view text, std::size_t bytes_max);

}  // namespace roomcast::base
