#include "load/poller.h"

#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "load/clock.h"

namespace roomcast::bench::poller_test {

namespace {

constexpr std::int64_t patience_ns = 10'000'000'000;

/// A descriptor that can be made ready, and the order in which several of them were told.
class Bell final : public Pollable {
 public:
  Bell(Poller& poller, std::vector<int>& told, int name) : told_(told), name_(name) {
    poller.watch(descriptor_, *this);
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { ::close(descriptor_); }

  void ring() const { eventfd_write(descriptor_, 1); }
  void on_ready(std::uint32_t events) override {
    if ((events & EPOLLIN) != 0) told_.push_back(name_);
  }

 private:
  int descriptor_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::vector<int>& told_;
  int name_;
};

}  // namespace

TEST_CASE("a poller tells who is ready, and comes back when its time is up") {
  std::vector<int> told;
  Poller poller;
  const Bell bell(poller, told, 1);
  bell.ring();
  CHECK(poller.run_until([&] { return !told.empty(); }, now_ns() + patience_ns));
  CHECK_FALSE(poller.run_until([] { return false; }, now_ns()));
  CHECK(told == std::vector<int>{1});
}

TEST_CASE("what is put first is told before every handful of the others") {
  std::vector<int> told;
  Poller urgent;
  Poller poller;
  poller.put_first(urgent);
  const Bell first(urgent, told, 0);
  std::vector<std::unique_ptr<Bell>> many;
  for (int name = 1; name <= 1000; ++name)
    many.push_back(std::make_unique<Bell>(poller, told, name));
  for (const auto& bell : many)
    bell->ring();
  first.ring();
  poller.turn(0);
  REQUIRE_FALSE(told.empty());
  CHECK(told.front() == 0);
  CHECK(told.size() < 100);

  const std::size_t before = told.size();
  first.ring();
  poller.turn(0);
  REQUIRE(told.size() > before);
  CHECK(told[before] == 0);
}

TEST_CASE("a poller that sleeps is woken by what is put first") {
  std::vector<int> told;
  Poller urgent;
  Poller poller;
  poller.put_first(urgent);
  const Bell first(urgent, told, 0);
  poller.turn(0);  // all that is told when a descriptor is new
  first.ring();
  CHECK(poller.run_until([&] { return !told.empty(); }, now_ns() + patience_ns));
}

TEST_CASE("more descriptors than the hard limit has are refused by the limit's name") {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  Poller poller;
  CHECK_THROWS_WITH_AS(poller.make_room_for(limit.rlim_max), doctest::Contains("RLIMIT_NOFILE"),
                       std::runtime_error);
  poller.make_room_for(1);
}

}  // namespace roomcast::bench::poller_test
