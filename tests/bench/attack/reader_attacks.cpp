#include "attack/reader_attacks.h"

#include <cstdint>
#include <string>
#include <utility>

#include "attack/ask.h"
#include "attack/attack_bytes.h"

namespace roomcast::bench::attacks {

namespace {

constexpr std::string_view past_path = "/rooms/history";
constexpr std::size_t past_messages = 16;

/// Publishes 1 MiB of text that compresses about as well as other text does. Returns what cursors of the room
/// begin with; nothing if the server does not take it.
std::string make_past(const Target& target) {
  std::uint64_t state = 1;
  std::string cursor;
  for (std::size_t i = 0; i < past_messages; ++i) {
    std::string message(large_bytes, ' ');
    for (char& letter : message) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      letter = static_cast<char>('a' + (state >> 60U));
    }
    const std::string answer = ask(target, post_request(past_path, text_type, message)).body;
    constexpr std::string_view mark = R"("cursor":")";
    const std::size_t at = answer.find(mark);
    if (at == std::string::npos) return {};
    cursor = answer.substr(at + mark.size(), answer.find('"', at + mark.size()) - at - mark.size());
  }
  return cursor.substr(0, cursor.rfind('-') + 1);
}

}  // namespace

SwarmTally compressed_polls(const Arena& arena, std::size_t connections) {
  const std::string epoch = make_past(arena.target);
  if (epoch.empty()) return {};
  SwarmPlan plan;
  plan.connections = connections;
  plan.window = 1;
  plan.burst = [&epoch](std::uint64_t number, std::string& scratch) -> std::string_view {
    const std::string since = epoch + std::to_string(number % past_messages);
    scratch = bare_request("GET", std::string(past_path) + "?since=" + since, "Accept-Encoding: gzip\r\n");
    return scratch;
  };
  return carry_out(arena, std::move(plan));
}

SwarmTally escaped_messages(const Arena& arena, std::size_t clients) {
  constexpr std::size_t characters = 43'000;
  std::string message = R"({"type":"publish","data":")";
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < characters; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    message.append("\\u00").append((state >> 62U & 1U) != 0 ? "1" : "0") +=
        "12345679abcdef01"[state >> 58U & 15U];
  }
  message += R"("})";
  const std::string burst = compressed_frame(Opcode::text, message);
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request("/rooms/escaped", true, true);
  plan.upgrades = true;
  plan.burst = [&burst](std::uint64_t, std::string&) { return std::string_view(burst); };
  return carry_out(arena, std::move(plan));
}

SwarmTally pasts_of_a_room(const Arena& arena, std::size_t clients) {
  if (make_past(arena.target).empty()) return {};
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request(std::string(past_path) + "?history=100", true, true);
  plan.upgrades = true;
  plan.lives_ms = 500;
  return carry_out(arena, std::move(plan));
}

SwarmTally history_asks(const Arena& arena, std::size_t clients) {
  if (make_past(arena.target).empty()) return {};
  const std::string burst = frames(Opcode::text, R"({"type":"history","id":1})", 1);
  SwarmPlan plan;
  plan.connections = clients;
  plan.opening = upgrade_request(past_path, true, true);
  plan.upgrades = true;
  plan.burst = [&burst](std::uint64_t, std::string&) { return std::string_view(burst); };
  return carry_out(arena, std::move(plan));
}

SwarmTally watchers_by_the_hundred(const Arena& arena, std::size_t clients) {
  constexpr std::size_t name_bytes = 90;
  SwarmPlan plan;
  plan.connections = clients;
  plan.burst = [](std::uint64_t number, std::string& scratch) -> std::string_view {
    const std::string name = std::string(name_bytes, 'n') + std::to_string(number % 256);
    scratch = upgrade_request("/rooms/watched?presence=1&name=" + name, true, true);
    return scratch;
  };
  plan.window = 1;
  plan.lives_ms = 200;
  return carry_out(arena, std::move(plan));
}

SwarmTally waiting_polls(const Arena& arena, std::size_t connections) {
  constexpr std::uint64_t polls_to_a_publish = 12;
  const std::string publish = post_request("/rooms/waited", text_type, std::string(large_bytes, '\1'));
  const std::string poll = bare_request("GET", "/rooms/waited?wait=30");
  SwarmPlan plan;
  plan.connections = connections;
  plan.window = 1;
  plan.burst = [&](std::uint64_t number, std::string&) -> std::string_view {
    return number % (polls_to_a_publish + 1) == polls_to_a_publish ? publish : poll;
  };
  return carry_out(arena, std::move(plan));
}

}  // namespace roomcast::bench::attacks
