#include "auth/cookie.h"

#include <cstddef>

#include "base/text.h"

namespace roomcast::auth {

std::vector<std::string_view> cookie_values(const http::Headers& headers, std::string_view name) {
  std::vector<std::string_view> values;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto field = headers.field(i);
    if (!base::equals_ignoring_case(field.name, "Cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      const std::string_view pair = base::trim(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      const std::size_t equals = pair.find('=');
      if (equals != std::string_view::npos && pair.substr(0, equals) == name)
        values.push_back(pair.substr(equals + 1));
    }
  }
  return values;
}

std::string_view cookie_of(const http::Request& request, std::string_view name) {
  for (const std::string_view value : cookie_values(request.headers, name)) {
    if (!value.empty()) return value;
  }
  return {};
}

std::string session_cookie(std::string_view name, std::string_view value, std::int64_t max_age_s,
                           bool secure) {
  std::string text(name);
  text.append("=").append(value).append("; Path=/; Max-Age=").append(std::to_string(max_age_s));
  text.append("; HttpOnly; SameSite=Strict");
  return secure ? text + "; Secure" : text;
}

}  // namespace roomcast::auth
