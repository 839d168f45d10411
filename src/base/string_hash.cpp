#include "base/string_hash.h"

#include "base/digest.h"
#include "base/siphash.h"

namespace roomcast::base {

std::size_t StringHash::operator()(std::string_view text) const {
  // Not state that anything could change: a constant that is known only once the process runs.
  static const SipKey key{random_u64(), random_u64()};
  return static_cast<std::size_t>(siphash13(key, text));
}

}  // namespace roomcast::base
