#include "base/utf8.h"

#include <simdjson.h>

namespace roomcast::base {

bool is_valid_utf8(std::string_view text) {
  // An empty view may carry a null pointer, which the library is not promised to take.
  return text.empty() || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace roomcast::base
