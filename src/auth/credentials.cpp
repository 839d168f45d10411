#include "auth/credentials.h"

#include <optional>
#include <utility>

#include "auth/cookie.h"
#include "base/text.h"

namespace roomcast::auth {

namespace {

using base::Refusal;
using From = Credentials::From;

/// The credentials of the scheme Bearer, whose name is compared without case (RFC 9110 section 11.1). Other
/// schemes are for a proxy in front of this server.
std::optional<std::string_view> bearer_token(std::string_view field) {
  constexpr std::string_view scheme = "Bearer";
  if (!base::equals_ignoring_case(field.substr(0, scheme.size()), scheme)) return std::nullopt;
  const std::string_view rest = field.substr(scheme.size());
  if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t') return std::nullopt;
  return base::trim(rest);
}

/// Whether no page of a stranger can have made the request. Browsers send Origin with everything but plain
/// GET and HEAD requests, and Sec-Fetch-Site (W3C Fetch Metadata) with those. `programs`: whether requests of
/// other methods without Origin count.
bool is_of_own_page(const http::Request& request, const http::RequestContext& context, bool programs) {
  switch (context.origin) {
    case http::OriginVerdict::same_origin:
      return true;
    case http::OriginVerdict::listed:
      return context.credentials;
    case http::OriginVerdict::denied:
      return false;
    case http::OriginVerdict::not_a_browser:
      break;
  }
  if (request.method != http::Method::get && request.method != http::Method::head) return programs;
  const std::string_view site = request.headers.get("Sec-Fetch-Site").value_or("none");
  return site == "same-origin" || site == "none";
}

std::optional<Refusal> take(Credentials& found, From from, std::string_view text) {
  if (found.from != From::nothing) {
    return Refusal{Refusal::Code::ambiguous_credentials,
                   "a request shows one token, in one of Authorization, access_token and "
                   "Sec-WebSocket-Protocol"};
  }
  found.from = from;
  found.text = text;
  return std::nullopt;
}

/// Tokens that were sent on purpose.
std::optional<Refusal> find_tokens(const http::Request& request, Credentials& found) {
  const auto authorization = request.headers.find("Authorization");
  if (authorization.count > 0) {
    if (authorization.count > 1) return base::bad_request("more than one Authorization field");
    if (const auto token = bearer_token(authorization.first)) {
      if (auto refusal = take(found, From::bearer, *token)) return refusal;
    }
  }
  // Most requests have no query, or none with a token.
  if (request.query.find("access_token") != std::string::npos) {
    if (const auto token = request.query_parameter("access_token")) {
      if (auto refusal = take(found, From::query, *token)) return refusal;
    }
  }
  if (request.headers.count("Sec-WebSocket-Protocol") > 0) {
    const std::string protocols = request.headers.joined("Sec-WebSocket-Protocol");
    if (protocols.find(token_subprotocol) == std::string::npos) return std::nullopt;
    for (const std::string_view element : base::list_elements(protocols)) {
      if (!element.starts_with(token_subprotocol)) continue;
      if (auto refusal = take(found, From::subprotocol, element.substr(token_subprotocol.size())))
        return refusal;
    }
  }
  return std::nullopt;
}

std::optional<Refusal> find_cookie(const http::Request& request, const http::RequestContext& context,
                                   std::string_view name, Credentials& found) {
  const auto values = cookie_values(request.headers, name);
  if (values.empty() || (values.size() == 1 && values.front().empty())) return std::nullopt;
  if (!is_of_own_page(request, context, false)) {
    return Refusal{Refusal::Code::origin_denied,
                   "the cookie of auth.cookie counts only for pages of this server, and for those of "
                   "origins that may use credentials (cors.credentials)"};
  }
  if (values.size() > 1) return base::bad_request("the cookie of auth.cookie was sent more than once");
  found.from = From::cookie;
  found.text = values.front();
  return std::nullopt;
}

std::optional<Refusal> find_proxy_user(const http::Request& request, const http::RequestContext& context,
                                       const CredentialNames& names, Credentials& found) {
  const auto user = request.headers.find(names.proxy_user_header);
  if (user.count == 0 || user.first.empty()) return std::nullopt;
  // The proxy mostly knows its users by a cookie.
  if (!is_of_own_page(request, context, true)) {
    return Refusal{Refusal::Code::origin_denied,
                   "users of auth.proxy_user_header count only for pages of this server, and for those of "
                   "origins that may use credentials (cors.credentials)"};
  }
  if (user.count > 1)
    return base::bad_request("the header of auth.proxy_user_header was sent more than once");
  found.from = From::proxy;
  found.text = user.first;
  if (!names.proxy_groups_header.empty()) found.groups = request.headers.joined(names.proxy_groups_header);
  if (!names.proxy_name_header.empty())
    found.name = request.headers.get(names.proxy_name_header).value_or("");
  return std::nullopt;
}

}  // namespace

base::Result<Credentials, Refusal> find_credentials(const http::Request& request,
                                                    const http::RequestContext& context,
                                                    const CredentialNames& names) {
  Credentials found;
  if (auto refusal = find_tokens(request, found)) return *std::move(refusal);
  if (found.from != From::nothing) return found;
  if (!names.cookie.empty() && request.headers.count("Cookie") > 0) {
    if (auto refusal = find_cookie(request, context, names.cookie, found)) return *std::move(refusal);
    if (found.from != From::nothing) return found;
  }
  if (!names.proxy_user_header.empty() && request.client.is_by_http_proxy) {
    if (auto refusal = find_proxy_user(request, context, names, found)) return *std::move(refusal);
  }
  return found;
}

}  // namespace roomcast::auth
