#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "http/message.h"
#include "http/url.h"

using namespace roomcast;

namespace {

/// `text` form-encoded, every byte escaped.
std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
  }
  return out;
}

}  // namespace

/// The name of a parameter up to the first line feed, then a query: a parameter before the query is read back
/// unchanged, and one after it is found only if none of that name comes before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string name(input.substr(0, line));
  http::Request request;
  request.query = input.substr(line + 1);
  const auto value = request.query_parameter(name);
  if (value) FUZZ_CHECK(value->size() <= request.query.size());
  // Escaping and decoding once gives the same text.
  FUZZ_CHECK(http::form_decode(escaped(request.query)) == request.query);
  FUZZ_CHECK(http::form_equals(escaped(request.query), request.query));
  const auto decoded = http::percent_decode(request.query);
  if (decoded) FUZZ_CHECK(http::form_decode(request.query).has_value());

  http::Request in_front;
  in_front.query = escaped(name) + '=' + escaped(request.query) + '&' + request.query;
  FUZZ_CHECK(in_front.query_parameter(name) == request.query);
  http::Request behind;
  behind.query = request.query + '&' + escaped(name) + "=behind";
  const auto last = behind.query_parameter(name);
  if (value) FUZZ_CHECK(last == value);
  return 0;
}
