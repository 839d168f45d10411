#include "api/media_type.h"

#include "base/text.h"

namespace roomcast::api {

std::string media_type(const http::Request& request) {
  const std::string_view value = request.headers.get("Content-Type").value_or("");
  return base::lower_case(value.substr(0, value.find_first_of("; \t")));
}

bool is_json(std::string_view type) {
  return type == "application/json" || (type.ends_with("+json") && type.find('/') != std::string_view::npos);
}

}  // namespace roomcast::api
