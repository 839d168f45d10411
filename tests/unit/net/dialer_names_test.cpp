#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/dialer.h"
#include "support/dialer_fixture.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"

namespace roomcast::net::dialer_names_test {

namespace {

using Fixture = test::DialerFixture;
using Result = test::DialResult;
using test::free_port;
using test::FullServer;
using test::listen_on;

/// What the resolver does with names that end in ".dialer.test": the system's has neither names with several
/// addresses nor slow ones that a test could rely on.
class Resolver {
 public:
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

  static int answer(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    const std::string_view name = node == nullptr ? "" : node;
    if (!name.ends_with(".dialer.test")) return real(node, service, hints, found);
    if (name == "slow.dialer.test") wait();
    if (name == "unknown.dialer.test") return EAI_NONAME;
    if (name == "unavailable.dialer.test") return EAI_AGAIN;
    // Those of "3.dialer.test" are 127.0.0.1 to 127.0.0.3, tried from the last.
    addrinfo* first = nullptr;
    for (int last = 1; last <= std::atoi(node); ++last) {
      addrinfo* one = nullptr;
      const std::string address = "127.0.0." + std::to_string(last);
      if (const int status = real(address.c_str(), service, hints, &one); status != 0) return status;
      one->ai_next = first;
      first = one;
    }
    *found = first;
    return first == nullptr ? EAI_NONAME : 0;
  }

  /// As long as it lives, the look-ups of "slow.dialer.test" take.
  class Delay {
   public:
    Delay() { set(true); }
    Delay(const Delay&) = delete;
    Delay& operator=(const Delay&) = delete;
    ~Delay() { set(false); }

   private:
    static void set(bool is_slow) {
      const std::lock_guard lock(mutex());
      slow() = is_slow;
      changed().notify_all();
    }
  };
  /// How many look-ups have begun to be slow.
  static int started() {
    const std::lock_guard lock(mutex());
    return count();
  }

