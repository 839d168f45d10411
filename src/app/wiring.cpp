#include "app/wiring.h"

#include <utility>

#include "app/part_settings.h"
#include "http/embedded_file.h"
#include "transport/negotiation.h"

namespace roomcast::app {

namespace {

using transport::StreamKind;
using transport::WebSocketUpgrade;

std::optional<ws::DeflatePolicy> deflate_policy(const config::Config& config) {
  if (!config.websocket.compression) return std::nullopt;
  return ws::DeflatePolicy{};
}

}  // namespace

Wiring::Wiring(const WiringParts& parts, const config::Config& config)
    : join_(parts.websockets, parts.sessions, {{{"roomcast.v1", &json_}, {"roomcast.raw.v1", &raw_}}, &raw_},
            WebSocketUpgrade::Rooms::from_path, deflate_policy(config)),
      event_stream_(parts.streams, parts.sessions, origins_, parts.clock, StreamKind::event_stream,
                    {{{"roomcast.v1", &json_}, {"roomcast.raw.v1", &raw_}}, &raw_}),
      ndjson_(parts.streams, parts.sessions, origins_, parts.clock, StreamKind::ndjson, {{}, &json_}),
      poll_(parts.polls, parts.sessions, origins_),
      room_entry_(origins_, {join_, event_stream_, ndjson_, poll_}),
      connect_(parts.websockets, parts.sessions, {{{"roomcast.v1", &json_}}, nullptr},
               WebSocketUpgrade::Rooms::none, deflate_policy(config)),
      echo_upgrade_(parts.websockets, parts.sessions, {{{"roomcast.raw.v1", &echo_}}, &echo_},
                    WebSocketUpgrade::Rooms::none, deflate_policy(config)),
      publish_(parts.publisher, parts.connections, origins_, parts.websockets.settings.reader.message_bytes,
               batch_limits_.json_depth),
      publish_batch_(parts.publisher, parts.connections, parts.scheduler, origins_, batch_limits_),
      presence_(parts.hub, origins_),
      metrics_(parts.metrics),
      guarded_room_(origins_, room_entry_, parts.log),
      guarded_connect_(origins_, connect_, parts.log),
      guarded_echo_(origins_, echo_upgrade_, parts.log),
      guarded_publish_(origins_, publish_, parts.log),
      guarded_publish_batch_(origins_, publish_batch_, parts.log),
      guarded_presence_(origins_, presence_, parts.log),
      room_preflight_(origins_, {http::Method::get, http::Method::head, http::Method::post}),
      publish_preflight_(origins_, {http::Method::post}),
      presence_preflight_(origins_, {http::Method::get, http::Method::head}),
      page_({}, transport::accepts_gzip) {
  using enum http::Method;
  http::Router& router = parts.router;
  router.add({get}, "/rooms/{room}", guarded_room_);
  router.add({post}, "/rooms/{room}", guarded_publish_);
  router.add({options}, "/rooms/{room}", room_preflight_);
  router.add({get}, "/connect", guarded_connect_);
  router.add({get}, "/presence/{room}", guarded_presence_);
  router.add({post}, "/api/publish", guarded_publish_batch_);
  router.add({options}, "/api/publish", publish_preflight_);
  router.add({options}, "/presence/{room}", presence_preflight_);
  if (config.echo.enabled) router.add({get}, "/echo", guarded_echo_);
  for (http::Router* each : {&router, &operations_, &reserve_}) {
    each->add({get}, "/healthz", health_);
    each->add({get}, "/readyz", readiness_);
    each->add({get}, "/metrics", metrics_);
  }
  router.set_fallback(page_);
  reserve_.set_fallback(too_many_connections_);
}

std::optional<base::Error> Wiring::load_page(const config::Config& config, base::Log& log) {
  if (config.web.root.empty()) {
    page_.replace(http::FileSet::from_embedded(http::web_assets()));
    return std::nullopt;
  }
  auto files = http::FileSet::from_directory(config.web.root);
  if (!files) return files.error();
  for (const std::string& skipped : files->skipped)
    log.warn("web.root: left out", {base::LogField::whole("what", skipped)});
  files->add_client_module(http::web_assets());
  page_.replace(std::move(*files));
  return std::nullopt;
}

void Wiring::apply(const config::Config& config) {
  if (auto rules = auth::OriginRules::parse(config.origins)) origins_ = std::move(*rules);
  batch_limits_ = batch_limits(config);
  json_.set_depth_max(static_cast<std::size_t>(config.limits.json_depth) + 1);
  origins_.set_cors(config.cors.credentials, config.cors.headers);
  if (auto rules = auth::HostRules::parse(config.hosts)) hosts_ = std::move(*rules);
  page_.set_policy(config.web.content_security_policy);
}

}  // namespace roomcast::app
