#include "attack/http_attacks.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "attack/attack_bytes.h"

namespace roomcast::bench::attacks {

namespace {

constexpr std::string_view json = "application/json";
constexpr std::string_view batch_path = "/api/publish";

SwarmTally repeat(const Arena& arena, SwarmPlan plan, const std::string& burst) {
  plan.burst = [&burst](std::uint64_t, std::string&) { return std::string_view(burst); };
  return carry_out(arena, std::move(plan));
}

/// `count` tiny keyed messages for one room; keys by `key`.
template <typename Key>
std::string keyed_batch(std::size_t count, Key key) {
  std::string body = R"({"messages":[)";
  for (std::size_t i = 0; i < count; ++i) {
    body.append(i == 0 ? "" : ",").append(R"({"room":"keyed","data":1,"key":")");
    body.append(key()).append(R"("})");
  }
  return body.append("]}");
}

/// `element` again and again, up to a body of nearly `limits.body_bytes`.
std::string filled(std::string_view front, std::string_view element, std::string_view back) {
  constexpr std::size_t body_bytes = 1'048'000;
  std::string body(front);
  while (body.size() + element.size() + back.size() < body_bytes)
    body.append(element);
  return body.append(back);
}

std::string hollow_batch(HollowBatch what) {
  constexpr std::size_t members = 100'000;
  constexpr std::size_t key_bytes = 1'000'000;
  constexpr std::string_view first = R"({"messages":[{"rooms":[],"data":1})";
  std::string body = R"({"messages":[{"room":"a","data":1)";
  switch (what) {
    case HollowBatch::empty_rooms:
      return filled(first, R"(,{"rooms":[],"data":1})", "]}");
    case HollowBatch::members:
      for (std::size_t i = 0; i < members; ++i)
        body.append(",\"").append(std::to_string(i)).append("\":0");
      return body.append("}]}");
    case HollowBatch::values:
      return filled(body.append(R"(,"x":[0)"), ",0", "]}]}");
    case HollowBatch::long_key:
      body = batch_for(numbered("hollow/", 0, 1000), "1");
      return body.insert(body.size() - 3, R"(,"key":")" + std::string(key_bytes, 'k') + '"');
  }
  return body;
}

/// Batches whose bodies `make` gives: `different` of them, then the same again. They are made while the
/// attack goes on, since that takes as long as what the server does with them at first.
template <typename Make>
SwarmTally in_circles(const Arena& arena, std::size_t different, Make make) {
  constexpr std::size_t kept = 200;
  std::vector<std::string> requests;
  SwarmPlan plan;
  plan.connections = 4;
  plan.window = 2;
  plan.burst = [&](std::uint64_t number, std::string& scratch) -> std::string_view {
    const std::uint64_t place = number % different;
    if (place < requests.size()) return requests[place];
    scratch = post_request(batch_path, json, make());
    if (different <= kept) requests.push_back(scratch);
    return scratch;
  };
  return carry_out(arena, std::move(plan));
}

}  // namespace

SwarmTally batches(const Arena& arena, const BatchLoad& load) {
  const std::vector<std::string> rooms =
      load.one_room.empty() ? numbered("many/", 0, load.rooms)
                            : std::vector<std::string>(load.rooms, std::string(load.one_room));
  const std::string data = '"' + std::string(load.bytes, 'x') + '"';
  SwarmPlan plan;
  plan.connections = load.connections;
  plan.window = load.pipelined;
  return repeat(arena, std::move(plan), post_request(batch_path, json, batch_for(rooms, data)));
}

SwarmTally colliding_rooms(const Arena& arena) {
  constexpr std::size_t names_in_batch = 200;
  CollidingNames names;
  return in_circles(arena, 100, [&names] {
    std::vector<std::string> rooms(names_in_batch);
    for (std::string& room : rooms)
      room = names.next();
    return batch_for(rooms, "1");
  });
}

SwarmTally keyed_publishes(const Arena& arena, bool collide) {
  constexpr std::size_t in_batch = 500;
  CollidingNames names;
  std::uint64_t key = 0;
  // 55,000 keys that collide take some seconds to make; the others never come again.
  const std::size_t batches_of_keys = collide ? 110 : std::numeric_limits<std::size_t>::max();
  return in_circles(arena, batches_of_keys, [&] {
    return keyed_batch(in_batch, [&] { return collide ? names.next() : "key-" + std::to_string(key++); });
  });
}

SwarmTally hollow_batches(const Arena& arena, std::size_t connections, HollowBatch what) {
  SwarmPlan plan;
  plan.connections = connections;
  plan.window = 1;
  return repeat(arena, std::move(plan), post_request(batch_path, json, hollow_batch(what)));
}

SwarmTally tiny_chunks(const Arena& arena, std::size_t connections) {
  constexpr std::size_t chunks = 60'000;
  std::string burst =
      bare_request("POST", "/rooms/chunks", "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n");
  for (std::size_t i = 0; i < chunks; ++i)
    burst += "1\r\nx\r\n";
  burst += "0\r\n\r\n";
  SwarmPlan plan;
  plan.connections = connections;
  plan.window = 1;
  return repeat(arena, std::move(plan), burst);
}

SwarmTally unfinished_bodies(const Arena& arena, std::size_t connections) {
  constexpr std::size_t body_bytes = std::size_t{1} << 20;
  SwarmPlan plan;
  plan.connections = connections;
  plan.opening = half_a_post("/rooms/unfinished", body_bytes);
  return carry_out(arena, std::move(plan));
}

SwarmTally pipelined_requests(const Arena& arena, std::size_t connections, std::string_view method,
                              std::string_view path, std::size_t filling) {
  SwarmPlan plan;
  plan.connections = connections;
  // Small ones go by the dozen, so that the attacker's own system calls are not what holds it up.
  constexpr std::size_t write_bytes = 4096;
  const std::string one = bare_request(method, path, header_lines(filling));
  std::string burst;
  do {
    burst += one;
  } while (burst.size() < write_bytes);
  return repeat(arena, std::move(plan), burst);
}

SwarmTally rooms_that_never_were(const Arena& arena, std::string_view method) {
  SwarmPlan plan;
  plan.connections = 16;
  plan.burst = [method](std::uint64_t number, std::string& scratch) -> std::string_view {
    constexpr std::uint64_t in_one_write = 20;
    for (std::uint64_t i = 0; i < in_one_write; ++i)
      scratch += bare_request(method, "/rooms/new/" + std::to_string(number * in_one_write + i));
    return scratch;
  };
  return carry_out(arena, std::move(plan));
}

SwarmTally rooms_by_the_thousand(const Arena& arena) {
  SwarmPlan plan;
  plan.connections = 4;
  plan.window = 2;
  plan.burst = [](std::uint64_t number, std::string& scratch) -> std::string_view {
    constexpr std::uint64_t rooms = 1000;
    scratch = post_request(batch_path, json, batch_for(numbered("new/", number * rooms, rooms), "1"));
    return scratch;
  };
  return carry_out(arena, std::move(plan));
}

SwarmTally burst_into(const Arena& arena, std::string_view room) {
  constexpr std::uint64_t posts = 250;
  std::string burst;
  const std::string one =
      post_request("/rooms/" + std::string(room), text_type, std::string(large_bytes, 'x'));
  for (std::uint64_t i = 0; i < posts; ++i)
    burst += one;
  SwarmPlan plan;
  plan.window = posts;
  plan.answers_to_burst = posts;
  return repeat(arena, std::move(plan), burst);
}

}  // namespace roomcast::bench::attacks
