#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/parser.h"

namespace http = roomcast::http;

namespace {

/// The result of parsing, in comparable form.
std::string read(std::string_view bytes, std::size_t piece, const http::ParserLimits& limits) {
  http::Parser parser(limits);
  std::string seen;
  while (!bytes.empty()) {
    std::string_view input = bytes.substr(0, piece);
    bytes.remove_prefix(input.size());
    for (bool more = true; more;) {
      switch (parser.next(input)) {
        case http::Parser::Step::need_more:
          if (!input.empty()) std::abort();  // it claimed to have used everything
          more = false;
          break;
        case http::Parser::Step::head:
          if (parser.request().minor_version == 1 && parser.request().headers.count("Host") != 1)
            std::abort();
          break;
        case http::Parser::Step::request: {
          const http::Request request = parser.take_request();
          if (request.body.size() > limits.body_bytes || request.path.empty()) std::abort();
          seen.append(request.method_text).append(" " + request.path + '?' + request.query + '\n');
          for (std::size_t i = 0; i < request.headers.size(); ++i) {
            const auto [name, value] = request.headers.field(i);
            if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) std::abort();
            seen.append(name).append(": ").append(value) += '\n';
          }
          seen += request.body + '\n';
          break;
        }
        case http::Parser::Step::refused:
          return seen + std::to_string(roomcast::base::describe(parser.problem().code).http) + ' ' +
                 std::string(parser.problem().message);
      }
    }
  }
  return seen;
}

}  // namespace

/// The same requests must result however the bytes are split.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const http::ParserLimits limits{
      .header_bytes = 512, .header_count = 16, .uri_bytes = 128, .body_bytes = 256};
  const std::string whole = read(bytes, size, limits);
  if (read(bytes, 1, limits) != whole || read(bytes, 7, limits) != whole) std::abort();
  return 0;
}
