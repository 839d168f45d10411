#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>
#include <utility>

#include "http/connection.h"
#include "hub/membership.h"
#include "net/socket_stream.h"
#include "session/credential.h"
#include "session/session.h"
#include "transport/http_stream.h"
#include "transport/polls.h"
#include "transport/websocket.h"

// What a client that waits costs is the product: these sums are most of what `./dev bench memory` measures.
// Whoever adds a member that only some clients need, or only at times, puts it behind a pointer.
namespace roomcast::transport::idle_memory_test {

namespace {

/// What objects of these sizes take on the heap, each with the allocator's word and rounded up to 16 bytes.
constexpr std::size_t on_the_heap(std::initializer_list<std::size_t> sizes) {
  std::size_t bytes = 0;
  for (const std::size_t size : sizes)
    bytes += (size + 8 + 15) / 16 * 16;
  return bytes;
}

}  // namespace

TEST_CASE("memory: the objects of an idle WebSocket client take no more than 368 bytes") {
  CHECK(on_the_heap({sizeof(net::SocketStream), sizeof(WebSocket), sizeof(session::Session)}) <= 368);
}

TEST_CASE("memory: an identity, with what shows who it is in rooms, takes no more than 120 bytes") {
  access::Profile profile;
  profile.id = "user-123456";
  profile.expires_s = 1;
  const access::Identity identity(std::move(profile));
  constexpr std::size_t index_bytes = 8;  // for the user
  CHECK(on_the_heap({sizeof(session::Credential), identity.held_bytes()}) + index_bytes <= 120);
}

TEST_CASE("memory: the objects of an idle client of an endless answer take no more than 352 bytes") {
  CHECK(on_the_heap({sizeof(net::SocketStream), sizeof(HttpStream), sizeof(session::Session)}) <= 352);
}

TEST_CASE("memory: the objects of a waiting long poll take no more than 768 bytes") {
  CHECK(on_the_heap({sizeof(net::SocketStream), sizeof(http::Connection), sizeof(Poll),
                     sizeof(hub::Membership)}) <= 768);
}

}  // namespace roomcast::transport::idle_memory_test
