#include "transport/room_answer.h"

namespace roomcast::transport {

void add_room_fields(http::Headers& headers) {
  headers.add("Cache-Control", "no-store");
  headers.add("Vary", "Accept, Accept-Encoding");
}

}  // namespace roomcast::transport
