#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/work_allowance.h"
#include "ws/deflate.h"
#include "ws/fault.h"
#include "ws/frame_header.h"
#include "ws/message_assembly.h"

namespace roomcast::ws {

/// One thing the peer said. Views are valid until the next call of FrameReader::next and only as long as the
/// input buffer is.
struct Event {
  enum class Type : std::uint8_t {
    need_more,  ///< the input is used up
    cut,     ///< the allowance is used up: call again, with what is left of the input, which may be nothing
    text,    ///< whole text message, valid UTF-8
    binary,  ///< whole binary message
    ping,
    pong,
    close,  ///< code (CloseCode::no_status if the frame was empty) and reason
    error,  ///< the connection must be failed with `code`; `payload` says why. Nothing follows.
  };
  Type type = Type::need_more;
  CloseCode code = CloseCode::no_status;
  std::string_view payload;
};

/// Whether a client may refer to earlier messages when it compresses (no client_no_context_takeover).
enum class ContextTakeover : std::uint8_t { no, yes };

/// What all readers of one kind have in common.
struct ReaderProfile {
  const ReaderLimits& limits;         ///< changes apply from the next frame on
  InflaterPool* inflaters = nullptr;  ///< null: permessage-deflate was not negotiated
  ContextTakeover takeover = ContextTakeover::no;
};

/// Reads what a client sends (RFC 6455 section 5; RFC 7692 where negotiated). Sans-I/O: bytes in, values out.
/// A message that arrives whole in one frame is unmasked in the input buffer and not copied. UTF-8 is judged
/// as the bytes arrive, within frames and across fragments. Nothing is allocated until a message is split,
/// and nothing is kept after it (but an inflater where the client may refer to earlier messages).
class FrameReader {
 public:
  /// `profile`, and all that it refers to, outlives the reader.
  explicit FrameReader(const ReaderProfile& profile);
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader();

  /// Takes bytes from the front of `input` up to the end of the next event and returns that; need_more once
  /// they are used up. To be called until then, also when `input` has become empty. Writes to the bytes it
  /// takes. After `error` there is only the same error, after `close` only need_more, whatever
  /// arrives. Throws std::bad_alloc when out of memory.
  [[nodiscard]] Event next(std::span<char>& input, base::WorkAllowance& allowance);
  /// The same, however much work it is.
  [[nodiscard]] Event next(std::span<char>& input);

  /// From now on messages are passed over unread, uninflated and unjudged: only control frames matter any
  /// more. Views that were given out stay valid until the next call of next.
  void skip_messages() { skipping_ = true; }

  /// What the reader has allocated for a message under way, without the inflater's own memory; of a reader
  /// that keeps an inflater a few hundred bytes always.
  [[nodiscard]] std::size_t allocated_bytes() const;
  /// The same with the inflater.
  [[nodiscard]] std::size_t held_bytes() const;

  /// Whether a frame or a message has begun and is not whole yet.
  [[nodiscard]] bool is_in_message() const;
  /// Notes when that began, for whoever bounds how long it may take; 0, and forgotten with the message, until
  /// then. Only while is_in_message.
  void set_begun_ms(std::int64_t now_ms);
  [[nodiscard]] std::int64_t begun_ms() const;

 private:
  struct Partial;

  std::optional<Event> take_short_message(std::span<char>& input, base::WorkAllowance& allowance);
  std::optional<Event> begin_frame(std::span<char>& input, base::WorkAllowance& allowance);
  std::optional<Event> continue_frame(std::span<char>& input, base::WorkAllowance& allowance);
  std::optional<Event> after_piece(std::span<char> input, base::WorkAllowance& allowance);
  std::optional<Event> end_frame();
  HeaderParse read_header(std::span<char>& input, FrameHeader& header);
  [[nodiscard]] HeaderParse parse_header(std::string_view bytes, FrameHeader& header) const;
  [[nodiscard]] Fault check_kind(const FrameHeader& header) const;
  [[nodiscard]] Fault check_length(const FrameHeader& header) const;
  void begin_payload(const FrameHeader& header);
  Event whole_message(Opcode opcode, std::string_view payload);
  Event control_event(Opcode opcode, std::string_view payload);
  Event close_event(std::string_view payload);
  Event fail(Fault fault);
  void release_what_is_done();
  Partial& partial();

  const ReaderProfile& profile_;
  std::unique_ptr<Partial> partial_;  // only while a frame or a message is incomplete, or for the inflater
  bool closed_ : 1 = false;
  bool skipping_ : 1 = false;
  Fault fault_ = Fault::none;
};

}  // namespace roomcast::ws
