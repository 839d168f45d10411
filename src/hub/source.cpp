#include "hub/source.h"

#include <algorithm>

#include "base/string_hash.h"

namespace roomcast::hub {

Source source_of(std::string_view address) {
  constexpr std::size_t mask = source_count - 1;
  return std::max(static_cast<Source>(base::StringHash{}(address)&mask), Source{1});
}

}  // namespace roomcast::hub
