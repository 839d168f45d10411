#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace roomcast::http {

namespace {

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  const auto start = static_cast<std::ptrdiff_t>(head.size());
  head += value;
  std::replace_if(
      head.begin() + start, head.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  head += "\r\n";
}

/// Everything except the framing of the body.
std::string begin_head(const Response& response, std::string_view date) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head += reason_phrase(response.status);
  head += "\r\n";
  if (!date.empty()) append_field(head, "Date", date);
  // Browsers must not guess content types (WHATWG Fetch).
  head += "X-Content-Type-Options: nosniff\r\n";
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const Headers::Field field = response.headers.field(i);
    append_field(head, field.name, field.value);
  }
  return head;
}

}  // namespace

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string response_head(const Response& response, const HeadOptions& options) {
  std::string head = begin_head(response, options.date);
  if (has_body(response.status))
    append_field(head, "Content-Length", std::to_string(response.content_bytes()));
  if (!options.keep_alive) {
    append_field(head, "Connection", "close");
  } else if (options.minor_version == 0) {
    append_field(head, "Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

std::string endless_response_head(const Response& response, int minor_version, std::string_view date) {
  std::string head = begin_head(response, date);
  if (minor_version > 0) append_field(head, "Transfer-Encoding", "chunked");
  append_field(head, "Connection", "close");
  head += "\r\n";
  return head;
}

std::string_view DateText::at(std::int64_t wall_ms) {
  const std::int64_t second = wall_ms / 1000;
  if (second == second_) return text_;
  second_ = second;
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto time = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> buffer{};
  // Not strftime, which depends on the locale.
  const int length = std::snprintf(buffer.data(), buffer.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                                   months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900,
                                   utc.tm_hour, utc.tm_min, utc.tm_sec);
  text_.assign(buffer.data(), static_cast<std::size_t>(length));
  return text_;
}

}  // namespace roomcast::http
