#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "http/forwarded.h"

using namespace roomcast;

/// The first line is X-Forwarded-For, the second X-Forwarded-Proto: the client always has a numeric address,
/// and without a trusted peer that of the socket.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  http::Headers headers;
  headers.add("X-Forwarded-For", text.substr(0, line));
  if (line != std::string_view::npos) headers.add("X-Forwarded-Proto", text.substr(line + 1));

  const auto is_proxy = [](std::string_view address) { return address.starts_with("10."); };
  const auto client = http::resolve_client("10.0.0.1", false, headers, is_proxy);
  in6_addr address{};
  const int family = client.address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  FUZZ_CHECK(client.is_forwarded && inet_pton(family, client.address.c_str(), &address) == 1);

  const auto stranger = http::resolve_client("192.0.2.1", false, headers, is_proxy);
  FUZZ_CHECK(stranger.address == "192.0.2.1" && !stranger.secure && !stranger.is_forwarded);
  return 0;
}
