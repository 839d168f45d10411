#include "net/admission.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace roomcast::net {

namespace {

struct Waiting final : AdmissionControl::Listener {
  int calls = 0;
  void on_room_again() override { ++calls; }
};

}  // namespace

TEST_CASE("admission: up to the cap in all and not one more") {
  AdmissionControl control({2, 10});
  Admission a;
  Admission b;
  Admission c;
  CHECK(control.admit("192.0.2.1", false, a) == Refusal::none);
  CHECK_FALSE(control.full());
  CHECK(control.admit("192.0.2.2", false, b) == Refusal::none);
  CHECK(control.full());
  CHECK(control.admit("192.0.2.3", false, c) == Refusal::connections);
  CHECK(c.address().empty());
  CHECK(control.connections() == 2);
  a = {};
  CHECK(control.admit("192.0.2.3", false, c) == Refusal::none);
  CHECK(c.address() == "192.0.2.3");
}

TEST_CASE("admission: up to the cap per address and not one more, unless exempt or a Unix socket") {
  AdmissionControl control({100, 2});
  std::vector<Admission> kept(7);
  CHECK(control.admit("192.0.2.1", false, kept[0]) == Refusal::none);
  CHECK(control.admit("192.0.2.1", false, kept[1]) == Refusal::none);
  CHECK(control.admit("192.0.2.1", false, kept[2]) == Refusal::connections_per_address);
  CHECK(control.admit("192.0.2.2", false, kept[2]) == Refusal::none);
  CHECK(control.admit("192.0.2.1", true, kept[3]) == Refusal::none);
  for (std::size_t i = 4; i < 7; ++i)
    CHECK(control.admit("unix", false, kept[i]) == Refusal::none);
  CHECK(control.connections() == 7);
  kept.clear();
  CHECK(control.connections() == 0);
}

TEST_CASE("admission: a cap of nothing lets nobody in") {
  AdmissionControl control({100, 0});
  Admission admission;
  CHECK(control.admit("192.0.2.1", false, admission) == Refusal::connections_per_address);
  CHECK(control.connections() == 0);
}

TEST_CASE("admission: it moves with its owner and is counted once") {
  AdmissionControl control({100, 100});
  {
    Admission first;
    CHECK(control.admit("192.0.2.1", false, first) == Refusal::none);
    Admission second = std::move(first);
    CHECK(first.address().empty());  // NOLINT(bugprone-use-after-move): what is left is empty
    Admission third;
    third = std::move(second);
    CHECK(third.address() == "192.0.2.1");
    CHECK(control.connections() == 1);
  }
  CHECK(control.connections() == 0);
}

TEST_CASE("admission: listeners are told when there is room again, and only then") {
  AdmissionControl control({2, 10});
  Waiting waiting;
  Waiting gone;
  control.add_listener(waiting);
  control.add_listener(gone);
  control.remove_listener(gone);
  std::optional<Admission> a(std::in_place);
  std::optional<Admission> b(std::in_place);
  CHECK(control.admit("192.0.2.1", false, *a) == Refusal::none);
  CHECK(control.admit("192.0.2.1", false, *b) == Refusal::none);
  a.reset();
  CHECK(waiting.calls == 1);
  b.reset();
  CHECK(waiting.calls == 1);
  CHECK(gone.calls == 0);
}

TEST_CASE("admission: a cap lowered below what is there holds until enough have left; one raised is told") {
  AdmissionControl control({3, 10});
  Waiting waiting;
  control.add_listener(waiting);
  std::vector<Admission> kept(3);
  for (auto& admission : kept)
    CHECK(control.admit("192.0.2.1", false, admission) == Refusal::none);
  control.set_limits({1, 10});
  kept.pop_back();
  kept.pop_back();
  CHECK(control.full());
  CHECK(waiting.calls == 0);
  control.set_limits({2, 10});
  CHECK(waiting.calls == 1);
}

}  // namespace roomcast::net
