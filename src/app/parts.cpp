#include "app/parts.h"

// The list of all parts. `PART(folder, name)` is made by `folder::make_name(const part::Context&)`; a new one
// is its pair of files and its line here. `CORE(name)` is a component that these use (app/core_parts.h).
//
// The order is that in which they are gone through: metrics are listed in it, and of transports that a client
// wants equally the earlier is chosen.
// clang-format off
#define ROOMCAST_PARTS(CORE, PART) \
  CORE(access) \
  CORE(connections) \
  CORE(identity) \
  CORE(sessions) \
  CORE(rooms) \
  CORE(accounts) \
  PART(transport, room_entry) \
  PART(transport, poll) \
  PART(transport, websocket) \
  PART(transport, event_stream) \
  PART(transport, ndjson_stream) \
  CORE(closing) \
  CORE(messages) \
  CORE(http) \
  CORE(tls) \
  CORE(process) \
  CORE(store) \
  CORE(redis) \
  PART(api, publish) \
  PART(api, publish_batch) \
  PART(api, presence) \
  PART(api, explain) \
  PART(api, login) \
  PART(api, server_info) \
  PART(api, room_list) \
  PART(api, clients) \
  PART(api, sanctions) \
  PART(api, messages) \
  PART(api, user_publish) \
  PART(api, health) \
  PART(api, readiness) \
  PART(api, metrics) \
  PART(app, page)
// clang-format on

#define DECLARE_NO_CORE(name)
#define DECLARE_PART(folder, name)                                       \
  namespace roomcast::folder {                                           \
  std::unique_ptr<part::Part> make_##name(const part::Context& context); \
  }
ROOMCAST_PARTS(DECLARE_NO_CORE, DECLARE_PART)

namespace roomcast::app {

void make_parts(const Core& core, const part::Context& context, part::Parts& parts) {
#define MAKE_CORE(name) parts.push_back(make_##name(core));
#define MAKE_PART(folder, name) parts.push_back(folder::make_##name(context));
  ROOMCAST_PARTS(MAKE_CORE, MAKE_PART)
}

}  // namespace roomcast::app
