#pragma once

#include <string_view>

#include "net/byte_stream.h"
#include "net/socket_stream.h"
#include "support/loop_fixture.h"

namespace roomcast::test {

/// A loop with the shared parts of its sockets.
struct SocketFixture : LoopFixture {
  SocketFixture() { turn.set_deferred_writes(sockets.deferred_sends); }

  /// Writes all of `bytes`, in as many turns as needed; false if the stream does not take them.
  bool write_all(net::ByteStream& stream, std::string_view bytes) {
    return run_until([&] {
      bytes.remove_prefix(stream.write({&bytes, 1}));
      return bytes.empty() && stream.buffered_bytes() == 0;
    });
  }

  net::SocketShared sockets{loop};
};

}  // namespace roomcast::test