 private:
  static void wait() {
    std::unique_lock lock(mutex());
    ++count();
    changed().wait(lock, [] { return !slow(); });
  }
  static std::mutex& mutex() {
    static std::mutex it;
    return it;
  }
  static std::condition_variable& changed() {
    static std::condition_variable it;
    return it;
  }
  static bool& slow() {
    static bool it = false;
    return it;
  }
  static int& count() {
    static int it = 0;
    return it;
  }
};

}  // namespace

TEST_CASE("dialer: connects to a name, of whose addresses only one is listened on") {
  const ListeningSocket server = listen_on("127.0.0.1:0");
  Fixture f;
  SUBCASE("localhost") { f.dial({"localhost", server.address().port, ""}); }
  SUBCASE("a name with several") { f.dial({"3.dialer.test", server.address().port, ""}); }
  f.await();
  CHECK(f.result.why == "");
  CHECK(f.is_connected_to(server));
}

TEST_CASE("dialer: a name whose addresses all refuse is an error with each of them") {
  Fixture f;
  const std::uint16_t port = free_port();
  f.dial({"2.dialer.test", port, ""});
  CHECK(f.await_ms() < 10'000);
  CHECK(f.result.why == "2.dialer.test:" + std::to_string(port) +
                            ": connection refused (127.0.0.2), connection refused (127.0.0.1)");
  CHECK_FALSE(f.result.stream);
}

TEST_CASE("dialer: a name without an address is an error that says so") {
  Fixture f;
  SUBCASE("unknown") {
    f.dial({"unknown.dialer.test", 6379, ""});
    f.await();
    CHECK(f.result.why == "unknown.dialer.test:6379: no such host name, or it has no address");
  }
  SUBCASE("no answer from the name servers") {
    f.dial({"unavailable.dialer.test", 6379, ""});
    f.await();
    CHECK(f.result.why ==
          "unavailable.dialer.test:6379: the name cannot be looked up now: no answer from the name servers");
  }
  SUBCASE("a label that is too long for DNS, asked of the real resolver") {
    f.dial({std::string(64, 'x') + ".invalid", 6379, ""});
    f.await();
    CHECK(f.result.why.starts_with(std::string(64, 'x') + ".invalid:6379: "));
  }
  SUBCASE("a name that libuv does not take") {
    f.dial({std::string(2'000, 'x'), 6379, ""});
    f.await();
    CHECK(f.result.why.find(":6379: the name cannot be looked up: ") == 2'000);
  }
  SUBCASE("a name with a NUL, which the resolver would cut") {
    f.dial({std::string("127.0.0.1\0.example", 18), free_port(), ""});
    f.await();
    CHECK(f.result.why.ends_with(": there is a NUL in the host name"));
  }
  CHECK_FALSE(f.result.stream);
}

TEST_CASE("dialer: a name that is not looked up in time is given up") {
  Fixture f;
  const Resolver::Delay delay;
  f.dial({"slow.dialer.test", 6379, ""}, 200);
  CHECK(f.await_ms() >= 200);
  CHECK(f.result.why == "slow.dialer.test:6379: the name was not looked up within 200 ms");
  CHECK(f.dialer.left_lookups() == 1);
}

TEST_CASE("dialer: an address that does not answer takes its share of the time, not that of the others") {
  // Of 127.0.0.2 and 127.0.0.1 only the second, which is tried after it, answers.
  const ListeningSocket server = listen_on("127.0.0.1:0");
  const FullServer silent(test::parse_address("127.0.0.2:" + std::to_string(server.address().port)));
  Fixture f;
  f.dial({"2.dialer.test", server.address().port, ""}, 600);
  const std::int64_t taken_ms = f.await_ms();
  CHECK(taken_ms >= 250);
  CHECK(f.result.why == "");
  CHECK(f.is_connected_to(server));
}

TEST_CASE("dialer: addresses that do not answer have at most half of the time each if they are two") {
  const FullServer first(test::parse_address("127.0.0.2:0"));
  const std::uint16_t port = first.address.to_peer().port;
  const FullServer second(test::parse_address("127.0.0.1:" + std::to_string(port)));
  Fixture f;
  f.dial({"2.dialer.test", port, ""}, 400);
  f.await();
  const std::string begin = "2.dialer.test:" + std::to_string(port) + ": no answer within ";
  REQUIRE(f.result.why.starts_with(begin));
  CHECK(std::atoi(f.result.why.c_str() + begin.size()) <= 200);
  CHECK(f.result.why.find(" ms (127.0.0.2), no answer within ") != std::string::npos);
  CHECK(f.result.why.ends_with(" ms (127.0.0.1)"));
}

TEST_CASE("dialer: of a name with very many addresses eight are tried") {
  Fixture f;
  f.dial({"100.dialer.test", free_port(), ""});
  f.await();
  CHECK(f.result.why.find("(127.0.0.100)") != std::string::npos);
  CHECK(f.result.why.find("(127.0.0.93)") != std::string::npos);
  CHECK(f.result.why.find("(127.0.0.92)") == std::string::npos);
}

TEST_CASE("dialer: an attempt may be destroyed while its name is looked up") {
  const ListeningSocket server = listen_on("127.0.0.1:0");
  Fixture f;
  SUBCASE("the look-up runs") {
    const Resolver::Delay delay;
    const int before = Resolver::started();
    f.dial({"slow.dialer.test", 6379, ""});
    CHECK(f.run_until([&] { return Resolver::started() > before; }));
    f.attempt.reset();
    CHECK(f.dialer.left_lookups() == 1);
  }
  SUBCASE("the look-up waits for a thread") {
    const Resolver::Delay delay;
    std::vector<std::unique_ptr<Dialer::Attempt>> others;
    Result unused;
    for (int i = 0; i < 8; ++i)
      others.push_back(f.dialer.dial({"slow.dialer.test", 6379, ""}, 20'000, unused));
    f.dial({"1.dialer.test", server.address().port, ""});
    f.run_idle_turns();
    f.attempt.reset();
    others.clear();
    CHECK(f.dialer.left_lookups() == 9);
  }
  f.run_idle_turns();
  CHECK(f.run_until([&] { return f.dialer.left_lookups() == 0; }));
  CHECK(f.result.calls == 0);
}

TEST_CASE("dialer: an attempt may be destroyed from within the report that its name is unknown") {
  Fixture f;
  f.result.to_end = &f.attempt;
  f.dial({"unknown.dialer.test", 6379, ""});
  f.await();
  CHECK_FALSE(f.attempt);
}

TEST_CASE("dialer: look-ups that are left are bounded, and once they have come back others may begin") {
  const ListeningSocket server = listen_on("127.0.0.1:0");
  Fixture f;
  {
    const Resolver::Delay delay;
    Result unused;
    // What waits for a thread is cancelled, so all but those that run come back at once.
    std::vector<std::unique_ptr<Dialer::Attempt>> attempts;
    for (std::size_t i = 0; i < Dialer::left_lookups_max; ++i)
      attempts.push_back(f.dialer.dial({"slow.dialer.test", 6379, ""}, 20'000, unused));
    f.loop.run_turn_without_waiting();
    f.loop.run_turn_without_waiting();
    attempts.clear();
    CHECK(f.dialer.left_lookups() == Dialer::left_lookups_max);
    auto refused = f.dialer.dial({"1.dialer.test", server.address().port, ""}, 20'000, f.result);
    f.loop.run_turn_without_waiting();
    f.await();
    CHECK(f.result.why == "1.dialer.test:" + std::to_string(server.address().port) +
                              ": earlier look-ups of names have not come back yet, 16 of them");
  }
  CHECK(f.run_until([&] { return f.dialer.left_lookups() == 0; }));
  f.result.calls = 0;
  f.dial({"1.dialer.test", server.address().port, ""});
  f.await();
  CHECK(f.is_connected_to(server));
}

TEST_CASE("dialer: its end waits for a look-up that runs") {
  test::SocketFixture f;
  Result result;
  auto delay = std::make_unique<Resolver::Delay>();
  auto dialer = std::make_unique<Dialer>(Dialer::Parts{f.loop, f.sockets, f.deadlines});
  const int before = Resolver::started();
  auto attempt = dialer->dial({"slow.dialer.test", 6379, ""}, 20'000, result);
  CHECK(f.run_until([&] { return Resolver::started() > before; }));
  attempt.reset();
  delay.reset();
  dialer.reset();
  CHECK(result.calls == 0);  // and the loop closes, or it aborts
}

}  // namespace roomcast::net::dialer_names_test

/// Stands in front of the C library's.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  return roomcast::net::dialer_names_test::Resolver::answer(node, service, hints, found);
}
