#include "hub/presence_update.h"

#include <string>

namespace roomcast::hub {

base::Bytes PresenceUpdate::wire(const Encoder& encoder) {
  for (const Form& form : forms_) {
    if (form.encoder == &encoder) return form.bytes;
  }
  std::string bytes;
  encoder.encode_presence(room_, change_, bytes);
  forms_.push_back({&encoder, base::Bytes::copy_of(bytes)});
  return forms_.back().bytes;
}

}  // namespace roomcast::hub
