#include "fetch/request.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text.h"

namespace roomcast::fetch {

namespace {

constexpr std::size_t url_bytes_max = 8'192;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

/// A URL as libcurl reads it, so that nothing is checked here that is understood differently there.
class ParsedUrl {
 public:
  explicit ParsedUrl(const std::string& text) : url_(curl_url()) {
    code_ = url_ ? curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) : CURLUE_OUT_OF_MEMORY;
  }
  [[nodiscard]] CURLUcode code() const { return code_; }
  /// Empty if the URL has no such part.
  [[nodiscard]] std::string part(CURLUPart name) const {
    char* text = nullptr;
    if (curl_url_get(url_.get(), name, &text, 0) != CURLUE_OK) return {};
    return std::unique_ptr<char, FreeText>(text).get();
  }
  void drop(CURLUPart name) { (void)curl_url_set(url_.get(), name, nullptr, 0); }

 private:
  std::unique_ptr<CURLU, FreeUrl> url_;
  CURLUcode code_;
};

/// field-value (RFC 9110 section 5.5): a line break would begin another field.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Outcome::count_)> names{
      "ok",         "error_status", "redirected",  "too_large",  "timed_out",   "unresolved", "unreachable",
      "tls_failed", "broken",       "bad_request", "overloaded", "unavailable", "cancelled"};
  return names[static_cast<std::size_t>(outcome)];
}

std::optional<std::string> objection_to_url(const std::string& url) {
  if (url.size() > url_bytes_max) return "the URL has more than " + std::to_string(url_bytes_max) + " bytes";
  if (url.find('\0') != std::string::npos) return "the URL contains a zero byte";
  const ParsedUrl parsed(url);
  if (parsed.code() != CURLUE_OK) return std::string("not a URL: ") + curl_url_strerror(parsed.code());
  const std::string scheme = parsed.part(CURLUPART_SCHEME);
  const bool is_web =
      base::equals_ignoring_case(scheme, "http") || base::equals_ignoring_case(scheme, "https");
  if (!is_web) return "the URL must begin with http:// or https://";
  if (parsed.part(CURLUPART_HOST).empty()) return "the URL has no host";
  return std::nullopt;
}

std::optional<std::string> objection_to(const Request& request) {
  for (const Field& field : request.headers) {
    if (!base::is_token(field.name)) return "a header field has a name that is no token";
    if (!is_field_value(field.value)) return "header field " + field.name + " contains a control character";
  }
  return objection_to_url(request.url);
}

std::size_t held_bytes(const Request& request) {
  std::size_t bytes = sizeof request + request.url.size() + request.body.size();
  for (const Field& field : request.headers)
    bytes += sizeof field + field.name.size() + field.value.size();
  return bytes;
}

std::string without_secrets(const std::string& url) {
  ParsedUrl parsed(url);
  if (parsed.code() != CURLUE_OK) return "(not a URL)";
  for (const CURLUPart secret :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    parsed.drop(secret);
  }
  return parsed.part(CURLUPART_URL);
}

}  // namespace roomcast::fetch
