#include "base/refusal_tally.h"

#include <doctest/doctest.h>

namespace refusal_tally_test {

using roomcast::base::Refusal;
using roomcast::base::RefusalTally;

TEST_CASE("refusal tally: it counts by code, and needs no log") {
  RefusalTally tally;
  tally.note(Refusal::Code::rate_limited, "192.0.2.1");
  tally.note(Refusal::Code::rate_limited, "192.0.2.1");
  tally.note(Refusal::Code::bad_request, "");
  CHECK(tally.count(Refusal::Code::rate_limited) == 2);
  CHECK(tally.count(Refusal::Code::bad_request) == 1);
  CHECK(tally.count(Refusal::Code::not_found) == 0);
}

}  // namespace refusal_tally_test
