#include "http/message.h"

#include <array>
#include <cassert>
#include <limits>

#include "base/json.h"
#include "base/text.h"
#include "http/url.h"

namespace roomcast::http {

namespace {

struct MethodName {
  Method method;
  std::string_view name;
};

constexpr std::array<MethodName, 7> method_names{{
    {Method::get, "GET"},
    {Method::head, "HEAD"},
    {Method::post, "POST"},
    {Method::put, "PUT"},
    {Method::delete_, "DELETE"},
    {Method::options, "OPTIONS"},
    {Method::patch, "PATCH"},
}};

}  // namespace

std::string_view to_string(Method method) {
  for (const auto& row : method_names) {
    if (row.method == method) return row.name;
  }
  return "other";
}

Method method_from(std::string_view name) {
  for (const auto& row : method_names) {
    if (row.name == name) return row.method;
  }
  return Method::other;
}

void Headers::hold(std::string_view text, std::size_t fields) {
  text_ = text;
  extents_.clear();
  extents_.reserve(fields);
  names_ = 0;
}

void Headers::add_from(std::string_view text, std::string_view name, std::string_view value) {
  const auto place = [text](std::string_view part) {
    return part.empty() ? 0 : static_cast<std::size_t>(part.data() - text.data());
  };
  add_extent(place(name), name.size(), place(value), value.size());
}

void Headers::add(std::string_view name, std::string_view value) {
  const std::size_t start = text_.size();
  text_.append(name).append(value);
  add_extent(start, name.size(), start + name.size(), value.size());
}

void Headers::add_extent(std::size_t name, std::size_t name_bytes, std::size_t value,
                         std::size_t value_bytes) {
  assert(text_.size() <= std::numeric_limits<std::uint32_t>::max());
  extents_.push_back({static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(name_bytes),
                      static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value_bytes)});
  names_ |= bit_of(name_of(extents_.back()));
}

void Headers::set(std::string_view name, std::string_view value) {
  // The old text stays in the buffer: fields are replaced at most once in the life of a message.
  std::erase_if(extents_, [&](const Extent& extent) { return is_named(extent, name); });
  add(name, value);
}

Headers::Field Headers::field(std::size_t index) const {
  return {name_of(extents_[index]), value_of(extents_[index])};
}

std::string_view Headers::name_of(const Extent& extent) const {
  return {text_.data() + extent.name, extent.name_bytes};
}

std::string_view Headers::value_of(const Extent& extent) const {
  return {text_.data() + extent.value, extent.value_bytes};
}

bool Headers::is_named(const Extent& extent, std::string_view name) const {
  return extent.name_bytes == name.size() && base::equals_ignoring_case(name_of(extent), name);
}

Headers::Found Headers::find_all(std::string_view name) const {
  Found found;
  for (const Extent& extent : extents_) {
    if (!is_named(extent, name)) continue;
    if (found.count == 0) found.first = value_of(extent);
    ++found.count;
  }
  return found;
}

std::string Headers::joined(std::string_view name) const {
  std::string list;
  bool first = true;
  for (const Extent& extent : extents_) {
    if (!is_named(extent, name)) continue;
    if (!first) list += ", ";
    list += value_of(extent);
    first = false;
  }
  return list;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (const Extent& extent : extents_) {
    if (is_named(extent, name) && base::list_has_token(value_of(extent), token)) return true;
  }
  return false;
}

std::optional<std::string> Request::query_parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto equals = pair.find('=');
    if (!form_equals(pair.substr(0, equals), name)) continue;
    auto value = form_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    if (!value) return std::nullopt;
    return std::move(*value);
  }
  return std::nullopt;
}

Response Response::of(int status, std::string_view content_type, std::string_view body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = base::Bytes::copy_of(body);
  return response;
}

namespace {

/// What would let the client in (RFC 9110 section 11.6.1, RFC 6750 section 3).
void add_challenge(base::Refusal::Code code, Response& response) {
  using Code = base::Refusal::Code;
  if (response.status == 401) {
    const bool has_shown_some = code != Code::unauthorized && code != Code::login_failed;
    response.headers.add("WWW-Authenticate", has_shown_some
                                                 ? R"(Bearer realm="roomcast", error="invalid_token")"
                                                 : R"(Bearer realm="roomcast")");
  } else if (code == Code::forbidden) {
    response.headers.add("WWW-Authenticate", R"(Bearer realm="roomcast", error="insufficient_scope")");
  }
}

}  // namespace

Response Response::error(const base::Refusal& refusal) {
  const base::RefusalInfo& info = base::describe(refusal.code);
  assert(info.http != 0);
  std::string body = R"({"error":{"code":)";
  base::append_json_string(body, info.name);
  body += R"(,"message":)";
  base::append_json_string(body, refusal.message);
  body += "}}\n";
  Response response = of(info.http, "application/json", body);
  response.is_temporary = info.is_temporary;
  response.refusal = refusal.code;
  // In whole seconds (RFC 9110 section 10.2.3), rounded up.
  constexpr std::uint32_t ms_per_s = 1'000;
  const std::uint32_t retry_s =
      refusal.retry_ms == 0 ? info.retry_after_s
                            : refusal.retry_ms / ms_per_s + (refusal.retry_ms % ms_per_s == 0 ? 0U : 1U);
  if (retry_s != 0) response.headers.add("Retry-After", std::to_string(retry_s));
  add_challenge(refusal.code, response);
  return response;
}

std::string_view reason_phrase(int status) {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr std::array<Row, 41> rows{{
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  }};
  for (const auto& row : rows) {
    if (row.status == status) return row.phrase;
  }
  return "Unknown";
}

}  // namespace roomcast::http
