#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/http/connection_fixture.h"

namespace connection_allowance_test {

namespace http = roomcast::http;
using namespace roomcast::http::test;
using Fixture = ConnectionFixture;

TEST_CASE_FIXTURE(Fixture,
                  "connection: of many pipelined requests some are handled at once, the rest by turns") {
  std::string requests;
  std::string answers;
  for (int i = 0; i < 100; ++i) {
    requests += get("/" + std::to_string(i));
    answers += ok("/" + std::to_string(i));
  }
  stream.send(requests);
  const std::size_t at_once = probe.seen.size();
  CHECK(at_once >= 4);
  CHECK(at_once < 50);
  CHECK(stream.paused);
  reap();
  CHECK(stream.take() == answers);
  CHECK_FALSE(stream.paused);
  // For a moment all its input is handled after that of others, then no more.
  stream.send(get("/next"));
  CHECK(probe.seen.size() == 100);
  reap();
  CHECK(stream.take() == ok("/next"));
  pass(3'000);
  stream.send(get("/after"));
  CHECK(stream.take() == ok("/after"));
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: in a crowd one request is handled at once, and does not count as expensive") {
  scheduler.is_crowded = true;
  stream.send(get("/1") + get("/2"));
  CHECK(stream.take() == ok("/1"));
  reap();
  CHECK(stream.take() == ok("/2"));
  for (const char* path : {"/3", "/4", "/5"}) {
    stream.send(get(path));
    CHECK(stream.take() == ok(path));
  }
}

TEST_CASE_FIXTURE(Fixture, "connection: a large body that is whole waits behind others' small requests") {
  stream.send(post("/large", 50'000));
  CHECK(probe.seen.empty());
  CHECK(stream.paused);
  StreamRecord other;
  connect(other);
  other.send(get("/small"));
  CHECK(other.take() == ok("/small"));
  CHECK(probe.seen == std::vector<std::string>{"/small"});
  reap();
  CHECK(is_answer_to_large(stream.take()));
  CHECK_FALSE(stream.paused);
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: of several large bodies that are whole each waits for a turn of its own") {
  StreamRecord other;
  connect(other);
  stream.send(post("/1", 50'000) + post("/2", 50'000));
  other.send(post("/other", 50'000));
  REQUIRE(scheduler.dirty.size() == 2);
  scheduler.flush_first();
  CHECK(probe.seen == std::vector<std::string>{"/1"});
  scheduler.flush_first();
  CHECK(probe.seen == std::vector<std::string>{"/1", "/other"});
  reap();
  CHECK(probe.seen == std::vector<std::string>{"/1", "/other", "/2"});
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: a body is handled at once as long as its parsing is within an allowance") {
  // Two units for each byte, a quarter on arrival, and the cost of its head.
  stream.send(post("/within", 17'000));
  CHECK(probe.seen == std::vector<std::string>{"/within"});
  pass(3'000);
  stream.send(post("/past", 19'000));
  CHECK(probe.seen == std::vector<std::string>{"/within"});
  reap();
  CHECK(probe.seen == std::vector<std::string>{"/within", "/past"});
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: a request that waits for its turn has no deadline, and may be cut off") {
  stream.send(post("/large", 50'000));
  SUBCASE("time passes") {
    clock.now_ms += 120'000;
    deadlines.sweep();
    reap();
    CHECK(is_answer_to_large(stream.take()));
  }
  SUBCASE("its client has ended its half") {
    stream.end();
    reap();
    CHECK(is_answer_to_large(stream.take()));
    CHECK(stream.destroyed);
  }
  SUBCASE("its client is gone") {
    stream.events->on_error("reset");
    reap();
    CHECK(probe.seen.empty());
    CHECK(stream.destroyed);
  }
  SUBCASE("its memory is wanted") {
    CHECK(control.held_bytes() >= 50'000);
    CHECK(control.shed_largest(0).bytes >= 50'000);
    reap();
    CHECK(probe.seen.empty());
    CHECK(stream.destroyed);
    CHECK(control.held_bytes() == 0);
  }
  SUBCASE("the server drains") {
    server.drain();
    reap();
    CHECK(is_closing(stream.take()));
    CHECK(probe.seen == std::vector<std::string>{"/large"});
  }
}

TEST_CASE_FIXTURE(
    Fixture, "connection: a request that waits for its turn waits for the answers before it to leave too") {
  stream.room = 10;
  stream.send(get("/big"));
  pass(3'000);
  stream.send(post("/large", 50'000) + get("/3"));
  reap();
  CHECK(probe.seen == std::vector<std::string>{"/big"});
  stream.make_room(1'000'000);
  reap();
  CHECK(probe.seen == std::vector<std::string>{"/big", "/large", "/3"});
}

TEST_CASE_FIXTURE(Fixture, "connection: the framing of chunks counts, not only what is in them") {
  const auto chunked = [](std::size_t chunks) {
    std::string request = "POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < chunks; ++i)
      request += "1\r\nx\r\n";
    return request + "0\r\n\r\n";
  };
  stream.send(chunked(400));
  CHECK(probe.seen.size() == 1);
  pass(3'000);
  // The same bytes in one chunk are far below the limit.
  stream.send(post("/plain", 3'600));
  CHECK(probe.seen.size() == 2);
  pass(3'000);
  stream.send(chunked(600));
  CHECK(probe.seen.size() == 2);
  CHECK(stream.paused);
  reap();
  CHECK(probe.seen.size() == 3);
  CHECK(stream.written.ends_with(std::string(600, 'x')));
}

TEST_CASE_FIXTURE(Fixture, "connection: a head that uses up the allowance is a request all the same") {
  scheduler.is_crowded = true;
  stream.send(get("/long", "X-Filling: " + std::string(8'000, 'f') + "\r\n"));
  reap();
  CHECK(stream.take() == ok("/long"));
}

}  // namespace connection_allowance_test
