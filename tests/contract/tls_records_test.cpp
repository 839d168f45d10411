#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/socket_stream.h"
#include "net/tls_shared.h"
#include "net/write_queue.h"
#include "support/certificates.h"
#include "support/socket_fixture.h"
#include "support/tls_carrier.h"

namespace roomcast::test {

namespace {

constexpr std::size_t record_overhead = 17;  // of AES-GCM in TLS 1.3: content type and tag

/// Echoes its input.
struct Echo final : net::ByteStream::Events {
  net::ByteStream* stream = nullptr;
  void on_bytes(std::span<char> bytes) override {
    const std::string_view answer(bytes.data(), bytes.size());
    CHECK(stream->write({&answer, 1}) == answer.size());
  }
  void on_end() override {}
  void on_writable() override {}
  void on_error(std::string_view why) override { FAIL(std::string(why)); }
};

std::shared_ptr<const net::TlsContext> make_context() {
  const TemporaryDirectory directory;
  return *net::TlsContext::load({make_certificate(directory, "localhost", "DNS:localhost")});
}

/// TLS over a socket that preserves packets: each recv() at the far end is one system call here.
struct PacketLink {
  SocketFixture f;
  net::TlsShared shared{f.turn, f.deadlines};
  net::TlsWrapper wrapper{shared, make_context()};
  Echo events;
  std::unique_ptr<TlsCarrier> far;
  std::unique_ptr<net::ByteStream> near;

  PacketLink() {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
    far = std::make_unique<TlsCarrier>(net::FileDescriptor(pair[0]));
    near = wrapper.wrap(std::move(*net::SocketStream::adopt(f.sockets, net::FileDescriptor(pair[1]))), "");
    events.stream = near.get();
    near->set_events(events);
  }

  /// The data of the next system call.
  std::string await_call() {
    std::string wire;
    CHECK(f.run_until([&] {
      wire = far->carry_down();
      return !wire.empty();
    }));
    return wire;
  }
  /// Completes the handshake and requests an echo with its last message; returns what was sent in response.
  std::string shake_hands() {
    CHECK_FALSE(far->client().handshake());
    REQUIRE(far->carry_up());
    (void)await_call();
    REQUIRE(far->client().handshake());
    REQUIRE(far->client().send("!") == 1);
    REQUIRE(far->carry_up());
    std::string answer = await_call();
    CHECK(far->client().receive() == "!");
    return answer;
  }

  /// The sizes of the records in each system call that writes `queue`.
  std::vector<std::vector<std::size_t>> flush(net::WriteQueue& queue) {
    REQUIRE(queue.flush(*near));
    f.run_idle_turns();
    std::vector<std::vector<std::size_t>> calls;
    for (std::string wire = far->carry_down(); !wire.empty(); wire = far->carry_down())
      calls.push_back(records_in(wire));
    return calls;
  }
};

using Calls = std::vector<std::vector<std::size_t>>;

}  // namespace

TEST_CASE("tls: the ticket leaves with the answer to what came behind the client's last handshake message") {
  PacketLink link;
  CHECK(records_in(link.shake_hands()).size() == 2);
}

TEST_CASE("tls: all frames of a turn leave in one record and one system call") {
  PacketLink link;
  (void)link.shake_hands();
  net::WriteQueue queue;
  for (int i = 0; i < 100; ++i)
    queue.push(base::Bytes::copy_of(std::string(100, 'x')));
  CHECK(link.flush(queue) == Calls{{100 * 100 + record_overhead}});
  CHECK(link.far->client().receive().size() == 100 * 100);
}

TEST_CASE("tls: frames of a turn fill a record to its last byte before the next one, in the same call") {
  PacketLink link;
  (void)link.shake_hands();
  constexpr std::size_t full = net::TlsShared::record_bytes;
  net::WriteQueue queue;
  SUBCASE("at the limit") {
    for (int i = 0; i < 16; ++i)
      queue.push(base::Bytes::copy_of(std::string(full / 16, 'x')));
    CHECK(link.flush(queue) == Calls{{full + record_overhead}});
  }
  SUBCASE("one byte past it") {
    for (int i = 0; i < 16; ++i)
      queue.push(base::Bytes::copy_of(std::string(full / 16, 'x')));
    queue.push(base::Bytes::copy_of("y"));
    CHECK(link.flush(queue) == Calls{{full + record_overhead, 1 + record_overhead}});
  }
  SUBCASE("a large frame, which is not copied") {
    queue.push(base::Bytes::copy_of(std::string(full + full / 2, 'x')));
    CHECK(link.flush(queue) == Calls{{full + record_overhead, full / 2 + record_overhead}});
  }
}

}  // namespace roomcast::test
