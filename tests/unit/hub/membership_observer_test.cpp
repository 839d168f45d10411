// Observers of membership, as presence is one and hooks can be.
#include "hub/membership_observer.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "support/hub_fixture.h"

namespace membership_observer_test {

using namespace roomcast;

namespace {

struct Reader final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {
    log += " joined";
  }
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& /*batch*/, std::size_t /*from*/) override {}
  explicit Reader(std::string& l) : log(l) {}
  std::string& log;
};

/// Writes down what it observes: " +ada@lobby:1", " -ada@lobby:0", " !ada" before on_joined.
struct Recorder final : hub::MembershipObserver {
  explicit Recorder(std::string& l) : log(l) {}
  void on_member_joined(hub::ObservedRoom& room, hub::Member& member) override {
    log += " +" + std::string(member.interest().author.name()) + "@" + room.name() + ":" +
           std::to_string(room.members());
  }
  void on_member_acknowledged(hub::ObservedRoom& /*room*/, hub::Member& member) override {
    log += " !" + std::string(member.interest().author.name());
  }
  void on_member_left(hub::ObservedRoom& room, hub::Member& /*member*/) override {
    log += " -@" + room.name() + ":" + std::to_string(room.members());
  }
  std::string& log;
};

struct Fixture : test::HubFixture<> {
  Fixture() { hub.add_observer(recorder); }
  std::unique_ptr<hub::Membership> join(std::string_view room, std::string_view name) {
    hub::Interest interest;
    interest.author = hub::Author(name);
    return hub.subscribe(room, reader, interest);
  }
  std::string take() { return std::exchange(log, {}); }

  std::string log;
  Reader reader{log};
  Recorder recorder{log};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "membership observer: it is called for each join, acknowledgement and leave") {
  auto ada = join("lobby", "ada");
  CHECK(take() == " +ada@lobby:1");
  auto bob = join("lobby", "bob");
  CHECK(take() == " +bob@lobby:2");
  turn();
  CHECK(take() == " !ada joined !bob joined");
  ada.reset();
  bob.reset();
  CHECK(take() == " -@lobby:1 -@lobby:0");
  const auto nameless = join("attic", "");
  CHECK(take() == " +@attic:1");
}

TEST_CASE_FIXTURE(Fixture,
                  "membership observer: a member that leaves before its join is acknowledged has only left") {
  join("lobby", "ada").reset();
  turn();
  CHECK(take() == " +ada@lobby:1 -@lobby:0");
}

}  // namespace membership_observer_test
