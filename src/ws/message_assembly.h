#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/work_allowance.h"
#include "ws/deflate.h"
#include "ws/fault.h"
#include "ws/utf8.h"

namespace roomcast::ws {

/// What a reader accepts.
struct ReaderLimits {
  std::uint64_t message_bytes = 65536;  ///< payload of one message, after inflating, all fragments together
  std::uint32_t fragments = 1024;       ///< frames of one message, at least 1
};

/// How many bytes of compressed payload one message may have. They are inflated as they arrive and not kept,
/// so this only has to allow for what DEFLATE adds to incompressible data and for a flush after each
/// fragment.
[[nodiscard]] std::uint64_t max_compressed_bytes(const ReaderLimits& limits);

/// Puts together one message that does not lie in the input as a whole: fragments, pieces of a frame,
/// compressed data. Judges limits, DEFLATE data and UTF-8 as the bytes come and keeps no more than
/// ReaderLimits::message_bytes; what was merely announced is not allocated.
class MessageAssembly {
 public:
  enum class State : std::uint8_t { idle, open, finished };

  /// From idle to open. A compressed message brings the inflater it uses to the end, not owned.
  void begin(bool is_text, Inflater* inflater);
  /// Whether a further frame is within the limits, before its length is known and when it is.
  [[nodiscard]] Fault check_next_frame(const ReaderLimits& limits) const;
  [[nodiscard]] Fault check_frame(std::uint64_t payload_bytes, const ReaderLimits& limits) const;
  /// A frame of the message begins that announces so many bytes of payload, and has been checked.
  void add_frame(std::uint64_t payload_bytes);
  /// The next unmasked bytes of that frame. What they inflate to may be more work than is allowed: then
  /// has_rest, and nothing may be added before take_rest has left none.
  [[nodiscard]] Fault add(std::string_view piece, const ReaderLimits& limits, base::WorkAllowance& allowance);
  [[nodiscard]] bool has_rest() const { return has_rest_; }
  [[nodiscard]] Fault take_rest(const ReaderLimits& limits, base::WorkAllowance& allowance);
  /// From open to finished: there are no more frames.
  [[nodiscard]] Fault finish(const ReaderLimits& limits);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_text() const { return is_text_; }
  [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] std::size_t allocated_bytes() const { return bytes_.capacity(); }

 private:
  Fault inflate(std::string_view piece, const ReaderLimits& limits, base::WorkAllowance& allowance);
  Fault append(std::string_view piece, const ReaderLimits& limits);

  std::vector<char> bytes_;
  Inflater* inflater_ = nullptr;
  std::uint64_t received_bytes_ = 0;  // announced by the frames so far, compressed if the message is
  std::uint32_t fragments_ = 0;
  Utf8Validator utf8_;
  bool is_text_ = false;
  bool has_rest_ = false;
  State state_ = State::idle;
  std::string
      rest_;  // compressed bytes whose turn has not come; may be none although there is output to come
};

}  // namespace roomcast::ws
