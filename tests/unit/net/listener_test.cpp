#include "net/listener.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/socket_fixture.h"
#include "support/sockets.h"
#include "support/temporary_directory.h"

namespace roomcast::net::listener_test {

namespace {

struct Deaf final : ByteStream::Events {
  void on_bytes(std::span<char> /*bytes*/) override {}
  void on_end() override {}
  void on_writable() override {}
  void on_error(std::string_view /*why*/) override {}
};

struct Client {
  std::unique_ptr<ByteStream> stream;
  Peer peer;
  Admission admission;
};

struct Server final : ListenerEvents {
  test::SocketFixture f;
  AdmissionControl admissions{{100, 100}};
  CidrList exempt;
  ListenerStats stats;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  Deaf ignored;
  std::vector<Client> clients;
  std::unique_ptr<Listener> listener;

  explicit Server(const std::string& address = "127.0.0.1:0", const Listener::Options& options = {}) {
    auto socket = ListeningSocket::bind(test::parse_address(address), 0600);
    auto made = Listener::start({f.loop, f.sockets, admissions, exempt, stats, log, *this},
                                std::move(*socket), nullptr, options);
    listener = std::move(*made);
  }
  void on_connection(std::unique_ptr<ByteStream> stream, Peer peer, Admission admission) override {
    stream->set_events(ignored);
    clients.push_back({std::move(stream), std::move(peer), std::move(admission)});
  }
  FileDescriptor connect() { return test::connect_to(test::parse_address(listener->url())); }
  bool wait_for_clients(std::size_t count) {
    return f.run_until([&] { return clients.size() >= count; });
  }
};

/// Limits the process to `more` further descriptors, until destroyed.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const FileDescriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const rlimit tight{static_cast<rlim_t>(next.number()) + more, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

std::string read_to_end(const FileDescriptor& socket, test::SocketFixture& f, bool& broken) {
  std::string all;
  bool ended = false;
  (void)f.run_until([&] {
    all += test::receive_some(socket, ended, broken);
    return ended || broken;
  });
  return all;
}

}  // namespace

TEST_CASE("listener: it passes on connections, with the address and an admission") {
  Server server;
  CHECK(server.listener->url().starts_with("http://127.0.0.1:"));
  const FileDescriptor client = server.connect();
  REQUIRE(server.wait_for_clients(1));
  CHECK(server.clients[0].peer.address == "127.0.0.1");
  CHECK(server.clients[0].peer.port != 0);
  CHECK(server.clients[0].admission.address() == "127.0.0.1");
  CHECK_FALSE(server.clients[0].stream->is_secure());
  CHECK(server.stats.accepted == 1);
  CHECK(server.admissions.connections() == 1);
}

TEST_CASE("listener: a Unix socket looks the same") {
  const test::TemporaryDirectory directory;
  Server server("unix:" + directory.file("s"));
  const FileDescriptor client = server.connect();
  REQUIRE(server.wait_for_clients(1));
  CHECK(server.clients[0].peer.address == "unix");
  CHECK(server.listener->url() == "unix:" + directory.file("s"));
}

TEST_CASE("listener: no more than the budget is accepted in one turn") {
  Server server("127.0.0.1:0", {.accepts_per_turn = 3, .lane = Lane::regular});
  std::vector<FileDescriptor> waiting;
  for (int i = 0; i < 7; ++i)
    waiting.push_back(server.connect());
  std::size_t before = 0;
  for (int turn = 0; turn < 50 && server.clients.size() < 7; ++turn) {
    server.f.loop.run_turn_without_waiting();
    CHECK(server.clients.size() <= before + 3);
    before = server.clients.size();
  }
  CHECK(server.clients.size() == 7);
}

TEST_CASE("listener: at limits.connections clients wait in the backlog until one leaves") {
  Server server;
  server.admissions.set_limits({2, 100});
  std::vector<FileDescriptor> waiting;
  for (int i = 0; i < 4; ++i)
    waiting.push_back(server.connect());
  REQUIRE(server.wait_for_clients(2));
  server.f.run_idle_turns();
  CHECK(server.clients.size() == 2);
  CHECK(server.stats.paused_full == 1);
  server.clients.erase(server.clients.begin());
  REQUIRE(server.wait_for_clients(2));
  server.f.run_idle_turns();
  CHECK(server.clients.size() == 2);
  server.clients.clear();
  REQUIRE(server.wait_for_clients(1));
  CHECK(server.stats.accepted == 4);
}

TEST_CASE("listener: at limits.connections a connection that waits for a request is shed") {
  struct Silent final : Holder {
    explicit Silent(Server& s) : server(s) {}
    void shed() override { server.clients.erase(server.clients.begin()); }
    Server& server;
  };
  Server server;
  Silent silent(server);
  server.admissions.set_limits({2, 100});
  const FileDescriptor a = server.connect();
  const FileDescriptor b = server.connect();
  REQUIRE(server.wait_for_clients(2));
  const std::uint16_t second = server.clients[1].peer.port;
  server.clients[0].admission.wait(Wait::first_request, silent);
  const FileDescriptor c = server.connect();
  REQUIRE(server.f.run_until([&] { return server.stats.accepted == 3; }));
  CHECK(server.clients.size() == 2);
  CHECK(server.clients[0].peer.port == second);
  CHECK(server.admissions.evicted() == 1);
}

TEST_CASE("listener: at limits.connections newcomers are taken in the reserve, and wait when that is full") {
  Server server;
  server.admissions.set_limits({1, 100, 1});
  std::vector<FileDescriptor> waiting;
  for (int i = 0; i < 3; ++i)
    waiting.push_back(server.connect());
  REQUIRE(server.wait_for_clients(2));
  server.f.run_idle_turns();
  REQUIRE(server.clients.size() == 2);
  CHECK(server.clients[0].admission.lane() == Lane::regular);
  CHECK(server.clients[1].admission.lane() == Lane::reserve);
  CHECK(server.stats.taken_in_reserve == 1);
  CHECK(server.stats.paused_full == 1);
  server.clients.pop_back();
  REQUIRE(server.wait_for_clients(2));
  CHECK(server.clients[1].admission.lane() == Lane::reserve);
}

TEST_CASE("listener: one for operation has connections of its own, and no reserve") {
  Server server("127.0.0.1:0", {.accepts_per_turn = 64, .lane = Lane::operations});
  server.admissions.set_limits({0, 0, 5, 1});
  const FileDescriptor first = server.connect();
  const FileDescriptor second = server.connect();
  REQUIRE(server.wait_for_clients(1));
  server.f.run_idle_turns();
  REQUIRE(server.clients.size() == 1);
  CHECK(server.clients[0].admission.lane() == Lane::operations);
  server.clients.clear();
  CHECK(server.wait_for_clients(1));
}

TEST_CASE(
    "listener: past limits.connections_per_address a few are taken for a refusal, others closed at once") {
  Server server;
  AdmissionControl::Limits limits{100, 1};
  limits.refusals = 2;
  limits.refusals_per_address = 1;
  server.admissions.set_limits(limits);
  const FileDescriptor first = server.connect();
  REQUIRE(server.wait_for_clients(1));
  const FileDescriptor second = server.connect();
  REQUIRE(server.wait_for_clients(2));
  CHECK(server.clients[0].admission.lane() == Lane::regular);
  CHECK(server.clients[1].admission.lane() == Lane::refusals);
  const FileDescriptor third = server.connect();
  bool broken = false;
  CHECK(read_to_end(third, server.f, broken).empty());
  CHECK(server.stats.refused_per_address == 2);
  CHECK(server.clients.size() == 2);
  CHECK(server.exempt.add("127.0.0.0/8") == std::nullopt);
  const FileDescriptor fourth = server.connect();
  CHECK(server.wait_for_clients(3));
}

TEST_CASE("listener: out of file descriptors it closes newcomers, leaves the others alone, and recovers") {
  Server server;
  const FileDescriptor old = server.connect();
  REQUIRE(server.wait_for_clients(1));
  std::vector<FileDescriptor> newcomers;
  for (int i = 0; i < 3; ++i)
    newcomers.push_back(server.connect());
  {
    const DescriptorLimit none(0);
    REQUIRE(server.f.run_until([&] { return server.stats.out_of_descriptors == 3; }));
    server.f.run_idle_turns();
    CHECK(server.clients.size() == 1);
  }
  for (const auto& newcomer : newcomers) {
    bool broken = false;
    CHECK(read_to_end(newcomer, server.f, broken).empty());
  }
  const std::string_view hello = "still here";
  CHECK(server.f.write_all(*server.clients[0].stream, hello));
  const FileDescriptor after = server.connect();
  CHECK(server.wait_for_clients(2));
}

TEST_CASE("listener: with no descriptor at all it stops accepting and tries again until it can") {
  test::SocketFixture f;
  AdmissionControl admissions{{100, 100}};
  const CidrList exempt;
  ListenerStats stats;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  struct Counter final : ListenerEvents {
    void on_connection(std::unique_ptr<ByteStream> /*stream*/, Peer /*peer*/,
                       Admission /*admission*/) override {
      ++connections;
    }
    int connections = 0;
  } counter;
  auto socket = ListeningSocket::bind(test::parse_address("127.0.0.1:0"), 0600);
  const FileDescriptor client = test::connect_to(socket->address());
  std::unique_ptr<Listener> listener;
  {
    const DescriptorLimit none(0);
    listener = std::move(*Listener::start({f.loop, f.sockets, admissions, exempt, stats, log, counter},
                                          std::move(*socket), nullptr, {}));
    f.run_idle_turns();
    CHECK(counter.connections == 0);
    CHECK(stats.out_of_descriptors == 0);
    // It has stopped watching: a turn has nothing to do and may sleep.
    CHECK_FALSE(f.run_until([&] { return stats.accepted > 0; }, 250));
  }
  CHECK(f.run_until([&] { return counter.connections == 1; }));
  CHECK(stats.accepted == 1);
}

TEST_CASE("listener: destroying it refuses newcomers and leaves its connections") {
  Server server;
  const net::Address address = test::parse_address(server.listener->url());
  const FileDescriptor client = server.connect();
  REQUIRE(server.wait_for_clients(1));
  server.listener.reset();
  CHECK_FALSE(test::connect_to(address).is_open());
  const std::string_view hello = "still here";
  CHECK(server.f.write_all(*server.clients[0].stream, hello));
  bool ended = false;
  bool broken = false;
  std::string received;
  CHECK(server.f.run_until([&] {
    received += test::receive_some(client, ended, broken);
    return received == hello;
  }));
}

}  // namespace roomcast::net::listener_test
