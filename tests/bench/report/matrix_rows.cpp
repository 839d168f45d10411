#include "report/matrix_rows.h"

namespace roomcast::bench {

namespace {

constexpr ServerNeeds plain{};
constexpr ServerNeeds over_tls{true, false};
constexpr ServerNeeds compressed{false, true};
constexpr ClientKind raw{};
constexpr ClientKind envelope{Way::websocket, Dialect::json, false};
constexpr ClientKind deflating{Way::websocket, Dialect::raw, true};
constexpr ClientKind event_stream{Way::event_stream, Dialect::raw, false};

FanoutSettings fanout_of(const Common& common, std::size_t subscribers, std::size_t rooms,
                         std::size_t bytes) {
  FanoutSettings settings;
  settings.common = common;
  settings.subscribers = subscribers;
  settings.rooms = rooms;
  settings.message_bytes = bytes;
  return settings;
}

/// Messages of one room that is written to at a fixed rate, so slowly that nothing can be joined.
Measurement fixed(const Target& target, const Common& common, std::size_t subscribers, std::size_t rooms,
                  std::size_t bytes) {
  FanoutSettings settings = fanout_of(common, subscribers, rooms, bytes);
  settings.messages = subscribers > 1000 ? 40 : 200;
  settings.interval_us = subscribers > 1000 ? 60'000 : 10'000;
  return run_fanout(target, settings);
}

/// As fast as it goes, with `window` messages of 64 bytes of each room on their way: eight million
/// deliveries, fewer with small windows, of which a send carries less.
template <std::size_t subscribers, std::size_t rooms, std::size_t window>
Measurement saturating(const Target& target, const Common& common) {
  FanoutSettings settings = fanout_of(common, subscribers, rooms, 64);
  settings.messages = (window < 16 ? 4'000'000 : 8'000'000) / subscribers;
  settings.interval_us = 0;
  settings.window = window;
  return run_fanout(target, settings);
}

Measurement fixed_1000(const Target& t, const Common& c) { return fixed(t, c, 1000, 1, 64); }
Measurement fixed_10000(const Target& t, const Common& c) { return fixed(t, c, 10'000, 1, 64); }
Measurement fixed_rooms(const Target& t, const Common& c) { return fixed(t, c, 10'000, 100, 64); }
Measurement fixed_1_kib(const Target& t, const Common& c) { return fixed(t, c, 1000, 1, 1024); }

template <std::size_t at_once, Ending ending>
Measurement handshakes(const Target& target, const Common& common) {
  ConnectSettings settings;
  settings.common = common;
  settings.connections = target.tls ? 2000 : 20'000;
  settings.at_once = at_once;
  settings.ending = ending;
  return run_connect(target, settings);
}

Measurement round_trips(const Target& target, const Common& common) {
  EchoSettings settings;
  settings.common = common;
  settings.round_trips = 500'000;  // with fewer, how they begin decides what their p99 is
  return run_echo(target, settings);
}

Measurement waiting(const Target& target, const Common& common) {
  IdleSettings settings;
  settings.common = common;
  settings.connections = target.tls ? 4000 : 8000;
  return run_idle(target, settings);
}

/// The kernel's buffers take what the slow leave unread: this row shows what the others notice.
Measurement some_not_reading(const Target& target, const Common& common) {
  SlowSettings settings;
  settings.common = common;
  settings.messages = 100;
  return run_slow(target, settings);
}

template <typename Settings, Measurement (*run)(const Target&, const Settings&)>
Measurement as_it_is(const Target& target, const Common& common) {
  Settings settings;
  settings.common = common;
  return run(target, settings);
}

double cpu_us(const Measurement& run) { return run.cpu_ns_each() / 1e3; }
double p99_ms(const Measurement& run) { return static_cast<double>(run.latency.percentile_ns(0.99)) / 1e6; }

double figure(const Measurement& run, std::string_view name) {
  for (const Measurement::Figure& one : run.figures) {
    if (one.name == name) return one.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double server_bytes(const Measurement& run) { return figure(run, "server_bytes"); }
double ping_p99(const Measurement& run) { return figure(run, "ping_p99_ms"); }
double connect_p99(const Measurement& run) { return figure(run, "connect_p99_ms"); }
double later_with_slow(const Measurement& run) { return p99_ms(run) / figure(run, "p99_before_ms"); }
double back_seconds(const Measurement& run) { return figure(run, "back_seconds"); }
double growth_kib(const Measurement& run) { return figure(run, "server_growth_bytes") / 1024; }
double refused(const Measurement& run) { return static_cast<double>(run.refused); }

constexpr double no_goal = std::numeric_limits<double>::infinity();

// Each row is held against the cheaper floor: at a fixed rate there is nothing to join, and the two cost the
// same; saturated, one send for each delivery costs twenty times as much.
std::vector<Row> make_rows() {
  const Value delivery{"us per delivery", 1.05, cpu_us};
  const Value connection{"us each", 1.1, cpu_us};
  const auto fair = as_it_is<FairSettings, run_fair>;
  const auto storm = as_it_is<StormSettings, run_storm>;
  return {
      {"1,000 subscribers, 64 B, fixed rate", plain, raw, Base::send, true, fixed_1000, {delivery}},
      {"1,000 subscribers, 64 B, window 4",
       plain,
       raw,
       Base::join,
       false,
       saturating<1000, 1, 4>,
       {delivery}},
      {"1,000 subscribers, 64 B, window 32",
       plain,
       raw,
       Base::join,
       true,
       saturating<1000, 1, 32>,
       {delivery}},
      {"10,000 subscribers, 64 B, fixed rate", plain, raw, Base::send, false, fixed_10000, {delivery}},
      {"10,000 subscribers, 64 B, window 32",
       plain,
       raw,
       Base::join,
       false,
       saturating<10'000, 1, 32>,
       {delivery}},
      {"100 rooms of 100, 64 B, fixed rate", plain, raw, Base::send, false, fixed_rooms, {delivery}},
      {"100 rooms of 100, 64 B, window 4",
       plain,
       raw,
       Base::join,
       false,
       saturating<10'000, 100, 4>,
       {delivery}},
      {"100 rooms of 100, 64 B, window 32",
       plain,
       raw,
       Base::join,
       false,
       saturating<10'000, 100, 32>,
       {delivery}},
      {"1,000 subscribers, 1 KiB JSON, permessage-deflate",
       compressed,
       deflating,
       Base::send,
       true,
       fixed_1_kib,
       {{"us per delivery", 1.1, cpu_us}}},
      {"1,000 subscribers, TLS, fixed rate", over_tls, raw, Base::send, true, fixed_1000, {delivery}},
      {"1,000 subscribers, TLS, window 8",
       over_tls,
       raw,
       Base::join,
       false,
       saturating<1000, 1, 8>,
       {delivery}},
      {"1,000 subscribers, TLS, window 32",
       over_tls,
       raw,
       Base::join,
       true,
       saturating<1000, 1, 32>,
       {delivery}},
      {"roomcast.v1 instead of raw, fixed rate", plain, envelope, Base::raw, false, fixed_1000, {delivery}},
      {"EventSource instead of WebSocket, fixed rate",
       plain,
       event_stream,
       Base::raw,
       false,
       fixed_1000,
       {{"us per delivery", no_goal, cpu_us}}},
      {"handshake, join and Close frame, 32 at a time",
       plain,
       raw,
       Base::send,
       true,
       handshakes<32, Ending::close_frame>,
       {connection}},
      {"handshake, join and Close frame, one at a time",
       plain,
       raw,
       Base::send,
       false,
       handshakes<1, Ending::close_frame>,
       {connection}},
      {"handshake, join and FIN, 32 at a time",
       plain,
       raw,
       Base::send,
       false,
       handshakes<32, Ending::fin>,
       {connection}},
      {"handshake, join and Close frame, TLS, 32 at a time",
       over_tls,
       raw,
       Base::send,
       true,
       handshakes<32, Ending::close_frame>,
       {connection}},
      {"echo, 100 clients",
       plain,
       raw,
       Base::send,
       true,
       round_trips,
       {{"us per round trip", 1.1, cpu_us}, {"p99 of the round trip, ms", 1.0, p99_ms}}},
      {"idle WebSocket", plain, raw, Base::none, true, waiting, {{"user memory, bytes", 450, server_bytes}}},
      {"idle WebSocket, TLS",
       over_tls,
       raw,
       Base::none,
       true,
       waiting,
       {{"user memory, bytes", 15.5 * 1024, server_bytes}}},
      {"a room of 15,000 fanned out to without pause",
       plain,
       raw,
       Base::none,
       false,
       fair,
       {{"round trip of another client, p99 ms", 10, p99_ms},
        {"ping answered, p99 ms", 10, ping_p99},
        {"new connection, p99 ms", no_goal, connect_p99}}},
      {"10,000 subscribers, a tenth not reading",
       plain,
       raw,
       Base::none,
       false,
       some_not_reading,
       {{"p99 of the others, times that before", 1.2, later_with_slow},
        {"growth of the server's memory, KiB", no_goal, growth_kib}}},
      {"15,000 reconnecting at once",
       plain,
       raw,
       Base::none,
       false,
       storm,
       {{"refused", 0, refused}, {"all back after, s", no_goal, back_seconds}}},
  };
}

}  // namespace

std::vector<Row> matrix_rows() { return make_rows(); }

}  // namespace roomcast::bench
