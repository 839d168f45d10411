#include "transport/stream_framing.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "hub/cursor.h"
#include "support/sse_reader.h"

namespace stream_content_test {

using namespace roomcast;
using dialect::PayloadForm;
using roomcast::test::SseEvent;
using roomcast::test::SseReader;
using transport::SseFraming;
using Events = std::vector<SseEvent>;

namespace {

constexpr hub::Position place{0xabc, 7};
const std::string cursor = hub::to_cursor(place);

std::string framed(const session::OutgoingPayload& payload) {
  std::string out;
  SseFraming{}.frame(payload, out);
  return out;
}

Events read(const session::OutgoingPayload& message) { return SseReader(framed(message)).events; }

/// What a reader gets of a text.
std::string through(std::string_view text) {
  const Events events = read({PayloadForm::text, text, {}, place});
  REQUIRE(events.size() == 1);
  CHECK(events[0].id == cursor);
  CHECK(events[0].type == "message");
  return events[0].data;
}

}  // namespace

TEST_CASE("sse: a text message has its cursor as id and no name") {
  CHECK(framed({PayloadForm::text, "hello", {}, place}) == "id: " + cursor + "\ndata: hello\n\n");
}

TEST_CASE("sse: a binary message is called so, and goes as base64") {
  CHECK(framed({PayloadForm::binary, std::string_view("\x00\xff\r\n", 4), {}, place}) ==
        "event: binary\nid: " + cursor + "\ndata: AP8NCg==\n\n");
  CHECK(read({PayloadForm::binary, "", {}, place}) == Events{{"binary", "", cursor}});
}

TEST_CASE("sse: an event has its name, and an id only if it is at a place") {
  CHECK(framed({PayloadForm::text, "{}", "gap", place}) == "event: gap\nid: " + cursor + "\ndata: {}\n\n");
  CHECK(framed({PayloadForm::text, "{}", "bye", std::nullopt}) == "event: bye\ndata: {}\n\n");
  CHECK(SseFraming{}.names_events());
}

TEST_CASE("sse: an event without a place does not forget the last one") {
  const std::string stream =
      framed({PayloadForm::text, "x", {}, place}) + framed({PayloadForm::text, "{}", "bye", {}});
  CHECK(SseReader(stream).events == Events{{"message", "x", cursor}, {"bye", "{}", cursor}});
}

TEST_CASE("sse: a line break of any kind, anywhere, arrives as one LF") {
  for (const std::string_view line_break : {"\r\n", "\r", "\n"}) {
    const std::string text = "abc";
    for (std::size_t at = 0; at <= text.size(); ++at) {
      CAPTURE(at);
      std::string sent = text;
      std::string expected = text;
      CHECK(through(sent.insert(at, line_break)) == expected.insert(at, "\n"));
    }
  }
}

TEST_CASE("sse: line breaks side by side stay as many as they are") {
  CHECK(through("\n") == "\n");
  CHECK(through("\r\r\n\n") == "\n\n\n");
  CHECK(through("\n\r") == "\n\n");
  CHECK(through("a\r\n\r\nb\n\n") == "a\n\nb\n\n");
}

TEST_CASE("sse: an empty payload is an event with empty data") {
  CHECK(framed({PayloadForm::text, "", {}, place}) == "id: " + cursor + "\ndata: \n\n");
  CHECK(through("").empty());
}

TEST_CASE("sse: nothing in a payload is taken for a field, a comment or an end of line that is none") {
  const std::array<std::string, 8> texts{" two  spaces ",
                                         ":comment",
                                         "event: x",
                                         "id: 1",
                                         std::string("a\0b", 3),
                                         "\xE2\x80\xA8 \xE2\x80\xA9 \xC2\x85",  // U+2028, U+2029, U+0085
                                         "\xEF\xBB\xBF",
                                         "a\vb\fc"};
  for (const std::string& text : texts)
    CHECK(through(text) == text);
  CHECK(through("a\nid: 1\nretry: 1\n\ndata: b") == "a\nid: 1\nretry: 1\n\ndata: b");
}

TEST_CASE("sse: a stream opens with the time to wait and a comment, neither of which is an event") {
  const SseReader reader(transport::sse_opening(2345));
  CHECK(reader.retry == "2345");
  CHECK(reader.comments == 1);
  CHECK(reader.events.empty());
}

TEST_CASE("sse: a heartbeat between two events changes neither") {
  const std::string event = framed({PayloadForm::text, "x", {}, place});
  const SseReader reader(event + std::string(transport::sse_heartbeat) + event);
  CHECK(reader.events == Events{{"message", "x", cursor}, {"message", "x", cursor}});
}

TEST_CASE("ndjson: a payload is a line, whatever it is and wherever it stands") {
  const transport::NdjsonFraming framing;
  std::string out;
  framing.frame({PayloadForm::text, R"({"type":"message"})", {}, place}, out);
  framing.frame({PayloadForm::text, R"({"type":"bye"})", "bye", {}}, out);
  CHECK(out == "{\"type\":\"message\"}\n{\"type\":\"bye\"}\n");
  CHECK_FALSE(framing.names_events());
}

}  // namespace stream_content_test
