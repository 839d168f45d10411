#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "hub/room_name.h"

/// A name that passes keeps every promise of its header; one that doesn't comes with a reason.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  const auto result = roomcast::hub::check_room_name(name);
  if (!result) {
    if (result.error().message.empty()) std::abort();
    return 0;
  }
  if (name.empty() || name.size() > 200 || name.front() == '/' || name.back() == '/') std::abort();
  if (!roomcast::base::is_valid_utf8(name)) std::abort();
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte < 0x20 || byte == 0x7F) std::abort();
    if (byte == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0) std::abort();
  }
  const std::string parts = '/' + std::string(name) + '/';
  for (const char* part : {"//", "/./", "/../"})
    if (parts.find(part) != std::string::npos) std::abort();
  return 0;
}
