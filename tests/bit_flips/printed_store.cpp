#include "bit_flips/printed_store.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <random>

#include "bit_flips/bit_draw.h"
#include "bit_flips/made_store.h"
#include "store/record.h"

namespace roomcast::flips {

namespace {

std::int64_t an_hour_ago_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>((system_clock::now() - hours(1)).time_since_epoch()).count();
}

/// Payloads are letters, so they need no escapes.
void print_messages(const char* state, const Content& content) {
  for (const auto& [name, room] : content.rooms) {
    for (const auto& [offset, expected] : room.messages) {
      const std::optional<store::MessageBody> body = store::read_message_body(expected.body);
      const std::string data = !body || body->is_removed ? "null" : '"' + std::string(body->payload) + '"';
      std::printf("{\"state\":\"%s\",\"room\":\"%s\",\"epoch\":\"%016" PRIx64 "\",\"offset\":%" PRIu64
                  ",\"data\":%s,\"is_last\":%s}\n",
                  state, name.c_str(), room.epoch, offset, data.c_str(),
                  expected.batch == content.last_batch ? "true" : "false");
    }
  }
}

}  // namespace

bool print_stores(const std::string& directory, std::uint64_t seed, int flips) {
  std::mt19937_64 random(seed);
  for (const End end : {End::closed, End::killed}) {
    const char* const state = end == End::closed ? "closed" : "killed";
    const std::string whole = directory + "/" + state;
    const std::optional<Content> content = make_store(whole, end, seed, an_hour_ago_ms());
    if (!content) return false;
    print_messages(state, *content);
    for (const char* const file : files) {
      BitDraw draw(whole + "/" + file, random);
      for (int i = 0; i < flips && draw.bits() != 0; ++i)
        std::printf("{\"state\":\"%s\",\"file\":\"%s\",\"bit\":%" PRIu64 "}\n", state, file, draw.next());
    }
  }
  return true;
}

}  // namespace roomcast::flips
