#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "net/proxy_header.h"

using namespace roomcast;
using Reader = net::ProxyHeaderReader;

/// The verdict and the client do not depend on how the bytes are split, no byte after the header is taken,
/// and the address is valid.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Reader whole;
  std::size_t used = 0;
  const auto verdict = whole.read(text, used);
  FUZZ_CHECK(used <= size && used <= Reader::header_bytes_max);
  FUZZ_CHECK(verdict != Reader::Verdict::need_more || used == size);

  Reader pieces;
  auto piecewise = Reader::Verdict::need_more;
  std::size_t taken = 0;
  while (taken < size && piecewise == Reader::Verdict::need_more) {
    std::size_t one = 0;
    piecewise = pieces.read(text.substr(taken, 1), one);
    FUZZ_CHECK(one == 1);
    ++taken;
  }
  FUZZ_CHECK(piecewise == verdict && taken == used && pieces.address() == whole.address() &&
             pieces.port() == whole.port() && pieces.is_secure() == whole.is_secure());
  FUZZ_CHECK((verdict == Reader::Verdict::refused) == !whole.fault().empty());
  if (verdict != Reader::Verdict::complete || whole.address().empty()) return 0;
  in6_addr address{};
  const int family = whole.address().find(':') == std::string::npos ? AF_INET : AF_INET6;
  FUZZ_CHECK(inet_pton(family, whole.address().c_str(), &address) == 1);
  return 0;
}
