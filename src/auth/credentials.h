#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "base/result.h"
#include "http/exchange.h"
#include "http/message.h"

namespace roomcast::auth {

/// What a request shows to say who its client is.
struct Credentials {
  enum class From : std::uint8_t {
    nothing,
    bearer,       ///< `Authorization: Bearer TOKEN` (RFC 6750 section 2.1)
    query,        ///< `?access_token=TOKEN` (RFC 6750 section 2.3), for EventSource
    subprotocol,  ///< an element `roomcast.token.TOKEN` of Sec-WebSocket-Protocol, for WebSocket in browsers
    cookie,       ///< `auth.cookie`
    proxy,        ///< `auth.proxy_user_header` of a trusted proxy
  };
  From from = From::nothing;
  std::string text;      ///< the token, API key or cookie; the name of the user if it is from a proxy
  std::string groups{};  ///< of a proxy: a list, for the roles
  std::string name{};    ///< of a proxy: the display name
};

/// Names from the configuration; empty: not used.
struct CredentialNames {
  std::string cookie;
  std::string proxy_user_header;
  std::string proxy_groups_header;
  std::string proxy_name_header;
};

/// The prefix of a subprotocol that carries a token.
inline constexpr std::string_view token_subprotocol = "roomcast.token.";

/// Finds the credentials of `request`. A token that is shown on purpose (bearer, query, subprotocol) goes
/// before the cookie, and that before the proxy's header. More than one token on purpose is refused
/// (RFC 6750 section 2). A cookie counts only for requests that a page of this server, or of an origin that
/// may use credentials, has made (see `context`): requests of other pages that carry it are refused, whatever
/// else `origins` allows. The user of a proxy counts for the same requests, and for those of programs. The
/// proxy's headers are ignored unless the request comes through a trusted proxy that speaks HTTP.
[[nodiscard]] base::Result<Credentials, base::Refusal> find_credentials(const http::Request& request,
                                                                        const http::RequestContext& context,
                                                                        const CredentialNames& names);

}  // namespace roomcast::auth
