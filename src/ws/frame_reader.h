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

/// A message, control frame or other result of FrameReader::next. Views are valid until the next call, and
/// only as long as the input buffer.
struct ReaderEvent {
  enum class Type : std::uint8_t {
    need_more,  ///< the input is used up
    cut,        ///< the allowance is used up: call again with the rest of the input, which may be empty
    text,       ///< complete text message, valid UTF-8
    binary,     ///< complete binary message
    ping,
    pong,
    close,  ///< code (CloseCode::no_status if the frame was empty) and reason
    error,  ///< fail the connection with `code`; `payload` is the reason. Nothing follows.
  };
  Type type = Type::need_more;
  CloseCode code = CloseCode::no_status;
  std::string_view payload;
};

/// Whether a client may refer to earlier messages in compressed ones (no client_no_context_takeover).
enum class ContextTakeover : std::uint8_t { no, yes };

/// The settings that readers of one kind share.
struct ReaderProfile {
  const ReaderLimits& limits;         ///< changes take effect with the next frame
  InflaterPool* inflaters = nullptr;  ///< null: permessage-deflate was not negotiated
  ContextTakeover takeover = ContextTakeover::no;
};

/// Reads the frames of a client (RFC 6455 section 5; RFC 7692 if negotiated). Sans-I/O: bytes in, values out.
/// A message that arrives completely in one frame is unmasked in the input buffer and not copied. UTF-8 is
/// validated as the bytes arrive, within frames and across fragments. Nothing is allocated until a message is
/// split, and nothing is kept after it (except an inflater if the client may refer to earlier messages).
class FrameReader {
 public:
  /// `profile`, and everything it refers to, outlives the reader.
  explicit FrameReader(const ReaderProfile& profile);
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader();

  /// Takes bytes from the front of `input` up to the end of the next event and returns that; need_more once
  /// they are used up. To be called until then, also when `input` has become empty. Modifies the bytes it
  /// takes. After `error` it only returns the same error, after `close` only need_more, whatever arrives.
  /// Throws std::bad_alloc when out of memory.
  [[nodiscard]] ReaderEvent next(std::span<char>& input, base::WorkAllowance& allowance);
  /// The same without an allowance.
  [[nodiscard]] ReaderEvent next(std::span<char>& input);

  /// Skips messages from now on without unmasking, inflating or validating them: only control frames are
  /// returned. Views that were returned before stay valid until the next call of next.
  void skip_messages() { skipping_ = true; }

  /// Memory allocated for the current message, without that of the inflater; a few hundred bytes as long as
  /// an inflater is kept.
  [[nodiscard]] std::size_t allocated_bytes() const;
  /// The same including the inflater.
  [[nodiscard]] std::size_t held_bytes() const;

  /// Whether a frame or a message is incomplete.
  [[nodiscard]] bool is_in_message() const;
  /// Stores when the incomplete message began, for limiting its duration; 0 until set, and cleared with the
  /// message. Only while is_in_message.
  void set_begun_ms(std::int64_t now_ms);
  [[nodiscard]] std::int64_t begun_ms() const;

 private:
  struct Partial;

  std::optional<ReaderEvent> take_short_message(std::span<char>& input, base::WorkAllowance& allowance);
  std::optional<ReaderEvent> begin_frame(std::span<char>& input, base::WorkAllowance& allowance);
  std::optional<ReaderEvent> continue_frame(std::span<char>& input, base::WorkAllowance& allowance);
  std::optional<ReaderEvent> after_piece(std::span<char> input, base::WorkAllowance& allowance);
  std::optional<ReaderEvent> end_frame();
  HeaderParse read_header(std::span<char>& input, FrameHeader& header);
  [[nodiscard]] HeaderParse parse_header(std::string_view bytes, FrameHeader& header) const;
  [[nodiscard]] Fault check_kind(const FrameHeader& header) const;
  [[nodiscard]] Fault check_length(const FrameHeader& header) const;
  void begin_payload(const FrameHeader& header);
  ReaderEvent whole_message(Opcode opcode, std::string_view payload);
  ReaderEvent control_event(Opcode opcode, std::string_view payload);
  ReaderEvent close_event(std::string_view payload);
  ReaderEvent fail(Fault fault);
  void release_what_is_done();
  Partial& partial();

  const ReaderProfile& profile_;
  std::unique_ptr<Partial> partial_;  // while a frame or message is incomplete, or an inflater is kept
  bool closed_ : 1 = false;
  bool skipping_ : 1 = false;
  Fault fault_ = Fault::none;
};

}  // namespace roomcast::ws
