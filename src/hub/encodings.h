#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace roomcast::hub {

class Encoder;

/// The wire forms of one piece of news for all members: each is made once, for the first member whose encoder
/// asks for it.
class Encodings {
 public:
  /// What `encode(std::string&)` appends, or has appended for that encoder before.
  template <class Encode>
  [[nodiscard]] base::Bytes wire(const Encoder& encoder, const Encode& encode) {
    for (const auto& [of, bytes] : made_) {
      if (of == &encoder) return bytes;
    }
    std::string bytes;
    encode(bytes);
    return made_.emplace_back(&encoder, base::Bytes::copy_of(bytes)).second;
  }

 private:
  std::vector<std::pair<const Encoder*, base::Bytes>> made_;
};

}  // namespace roomcast::hub
