#include "http/server.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadlines.h"
#include "base/log.h"
#include "net/admission.h"
#include "part/settings.h"
#include "support/fake_clock.h"
#include "support/fake_scheduler.h"
#include "support/memory_stream.h"

namespace server_test {

using namespace roomcast;

namespace {

/// Answers with its name; "/large" with a large body, "/later" deferred, "/up" by take-over.
struct Named final : http::Handler {
  explicit Named(std::string text) : name(std::move(text)) {}
  void handle(http::Exchange& exchange, std::string_view /*rest*/) override {
    const std::string& path = exchange.request().path;
    if (path == "/later") {
      deferred.push_back(exchange.defer());
    } else if (path == "/up") {
      hand_overs.push_back(exchange.take_over("HTTP/1.1 101 Up\r\n\r\n"));
    } else {
      exchange.respond(
          http::Response::of(200, "text/plain", path == "/large" ? std::string(100'000, 'x') : name));
    }
  }
  std::string name;
  std::vector<base::SlotId> deferred;
  std::vector<http::HandOver> hand_overs;
};

struct Fixture {
  Fixture() {
    http::ParserLimits limits = part::parser_limits({});
    limits.body_bytes = 1'000'000;
    server.set_limits(limits);
  }
  void end_turn() {
    struct None final : base::SlicedWork {
      bool do_slice() override { return false; }
    } none;
    scheduler.run_turn(none);
  }
  /// False if a limit refuses it.
  bool connect(test::MemoryWire& wire, std::string_view address = "192.0.2.1",
               net::Lane lane = net::Lane::regular) {
    net::Admission admission;
    const bool admitted = control.admit(address, false, admission, lane) == net::ExceededLimit::none;
    if (admitted) server.accept(wire.make_stream(), std::move(admission));
    end_turn();
    return admitted;
  }
  std::string ask(test::MemoryWire& wire, std::string_view path) {
    wire.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    end_turn();
    return wire.take_received();
  }

  test::FakeClock clock;
  base::Deadlines deadlines{clock, 100};
  test::FakeScheduler scheduler;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  net::AdmissionControl control{{3, 10, 2, 2}};
  Named regular{"regular"};
  Named operations{"operations"};
  Named reserve{"reserve"};
  http::Server server{
      regular, clock, deadlines, scheduler, log, part::parser_limits({}), part::connection_settings({})};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "server: for a newcomer the oldest silent connection goes, then the longest idle") {
  test::MemoryWire idle;
  test::MemoryWire silent;
  test::MemoryWire slow;
  CHECK(connect(idle));
  CHECK(connect(silent));
  CHECK(connect(slow));
  CHECK_FALSE(ask(idle, "/").empty());
  slow.send("GET / HT");
  test::MemoryWire a;
  test::MemoryWire b;
  test::MemoryWire c;
  CHECK(connect(a));
  CHECK((idle.is_open() && !silent.is_open() && slow.is_open()));
  CHECK_FALSE(ask(a, "/later").size() > 0);
  CHECK(connect(b));
  CHECK((idle.is_open() && !slow.is_open()));
  CHECK(ask(b, "/later").empty());
  CHECK(connect(c));
  CHECK_FALSE(idle.is_open());
  CHECK(ask(c, "/later").empty());
  test::MemoryWire none;
  CHECK_FALSE(connect(none));
  CHECK((a.is_open() && b.is_open() && c.is_open()));
  CHECK(control.connections() == 3);
}

TEST_CASE_FIXTURE(Fixture, "server: the longest idle is the one whose last answer is the oldest") {
  test::MemoryWire wires[3];
  for (auto& wire : wires)
    CHECK(connect(wire));
  for (const int i : {0, 1, 2, 0})
    CHECK_FALSE(ask(wires[i], "/").empty());
  test::MemoryWire newcomer;
  CHECK(connect(newcomer));
  CHECK((wires[0].is_open() && !wires[1].is_open() && wires[2].is_open()));
}

TEST_CASE_FIXTURE(Fixture, "server: a request body, an answer being read and a hand-over keep their place") {
  test::MemoryWire body;
  test::MemoryWire reading;
  test::MemoryWire up;
  CHECK(connect(body));
  CHECK(connect(reading));
  CHECK(connect(up));
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12");
  reading.set_room(1'000);
  (void)ask(reading, "/large");
  CHECK(ask(up, "/up").size() > 0);
  test::MemoryWire newcomer;
  CHECK_FALSE(connect(newcomer));
  reading.set_room(test::MemoryWire::unlimited);
  CHECK(connect(newcomer));
  CHECK((body.is_open() && !reading.is_open() && up.is_open()));
}

TEST_CASE_FIXTURE(Fixture, "server: an answered connection that waits for the client's end makes room") {
  test::MemoryWire wires[3];
  for (auto& wire : wires) {
    CHECK(connect(wire));
    CHECK_FALSE(ask(wire, "/later").size() > 0);
  }
  server.drain();
  server.respond(regular.deferred[1], http::Response::of(200, "text/plain", "late"));
  end_turn();
  CHECK(wires[1].is_shut_down());
  test::MemoryWire newcomer;
  CHECK(connect(newcomer));
  CHECK((wires[0].is_open() && !wires[1].is_open() && wires[2].is_open()));
}

TEST_CASE_FIXTURE(Fixture, "server: each lane has its handler; the reserve answers once and closes") {
  server.set_operations(operations);
  server.set_reserve(reserve);
  test::MemoryWire a;
  test::MemoryWire b;
  test::MemoryWire c;
  CHECK(connect(a));
  CHECK(connect(b, "192.0.2.1", net::Lane::operations));
  CHECK(connect(c, "192.0.2.1", net::Lane::reserve));
  CHECK(ask(a, "/").ends_with("regular"));
  CHECK(ask(b, "/").ends_with("operations"));
  CHECK_FALSE(b.is_shut_down());
  const std::string answer = ask(c, "/");
  CHECK(answer.ends_with("reserve"));
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  CHECK(c.is_shut_down());
}

TEST_CASE_FIXTURE(Fixture, "server: what is only refused is answered at the end of its head, and once") {
  Named refusals{"refusals"};
  server.set_refusals(refusals);
  net::AdmissionControl::Limits limits{3, 10};
  limits.refusals = 3;
  limits.refusals_per_address = 3;
  control.set_limits(limits);
  test::MemoryWire wire;
  CHECK(connect(wire, "192.0.2.1", net::Lane::refusals));
  wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n");
  end_turn();
  CHECK(wire.take_received().empty());
  wire.send("\r\nbody");
  end_turn();
  const std::string answer = wire.take_received();
  CHECK(answer.ends_with("refusals"));
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  CHECK(wire.is_shut_down());
  test::MemoryWire silent;
  test::MemoryWire slow;
  CHECK(connect(silent, "192.0.2.1", net::Lane::refusals));
  CHECK(connect(slow, "192.0.2.1", net::Lane::refusals));
  slow.send("GET / HTTP/1.1\r\nHost: a\r\n");
  clock.advance(part::connection_settings({}).refused_head_ms);
  deadlines.sweep();
  end_turn();
  CHECK_FALSE(silent.is_open());
  CHECK(slow.take_received().starts_with("HTTP/1.1 408 "));
}

TEST_CASE_FIXTURE(Fixture, "server: an error may get another form, an answer does not") {
  server.set_refusal_form([](const http::Request& request, http::Response& response) {
    response.status = 200;
    response.headers.set("Content-Type", "text/" + request.path.substr(1));
  });
  test::MemoryWire wire;
  CHECK(connect(wire));
  CHECK(ask(wire, "/fine").find("Content-Type: text/plain\r\n") != std::string::npos);
  wire.send("GET /late HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  clock.advance(part::connection_settings({}).body_ms);
  deadlines.sweep();
  end_turn();
  const std::string late = wire.take_received();
  CHECK(late.starts_with("HTTP/1.1 200 "));
  CHECK(late.find("Content-Type: text/late\r\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture,
                  "server: a connection says what it holds: what was not read and what was not asked") {
  test::MemoryWire slow;
  test::MemoryWire body;
  CHECK(connect(slow));
  CHECK(connect(body, "192.0.2.2"));
  CHECK(control.held_bytes() == 0);
  slow.set_room(40'000);
  (void)ask(slow, "/large");
  CHECK(control.held_bytes() >= 60'000);
  CHECK(control.held_bytes() < 70'000);
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + std::string(200'000, 'b'));
  CHECK(control.held_bytes() >= 260'000);
  const auto shed = control.shed_largest(65'536);
  CHECK(shed.address == "192.0.2.2");
  CHECK(shed.bytes >= 200'000);
  end_turn();
  CHECK_FALSE(body.is_open());
  CHECK(slow.is_open());
  slow.set_room(test::MemoryWire::unlimited);
  CHECK(control.held_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "server: memory held before is not counted after the connection is taken over") {
  test::MemoryWire wire;
  CHECK(connect(wire));
  wire.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(99'999, 'b'));
  CHECK(control.held_bytes() > 90'000);
  wire.send("b");
  CHECK(control.held_bytes() > 90'000);
  end_turn();
  REQUIRE(regular.hand_overs.size() == 1);
  CHECK(control.held_bytes() == 0);
  CHECK(control.shed_largest(0).bytes == 0);
  CHECK(regular.hand_overs[0].admission.address() == "192.0.2.1");
}

}  // namespace server_test
