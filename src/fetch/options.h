#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace roomcast::fetch {

struct ClientOptions {
  std::size_t transfers = 16;                         ///< at a time; the others wait
  std::size_t waiting = 256;                          ///< requests that wait
  std::size_t waiting_bytes = std::size_t{1} << 20U;  ///< and the memory that they hold
  std::size_t left_lookups =
      64;  ///< look-ups of names that outlast their requests; past that all others wait
  std::int64_t lookup_ms = 30'000;             ///< how long such a look-up is assumed to take
  std::size_t idle_connections = 4;            ///< kept open for the next request
  std::size_t response_header_bytes = 65'536;  ///< of one response, with those of 1xx responses and trailers
  std::int64_t connect_timeout_ms = 5'000;     ///< look-up of the name, TCP and TLS
  std::string user_agent = "roomcast";
  /// PEM file of the certificates that are trusted, in place of the system's; empty: the system's.
  std::string ca_file{};
};

}  // namespace roomcast::fetch
