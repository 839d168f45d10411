#pragma once

#include <memory>

#include "config/config.h"
#include "part/context.h"
#include "transport/http_stream.h"
#include "transport/stream_content.h"
#include "transport/stream_join.h"

namespace roomcast::transport {

[[nodiscard]] HttpStreamSettings stream_settings(const config::Config& config);

/// A transport of rooms that is an HTTP answer without end; `content` makes the difference between them.
class HttpStreamPart final : public part::Part {
 public:
  /// `refusal_form` is what refusals of such a stream are like; empty: plain errors.
  HttpStreamPart(const part::Context& context, std::unique_ptr<const StreamContent> content,
                 session::DialectChoices dialects, http::RefusalForm refusal_form = {});

  void add_transports(part::RoomTransports& transports) override;
  void apply(const config::Config& config) override;
  void collect(metrics::Exposition& out) const override;

  [[nodiscard]] HttpStreamShared& shared() { return shared_; }

 private:
  std::unique_ptr<const StreamContent> content_;
  HttpStreamShared shared_;
  StreamJoin join_;
  http::RefusalForm refusal_form_;
};

/// text/event-stream, for EventSource.
[[nodiscard]] std::unique_ptr<part::Part> make_event_stream(const part::Context& context);
/// application/x-ndjson.
[[nodiscard]] std::unique_ptr<part::Part> make_ndjson_stream(const part::Context& context);

}  // namespace roomcast::transport
