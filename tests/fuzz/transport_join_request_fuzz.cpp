#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../support/fake_clock.h"
#include "../support/fake_engine.h"
#include "../support/fake_scheduler.h"
#include "check.h"
#include "http/url.h"
#include "hub/cursor.h"
#include "hub/room_name.h"
#include "part/settings.h"
#include "transport/join_request.h"

using namespace roomcast;

namespace {

/// A server without clients; reading a request leaves it as it is.
struct Server {
  test::FakeEngine engine;
  test::FakeScheduler scheduler;
  test::FakeClock clock;
  base::Deadlines deadlines{clock, 50};
  hub::Hub hub{{engine, scheduler, clock, deadlines}, part::hub_limits({}), part::room_rules({})};
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
};

/// Nothing that was said of the past may get lost on the way in: messages would be missed in silence.
void check(const http::Request& request, const transport::JoinRequest& join) {
  FUZZ_CHECK(http::percent_decode(request.query));
  FUZZ_CHECK(hub::check_client_name(join.caller.author.name()));
  FUZZ_CHECK(join.interest.author.empty());
  FUZZ_CHECK(join.caller.author.name() == request.query_parameter("name").value_or(""));
  FUZZ_CHECK(join.interest.history.has_value() == request.query_parameter("history").has_value());
  const auto since = request.query_parameter("since");
  const std::string_view last = request.headers.get("Last-Event-ID").value_or("");
  FUZZ_CHECK(join.interest.since.has_value() == (since.has_value() || !last.empty()));
  // A browser can't change the URL of its EventSource: where it got to counts, if that is a cursor.
  const auto reached = hub::parse_cursor(last);
  if (reached) FUZZ_CHECK(*join.interest.since == *reached);
  if (since && !reached) FUZZ_CHECK(hub::to_cursor(*join.interest.since) == *since);
}

}  // namespace

/// A Last-Event-ID up to the first line feed, then a query: both are taken whole, or there is an answer that
/// says why not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Server server;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  http::Request request;
  request.headers.add("Last-Event-ID", std::string(input.substr(0, line)));
  request.query = input.substr(line + 1);
  const auto join = transport::read_join_request(request, {}, "lobby", server.service);
  if (join) {
    FUZZ_CHECK(join->room == "lobby");
    check(request, *join);
  } else {
    const base::RefusalInfo& info = base::describe(join.error().code);
    FUZZ_CHECK(info.http == 400 && info.name.starts_with("bad_"));
  }
  return 0;
}
