#include "http/head_check.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/text.h"
#include "http/url.h"

namespace roomcast::http {

namespace {

bool has_too_many_parameters(std::string_view query) {
  return static_cast<std::size_t>(std::count(query.begin(), query.end(), '&')) >= query_parameters_max;
}

std::optional<base::Refusal> check_target(Request& request, std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return base::bad_request("the request target is neither a path nor an http URL");
  if (target->path == "*" && request.method != Method::options) {
    return base::bad_request("the request target '*' is for OPTIONS only");
  }
  if (has_too_many_parameters(target->query)) {
    return base::Refusal{
        base::Refusal::Code::too_many_parameters,
        "the request target has more than " + std::to_string(query_parameters_max) + " query parameters"};
  }
  request.path = target->path;
  request.query = target->query;
  if (text.starts_with('/') || text == "*") return std::nullopt;
  if (!parse_authority(target->authority)) return base::bad_request("the request target has no valid host");
  request.headers.set("Host", target->authority);
  return std::nullopt;
}

std::optional<base::Refusal> check_host(const Request& request) {
  const auto host = request.headers.find("Host");
  if (host.count > 1) return base::bad_request("more than one Host");
  if (host.count == 0) {
    if (request.minor_version == 0) return std::nullopt;
    return base::bad_request("Host is missing");
  }
  if (!parse_authority(host.first)) return base::bad_request("Host is not a host with an optional port");
  return std::nullopt;
}

std::optional<base::Refusal> check_transfer_encoding(const Request& request) {
  if (request.headers.count("Content-Length") > 0) {
    return base::bad_request("Content-Length together with Transfer-Encoding");
  }
  if (request.minor_version == 0) return base::bad_request("Transfer-Encoding in an HTTP/1.0 request");
  const std::string joined = request.headers.joined("Transfer-Encoding");
  const auto codings = base::list_elements(joined);
  if (!base::equals_ignoring_case(codings.back(), "chunked")) {
    return base::bad_request("chunked is not the last transfer coding");
  }
  if (codings.size() == 1) return std::nullopt;
  for (std::size_t i = 0; i + 1 < codings.size(); ++i) {
    if (codings[i].empty() || base::equals_ignoring_case(codings[i], "chunked")) {
      return base::bad_request("chunked more than once, or an empty transfer coding");
    }
  }
  return base::Refusal{base::Refusal::Code::not_implemented,
                       "chunked is the only transfer coding implemented"};
}

std::optional<base::Refusal> check_content_length(const Request& request, const ParserLimits& limits,
                                                  std::uint64_t& length) {
  if (request.headers.count("Content-Length") > 1) return base::bad_request("more than one Content-Length");
  const std::string_view text = *request.headers.get("Content-Length");
  if (!base::is_digits(text)) return base::bad_request("Content-Length is not a number");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || length > limits.body_bytes) {
    return base::Refusal{
        base::Refusal::Code::content_too_large,
        "the body is longer than limits.body_bytes (" + std::to_string(limits.body_bytes) + ")"};
  }
  return std::nullopt;
}

std::optional<base::Refusal> check_expect(const Request& request, bool& wants_continue) {
  // An HTTP/1.0 client cannot wait for 100 (RFC 9110 section 10.1.1).
  if (request.minor_version == 0 || request.headers.count("Expect") == 0) return std::nullopt;
  if (!base::equals_ignoring_case(request.headers.joined("Expect"), "100-continue")) {
    return base::Refusal{base::Refusal::Code::expectation_failed, "the only expectation met is 100-continue"};
  }
  wants_continue = true;
  return std::nullopt;
}

}  // namespace

base::Result<BodyFraming, base::Refusal> check_head(Request& request, std::string_view target,
                                                    const ParserLimits& limits) {
  // Host is validated as received, before an absolute target replaces it.
  if (auto problem = check_host(request)) return *std::move(problem);
  if (auto problem = check_target(request, target)) return *std::move(problem);
  BodyFraming framing;
  if (request.headers.count("Transfer-Encoding") > 0) {
    if (auto problem = check_transfer_encoding(request)) return *std::move(problem);
    framing.kind = BodyFraming::Kind::chunked;
  } else if (request.headers.count("Content-Length") > 0) {
    if (auto problem = check_content_length(request, limits, framing.length)) return *std::move(problem);
    if (framing.length > 0) framing.kind = BodyFraming::Kind::length;
  }
  if (auto problem = check_expect(request, framing.wants_continue)) return *std::move(problem);
  if (framing.kind == BodyFraming::Kind::none) framing.wants_continue = false;
  return framing;
}

bool wants_keep_alive(const Request& request) {
  if (request.headers.has_token("Connection", "close")) return false;
  return request.minor_version >= 1 || request.headers.has_token("Connection", "keep-alive");
}

}  // namespace roomcast::http
