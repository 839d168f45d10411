#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time_budget.h"
#include "session/transport.h"
#include "transport/body_coding.h"
#include "transport/ndjson_framing.h"
#include "transport/sse_framing.h"
#include "ws/deflate.h"

namespace roomcast::transport {

/// What an endless answer is made of.
enum class StreamKind : std::uint8_t { event_stream, ndjson };
constexpr std::size_t stream_kinds = 2;

/// What a client of an endless answer can read.
struct StreamForm {
  StreamKind kind = StreamKind::event_stream;
  BodyCoding::Length length = BodyCoding::Length::chunked;
  bool gzip = false;
};

/// The wire form of units in one form of stream, with all that goes around them.
class StreamFraming final : public session::Framing {
 public:
  /// `content` and `coding`'s parts must outlive it. `heartbeat` is content that says nothing.
  StreamFraming(StreamKind kind, const session::Framing& content, const BodyCoding& coding,
                std::string_view heartbeat, base::TimeBudget& compressing);

  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override;
  [[nodiscard]] bool names_events() const override { return content_.names_events(); }

  [[nodiscard]] StreamKind kind() const { return kind_; }
  /// What a body begins with, `opening` being the first of its content.
  [[nodiscard]] base::Bytes start(std::string_view opening) const;
  [[nodiscard]] const base::Bytes& heartbeat() const { return heartbeat_; }
  /// What a body ends with.
  [[nodiscard]] const base::Bytes& end() const { return end_; }

 private:
  StreamKind kind_;
  const session::Framing& content_;
  BodyCoding coding_;
  base::TimeBudget& compressing_;
  base::Bytes heartbeat_;
  base::Bytes end_;
};

/// One framing for each form of stream, made when first asked for, and the compressor that they share.
class StreamFramings {
 public:
  /// `compressing`: the time there is for it; what is more goes uncompressed.
  explicit StreamFramings(base::TimeBudget& compressing) : compressing_(compressing) {}
  StreamFramings(const StreamFramings&) = delete;
  StreamFramings& operator=(const StreamFramings&) = delete;

  [[nodiscard]] const StreamFraming& for_form(const StreamForm& form);

 private:
  base::TimeBudget& compressing_;
  SseFraming sse_;
  NdjsonFraming ndjson_;
  std::unique_ptr<ws::Deflater> deflater_;
  std::array<std::unique_ptr<StreamFraming>, stream_kinds * 2 * 2> made_;
};

}  // namespace roomcast::transport
