#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/hosts.h"
#include "auth/origin.h"
#include "check.h"

using namespace roomcast;

/// The input is an entry of `hosts`, an entry of `origins`, and a Host or Origin that is checked against
/// both: a name that is accepted as an entry is itself allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  http::Request request;
  request.client.on_loopback = true;
  request.headers.add("Host", text);
  if (const auto rules = auth::HostRules::parse({text}); rules && !text.starts_with("*."))
    FUZZ_CHECK(rules->allow(request));
  FUZZ_CHECK(!auth::HostRules().allow(request) || text.find("evil.example") == std::string::npos ||
             text.find("localhost") != std::string::npos);

  if (const auto rules = auth::OriginRules::parse({text}); rules && text.find("://*.") == std::string::npos)
    FUZZ_CHECK(rules->allow(text));
  FUZZ_CHECK(!auth::OriginRules().allow(text));
  return 0;
}
