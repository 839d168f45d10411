#include "app/wiring.h"

#include <utility>

#include "app/part_settings.h"
#include "http/web_directory.h"
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
    : gate_(hosts_, origins_, parts.log),
      join_(parts.websockets, parts.sessions, {{{"roomcast.v1", &json_}, {"roomcast.raw.v1", &raw_}}, &raw_},
            WebSocketUpgrade::Rooms::from_path, deflate_policy(config)),
      event_stream_(parts.streams, parts.sessions, parts.clock, StreamKind::event_stream,
                    {{{"roomcast.v1", &json_}, {"roomcast.raw.v1", &raw_}}, &raw_}),
      ndjson_(parts.streams, parts.sessions, parts.clock, StreamKind::ndjson, {{}, &json_}),
      poll_(parts.polls),
      room_entry_({join_, event_stream_, ndjson_, poll_}),
      connect_(parts.websockets, parts.sessions, {{{"roomcast.v1", &json_}}, nullptr},
               WebSocketUpgrade::Rooms::none, deflate_policy(config)),
      echo_upgrade_(parts.websockets, parts.sessions, {{{"roomcast.raw.v1", &echo_}}, &echo_},
                    WebSocketUpgrade::Rooms::none, deflate_policy(config)),
      publish_(parts.rooms, parts.connections),
      publish_batch_(parts.rooms, parts.connections, parts.scheduler, batch_limits_),
      presence_(parts.rooms),
      metrics_(parts.metrics),
      page_({}, transport::accepts_gzip) {
  using enum http::Method;
  using http::Access;
  http::Router& router = parts.router;
  router.set_gate(gate_);
  router.add({get}, "/rooms/{room}", Access::origin, room_entry_);
  router.add({post}, "/rooms/{room}", Access::origin, publish_);
  router.add({get}, "/connect", Access::origin, connect_);
  router.add({get}, "/presence/{room}", Access::origin, presence_);
  router.add({post}, "/api/publish", Access::origin, publish_batch_);
  if (config.echo.enabled) router.add({get}, "/echo", Access::origin, echo_upgrade_);
  for (http::Router* each : {&router, &operations_, &reserve_}) {
    each->add({get}, "/healthz", Access::open, health_);
    each->add({get}, "/readyz", Access::open, readiness_);
    each->add({get}, "/metrics", Access::open, metrics_);
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
