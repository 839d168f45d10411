#include "transport/room_answer.h"

#include "auth/cors.h"

namespace roomcast::transport {

void add_room_fields(http::Headers& headers, const auth::OriginDecision& origin) {
  headers.add("Cache-Control", "no-store");
  headers.add("Vary", "Accept, Accept-Encoding");
  auth::add_cors(headers, origin);
}

}  // namespace roomcast::transport
