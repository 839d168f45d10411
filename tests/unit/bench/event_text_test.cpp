#include "load/event_text.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::bench::event_text_test {
namespace {

/// The data of all events that a page would hear of.
std::vector<std::string> events_of(std::string_view bytes) {
  std::vector<std::string> texts;
  for (TextItem event = take_event(bytes); event.used > 0; event = take_event(bytes)) {
    if (event.is_event) texts.emplace_back(event.text);
    bytes.remove_prefix(event.used);
  }
  return texts;
}

}  // namespace

TEST_CASE("lines are taken one by one, without their ends") {
  const TextItem line = take_line("{\"a\":1}\n\nrest");
  CHECK(line.text == "{\"a\":1}");
  CHECK(line.used == 8);
  CHECK(take_line("\nrest").used == 1);
  CHECK(take_line("\nrest").text.empty());
  CHECK(take_line("crlf\r\nrest").text == "crlf");
  CHECK(take_line("rest").used == 0);
  CHECK(take_line("").used == 0);
}

TEST_CASE("an event's data are taken, and comments and other fields are not") {
  CHECK(
      events_of("data: one\n\nid: e-1\ndata: two\n\n: heartbeat\n\nretry: 10\n:\n\ndata:three\nid: 4\n\n") ==
      std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("of events with a name only those that a page hears as message are") {
  CHECK(events_of("event: joined\ndata: {}\n\nevent: message\ndata: yes\n\ndata: no\nevent: gap\n\n") ==
        std::vector<std::string>{"yes"});
}

TEST_CASE("a field is what stands before the colon, not what the line begins with") {
  CHECK(events_of("database: x\n\ndata\n\n") == std::vector<std::string>{""});
}

TEST_CASE("an event may have lines that end in CR LF, and more than one line of data") {
  CHECK(events_of("data: one\r\ndata: behind\r\n\r\n") == std::vector<std::string>{"one"});
}

TEST_CASE("an event that lacks its empty line is none yet, wherever it is cut") {
  const std::string_view bytes = "event: message\nid: 1\ndata: text\n\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK(take_event(bytes.substr(0, cut)).used == 0);
  CHECK(take_event(bytes).used == bytes.size());
}

TEST_CASE("the type of an envelope is its first member, whole") {
  CHECK(is_of_type(R"({"type":"message","room":"a"})", "message"));
  CHECK_FALSE(is_of_type(R"({"type":"messages"})", "message"));
  CHECK_FALSE(is_of_type(R"({"type":"mess"})", "message"));
  CHECK_FALSE(is_of_type(R"({"room":"a","type":"message"})", "message"));
  CHECK_FALSE(is_of_type("", "message"));
}

}  // namespace roomcast::bench::event_text_test
