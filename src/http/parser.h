#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "http/chunk_scanner.h"
#include "http/head_check.h"
#include "http/head_scanner.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/origin_finder.h"

namespace roomcast::http {

/// Reads HTTP/1.x requests one after the other (RFC 9112). Sans-I/O: bytes in, values out.
///
/// Where a message ends is decided here (HeadScanner, check_head, ChunkScanner), by the letter; llhttp then
/// parses exactly those bytes and has to agree. A disagreement is a bad request, never a second opinion.
class Parser {
 public:
  enum class Event : std::uint8_t {
    need_more,  ///< the input is used up
    head,       ///< the head is accepted: `request()` is whole but for its body, `wants_continue()` is known
    request,    ///< the request is whole: call `take_request`
    refused,    ///< `problem()` says why. Nothing more can be read from this connection.
  };

  /// `limits` must outlive the parser; changes count from the next byte on.
  explicit Parser(const ParserLimits& limits);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser();

  /// Reads on, taking what it uses from the front of `input`. Never reads past the end of a request, so what
  /// is left behind an `Event::request` belongs to whatever follows. Each request gives head, then request.
  Event next(std::string_view& input);

  [[nodiscard]] const Request& request() const { return request_; }
  /// After Event::head: the client waits for 100 (Continue).
  [[nodiscard]] bool wants_continue() const { return framing_.wants_continue; }
  /// The whole request, to be moved from before the next call; the parser is ready for the next one.
  [[nodiscard]] Request&& take_request();
  /// Of the body that has come so far.
  [[nodiscard]] std::size_t body_bytes() const;
  /// Of that body's chunked framing: sizes, extensions, line ends and trailers. Each costs many times what a
  /// byte of data does.
  [[nodiscard]] std::size_t chunk_framing_bytes() const {
    return chunk_scanner_ ? chunk_scanner_->framing_bytes() : 0;
  }
  [[nodiscard]] const base::Refusal& problem() const { return problem_; }
  /// After Event::refused: the head is not over and no Origin has been found in it yet. More input for `next`
  /// can bring it; it is in `request()` then.
  [[nodiscard]] bool may_find_origin() const { return origin_finder_ && !origin_finder_->is_over(); }
  /// Reads no more of a head that is under way, but for its Origin, if that has come.
  void give_up_head();
  /// Whether part of a request has been read. An empty line before one is not.
  [[nodiscard]] bool in_request() const { return stage_ != Stage::head || head_scanner_.started(); }
  /// Bytes of the request under way that are kept: of its head and, as far as it has come, its body.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  struct Machine;  // llhttp
  enum class Stage : std::uint8_t { head, body, refused };

  Event read_head(std::string_view& input);
  Event take_head(std::string_view head);
  Event read_body(std::string_view& input);
  Event read_chunks(std::string_view& input);
  Event feed_body(std::string_view bytes, bool last);
  Event refuse(base::Refusal problem);
  Event refuse_head(base::Refusal problem, std::string_view head);
  void look_for_origin(std::string_view head);

  const ParserLimits& limits_;
  std::unique_ptr<Machine> machine_;
  Stage stage_ = Stage::head;
  HeadScanner head_scanner_;
  std::optional<ChunkScanner> chunk_scanner_;  // of a chunked body
  std::string head_;                           // as much of one as has come, unless it comes as a whole
  BodyFraming framing_;
  std::uint64_t body_left_ = 0;  // of a body with Content-Length
  Request request_;
  base::Refusal problem_;
  std::optional<OriginFinder> origin_finder_;  // of a head that was refused unparsed
};

}  // namespace roomcast::http
