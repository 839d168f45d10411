#include "attack/websocket_attacks.h"

#include <string>

#include "attack/attack_bytes.h"

namespace roomcast::bench::attacks {

namespace {

/// Four bytes each on their way back: as many as `limits.queue_bytes` leaves room for.
constexpr std::size_t many_frames = 250'000;
constexpr std::size_t largest_message_bytes = 65'536;
constexpr std::size_t in_one_write = 200;

/// `one`, `times` in one write, over and over, as fast as the server takes it.
SwarmTally repeat(const Arena& arena, SwarmPlan plan, std::string_view one, std::size_t times) {
  std::string burst;
  for (std::size_t i = 0; i < times; ++i)
    burst += one;
  plan.upgrades = true;
  plan.burst = [&burst](std::uint64_t, std::string&) { return std::string_view(burst); };
  return carry_out(arena, std::move(plan));
}

}  // namespace

SwarmTally pings_behind_a_queue(const Arena& arena, std::string_view path, std::size_t pings) {
  SwarmPlan plan;
  plan.opening = upgrade_request(path);
  plan.upgrades = true;
  plan.queue = frames(Opcode::binary, "ab", many_frames) + frames(Opcode::ping, "", pings);
  plan.reads = false;
  plan.narrow = true;
  plan.lives_ms = 3000;
  return carry_out(arena, std::move(plan));
}

SwarmTally tiny_frames_unread(const Arena& arena, std::size_t clients) {
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request("/echo");
  plan.upgrades = true;
  plan.queue = frames(Opcode::binary, "ab", many_frames);
  plan.reads = false;
  plan.narrow = true;
  return carry_out(arena, std::move(plan));
}

SwarmTally unfinished_messages(const Arena& arena, std::size_t connections) {
  SwarmPlan plan;
  plan.connections = connections;
  plan.opening = upgrade_request("/rooms/unfinished", false, true);
  plan.upgrades = true;
  plan.queue = compressed_frame(Opcode::binary, std::string(largest_message_bytes - 1, '\0'), false);
  return carry_out(arena, std::move(plan));
}

SwarmTally compressed_zeros(const Arena& arena, std::size_t clients) {
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request("/rooms/zeros?echo=0", false, true);
  return repeat(arena, std::move(plan),
                compressed_frame(Opcode::binary, std::string(largest_message_bytes, '\0')), in_one_write);
}

SwarmTally empty_blocks(const Arena& arena, std::size_t clients) {
  // Two of these blocks: they end where a byte does.
  constexpr std::string_view two_blocks(
      "\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x43\x00\x1c\x88\x00\x00\x00\x00\x00\xf2\xb7\x3e", 23);
  constexpr std::size_t message_bytes = 60'000;
  // The empty stored block whose last four bytes are not sent (RFC 7692 section 7.2.1).
  constexpr std::string_view end("\x00", 1);
  std::string payload;
  while (payload.size() < message_bytes)
    payload.append(two_blocks);
  std::string frame;
  append_client_frame(frame, Opcode::binary, payload.append(end));
  constexpr unsigned compressed = 0x40;
  frame.front() = static_cast<char>(static_cast<unsigned char>(frame.front()) | compressed);
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request("/rooms/zeros?echo=0", false, true);
  return repeat(arena, std::move(plan), frame, 1);
}

SwarmTally compressed_refusals(const Arena& arena, std::size_t clients) {
  const std::string begin = R"({"type":"x","filling":")";
  const std::string end = R"("})";
  const std::string filling(largest_message_bytes - begin.size() - end.size(), '0');
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request("/connect", true, true);
  return repeat(arena, std::move(plan), compressed_frame(Opcode::text, begin + filling + end), in_one_write);
}

SwarmTally refused_json(const Arena& arena, std::size_t clients, bool reads) {
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request("/connect", true);
  plan.reads = reads;
  plan.narrow = !reads;
  // An id asks for a reply.
  return repeat(arena, std::move(plan), frames(Opcode::text, R"({"type":"x","id":1})", 1), in_one_write);
}

SwarmTally refused_origins(const Arena& arena) {
  constexpr std::size_t origin_bytes = 15'000;
  const std::string origin = "Origin: https://" + std::string(origin_bytes, 'o') + ".example\r\n";
  const std::string request = bare_request("GET", "/rooms/x", origin);
  SwarmPlan plan;
  plan.connections = 50;
  plan.burst = [&request](std::uint64_t, std::string&) { return std::string_view(request); };
  return carry_out(arena, std::move(plan));
}

}  // namespace roomcast::bench::attacks
