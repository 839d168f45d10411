#include "attack/attack.h"

#include <utility>

#include "attack/http_attacks.h"
#include "attack/other_attacks.h"
#include "attack/reader_attacks.h"
#include "attack/tls_attacks.h"
#include "attack/websocket_attacks.h"

namespace roomcast::bench {

namespace {

using namespace attacks;
using A = Arena;

constexpr std::string_view crowded = Bystanders().room;

}  // namespace

SwarmTally carry_out(const Arena& arena, SwarmPlan plan) {
  Swarm swarm(arena.target, std::move(plan));
  swarm.run_for(arena.duration_ns);
  return swarm.tally();
}

std::vector<Attack> all_attacks() {
  return {
      {"nobody attacks", nothing},
      // What a client queues up for itself.
      {"10,000 pings behind unread echoes",
       [](const A& a) -> SwarmTally { return pings_behind_a_queue(a, "/echo", 10'000); }},
      {"60,000 pings behind unread echoes",
       [](const A& a) -> SwarmTally { return pings_behind_a_queue(a, "/echo", 60'000); }},
      {"60,000 pings behind unread messages of a room",
       [](const A& a) -> SwarmTally { return pings_behind_a_queue(a, "/rooms/own", 60'000); }},
      {"2-byte echoes unread by 45 clients",
       [](const A& a) -> SwarmTally { return tiny_frames_unread(a, 45); }},
      // Batches.
      {"64 KB for one room named 250 times, 50 readers",
       [](const A& a) -> SwarmTally {
         return batches(a, {.rooms = 250, .one_room = crowded, .bytes = 64'000});
       },
       {.count = 50}},
      {"64 KB for 1,000 rooms, 16 × 4",
       [](const A& a) -> SwarmTally { return batches(a, {.bytes = 64'000}); }},
      {"1 byte for 1,000 rooms, 16 × 4", [](const A& a) -> SwarmTally { return batches(a, {}); }},
      {"1 byte for 1,000 rooms, 64 × 8",
       [](const A& a) -> SwarmTally { return batches(a, {.connections = 64, .pipelined = 8}); }},
      {"empty messages, 1,000 at once, 1,000 readers",
       [](const A& a) -> SwarmTally {
         return batches(a, {.connections = 2, .pipelined = 2, .one_room = crowded, .bytes = 0});
       },
       {.count = 1000}},
      {"1-byte messages, 1,000 at once, 1,000 readers",
       [](const A& a) -> SwarmTally {
         return batches(a, {.connections = 2, .pipelined = 2, .one_room = crowded, .bytes = 1});
       },
       {.count = 1000}},
      {"batches of empty rooms, 1 connection",
       [](const A& a) -> SwarmTally { return hollow_batches(a, 1, HollowBatch::empty_rooms); }},
      {"batches of empty rooms, 20 connections",
       [](const A& a) -> SwarmTally { return hollow_batches(a, 20, HollowBatch::empty_rooms); }},
      {"messages of many members, 1 connection",
       [](const A& a) -> SwarmTally { return hollow_batches(a, 1, HollowBatch::members); }},
      {"messages of many members, 20 connections",
       [](const A& a) -> SwarmTally { return hollow_batches(a, 20, HollowBatch::members); }},
      {"batches with a long list that is ignored, 20 connections",
       [](const A& a) -> SwarmTally { return hollow_batches(a, 20, HollowBatch::values); }},
      {"batches with 1 MB keys for 1,000 rooms, 20 connections",
       [](const A& a) -> SwarmTally { return hollow_batches(a, 20, HollowBatch::long_key); }},
      {"1-byte chunks, 20 connections", [](const A& a) -> SwarmTally { return tiny_chunks(a, 20); }},
      // Names.
      {"rooms whose names collide", colliding_rooms},
      {.name = "publishes with ever new keys",
       .run = [](const A& a) -> SwarmTally { return keyed_publishes(a, false); },
       .retries_a_publish = true},
      {.name = "publishes with keys that collide",
       .run = [](const A& a) -> SwarmTally { return keyed_publishes(a, true); },
       .retries_a_publish = true},
      {"HEAD of ever new rooms", [](const A& a) -> SwarmTally { return rooms_that_never_were(a, "HEAD"); }},
      {"polls of ever new rooms", [](const A& a) -> SwarmTally { return rooms_that_never_were(a, "GET"); }},
      {"publishes into ever new rooms", rooms_by_the_thousand},
      // What is begun and not ended.
      {"6,000 unfinished compressed messages",
       [](const A& a) -> SwarmTally { return unfinished_messages(a, 6000); }},
      {"1,200 halves of 1 MiB bodies", [](const A& a) -> SwarmTally { return unfinished_bodies(a, 1200); }},
      {.name = "1,500 silent sockets where 1,000 may be",
       .run = [](const A& a) -> SwarmTally { return silent_sockets(a, 1500); },
       .settings = {"limits.connections=1000"},
       .fresh_connections = true},
      // What costs the server more than the client.
      {"compressed zeros, 1 client", [](const A& a) -> SwarmTally { return compressed_zeros(a, 1); }},
      {"compressed zeros, 5 clients", [](const A& a) -> SwarmTally { return compressed_zeros(a, 5); }},
      {"compressed zeros, 20 clients", [](const A& a) -> SwarmTally { return compressed_zeros(a, 20); }},
      {"compressed zeros, 500 clients", [](const A& a) -> SwarmTally { return compressed_zeros(a, 500); }},
      {"compressed blocks that are empty, 20 clients",
       [](const A& a) -> SwarmTally { return empty_blocks(a, 20); }},
      {"compressed JSON that is refused, 20 clients",
       [](const A& a) -> SwarmTally { return compressed_refusals(a, 20); }},
      {"JSON that is refused, replies unread",
       [](const A& a) -> SwarmTally { return refused_json(a, 20, false); }},
      {"JSON that is refused, replies read",
       [](const A& a) -> SwarmTally { return refused_json(a, 20, true); }},
      {"GET /healthz with 15 KB of headers, 2,000 connections",
       [](const A& a) -> SwarmTally { return pipelined_requests(a, 2000, "GET", "/healthz", 15'000); }},
      {"HEAD /metrics, 50 connections, 2,000 sessions",
       [](const A& a) -> SwarmTally { return pipelined_requests(a, 50, "HEAD", "/metrics", 0); },
       {.count = 2000}},
      {"gzip polls of 1 MiB, 400 connections",
       [](const A& a) -> SwarmTally { return compressed_polls(a, 400); }},
      {"43 KB of control characters, compressed JSON, 1 client",
       [](const A& a) -> SwarmTally { return escaped_messages(a, 1); }},
      {"43 KB of control characters, compressed JSON, 50 clients",
       [](const A& a) -> SwarmTally { return escaped_messages(a, 50); }},
      {"a past of 1 MiB for who just came, 400 clients",
       [](const A& a) -> SwarmTally { return pasts_of_a_room(a, 400); }},
      {"history asks, 300 clients", [](const A& a) -> SwarmTally { return history_asks(a, 300); }},
      {"watchers who come and go, 500 clients",
       [](const A& a) -> SwarmTally { return watchers_by_the_hundred(a, 500); }},
      {.name = "1,000 waiting polls of large messages, 64 MiB of memory",
       .run = [](const A& a) -> SwarmTally { return waiting_polls(a, 1000); },
       .settings = {"limits.memory_bytes=67108864"}},
      {.name = "5,000 TLS handshakes at once",
       .run = [](const A& a) -> SwarmTally { return tls_handshakes(a, 5000); },
       .tls = true},
      {.name = "TLS records of 1 byte, 100 clients",
       .run = [](const A& a) -> SwarmTally { return tiny_tls_records(a, 100); },
       .tls = true},
      {.name = "TLS key updates, 20 clients",
       .run = [](const A& a) -> SwarmTally { return tls_key_updates(a, 20); },
       .tls = true},
      {"250 × 64 KB at once to 50 readers",
       [](const A& a) -> SwarmTally { return burst_into(a, crowded); },
       {.count = 50}},
      // Around the server.
      {.name = "server paused, 400 clients, 50 polls",
       .run = paused_server,
       .bystanders = {.count = 400, .polls = 50},
       .settings = {"websocket.ping_seconds=1", "websocket.pong_timeout_seconds=1"},
       .measures_latency = false},
      {.name = "origins refused, log unread", .run = refused_origins, .unread_log = true},
  };
}

}  // namespace roomcast::bench
