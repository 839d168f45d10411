// What a connection costs that only waits, in the server's memory and in the kernel's.

#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/audience.h"
#include "scenario/publisher.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"
#include "serve/process_facts.h"

namespace roomcast::bench {

namespace {

struct Memory {
  std::int64_t server = -1;
  std::int64_t kernel = -1;
};

Memory look(const Target& target) {
  return {target.pid == 0 ? -1 : resident_bytes(target.pid), kernel_socket_bytes()};
}

void add_figure(Measurement& measurement, const char* name, std::int64_t before, std::int64_t after,
                std::size_t connections) {
  if (before < 0 || after < 0 || connections == 0) return;
  measurement.figures.push_back(
      {name, static_cast<double>(after - before) / static_cast<double>(connections)});
}

}  // namespace

Measurement run_idle(const Target& target, const IdleSettings& settings) {
  Stage stage(target, settings.common);
  const std::size_t clients = settings.warm_up + settings.connections;
  Poller poller;
  Audience audience(clients);
  Crowd crowd(
      poller, target,
      {.kind = settings.common.kind, .clients = clients, .path = [](std::size_t) { return one_room; }},
      audience);
  Publisher publisher(poller, target, one_room, min_message_bytes);
  Measurement measurement;
  measurement.expected = settings.connections;

  const auto open_first = [&](std::size_t count) {
    stage.open(poller, crowd, count);
    publisher.wait_for_pong(stage.deadline_ns());
    return crowd.open();
  };
  if (!stage.open(poller, publisher.crowd(), 1)) {
    measurement.refused = publisher.refused();
    return measurement;
  }
  const std::size_t open_before = open_first(settings.warm_up);
  const Memory before = look(target);
  const std::size_t open_after = open_first(clients);
  const Memory after = look(target);
  add_figure(measurement, "server_bytes", before.server, after.server, open_after - open_before);
  add_figure(measurement, "kernel_bytes", before.kernel, after.kernel, open_after - open_before);

  for (std::size_t index = 0; index < settings.warm_up; ++index)
    audience.excuse(index);
  stage.begin();
  if (publisher.is_open()) {
    publisher.publish();
    audience.expect_one_more();
    poller.run_until([&] { return audience.owed() == 0; }, stage.deadline_ns());
  }
  stage.end(measurement);
  audience.enter(measurement);
  measurement.refused += publisher.refused();
  measurement.latency = audience.take_latency();
  return measurement;
}

}  // namespace roomcast::bench
