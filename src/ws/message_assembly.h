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

/// The limits of a reader.
struct ReaderLimits {
  std::uint64_t message_bytes;  ///< total payload of a message, after inflating
  std::uint32_t fragments;      ///< frames of one message, at least 1
};

/// The limit of the compressed payload of one message. It is inflated on arrival and not kept, so this only
/// needs to allow for the overhead of DEFLATE with incompressible data and for a flush after each fragment.
[[nodiscard]] std::uint64_t max_compressed_bytes(const ReaderLimits& limits);

/// Assembles a message that does not arrive in one piece: fragments, parts of a frame, compressed data.
/// Validates limits, DEFLATE data and UTF-8 as the bytes arrive, and stores no more than
/// ReaderLimits::message_bytes; announced sizes are not allocated in advance.
class MessageAssembly {
 public:
  enum class State : std::uint8_t { idle, open, finished };

  /// From idle to open. A compressed message uses `inflater` until it is finished; not owned.
  void begin(bool is_text, Inflater* inflater);
  /// Whether a further frame is within the limits: before its length is known, and with it.
  [[nodiscard]] Fault check_next_frame(const ReaderLimits& limits) const;
  [[nodiscard]] Fault check_frame(std::uint64_t payload_bytes, const ReaderLimits& limits) const;
  /// Begins a frame of the message with that announced payload, which was checked.
  void add_frame(std::uint64_t payload_bytes);
  /// Adds unmasked bytes of that frame. Inflating them may exceed the allowance: then has_rest is true, and
  /// nothing may be added until take_rest has finished the rest.
  [[nodiscard]] Fault add(std::string_view piece, const ReaderLimits& limits, base::WorkAllowance& allowance);
  [[nodiscard]] bool has_rest() const { return has_rest_; }
  [[nodiscard]] Fault take_rest(const ReaderLimits& limits, base::WorkAllowance& allowance);
  /// From open to finished: there are no further frames.
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
  std::uint64_t received_bytes_ = 0;  // announced by the frames so far; compressed size if compressed
  std::uint32_t fragments_ = 0;
  Utf8Validator utf8_;
  bool is_text_ = false;
  bool has_rest_ = false;
  State state_ = State::idle;
  std::string rest_;  // compressed bytes not inflated yet; may be empty although output is left
};

}  // namespace roomcast::ws
