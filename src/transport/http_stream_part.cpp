#include "transport/http_stream_part.h"

#include <cstdint>
#include <utility>

#include "part/settings.h"
#include "part/transport_metrics.h"
#include "transport/stream_content.h"
#include "transport/stream_refusal.h"

namespace roomcast::transport {

HttpStreamSettings stream_settings(const config::Config& config) {
  HttpStreamSettings settings{};
  settings.heartbeat_ms = config.websocket.ping_ms;
  settings.close_timeout_ms = config.websocket.close_timeout_ms;
  settings.queue_bytes = part::client_queue_bytes(config);
  settings.compression = config.http.compression;
  return settings;
}

HttpStreamPart::HttpStreamPart(const part::Context& context, std::unique_ptr<const StreamContent> content,
                               session::DialectChoices dialects, http::RefusalForm refusal_form)
    : content_(std::move(content)),
      shared_{context.scheduler, context.deadlines, context.linger, stream_settings(context.config),
              StreamFramings(*content_, context.compressing)},
      join_(shared_, context.sessions, context.clock, *content_, std::move(dialects)),
      refusal_form_(std::move(refusal_form)) {}

void HttpStreamPart::add_transports(part::RoomTransports& transports) {
  transports.push_back({content_->name(), &join_, content_->media_type(), {}, refusal_form_});
}

void HttpStreamPart::apply(const config::Config& config) { shared_.settings = stream_settings(config); }

void HttpStreamPart::collect(metrics::Exposition& out) const {
  const HttpStreamStats& stats = shared_.stats;
  part::TransportMetrics shared(out);
  shared.connections(content_->name(), static_cast<std::int64_t>(stats.open));
  shared.queued(stats.queued_bytes);
  shared.sent(content_->name(), stats.wire_bytes_out);
}

std::unique_ptr<part::Part> make_event_stream(const part::Context& context) {
  return std::make_unique<HttpStreamPart>(context, std::make_unique<SseFraming>(),
                                          context.dialects.for_room(), let_event_source_return);
}

std::unique_ptr<part::Part> make_ndjson_stream(const part::Context& context) {
  return std::make_unique<HttpStreamPart>(context, std::make_unique<NdjsonFraming>(),
                                          session::DialectChoices{{}, &context.dialects.json});
}

}  // namespace roomcast::transport
