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

/// Parses HTTP/1.x requests one after the other (RFC 9112). Sans-I/O: bytes in, values out.
///
/// The end of a message is determined here (HeadScanner, check_head, ChunkScanner), strictly; llhttp then
/// parses exactly those bytes and must agree. A disagreement makes the request invalid.
class Parser {
 public:
  /// The result of reading a piece of input.
  enum class Step : std::uint8_t {
    need_more,  ///< the input is used up
    head,     ///< the head is accepted: `request()` is complete except its body, `wants_continue()` is known
    request,  ///< the request is complete: call `take_request`
    refused,  ///< see `problem()`. Nothing more can be read from this connection.
  };

  /// `limits` must outlive the parser; changes take effect from the next byte on.
  explicit Parser(const ParserLimits& limits);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser();

  /// Reads from the front of `input` and removes what was used. Never reads beyond the end of a request:
  /// input after `Step::request` is left. Each request yields head, then request.
  Step next(std::string_view& input);

  [[nodiscard]] const Request& request() const { return request_; }
  /// After Step::head: whether the client waits for 100 (Continue).
  [[nodiscard]] bool wants_continue() const { return framing_.wants_continue; }
  /// The complete request, to be moved from before the next call; the parser is ready for the next one.
  [[nodiscard]] Request&& take_request();
  /// The size of the body received so far.
  [[nodiscard]] std::size_t body_bytes() const;
  /// The size of the chunked framing of that body: sizes, extensions, line ends and trailers. Costs many
  /// times as much per byte as data.
  [[nodiscard]] std::size_t chunk_framing_bytes() const {
    return chunk_scanner_ ? chunk_scanner_->framing_bytes() : 0;
  }
  [[nodiscard]] const base::Refusal& problem() const { return problem_; }
  /// After Step::refused: whether the head has not ended and no Origin was found in it yet. Further input for
  /// `next` may bring it; it is then in `request()`.
  [[nodiscard]] bool may_find_origin() const { return origin_finder_ && !origin_finder_->is_over(); }
  /// Stops reading an incomplete head, and looks for its Origin in what was read.
  void give_up_head();
  /// Whether part of a request was read. An empty line before it does not count.
  [[nodiscard]] bool in_request() const { return stage_ != Stage::head || head_scanner_.started(); }
  /// Memory held for the current request: its head, and the received part of its body.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  struct Machine;  // llhttp
  enum class Stage : std::uint8_t { head, body, refused };

  Step read_head(std::string_view& input);
  Step take_head(std::string_view head);
  Step read_body(std::string_view& input);
  Step read_chunks(std::string_view& input);
  Step feed_body(std::string_view bytes, bool last);
  Step refuse(base::Refusal problem);
  Step refuse_head(base::Refusal problem, std::string_view head);
  void look_for_origin(std::string_view head);

  const ParserLimits& limits_;
  std::unique_ptr<Machine> machine_;
  Stage stage_ = Stage::head;
  HeadScanner head_scanner_;
  std::optional<ChunkScanner> chunk_scanner_;  // for a chunked body
  std::string head_;  // the part of a head received so far, unless it arrived in one piece
  BodyFraming framing_;
  std::uint64_t body_left_ = 0;  // bytes to come of a body with Content-Length
  Request request_;
  base::Refusal problem_;
  std::optional<OriginFinder> origin_finder_;  // for a head that was refused unparsed
};

}  // namespace roomcast::http
