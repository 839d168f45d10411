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
#include "transport/stream_content.h"
#include "ws/deflate.h"

namespace roomcast::transport {

/// What the client of an endless answer can read.
struct StreamForm {
  BodyCoding::Length length = BodyCoding::Length::chunked;
  bool gzip = false;
};

/// Frames payloads as content of one kind, and codes that for an HTTP body.
class StreamFraming final : public session::Framing {
 public:
  /// `content` and `coding`'s parts must outlive it.
  StreamFraming(const StreamContent& content, const BodyCoding& coding, base::TimeBudget& compressing);

  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override;
  [[nodiscard]] bool names_events() const override { return content_.names_events(); }

  [[nodiscard]] const StreamContent& content() const { return content_; }
  /// The beginning of a body, with `opening` as the first of its content.
  [[nodiscard]] base::Bytes start(std::string_view opening) const;
  [[nodiscard]] const base::Bytes& heartbeat() const { return heartbeat_; }
  /// The end of a body.
  [[nodiscard]] const base::Bytes& end() const { return end_; }

 private:
  const StreamContent& content_;
  BodyCoding coding_;
  base::TimeBudget& compressing_;
  base::Bytes heartbeat_;
  base::Bytes end_;
};

/// One framing for each form of stream of one content, made on first use, and the compressor that they share.
class StreamFramings {
 public:
  /// Both outlive it. `compressing`: time for compression; past it, content goes uncompressed.
  StreamFramings(const StreamContent& content, base::TimeBudget& compressing)
      : content_(content), compressing_(compressing) {}
  StreamFramings(const StreamFramings&) = delete;
  StreamFramings& operator=(const StreamFramings&) = delete;

  [[nodiscard]] const StreamFraming& for_form(const StreamForm& form);

 private:
  const StreamContent& content_;
  base::TimeBudget& compressing_;
  std::unique_ptr<ws::Deflater> deflater_;
  std::array<std::unique_ptr<StreamFraming>, 2 * 2> made_;
};

}  // namespace roomcast::transport
