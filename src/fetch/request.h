#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::fetch {

/// What one fetch came to. The names are labels of metrics: see name_of.
enum class Outcome : std::uint8_t {
  ok,            ///< a complete response with a status of 2xx
  error_status,  ///< a complete response with another status, but no redirect
  redirected,    ///< a redirect, which is never followed
  too_large,     ///< the response exceeds its limit
  timed_out,
  unresolved,   ///< the host name has no address
  unreachable,  ///< no connection: refused, no route
  tls_failed,   ///< no TLS, or a certificate that is not trusted for this host
  broken,       ///< the connection ended early, or what came is not HTTP
  bad_request,  ///< a URL or header field that can't be sent
  overloaded,   ///< too many requests are waiting
  unavailable,  ///< no resources, or a libcurl that can't be used
  cancelled,    ///< only counted
  count_,
};

/// The name of `outcome` in snake_case.
[[nodiscard]] std::string_view name_of(Outcome outcome);

/// Why there is no response. `message` is for people; it contains no part of the URL but its host.
struct Failure {
  Outcome outcome = Outcome::unavailable;
  std::string message;
};

struct Field {
  std::string name;
  std::string value;
};

struct Request {
  enum class Method : std::uint8_t { get, post };
  static constexpr std::int64_t timeout_max_ms = 300'000;

  std::string url;  ///< absolute, http or https; user information in it is sent as basic authentication
  Method method = Method::get;
  std::vector<Field> headers{};
  std::string body{};  ///< of a POST
  /// From start to the last byte, including the time in the queue and the look-up of the name; 1 to
  /// timeout_max_ms, and clamped to that.
  std::int64_t timeout_ms = 10'000;
  std::size_t max_bytes = 65'536;  ///< of the response's content
};

struct Response {
  int status = 0;
  std::string content_type{};  ///< as sent; empty if there is none
  /// How long the response stays fresh, in seconds (RFC 9111 section 4.2); nothing if it does not say.
  std::optional<std::int64_t> max_age_s{};
  std::string body{};
};

/// Why `url` can't be fetched, in words that do not repeat it; nothing if it can.
[[nodiscard]] std::optional<std::string> objection_to_url(const std::string& url);
/// Why `request` can't be sent; nothing if it can.
[[nodiscard]] std::optional<std::string> objection_to(const Request& request);
/// The memory that a request holds while it waits.
[[nodiscard]] std::size_t held_bytes(const Request& request);

/// `url` for logs and messages: without user information, query and fragment, which may contain secrets.
[[nodiscard]] std::string without_secrets(const std::string& url);

}  // namespace roomcast::fetch
