#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace roomcast::http {

/// Where the page that makes a request comes from (RFC 6454), and what `origins` says of it.
enum class OriginVerdict : std::uint8_t {
  not_a_browser,  ///< no Origin: allowed, CORS says nothing
  same_origin,    ///< allowed, CORS says nothing
  listed,         ///< an origin in `origins`: allowed, its pages may read the answer
  denied,         ///< another origin, which is not in `origins`
};

/// What the gate has decided about a request before its handler sees it. Kept until the answer, also a
/// deferred one.
struct RequestContext {
  /// The Origin of a listed page, which may read the answer, as the browser sent it; null for all others.
  std::unique_ptr<const std::string> reader{};
  OriginVerdict origin = OriginVerdict::not_a_browser;
  bool credentials = false;       ///< the reader's pages may send cookies and HTTP authentication along
  bool varies_by_origin = false;  ///< a request with another Origin may be answered differently
};

}  // namespace roomcast::http
