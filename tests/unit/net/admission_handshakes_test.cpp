// How many connections of an address may be without a request.
#include <doctest/doctest.h>

#include <string_view>

#include "net/admission.h"
#include "support/fake_clock.h"

namespace roomcast::net::admission_handshakes_test {

namespace {

/// A connection that ends when it is shed.
struct Connection final : Holder {
  explicit Connection(AdmissionControl& control, std::string_view address = "192.0.2.1",
                      Lane lane = Lane::regular) {
    admitted = control.admit(address, false, admission, lane) == ExceededLimit::none;
  }
  void shed() override {
    ++sheds;
    admission = {};
  }
  void wait(Wait what = Wait::first_request) { admission.wait(what, *this); }

  bool admitted = false;
  int sheds = 0;
  Admission admission;
};

}  // namespace

TEST_CASE("admission: connections of an address without a request are bounded, and the oldest makes place") {
  test::FakeClock clock;
  AdmissionControl::Limits limits{100, 100};
  limits.grace_ms = 1'000;
  limits.handshakes_per_address = 2;
  limits.refusals = limits.refusals_per_address = 10;
  AdmissionControl control(limits, &clock);
  Connection idle(control);
  idle.wait(Wait::next_request);
  Connection first(control);
  first.wait();
  Connection second(control);
  second.wait();
  Admission past;
  CHECK(control.admit("192.0.2.1", false, past) == ExceededLimit::handshakes_per_address);
  CHECK(Connection(control, "192.0.2.2").admitted);
  CHECK(Connection(control, "192.0.2.1", Lane::refusals).admitted);
  CHECK(control.admit("192.0.2.1", true, past) == ExceededLimit::none);
  past = {};
  clock.now_ms += 1'000;
  Connection third(control);
  CHECK(third.admitted);
  third.wait();
  CHECK((first.sheds == 1 && second.sheds == 0 && idle.sheds == 0));
  // Those that have sent their request, and those that have gone, do not count.
  second.admission.stop_waiting();
  third.admission = {};
  Connection fourth(control);
  fourth.wait();
  fourth.wait();
  const Connection fifth(control);
  CHECK(fifth.admitted);
  CHECK((second.sheds == 0 && fourth.sheds == 0));
}

}  // namespace roomcast::net::admission_handshakes_test
