#include "transport/websocket_framing.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "support/fake_clock.h"
#include "transport/compressing.h"
#include "ws/frame_writer.h"

namespace websocket_framing_test {

using namespace roomcast;
using dialect::PayloadForm;
using transport::WebSocketFramings;

namespace {

constexpr std::size_t min_bytes = 128;
constexpr std::int64_t most_us = 5'000;

struct Compressing {
  roomcast::test::FakeClock clock;
  base::TimeBudget compressing{clock, most_us};
};

std::string framed(const session::Framing& framing, PayloadForm form, std::string_view payload) {
  std::string out;
  framing.frame({form, payload, {}, std::nullopt}, out);
  return out;
}

ws::DeflateParameters window(int bits) {
  ws::DeflateParameters parameters;
  parameters.server_max_window_bits = bits;
  return parameters;
}

/// What a client with an empty window reads out of a compressed payload.
std::string inflated(std::string_view compressed) {
  std::string data(compressed);
  data += ws::deflate_tail;
  std::string_view input = data;
  ws::Inflater inflater;
  std::string out;
  std::array<char, 256> piece{};
  for (;;) {
    const auto step = inflater.inflate(input, piece);
    out.append(piece.data(), step.written);
    if (!step.valid) return "not DEFLATE data";
    if (input.empty() && step.written < piece.size()) return out;
  }
}

/// A text that compresses, but has more than one window of the smallest size in it.
std::string long_text() {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += "line " + std::to_string(i * i) + "\n";
  return text;
}

/// The payload of a server's frame with fewer than 65,536 bytes.
std::string_view payload_of(std::string_view frame) { return frame.substr(frame[1] == 126 ? 4 : 2); }

}  // namespace

TEST_CASE_FIXTURE(Compressing,
                  "framing: without compression a payload is one frame, by its form text or binary") {
  WebSocketFramings framings(6, min_bytes, compressing);
  const auto& plain = framings.for_client({});
  CHECK(framed(plain, PayloadForm::text, "Hello") == "\x81\x05Hello");
  CHECK(framed(plain, PayloadForm::binary, "Hello") == "\x82\x05Hello");
  CHECK(framed(plain, PayloadForm::text, std::string(500, 'x')) ==
        "\x81\x7e\x01\xf4" + std::string(500, 'x'));
}

TEST_CASE_FIXTURE(Compressing, "framing: frames are appended to what is there") {
  WebSocketFramings framings(6, 0, compressing);
  for (const auto& framing : {&framings.for_client({}), &framings.for_client(window(15))}) {
    std::string out = "before";
    framing->frame({PayloadForm::text, "x", {}, std::nullopt}, out);
    CHECK(out == "before" + framed(*framing, PayloadForm::text, "x"));
  }
}

TEST_CASE_FIXTURE(Compressing,
                  "framing: a compressed frame has RSV1 set and inflates to the payload, with any window") {
  WebSocketFramings framings(6, min_bytes, compressing);
  const std::string text = long_text();
  for (int bits = 9; bits <= 15; ++bits) {
    CAPTURE(bits);
    const std::string frame = framed(framings.for_client(window(bits)), PayloadForm::text, text);
    CHECK(frame[0] == '\xC1');
    CHECK(frame.size() < text.size());
    CHECK(inflated(payload_of(frame)) == text);
    CHECK(framed(framings.for_client(window(bits)), PayloadForm::binary, text)[0] == '\xC2');
  }
}

TEST_CASE_FIXTURE(
    Compressing,
    "framing: each compressed message stands for itself, so that everybody gets the same bytes") {
  WebSocketFramings framings(6, min_bytes, compressing);
  const auto& framing = framings.for_client(window(15));
  const std::string first = framed(framing, PayloadForm::text, long_text());
  CHECK(framed(framing, PayloadForm::text, long_text()) == first);
}

TEST_CASE_FIXTURE(Compressing,
                  "framing: below the smallest size nothing is compressed, at it everything is") {
  WebSocketFramings framings(6, min_bytes, compressing);
  const auto& framing = framings.for_client(window(15));
  const std::string below(min_bytes - 1, 'x');
  CHECK(framed(framing, PayloadForm::text, below) ==
        framed(framings.for_client({}), PayloadForm::text, below));
  CHECK(framed(framing, PayloadForm::text, std::string(min_bytes, 'x'))[0] == '\xC1');
}

TEST_CASE_FIXTURE(Compressing, "framing: an empty message can be compressed as well") {
  WebSocketFramings framings(6, 0, compressing);
  const std::string frame = framed(framings.for_client(window(15)), PayloadForm::text, "");
  CHECK(frame[0] == '\xC1');
  CHECK(inflated(payload_of(frame)).empty());
}

TEST_CASE_FIXTURE(Compressing,
                  "framing: clients with the same window share one framing, whatever else they agreed on") {
  WebSocketFramings framings(6, min_bytes, compressing);
  ws::DeflateParameters other = window(15);
  other.client_context_takeover = true;
  other.client_max_window_bits = 9;
  CHECK(&framings.for_client(window(15)) == &framings.for_client(other));
  CHECK(&framings.for_client(window(15)) != &framings.for_client(window(9)));
  CHECK(&framings.for_client(window(15)) != &framings.for_client({}));
  CHECK(&framings.for_client({}) == &framings.for_client({}));
}

TEST_CASE_FIXTURE(Compressing,
                  "framing: what there is no time to compress goes uncompressed, and is the same") {
  WebSocketFramings framings(6, min_bytes, compressing);
  const auto& framing = framings.for_client(window(15));
  const auto is_compressed = [&](bool for_one) {
    std::string out;
    const std::size_t counted =
        framing.frame({PayloadForm::text, long_text(), {}, std::nullopt, for_one}, out);
    const bool compressed = out[0] == '\xC1';
    CHECK(counted == (compressed ? long_text().size() : 0));
    if (!compressed) CHECK(out == framed(framings.for_client({}), PayloadForm::text, long_text()));
    return compressed;
  };
  CHECK(is_compressed(true));
  CHECK(is_compressed(false));
  // Half of what there is has been spent: the rest is for what goes to many.
  clock.us_between_looks = most_us / 2;
  CHECK(is_compressed(false));
  clock.us_between_looks = 0;
  CHECK_FALSE(is_compressed(true));
  CHECK(is_compressed(false));
  // Nothing is left, and more than there was is owed.
  clock.us_between_looks = 2 * most_us;
  CHECK(is_compressed(false));
  clock.us_between_looks = 0;
  CHECK_FALSE(is_compressed(false));
  clock.advance(1'000);
  CHECK(is_compressed(true));
}

TEST_CASE_FIXTURE(Compressing, "framing: the longest payload that is compressed, and one byte more") {
  WebSocketFramings framings(6, min_bytes, compressing);
  const auto& framing = framings.for_client(window(15));
  CHECK(framed(framing, PayloadForm::text, std::string(transport::compressed_bytes_max, 'x'))[0] == '\xC1');
  CHECK(framed(framing, PayloadForm::text, std::string(transport::compressed_bytes_max + 1, 'x'))[0] ==
        '\x81');
}

}  // namespace websocket_framing_test
