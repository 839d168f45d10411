#include "ws/frame_reader.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace roomcast::ws {

namespace {

std::string_view view_of(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

std::span<char> take_front(std::span<char>& input, std::uint64_t at_most) {
  const auto taken = input.first(std::min<std::uint64_t>(at_most, input.size()));
  input = input.subspan(taken.size());
  return taken;
}

// The fixed cost of a frame and of a message, in units of a WorkAllowance.
constexpr std::size_t frame_units = 64;
constexpr std::size_t message_units = 512;
// The number of compressed bytes that are inflated between two checks of the allowance: they can expand a
// thousandfold.
constexpr std::size_t inflate_piece_bytes = 512;
// Memory of the state and window of zlib.
constexpr std::size_t inflater_bytes = 49'152;

ReaderEvent::Type message_type(bool is_text) {
  return is_text ? ReaderEvent::Type::text : ReaderEvent::Type::binary;
}

}  // namespace

/// State between calls of `next` while a frame or a message is incomplete.
struct FrameReader::Partial {
  std::array<char, max_client_header_bytes> header{};
  std::uint8_t header_size = 0;
  bool in_payload = false;
  std::uint8_t control_size = 0;
  std::array<char, max_control_payload_bytes> control{};
  InflaterPool::Lease
      inflater;               // during a compressed message, or from the first one on with context takeover
  std::int64_t begun_ms = 0;  // see set_begun_ms
  FrameHeader frame;          // the frame being read; payload_bytes counts down
  MessageAssembly message;

