#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace roomcast::http {

/// Why a request is refused before any handler sees it: what Response::error takes.
struct Problem {
  int status = 400;
  std::string_view code;  ///< stable snake_case word, static
  std::string message;
};

/// 400: the message's framing or syntax is wrong or open to more than one reading.
[[nodiscard, gnu::cold]] inline Problem bad_request(std::string message) {
  return {400, "bad_request", std::move(message)};
}

}  // namespace roomcast::http
