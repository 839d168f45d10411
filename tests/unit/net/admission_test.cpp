#include "net/admission.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_clock.h"

namespace roomcast::net::admission_test {

namespace {

struct Waiting final : AdmissionControl::Listener {
  int calls = 0;
  void on_room_again() override { ++calls; }
};

/// A connection that ends when it is shed.
struct Connection final : Holder {
  explicit Connection(AdmissionControl& control, std::string_view address = "192.0.2.1",
                      Lane lane = Lane::regular) {
    admitted = control.admit(address, address == "192.0.2.9", admission, lane) == ExceededLimit::none;
  }
  void shed() override {
    ++sheds;
    admission = {};
  }
  void wait(Wait what = Wait::first_request) { admission.wait(what, *this); }
  void hold(std::size_t bytes) { admission.hold(bytes, *this); }

  bool admitted = false;
  int sheds = 0;
  Admission admission;
};

constexpr std::size_t kib = 1024;

}  // namespace

TEST_CASE("admission: up to the cap in all and not one more") {
  AdmissionControl control({2, 10});
  Admission a;
  Admission b;
  Admission c;
  CHECK(control.admit("192.0.2.1", false, a) == ExceededLimit::none);
  CHECK_FALSE(control.full());
  CHECK(control.admit("192.0.2.2", false, b) == ExceededLimit::none);
  CHECK(control.full());
  CHECK(control.admit("192.0.2.3", false, c) == ExceededLimit::connections);
  CHECK(c.address().empty());
  CHECK(control.connections() == 2);
  a = {};
  CHECK(control.admit("192.0.2.3", false, c) == ExceededLimit::none);
  CHECK(c.address() == "192.0.2.3");
}

TEST_CASE("admission: IPv6 addresses that share their leading bits are one address") {
  AdmissionControl::Limits limits{100, 1};
  limits.ipv6_prefix_bits = 64;
  AdmissionControl control(limits);
  std::vector<Admission> kept(4);
  CHECK(control.admit("2001:db8::1", false, kept[0]) == ExceededLimit::none);
  CHECK(kept[0].address() == "2001:db8::/64");
  CHECK(control.admit("2001:db8::2", false, kept[1]) == ExceededLimit::connections_per_address);
  CHECK(control.admit("2001:db8:0:1::1", false, kept[1]) == ExceededLimit::none);
  limits.ipv6_prefix_bits = 128;
  control.set_limits(limits);
  CHECK(control.admit("2001:db8::1", false, kept[2]) == ExceededLimit::none);
  CHECK(control.admit("2001:db8::2", false, kept[3]) == ExceededLimit::none);
}

TEST_CASE("admission: up to the cap per address and not one more, unless exempt or a Unix socket") {
  AdmissionControl control({100, 2});
  std::vector<Admission> kept(7);
  CHECK(control.admit("192.0.2.1", false, kept[0]) == ExceededLimit::none);
  CHECK(control.admit("192.0.2.1", false, kept[1]) == ExceededLimit::none);
  CHECK(control.admit("192.0.2.1", false, kept[2]) == ExceededLimit::connections_per_address);
  CHECK(control.admit("192.0.2.2", false, kept[2]) == ExceededLimit::none);
  CHECK(control.admit("192.0.2.1", true, kept[3]) == ExceededLimit::none);
  for (std::size_t i = 4; i < 7; ++i)
    CHECK(control.admit("unix", false, kept[i]) == ExceededLimit::none);
  CHECK(control.connections() == 7);
  kept.clear();
  CHECK(control.connections() == 0);
}

TEST_CASE("admission: a limit of 0 admits no connection") {
  AdmissionControl control({100, 0});
  Admission admission;
  CHECK(control.admit("192.0.2.1", false, admission) == ExceededLimit::connections_per_address);
  CHECK(control.connections() == 0);
}

TEST_CASE("admission: it moves with its owner and is counted once") {
  AdmissionControl control({100, 100});
  {
    Admission first;
    CHECK(control.admit("192.0.2.1", false, first) == ExceededLimit::none);
    Admission second = std::move(first);
    CHECK(first.address().empty());  // NOLINT(bugprone-use-after-move): what is left is empty
    Admission third;
    third = std::move(second);
    CHECK(third.address() == "192.0.2.1");
    CHECK(control.connections() == 1);
  }
  CHECK(control.connections() == 0);
}

TEST_CASE("admission: listeners are notified when there is room again, and only then") {
  AdmissionControl control({2, 10});
  Waiting waiting;
  Waiting gone;
  control.add_listener(waiting);
  control.add_listener(gone);
  control.remove_listener(gone);
  std::optional<Admission> a(std::in_place);
  std::optional<Admission> b(std::in_place);
  CHECK(control.admit("192.0.2.1", false, *a) == ExceededLimit::none);
  CHECK(control.admit("192.0.2.1", false, *b) == ExceededLimit::none);
  a.reset();
  CHECK(waiting.calls == 1);
  b.reset();
  CHECK(waiting.calls == 1);
  CHECK(gone.calls == 0);
}

TEST_CASE(
    "admission: a limit lowered below the count holds until enough have left; a raised one is notified") {
  AdmissionControl control({3, 10});
  Waiting waiting;
  control.add_listener(waiting);
  std::vector<Admission> kept(3);
  for (auto& admission : kept)
    CHECK(control.admit("192.0.2.1", false, admission) == ExceededLimit::none);
  control.set_limits({1, 10});
  kept.pop_back();
  kept.pop_back();
  CHECK(control.full());
  CHECK(waiting.calls == 0);
  control.set_limits({2, 10});
  CHECK(waiting.calls == 1);
}

TEST_CASE("admission: a pointer in size, whatever it holds") { CHECK(sizeof(Admission) == sizeof(void*)); }

TEST_CASE("admission: at the cap the one that has waited longest makes room, those that never asked first") {
  AdmissionControl control({3, 10});
  Connection idle(control);
  Connection first(control);
  Connection second(control);
  idle.wait(Wait::next_request);
  first.wait();
  second.wait();
  CHECK_FALSE(control.full());
  const Connection a(control, "192.0.2.2");
  CHECK((idle.sheds == 0 && first.sheds == 1 && second.sheds == 0));
  const Connection b(control, "192.0.2.3");
  CHECK((idle.sheds == 0 && second.sheds == 1));
  const Connection c(control, "192.0.2.4");
  CHECK(idle.sheds == 1);
  const Connection d(control, "192.0.2.5");
  CHECK((a.admitted && b.admitted && c.admitted && !d.admitted));
  CHECK(control.connections() == 3);
  CHECK(control.evicted() == 3);
}

TEST_CASE("admission: a connection with a request keeps its place until it waits again") {
  AdmissionControl control({2, 10});
  Connection early(control);
  Connection late(control);
  early.wait();
  late.wait();
  early.admission.stop_waiting();
  CHECK_FALSE(early.admission.is_waiting());
  const Connection a(control);
  CHECK((early.sheds == 0 && late.sheds == 1));
  CHECK(control.full());
  early.wait(Wait::next_request);
  CHECK_FALSE(control.full());
  const Connection b(control);
  CHECK(early.sheds == 1);
}

TEST_CASE("admission: at the cap per address one of that address makes room, not an older one of another") {
  AdmissionControl control({10, 2});
  Connection other(control, "192.0.2.2");
  Connection first(control);
  Connection second(control);
  other.wait();
  first.wait();
  second.admission.stop_waiting();
  const Connection a(control);
  CHECK(a.admitted);
  CHECK((other.sheds == 0 && first.sheds == 1 && second.sheds == 0));
  const Connection b(control);
  CHECK_FALSE(b.admitted);
  CHECK(other.sheds == 0);
}

TEST_CASE("admission: a newly admitted connection keeps its place: its request may be on the way") {
  test::FakeClock clock;
  AdmissionControl::Limits limits{2, 10};
  limits.grace_ms = 1'000;
  AdmissionControl control(limits, &clock);
  Connection silent(control);
  silent.wait();
  clock.now_ms += 500;
  Connection idle(control);
  idle.wait(Wait::next_request);
  clock.now_ms += 499;
  const Connection a(control);
  CHECK((silent.sheds == 0 && idle.sheds == 1));
  CHECK(control.full());
  const Connection b(control);
  CHECK_FALSE(b.admitted);
  clock.now_ms += 1;
  CHECK_FALSE(control.full());
  const Connection c(control);
  CHECK((c.admitted && silent.sheds == 1));
}

TEST_CASE("admission: the cap per address may be one, and its only connection the one that goes") {
  AdmissionControl control({10, 1});
  Connection first(control);
  first.wait();
  const Connection second(control);
  CHECK(second.admitted);
  CHECK(first.sheds == 1);
  CHECK(control.connections() == 1);
}

TEST_CASE("admission: the lanes are counted by themselves") {
  AdmissionControl control({1, 1, 2, 1});
  const Connection regular(control);
  CHECK(control.full());
  CHECK_FALSE(control.full(Lane::reserve));
  const Connection a(control, "192.0.2.1", Lane::reserve);
  const Connection b(control, "192.0.2.1", Lane::reserve);
  const Connection c(control, "192.0.2.1", Lane::reserve);
  CHECK((a.admitted && b.admitted && !c.admitted));
  const Connection operator_(control, "192.0.2.1", Lane::operations);
  CHECK(operator_.admitted);
  CHECK(operator_.admission.lane() == Lane::operations);
  CHECK(a.admission.lane() == Lane::reserve);
  CHECK(regular.admission.lane() == Lane::regular);
  CHECK(control.connections() == 1);
  CHECK(control.connections(Lane::reserve) == 2);
}

TEST_CASE("admission: listeners are notified when a connection begins to wait at the limit") {
  AdmissionControl control({1, 1});
  Waiting waiting;
  control.add_listener(waiting);
  Connection only(control);
  CHECK(waiting.calls == 0);
  only.wait();
  CHECK(waiting.calls == 1);
}

TEST_CASE("admission: what connections hold is summed up from 4 KiB on, and forgotten with them") {
  AdmissionControl control({10, 10});
  {
    Connection a(control);
    Connection b(control);
    a.hold(4 * kib - 1);
    CHECK(a.admission.held() == 0);
    CHECK(control.held_bytes() == 0);
    a.hold(4 * kib);
    b.hold(100 * kib);
    CHECK(control.held_bytes() == 104 * kib);
    b.hold(90 * kib);
    CHECK(control.held_bytes() == 94 * kib);
    a.hold(0);
    CHECK(a.admission.held() == 0);
    CHECK(control.held_bytes() == 90 * kib);
  }
  CHECK(control.held_bytes() == 0);
  CHECK(control.shed_largest(0).bytes == 0);
}

TEST_CASE("admission: the largest holders are shed first, each once, and none below the least") {
  AdmissionControl control({10, 10});
  Connection small(control, "192.0.2.1");
  Connection large(control, "192.0.2.2");
  Connection middle(control, "192.0.2.3");
  small.hold(60 * kib);
  large.hold(1'000 * kib);
  middle.hold(200 * kib);
  const auto first = control.shed_largest(64 * kib);
  CHECK(first.bytes == 1'000 * kib);
  CHECK(first.address == "192.0.2.2");
  CHECK(control.shed_largest(64 * kib).bytes == 200 * kib);
  CHECK(control.shed_largest(64 * kib).bytes == 0);
  CHECK((small.sheds == 0 && middle.sheds == 1 && large.sheds == 1));
  CHECK(control.held_bytes() == 60 * kib);
}

TEST_CASE("admission: one that is not gone at once is not shed again before it reports what it holds") {
  struct Slow final : Holder {
    void shed() override { ++sheds; }
    int sheds = 0;
  } slow;
  AdmissionControl control({10, 10});
  Admission admission;
  REQUIRE(control.admit("192.0.2.1", false, admission) == ExceededLimit::none);
  admission.hold(100 * kib, slow);
  CHECK(control.shed_largest(0).bytes == 100 * kib);
  CHECK(control.shed_largest(0).bytes == 0);
  admission.hold(50 * kib, slow);
  CHECK(control.shed_largest(0).bytes == 50 * kib);
  CHECK(slow.sheds == 2);
}

TEST_CASE("admission: what is held moves with it, to the holder that reports next") {
  AdmissionControl control({10, 10});
  Connection before(control);
  before.hold(100 * kib);
  Connection after(control, "192.0.2.2");
  after.admission = {};
  Admission moved = std::move(before.admission);
  CHECK(before.admission.held() == 0);  // NOLINT(bugprone-use-after-move): what is left is empty
  CHECK(moved.held() == 100 * kib);
  CHECK(moved.address() == "192.0.2.1");
  after.admission = std::move(moved);
  after.hold(200 * kib);
  CHECK(control.held_bytes() == 200 * kib);
  CHECK(control.shed_largest(0).bytes == 200 * kib);
  CHECK((before.sheds == 0 && after.sheds == 1));
  before.hold(100 * kib);
  CHECK(control.held_bytes() == 0);
}

TEST_CASE("admission: once released it neither holds nor waits") {
  AdmissionControl control({1, 10});
  Connection one(control);
  one.hold(100 * kib);
  one.wait();
  one.admission.release();
  CHECK(control.held_bytes() == 0);
  CHECK(control.shed_largest(0).bytes == 0);
  CHECK(control.full());
  CHECK(one.admission.address() == "192.0.2.1");
}

TEST_CASE(
    "admission: an address past its share gives its largest holders until it is within, the exempt none") {
  AdmissionControl control({10, 10, 0, 0, 300 * kib});
  Connection a(control);
  Connection b(control);
  Connection c(control);
  Connection other(control, "192.0.2.2");
  Connection proxy(control, "192.0.2.9");
  other.hold(300 * kib);
  proxy.hold(1'000 * kib);
  a.hold(100 * kib);
  b.hold(150 * kib);
  CHECK(control.shed_over_share().bytes == 0);
  c.hold(60 * kib);
  const auto shed = control.shed_over_share();
  CHECK(shed.bytes == 150 * kib);
  CHECK(shed.address == "192.0.2.1");
  CHECK(control.shed_over_share().bytes == 0);
  CHECK((b.sheds == 1 && a.sheds == 0 && c.sheds == 0 && other.sheds == 0 && proxy.sheds == 0));
  control.set_limits({10, 10, 0, 0, 299 * kib});
  CHECK(control.shed_over_share().address == "192.0.2.2");
  CHECK(control.shed_over_share().bytes == 0);
}

}  // namespace roomcast::net::admission_test