  [[nodiscard]] bool is_done() const {
    return header_size == 0 && !in_payload && message.state() != MessageAssembly::State::open;
  }
};

FrameReader::FrameReader(const ReaderProfile& profile) : profile_(profile) {}

FrameReader::~FrameReader() = default;

ReaderEvent FrameReader::next(std::span<char>& input) {
  base::WorkAllowance unlimited(std::numeric_limits<std::size_t>::max());
  return next(input, unlimited);
}

ReaderEvent FrameReader::next(std::span<char>& input, base::WorkAllowance& allowance) {
  if (fault_ != Fault::none) return fail(fault_);
  if (partial_ == nullptr && !closed_) {
    if (const auto message = take_short_message(input, allowance)) return *message;
  }
  release_what_is_done();
  if (closed_) {
    input = {};
    return {};
  }
  for (;;) {
    const bool in_payload = partial_ != nullptr && partial_->in_payload;
    if (const auto event = in_payload ? continue_frame(input, allowance) : begin_frame(input, allowance))
      return *event;
    if (allowance.is_used_up() && !input.empty()) return {ReaderEvent::Type::cut, CloseCode::no_status, {}};
  }
}

/// A fast path that bypasses begin_frame if no frame or message is incomplete.
std::optional<ReaderEvent> FrameReader::take_short_message(std::span<char>& input,
                                                           base::WorkAllowance& allowance) {
  const auto size = size_of_short_message(view_of(input));
  if (!size || *size > profile_.limits.message_bytes) return std::nullopt;
  const auto frame = take_front(input, short_client_header_bytes + *size);
  MaskKey key;
  std::copy_n(frame.begin() + 2, key.size(), key.begin());
  const auto payload = frame.subspan(short_client_header_bytes);
  apply_mask(payload, key);
  allowance.spend(message_units + *size);
  return whole_message(static_cast<Opcode>(frame.front() & 0x0F), view_of(payload));
}

std::optional<ReaderEvent> FrameReader::begin_frame(std::span<char>& input, base::WorkAllowance& allowance) {
  FrameHeader header;
  const HeaderParse parse = read_header(input, header);
  if (parse.fault != Fault::none) return fail(parse.fault);
  if (parse.header_bytes == 0) return ReaderEvent{};

  const bool is_whole_message = header.fin && !header.rsv1 && header.opcode != Opcode::continuation;
  if (is_whole_message && header.payload_bytes <= input.size()) {
    const auto payload = take_front(input, header.payload_bytes);
    apply_mask(payload, header.mask);
    allowance.spend(message_units + payload.size());
    if (is_control(header.opcode)) return control_event(header.opcode, view_of(payload));
    return whole_message(header.opcode, view_of(payload));
  }
  allowance.spend(frame_units);
  begin_payload(header);
  return std::nullopt;
}

std::optional<ReaderEvent> FrameReader::continue_frame(std::span<char>& input,
                                                       base::WorkAllowance& allowance) {
  Partial& state = *partial_;
  if (state.message.has_rest() && !skipping_) {
    const Fault fault = state.message.take_rest(profile_.limits, allowance);
    if (fault != Fault::none) return fail(fault);
    return after_piece(input, allowance);
  }
  const std::uint64_t most = state.inflater == nullptr ? state.frame.payload_bytes : inflate_piece_bytes;
  const auto piece = take_front(input, std::min(state.frame.payload_bytes, most));
  state.frame.payload_bytes -= piece.size();
  apply_mask_to_piece(piece, state.frame.mask);
  if (is_control(state.frame.opcode)) {
    std::copy(piece.begin(), piece.end(), state.control.begin() + state.control_size);
    state.control_size = static_cast<std::uint8_t>(state.control_size + piece.size());
  } else if (!skipping_) {
    const Fault fault = state.message.add(view_of(piece), profile_.limits, allowance);
    if (fault != Fault::none) return fail(fault);
  }
  return after_piece(input, allowance);
}

std::optional<ReaderEvent> FrameReader::after_piece(std::span<char> input, base::WorkAllowance& allowance) {
  Partial& state = *partial_;
  if (state.message.has_rest() && !skipping_)
    return ReaderEvent{ReaderEvent::Type::cut, CloseCode::no_status, {}};
  if (state.frame.payload_bytes > 0) return input.empty() ? std::optional(ReaderEvent{}) : std::nullopt;
  state.in_payload = false;
  allowance.spend(frame_units);
  const auto event = end_frame();
  if (event) allowance.spend(message_units);
  return event;
}

std::optional<ReaderEvent> FrameReader::end_frame() {
  Partial& state = *partial_;
  if (is_control(state.frame.opcode)) {
    return control_event(state.frame.opcode, {state.control.data(), state.control_size});
  }
  if (!state.frame.fin || skipping_) return std::nullopt;
  if (const Fault fault = state.message.finish(profile_.limits); fault != Fault::none) return fail(fault);
  state.begun_ms = 0;
  if (profile_.takeover == ContextTakeover::no) state.inflater.reset();
  return ReaderEvent{message_type(state.message.is_text()), CloseCode::no_status, state.message.bytes()};
}

HeaderParse FrameReader::read_header(std::span<char>& input, FrameHeader& header) {
  HeaderParse parse;
  if (partial_ == nullptr || partial_->header_size == 0) {
    parse = parse_header(view_of(input), header);
    take_front(input, parse.header_bytes);
    if (parse.fault != Fault::none || parse.header_bytes > 0 || input.empty()) return parse;
    partial();
  }
  // The header is incomplete: collect it byte by byte, which validates each byte as it arrives.
  auto& bytes = partial_->header;
  auto& size = partial_->header_size;
  while (!input.empty() && parse.header_bytes == 0 && parse.fault == Fault::none) {
    bytes.at(size++) = take_front(input, 1).front();
    parse = parse_header({bytes.data(), size}, header);
  }
  if (parse.header_bytes > 0) size = 0;
  return parse;
}

/// Parses a header and reports also the errors that depend on previous frames. The earliest invalid byte is
/// reported.
HeaderParse FrameReader::parse_header(std::string_view bytes, FrameHeader& header) const {
  HeaderParse parse = parse_client_header(bytes, header);
  if (!parse.has_kind) return parse;
  if (const Fault fault = check_kind(header); fault != Fault::none) {
    parse.fault = fault;
  } else if (parse.has_length && parse.fault == Fault::none) {
    parse.fault = check_length(header);
  }
  return parse;
}

/// Validates the first byte.
Fault FrameReader::check_kind(const FrameHeader& header) const {
  if (header.rsv1 && profile_.inflaters == nullptr) return Fault::reserved_bits;
  if (is_control(header.opcode) || skipping_) return Fault::none;
  const bool message_is_open =
      partial_ != nullptr && partial_->message.state() == MessageAssembly::State::open;
  const bool continues = header.opcode == Opcode::continuation;
  if (continues && !message_is_open) return Fault::unexpected_continuation;
  if (!continues && message_is_open) return Fault::expected_continuation;
  if (continues) return partial_->message.check_next_frame(profile_.limits);
  return Fault::none;
}

Fault FrameReader::check_length(const FrameHeader& header) const {
  if (is_control(header.opcode) || skipping_) return Fault::none;
  if (header.opcode == Opcode::continuation)
    return partial_->message.check_frame(header.payload_bytes, profile_.limits);
  const auto most = header.rsv1 ? max_compressed_bytes(profile_.limits) : profile_.limits.message_bytes;
  return header.payload_bytes > most ? Fault::message_too_big : Fault::none;
}

void FrameReader::begin_payload(const FrameHeader& header) {
  Partial& state = partial();
  state.frame = header;
  state.in_payload = true;
  state.control_size = 0;
  if (is_control(header.opcode) || skipping_) return;
  if (header.opcode != Opcode::continuation) {
    if (header.rsv1 && state.inflater == nullptr) state.inflater = profile_.inflaters->borrow();
    state.message.begin(header.opcode == Opcode::text, header.rsv1 ? state.inflater.get() : nullptr);
  }
  state.message.add_frame(header.payload_bytes);
}

ReaderEvent FrameReader::whole_message(Opcode opcode, std::string_view payload) {
  const bool is_text = opcode == Opcode::text;
  if (is_text && !base::is_valid_utf8(payload)) return fail(Fault::text_not_utf8);
  return {message_type(is_text), CloseCode::no_status, payload};
}

ReaderEvent FrameReader::control_event(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::close) return close_event(payload);
  const auto type = opcode == Opcode::ping ? ReaderEvent::Type::ping : ReaderEvent::Type::pong;
  return {type, CloseCode::no_status, payload};
}

