#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../support/sse_reader.h"
#include "base/digest.h"
#include "check.h"
#include "hub/cursor.h"
#include "transport/stream_framing.h"

namespace {

using namespace roomcast;

/// What a reader must get of a text: the format has one kind of line break.
std::string with_one_line_break(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (is_pair) continue;
    out += text[i] == '\r' ? '\n' : text[i];
  }
  return out;
}

constexpr std::uint8_t is_binary = 1;
constexpr std::uint8_t is_event = 2;
constexpr std::uint8_t has_cursor = 4;
constexpr std::uint8_t heartbeat_before = 8;

}  // namespace

/// A byte of flags, a byte of length and a payload, again and again: whatever they are, a reader of the
/// standard gets exactly these events.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const transport::SseFraming framing;
  std::string stream = transport::sse_opening(2000);
  std::vector<test::SseEvent> expected;
  std::string last_id;
  std::uint64_t offset = 0;
  while (input.size() >= 2) {
    const auto flags = static_cast<std::uint8_t>(input[0]);
    const std::string_view payload = input.substr(2, static_cast<unsigned char>(input[1]));
    input.remove_prefix(2 + payload.size());

    session::OutgoingPayload outgoing;
    outgoing.form = (flags & is_binary) != 0 ? dialect::PayloadForm::binary : dialect::PayloadForm::text;
    outgoing.bytes = payload;
    if ((flags & is_event) != 0) outgoing.event = "gap";
    if ((flags & has_cursor) != 0) outgoing.cursor = hub::Position{0xfeed, ++offset};
    if ((flags & heartbeat_before) != 0) stream += transport::sse_heartbeat;
    framing.frame(outgoing, stream);

    const bool binary = outgoing.form == dialect::PayloadForm::binary;
    if (outgoing.cursor) last_id = hub::to_cursor(*outgoing.cursor);
    expected.push_back({!outgoing.event.empty() ? "gap"
                        : binary                ? "binary"
                                                : "message",
                        binary ? base::base64_encode(payload) : with_one_line_break(payload), last_id});
  }
  const test::SseReader reader(stream);
  FUZZ_CHECK(reader.events == expected);
  FUZZ_CHECK(reader.retry == "2000");
  return 0;
}
