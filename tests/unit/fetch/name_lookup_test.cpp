// Names whose look-up takes long: the loop must not wait for it. libcurl's threads call the getaddrinfo
// below.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

#include "unit/fetch/fetch_fixture.h"

namespace roomcast::fetch::name_lookup_test {

namespace {

constexpr std::string_view slow_name = "slow.test";

/// Look-ups of `slow_name`, which take until the test releases them.
class SlowLookups {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    const int number = ++begun_;
    // Not for ever, if the loop waits too.
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return number <= released_; });
    ++ended_;
  }
  /// Ends those that have begun.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = begun_;
    changed_.notify_all();
  }
  [[nodiscard]] int begun() const { return counted(begun_); }
  [[nodiscard]] int ended() const { return counted(ended_); }

 private:
  [[nodiscard]] int counted(const int& count) const {
    const std::lock_guard lock(mutex_);
    return count;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int ended_ = 0;
  int released_ = 0;
};

SlowLookups& lookups() {
  static SlowLookups all;
  return all;
}

struct Fixture : test::FetchFixture {
  /// All look-ups end before the program does.
  ~Fixture() {
    lookups().release();
    CHECK(run_until([] { return lookups().ended() == lookups().begun(); }));
  }
  [[nodiscard]] Request get_slowly() const {
    Request request;
    request.url = "http://" + std::string(slow_name) + ":" + std::to_string(server.port()) + "/";
    return request;
  }
  /// Waits for one more look-up.
  void wait_for_lookup() {
    REQUIRE(run_until([this] { return lookups().begun() > begun; }));
    begun = lookups().begun();
  }

  int begun = lookups().begun();
};

using Clock = std::chrono::steady_clock;
bool took_no_time_since(Clock::time_point begin) { return Clock::now() - begin < std::chrono::seconds(2); }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fetch: while a name is looked up other requests go on") {
  server.on_request = [](test::OriginServer::Connection& connection, const std::string&) {
    connection.respond(200, "", "ok");
  };
  test::Fetched slow(*client, get_slowly());
  wait_for_lookup();
  CHECK(fetch(get()) == "200 ok");
  CHECK_FALSE(slow.has_ended());
  lookups().release();
  REQUIRE(run_until([&] { return slow.has_ended(); }));
  CHECK(slow.summary() == "200 ok");
}

TEST_CASE_FIXTURE(Fixture, "fetch: a request that ends before its name is found does not wait for it") {
  const auto begin = Clock::now();
  SUBCASE("cancelled") {
    test::Fetched slow(*client, get_slowly());
    wait_for_lookup();
    slow.transfer.cancel();
    CHECK(slow.calls == 0);
  }
  SUBCASE("timed out") {
    Request request = get_slowly();
    request.timeout_ms = 50;
    test::Fetched slow(*client, request);
    wait_for_lookup();
    REQUIRE(run_until([&] { return slow.has_ended(); }));
    CHECK(slow.summary() == "timed_out");
  }
  SUBCASE("without a connection in time") {
    ClientOptions options;
    options.connect_timeout_ms = 50;
    set_up(options);
    test::Fetched slow(*client, get_slowly());
    wait_for_lookup();
    REQUIRE(run_until([&] { return slow.has_ended(); }));
    CHECK(slow.summary() == "timed_out");
  }
  SUBCASE("with its client") {
    const test::Fetched slow(*client, get_slowly());
    wait_for_lookup();
    client.reset();
  }
  CHECK(took_no_time_since(begin));
  CHECK(lookups().ended() < lookups().begun());
}

TEST_CASE_FIXTURE(Fixture,
                  "fetch: look-ups that outlast their requests have a limit, past which others wait") {
  server.on_request = [](test::OriginServer::Connection& connection, const std::string&) {
    connection.respond(200, "", "ok");
  };
  ClientOptions options;
  options.left_lookups = 2;
  options.lookup_ms = 200;
  set_up(options);
  CHECK(fetch(get()) == "200 ok");
  Request request;
  request.url = "http://roomcast-test.invalid/";
  CHECK(fetch(request) == "unresolved");
  { const test::Fetched not_begun(*client, get_slowly()); }
  CHECK(client->stats().left_lookups == 0);
  for (const std::size_t left : {1U, 2U}) {
    test::Fetched slow(*client, get_slowly());
    wait_for_lookup();
    slow.transfer.cancel();
    CHECK(client->stats().left_lookups == left);
    if (left == 1) CHECK(fetch(get()) == "200 ok");
  }
  test::Fetched late(*client, get());
  CHECK(client->stats().waiting == 1);
  REQUIRE(run_until([&] { return late.has_ended(); }));
  CHECK(late.summary() == "200 ok");
  REQUIRE(run_until([&] { return client->stats().left_lookups == 0; }));
}

}  // namespace roomcast::fetch::name_lookup_test

/// In place of the C library's, also in libcurl.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using roomcast::fetch::name_lookup_test::lookups;
  static const auto of_library = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool is_slow = name != nullptr && roomcast::fetch::name_lookup_test::slow_name == name;
  if (is_slow) lookups().wait();
  return of_library(is_slow ? "127.0.0.1" : name, service, hints, found);
}
