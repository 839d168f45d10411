#include "transport/negotiation.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace negotiation_test {

using namespace roomcast;

namespace {

http::Request request(std::string_view field, std::string_view value, std::string_view query = {}) {
  http::Request made;
  made.query = query;
  if (!field.empty()) made.headers.add(std::string(field), std::string(value));
  return made;
}

/// The name of the transport that is chosen among those of the server; empty: none.
std::string_view chosen(const http::Request& request) {
  static const part::RoomTransports transports{
      {.name = "poll", .media_type = "application/json", .is_default = true},
      {.name = "websocket", .upgrade = "websocket"},
      {.name = "sse", .media_type = "text/event-stream"},
      {.name = "stream", .media_type = "application/x-ndjson"},
  };
  const part::RoomTransport* const transport = transport::choose(request, transports);
  return transport == nullptr ? std::string_view() : transport->name;
}

std::string_view by_accept(std::string_view value) { return chosen(request("Accept", value)); }

std::string_view by_query(std::string_view query) {
  return chosen(request("Accept", "text/event-stream", query));
}

bool gzip(std::string_view value) { return transport::accepts_gzip(request("Accept-Encoding", value)); }

}  // namespace

TEST_CASE("negotiation: the type that is named is chosen") {
  CHECK(by_accept("text/event-stream") == "sse");
  CHECK(by_accept("application/x-ndjson") == "stream");
  CHECK(by_accept("application/json") == "poll");
  CHECK(by_accept("Text/Event-Stream") == "sse");
  CHECK(by_accept("text/html, text/event-stream;charset=utf-8, */*;q=0.1") == "sse");
}

TEST_CASE("negotiation: without a type that is known it is a poll") {
  CHECK(chosen(request("", "")) == "poll");
  CHECK(by_accept("") == "poll");
  CHECK(by_accept("*/*") == "poll");
  CHECK(by_accept("text/*") == "poll");
  CHECK(by_accept("text/html,application/xhtml+xml,*/*;q=0.8") == "poll");
  CHECK(by_accept("text/event-streams") == "poll");
}

TEST_CASE("negotiation: the highest weight wins, and of equal ones EventSource, then the stream") {
  CHECK(by_accept("text/event-stream;q=0.5, application/x-ndjson") == "stream");
  CHECK(by_accept("text/event-stream;q=0.5, application/x-ndjson;q=0.501") == "stream");
  CHECK(by_accept("application/x-ndjson;q=0.5, text/event-stream ; Q=0.75") == "sse");
  CHECK(by_accept("application/x-ndjson, text/event-stream") == "sse");
  CHECK(by_accept("application/json, application/x-ndjson") == "stream");
  CHECK(by_accept("application/json, application/x-ndjson;q=0.9") == "poll");
  CHECK(by_accept("application/x-ndjson;q=0.5, application/json;q=0.5, text/event-stream;q=0.4") == "stream");
}

TEST_CASE("negotiation: of a list a hundred elements are looked at and no more") {
  const auto behind = [](int count, std::string_view last) {
    std::string list;
    for (int i = 0; i < count; ++i)
      list += "a,";
    return list.append(last);
  };
  CHECK(by_accept(behind(99, "text/event-stream")) == "sse");
  CHECK(by_accept(behind(100, "text/event-stream")) == "poll");
  CHECK(gzip(behind(99, "gzip")));
  CHECK_FALSE(gzip(behind(100, "gzip")));
}

TEST_CASE("negotiation: weight 0 excludes") {
  CHECK(by_accept("text/event-stream;q=0") == "poll");
  CHECK(by_accept("text/event-stream;q=0.000, application/x-ndjson;q=0.001") == "stream");
}

TEST_CASE("negotiation: an element whose weight makes no sense is not there") {
  for (const auto* const weight : {"", "2", "1.001", "0.0001", "-1", "0,5", "x", "0.x", ".5", "1.1"}) {
    CAPTURE(weight);
    CHECK(by_accept(std::string("text/event-stream;q=") + weight) == "poll");
  }
  for (const auto* const weight : {"1", "1.", "1.0", "1.000", "0.1", "0.001"}) {
    CAPTURE(weight);
    CHECK(by_accept(std::string("text/event-stream;q=") + weight) == "sse");
  }
}

TEST_CASE("negotiation: separators within quotes separate nothing") {
  CHECK(by_accept(R"(text/html;x=", text/event-stream")") == "poll");
  CHECK(by_accept(R"(text/event-stream;x=";q=0")") == "sse");
  CHECK(by_accept(R"(text/html;x="\", text/event-stream", application/x-ndjson)") == "stream");
  CHECK(by_accept(R"(text/html;x="no end, text/event-stream)") == "poll");
  CHECK(by_accept(R"(text/html;x="\)") == "poll");
}

TEST_CASE("negotiation: ?transport= is stronger than Accept") {
  CHECK(by_query("") == "sse");
  CHECK(by_query("transport=stream") == "stream");
  CHECK(by_query("since=x&transport=poll") == "poll");
  CHECK(by_query("transport=sse") == "sse");
  CHECK(by_query("transport=websocket") == "websocket");
  CHECK(by_query("transport=pigeon").empty());
  CHECK(by_query("transport=").empty());
}

TEST_CASE("negotiation: an upgrade to WebSocket is stronger than all else") {
  auto upgrade = request("Upgrade", "h2c, WebSocket", "transport=poll");
  upgrade.headers.add("Accept", "text/event-stream");
  CHECK(chosen(upgrade) == "websocket");
  CHECK(chosen(request("Upgrade", "h2c")) == "poll");
}

TEST_CASE("negotiation: gzip is used for whoever accepts it") {
  CHECK(gzip("gzip"));
  CHECK(gzip("deflate, GZIP;q=0.5, br"));
  CHECK(gzip("x-gzip"));
  CHECK(gzip("*"));
  CHECK(gzip("gzip;q=0.5, identity;q=0.5"));
}

TEST_CASE("negotiation: gzip is not used for anybody else") {
  CHECK_FALSE(transport::accepts_gzip(request("", "")));
  CHECK_FALSE(gzip(""));
  CHECK_FALSE(gzip("identity"));
  CHECK_FALSE(gzip("br, deflate"));
  CHECK_FALSE(gzip("gzip;q=0"));
  CHECK_FALSE(gzip("gzip;q=0, *"));
  CHECK_FALSE(gzip("*;q=0"));
  CHECK_FALSE(gzip("gzip;q=0.5, identity"));
}

}  // namespace negotiation_test
