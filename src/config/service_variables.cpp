#include "config/service_variables.h"

#include <cstddef>

#include "base/text.h"

namespace roomcast::config {
namespace {

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool is_endpoint(std::string_view value) {
  return value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
}

/// "…_PORT_8080_TCP", and the same with _PROTO, _PORT or _ADDR behind it.
bool names_one_port(std::string_view name) {
  for (const std::string_view part : {"_PROTO", "_PORT", "_ADDR"}) {
    if (take_suffix(name, part)) break;
  }
  if (!take_suffix(name, "_TCP") && !take_suffix(name, "_UDP") && !take_suffix(name, "_SCTP")) return false;
  const std::size_t number = name.rfind('_');
  if (number == std::string_view::npos || !base::is_digits(name.substr(number + 1))) return false;
  return name.substr(0, number).ends_with("_PORT");
}

}  // namespace

bool is_service_variable(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT")) return true;
  if (name.find("_SERVICE_PORT_") != std::string_view::npos) return true;
  if (name.ends_with("_PORT") && is_endpoint(value)) return true;
  return names_one_port(name);
}

}  // namespace roomcast::config
