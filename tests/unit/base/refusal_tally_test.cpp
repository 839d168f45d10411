#include "base/refusal_tally.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "support/captured_stderr.h"
#include "support/fake_clock.h"

namespace refusal_tally_test {

using roomcast::base::Refusal;
using roomcast::base::RefusalTally;

TEST_CASE("refusal tally: it counts by code, and needs no log") {
  RefusalTally tally;
  tally.note(Refusal::Code::rate_limited, "192.0.2.1", "");
  tally.note(Refusal::Code::rate_limited, "192.0.2.1", "");
  tally.note(Refusal::Code::bad_request, "", "");
  CHECK(tally.count(Refusal::Code::rate_limited) == 2);
  CHECK(tally.count(Refusal::Code::bad_request) == 1);
  CHECK(tally.count(Refusal::Code::not_found) == 0);
}

TEST_CASE("refusal tally: a few lines a second say who was refused what, and how many were left out") {
  roomcast::test::CapturedStderr captured;
  roomcast::test::FakeClock clock;
  roomcast::base::Log log{roomcast::base::LogLevel::info, roomcast::base::LogFormat::text};
  RefusalTally tally;
  tally.set_log(log, clock);
  for (std::uint32_t i = 0; i < RefusalTally::lines_per_second + 3; ++i)
    tally.note(Refusal::Code::forbidden, "192.0.2.1", "user:ada");
  tally.note(Refusal::Code::bad_request, "192.0.2.1", "");  // says nothing of the client
  const std::string line = "client refused peer=192.0.2.1 identity=user:ada code=forbidden left_out=0";
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = captured.text().find(line, at)) != std::string::npos; ++at)
    ++lines;
  CHECK(lines == RefusalTally::lines_per_second);
  clock.advance(1'000);
  tally.note(Refusal::Code::unauthorized, "192.0.2.2", "");
  CHECK(captured.text().find("client refused peer=192.0.2.2 identity=none code=unauthorized left_out=3") !=
        std::string::npos);
  CHECK(captured.text().find("bad_request") == std::string::npos);
}

}  // namespace refusal_tally_test
