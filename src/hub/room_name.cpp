#include "hub/room_name.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace roomcast::hub {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t key_bytes_max = 200;
constexpr std::size_t client_name_bytes_max = 100;

/// Describes the fault in the name; empty if there is none.
std::string_view fault_of(std::string_view name) {
  // Most names are printable ASCII.
  if (std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; })) return {};
  if (!base::is_valid_utf8(name)) return "is not valid UTF-8";
  return base::has_control_character(name) ? "contains a control character" : std::string_view();
}

/// Whether one of the parts between slashes is empty, "." or "..": proxies and browsers remove these from a
/// path, and the request would be for another room.
bool has_dot_segment(std::string_view name) {
  while (true) {
    const auto end = name.find('/');
    const std::string_view segment = name.substr(0, end);
    if (segment.empty() || segment == "." || segment == "..") return true;
    if (end == std::string_view::npos) return false;
    name.remove_prefix(end + 1);
  }
}

}  // namespace

base::Result<NameIsValid> check_room_name(std::string_view name) {
  if (name.empty()) return base::Error{"the room name is empty"};
  if (name.size() > name_bytes_max) {
    return base::Error{"the room name has " + std::to_string(name.size()) + " bytes, at most " +
                       std::to_string(name_bytes_max) + " are allowed"};
  }
  if (const auto fault = fault_of(name); !fault.empty())
    return base::Error{"the room name " + std::string(fault)};
  if (name.front() == '/' || name.back() == '/') {
    return base::Error{"the room name begins or ends with '/'"};
  }
  if (has_dot_segment(name)) {
    return base::Error{"the room name has an empty part, '.' or '..' between slashes"};
  }
  return NameIsValid{};
}

base::Result<NameIsValid> check_client_name(std::string_view name) {
  if (name.size() > client_name_bytes_max) {
    return base::Error{"the client's name has " + std::to_string(name.size()) + " bytes, at most " +
                       std::to_string(client_name_bytes_max) + " are allowed"};
  }
  if (const auto fault = fault_of(name); !fault.empty()) {
    return base::Error{"the client's name " + std::string(fault)};
  }
  return NameIsValid{};
}

base::Result<NameIsValid> check_idempotency_key(std::string_view key) {
  if (key.empty() || key.size() > key_bytes_max) {
    return base::Error{"an idempotency key has 1 to 200 bytes, not " + std::to_string(key.size())};
  }
  const bool is_printable = std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!is_printable) return base::Error{"an idempotency key is printable ASCII"};
  return NameIsValid{};
}

}  // namespace roomcast::hub
