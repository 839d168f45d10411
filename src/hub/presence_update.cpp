#include "hub/presence_update.h"

#include <string>

namespace roomcast::hub {

base::Bytes PresenceUpdate::wire(const Encoder& encoder) {
  for (const Encoding& encoding : encodings_) {
    if (encoding.encoder == &encoder) return encoding.bytes;
  }
  std::string bytes;
  encoder.encode_presence(room_, change_, bytes);
  encodings_.push_back({&encoder, base::Bytes::copy_of(bytes)});
  return encodings_.back().bytes;
}

}  // namespace roomcast::hub
