#pragma once

#include <string>
#include <string_view>

namespace roomcast::base {

/// Whether two ASCII words are equal without regard to case.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
/// `text` with its ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string_view text);
/// `text` without spaces and tabs at its ends (OWS, RFC 9110 section 5.6.3).
[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace roomcast::base
