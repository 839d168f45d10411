#include "http/parser.h"

#include <llhttp.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"

namespace roomcast::http {

/// llhttp for one request, with the parts that it reports.
struct Parser::Machine {
  Machine() {
    llhttp_init(&parser, HTTP_REQUEST, &settings());
    parser.data = this;
  }

  /// True if llhttp took every byte.
  bool feed(std::string_view bytes) {
    const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
    // Upgrades are left to the handlers; for llhttp the request ends there like any other.
    return error == HPE_OK || (error == HPE_PAUSED_UPGRADE && complete);
  }

  [[nodiscard]] base::Refusal problem() const {
    if (llhttp_get_errno(&parser) == HPE_INVALID_METHOD)
      return {base::Refusal::Code::not_implemented, "no such request method"};
    const char* reason = llhttp_get_error_reason(&parser);
    if (reason == nullptr || *reason == '\0') return base::bad_request("malformed request");
    return base::bad_request(std::string(reason));
  }

  static Machine& of(llhttp_t* parser) { return *static_cast<Machine*>(parser->data); }

  /// The head is fed in one piece, so the parts of a word that are reported separately are adjacent.
  static void extend(std::string_view& word, const char* at, std::size_t length) {
    word = word.empty() ? std::string_view(at, length) : std::string_view(word.data(), word.size() + length);
  }

  static int on_url(llhttp_t* parser, const char* at, std::size_t length) {
    extend(of(parser).target, at, length);
    return 0;
  }

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t length) {
    Machine& self = of(parser);
    if (!self.head_complete) extend(self.name, at, length);
    return 0;
  }

  static int on_header_value(llhttp_t* parser, const char* at, std::size_t length) {
    Machine& self = of(parser);
    if (!self.head_complete) extend(self.value, at, length);
    return 0;
  }

  static int on_header_value_complete(llhttp_t* parser) {
    Machine& self = of(parser);
    if (self.head_complete) return 0;  // trailers are validated and dropped
    self.headers.add_from(self.head, std::exchange(self.name, {}), base::trim(std::exchange(self.value, {})));
    return 0;
  }

  static int on_headers_complete(llhttp_t* parser) {
    of(parser).head_complete = true;
    return 0;
  }

  static int on_body(llhttp_t* parser, const char* at, std::size_t length) {
    of(parser).body.append(at, length);
    return 0;
  }

  static int on_message_complete(llhttp_t* parser) {
    of(parser).complete = true;
    return 0;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t table = [] {
      llhttp_settings_t callbacks;
      llhttp_settings_init(&callbacks);
      callbacks.on_url = on_url;
      callbacks.on_header_field = on_header_field;
      callbacks.on_header_value = on_header_value;
      callbacks.on_header_value_complete = on_header_value_complete;
      callbacks.on_headers_complete = on_headers_complete;
      callbacks.on_body = on_body;
      callbacks.on_message_complete = on_message_complete;
      return callbacks;
    }();
    return table;
  }

  llhttp_t parser{};
  std::string_view head;  // while it is fed; the following are views of it
  std::string_view target;
  std::string_view name;
  std::string_view value;
  Headers headers;
  std::string body;
  bool head_complete = false;
  bool complete = false;
};

Parser::Parser(const ParserLimits& limits) : limits_(limits), head_scanner_(limits) {}

Parser::~Parser() = default;

Parser::Step Parser::next(std::string_view& input) {
  switch (stage_) {
    case Stage::head:
      return read_head(input);
    case Stage::body:
      return chunk_scanner_ ? read_chunks(input) : read_body(input);
    case Stage::refused:
      if (may_find_origin()) look_for_origin(input);
      break;
  }
  input = {};
  return Step::refused;
}

Parser::Step Parser::read_head(std::string_view& input) {
  request_.method = Method::other;  // not that of the previous request
  std::size_t used = 0;
  const auto verdict = head_scanner_.scan(input, used);
  if (verdict == HeadScanner::Verdict::refused) {
    return refuse_head(head_scanner_.problem(), std::exchange(input, {}));
  }
  const std::string_view piece = input.substr(0, used);
  input.remove_prefix(used);
  if (verdict == HeadScanner::Verdict::complete && head_.empty()) return take_head(piece);
  head_.append(piece);
  if (verdict == HeadScanner::Verdict::need_more) return Step::need_more;
  const std::string head = std::exchange(head_, {});
  return take_head(head);
}

Parser::Step Parser::take_head(std::string_view head) {
  machine_ = std::make_unique<Machine>();
  machine_->head = head;
  machine_->headers.hold(head, head_scanner_.fields());
  if (!machine_->feed(head)) return refuse_head(machine_->problem(), head);
  request_.method_text = llhttp_method_name(static_cast<llhttp_method_t>(machine_->parser.method));
  request_.method = method_from(request_.method_text);
  request_.minor_version = machine_->parser.http_minor;
  request_.headers = std::move(machine_->headers);
  auto framing = check_head(request_, machine_->target, limits_);
  if (!framing) return refuse(framing.error());
  framing_ = *framing;
  body_left_ = framing_.length;
  if (framing_.kind == BodyFraming::Kind::chunked) chunk_scanner_.emplace(limits_);
  stage_ = Stage::body;
  return Step::head;
}

Parser::Step Parser::read_body(std::string_view& input) {
  const auto bytes =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size())));
  input.remove_prefix(bytes.size());
  body_left_ -= bytes.size();
  return feed_body(bytes, body_left_ == 0);
}

Parser::Step Parser::read_chunks(std::string_view& input) {
  std::size_t used = 0;
  std::string plain;
  const auto verdict = chunk_scanner_->scan(input, used, plain);
  input.remove_prefix(used);
  if (verdict == HeadScanner::Verdict::refused) {
    // llhttp may reject earlier bytes: the first error is reported.
    const bool taken = machine_->feed(plain);
    return refuse(taken ? chunk_scanner_->problem() : machine_->problem());
  }
  return feed_body(plain, verdict == HeadScanner::Verdict::complete);
}

Parser::Step Parser::feed_body(std::string_view bytes, bool last) {
  if (!bytes.empty() && !machine_->feed(bytes)) return refuse(machine_->problem());
  if (machine_->complete != last) return refuse(base::bad_request("the end of the body is not clear"));
  return last ? Step::request : Step::need_more;
}

std::size_t Parser::body_bytes() const { return machine_ ? machine_->body.size() : 0; }

std::size_t Parser::held_bytes() const {
  const std::size_t body = machine_ ? machine_->body.capacity() : 0;
  return head_.capacity() + request_.headers.held_bytes() + body;
}

Parser::Step Parser::refuse(base::Refusal problem) {
  problem_ = std::move(problem);
  stage_ = Stage::refused;
  machine_.reset();
  return Step::refused;
}

Parser::Step Parser::refuse_head(base::Refusal problem, std::string_view head) {
  request_.headers = {};
  origin_finder_.emplace();
  look_for_origin(head_);
  look_for_origin(head);
  return refuse(std::move(problem));
}

void Parser::give_up_head() {
  if (stage_ == Stage::head) (void)refuse_head({}, {});
}

void Parser::look_for_origin(std::string_view head) {
  if (origin_finder_->is_over()) return;
  origin_finder_->feed(head);
  const std::string_view origin = origin_finder_->origin();
  if (!origin.empty()) request_.headers.add("Origin", origin);
}

Request&& Parser::take_request() {
  request_.body = std::move(machine_->body);
  machine_.reset();
  stage_ = Stage::head;
  head_scanner_.restart();
  chunk_scanner_.reset();
  return std::move(request_);
}

}  // namespace roomcast::http