ReaderEvent FrameReader::close_event(std::string_view payload) {
  auto code = CloseCode::no_status;
  if (!payload.empty()) {
    // Never a single byte: the header would have been refused.
    const auto high = static_cast<unsigned char>(payload[0]);
    const auto low = static_cast<unsigned char>(payload[1]);
    const auto number = static_cast<std::uint16_t>(high << 8U | low);
    if (!may_be_received(number)) return fail(Fault::close_code);
    code = static_cast<CloseCode>(number);
    payload.remove_prefix(2);
    if (!base::is_valid_utf8(payload)) return fail(Fault::close_reason_not_utf8);
  }
  closed_ = true;
  if (partial_ != nullptr) partial_->inflater.reset();
  return {ReaderEvent::Type::close, code, payload};
}

ReaderEvent FrameReader::fail(Fault fault) {
  fault_ = fault;
  partial_.reset();
  const FaultInfo& info = describe(fault);
  return {ReaderEvent::Type::error, info.code, info.text};
}

void FrameReader::release_what_is_done() {
  if (partial_ != nullptr && skipping_) {
    partial_->message = {};
    partial_->inflater.reset();
  }
  if (partial_ == nullptr || !(closed_ || partial_->is_done())) return;
  if (partial_->inflater != nullptr) {
    partial_->message = {};
    partial_->begun_ms = 0;
  } else {
    partial_.reset();
  }
}

FrameReader::Partial& FrameReader::partial() {
  if (partial_ == nullptr) partial_ = std::make_unique<Partial>();
  return *partial_;
}

std::size_t FrameReader::allocated_bytes() const {
  return partial_ == nullptr ? 0 : sizeof(Partial) + partial_->message.allocated_bytes();
}

std::size_t FrameReader::held_bytes() const {
  const bool has_inflater = partial_ != nullptr && partial_->inflater != nullptr;
  return allocated_bytes() + (has_inflater ? inflater_bytes : 0);
}

bool FrameReader::is_in_message() const { return partial_ != nullptr && !partial_->is_done(); }

void FrameReader::set_begun_ms(std::int64_t now_ms) { partial_->begun_ms = now_ms; }

std::int64_t FrameReader::begun_ms() const { return partial_ == nullptr ? 0 : partial_->begun_ms; }

}  // namespace roomcast::ws
