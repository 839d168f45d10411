#include "net/tls_client.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls_context.h"
#include "net/tls_shared.h"
#include "support/certificates.h"
#include "support/memory_stream.h"
#include "support/socket_fixture.h"

namespace roomcast::net::tls_client_test {

namespace {

struct Recorder final : ByteStream::Events {
  std::string bytes;
  std::string why;
  int ends = 0;
  int errors = 0;
  int writables = 0;
  void on_bytes(std::span<char> received) override { bytes.append(received.data(), received.size()); }
  void on_end() override { ++ends; }
  void on_writable() override { ++writables; }
  void on_error(std::string_view reason) override {
    ++errors;
    why = reason;
  }
};

TlsClientContext trust(const std::string& ca_file) {
  return std::move(*TlsClientContext::load({ca_file, "", ""}));
}

std::size_t write(ByteStream& stream, std::string_view bytes) { return stream.write({&bytes, 1}); }

/// A client and the server side of TlsStream, and the wires between them, whose bytes the test carries.
struct Pair {
  test::SocketFixture f;
  TlsShared shared{f.turn, f.deadlines};
  test::MemoryWire client_wire;
  test::MemoryWire server_wire;
  std::unique_ptr<ByteStream> client;
  std::unique_ptr<ByteStream> server;
  Recorder at_client;
  Recorder at_server;
  std::size_t step = 1'000'000;  // bytes that are delivered at a time

  Pair(std::shared_ptr<const TlsContext> context, const TlsClientContext& trusted, const std::string& host) {
    server = TlsWrapper(shared, std::move(context)).wrap(server_wire.make_stream(), "");
    client = make_tls_client(shared, trusted, client_wire.make_stream(), host);
  }
  void begin() {
    server->set_events(at_server);
    client->set_events(at_client);
  }
  /// Carries bytes until `done()`; false if it does not come to that.
  template <class Done>
  bool carry_until(const Done& done) {
    int quiet = 0;
    while (!done() && quiet < 50) {
      f.run_idle_turns(1);
      const bool went_up = carry(client_wire, server_wire, at_server);
      const bool went_down = carry(server_wire, client_wire, at_client);
      quiet = went_up || went_down ? 0 : quiet + 1;
    }
    return done();
  }
  void carry_all() {
    (void)carry_until([] { return false; });
  }
  bool has_error() const { return at_client.errors > 0; }
  /// Whether the handshake succeeds, and data arrives both ways.
  bool connects() {
    begin();
    CHECK(write(*client, "early") == 0);
    if (!carry_until([&] { return at_client.writables > 0 || has_error(); }) || has_error()) return false;
    CHECK(write(*client, "ping") == 4);
    CHECK(carry_until([&] { return at_server.bytes == "ping" || has_error(); }));
    // In TLS 1.3 a client is ready before the server has looked at its certificate.
    if (has_error()) return false;
    CHECK(write(*server, "pong") == 4);
    return carry_until([&] { return at_client.bytes == "pong" || has_error(); }) && !has_error();
  }

 private:
  bool carry(test::MemoryWire& from, test::MemoryWire& to, const Recorder& receiver) const {
    const std::string bytes = from.take_received();
    if (receiver.errors > 0) return false;
    for (std::size_t at = 0; at < bytes.size(); at += step)
      to.send(std::string_view(bytes).substr(at, step));
    to.deliver();
    if (from.is_shut_down()) to.end();
    return !bytes.empty();
  }
};

/// What a client that trusts the certificate for `names`, and wants to speak to `host`, has to say to a
/// server that shows it.
std::string outcome(const std::string& names, const std::string& host, long valid_s = 86'400) {
  const test::TemporaryDirectory directory;
  const auto files = make_certificate(directory, "common.example", names, valid_s);
  Pair pair(*TlsContext::load({files}), trust(files.certificate), host);
  return pair.connects() ? "connected" : pair.at_client.why;
}

const std::string refusal = "TLS handshake failed: certificate verify failed: ";
const std::string wrong_name = refusal + "hostname mismatch";
const std::string wrong_address = refusal + "IP address mismatch";

/// A server that asks its clients for a certificate of `authority`.
std::shared_ptr<const TlsContext> make_asking(const CertificateFiles& files, const std::string& authority,
                                              int most_version) {
  auto context = *TlsContext::load({files});
  REQUIRE(SSL_CTX_load_verify_file(context->native(), authority.c_str()) == 1);
  SSL_CTX_set_verify(context->native(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_max_proto_version(context->native(), most_version);
  return context;
}

struct Files {
  test::TemporaryDirectory directory;
  CertificateFiles server = make_certificate(directory, "server", "DNS:redis.example");
  CertificateFiles client = make_certificate(directory, "client", "DNS:node.example");
};

/// An open connection.
struct OpenPair : Files, Pair {
  OpenPair() : Pair(*TlsContext::load({server_files()}), trust(server_files().certificate), "redis.example") {
    REQUIRE(connects());
    at_client.bytes.clear();
    at_server.bytes.clear();
  }
  [[nodiscard]] const CertificateFiles& server_files() const { return Files::server; }
  [[nodiscard]] ByteStream& near() const { return *Pair::client; }
  [[nodiscard]] ByteStream& far() const { return *Pair::server; }
};

}  // namespace

TEST_CASE("tls client: the certificate must be for the host") {
  CHECK(outcome("DNS:redis.example", "redis.example") == "connected");
  CHECK(outcome("DNS:redis.example", "REDIS.example.") == "connected");
  CHECK(outcome("DNS:*.redis.example", "a.redis.example") == "connected");
  CHECK(outcome("DNS:other.example", "redis.example") == wrong_name);
  CHECK(outcome("DNS:*.redis.example", "a.b.redis.example") == wrong_name);
  CHECK(outcome("DNS:r*.example", "redis.example") == wrong_name);
  // The common name does not count, also where no other is given.
  CHECK(outcome("DNS:other.example", "common.example") == wrong_name);
  CHECK(outcome("IP:127.0.0.1", "common.example") == wrong_name);
}

TEST_CASE("tls client: for a numeric address the certificate must have that address") {
  CHECK(outcome("IP:127.0.0.1", "127.0.0.1") == "connected");
  CHECK(outcome("IP:::1", "::1") == "connected");
  CHECK(outcome("IP:127.0.0.1", "127.0.0.2") == wrong_address);
  CHECK(outcome("DNS:127.0.0.1", "127.0.0.1") == wrong_address);
}

TEST_CASE("tls client: what is no host matches no certificate") {
  CHECK(outcome("DNS:redis.example", "") == wrong_name);
  CHECK(outcome("DNS:redis.example", ".") == wrong_name);
  CHECK(outcome("DNS:redis.example", ".example") == wrong_name);
  CHECK(outcome("DNS:redis.example", std::string("redis.example\0.other", 20)) == wrong_name);
  CHECK(outcome("DNS:redis.example", std::string(1'000, 'x')) == wrong_name);
}

TEST_CASE("tls client: sends the host as the server name, but not an address") {
  const test::TwoCertificates c;
  Pair second(c.load(), trust(c.two.certificate), "two.example");
  CHECK(second.connects());
  Pair first(c.load(), trust(c.two.certificate), "one.example");
  CHECK_FALSE(first.connects());
  CHECK(first.at_client.why == refusal + "self-signed certificate");
}

TEST_CASE("tls client: a certificate that is not trusted, or no longer valid, is refused") {
  const Files files;
  SUBCASE("of another authority") {
    Pair pair(*TlsContext::load({files.server}), trust(files.client.certificate), "redis.example");
    CHECK_FALSE(pair.connects());
    CHECK(pair.at_client.why == refusal + "self-signed certificate");
    pair.carry_all();
    CHECK(pair.at_client.errors == 1);
    CHECK(pair.at_server.errors == 1);  // it gets the alert
    CHECK(pair.shared.stats().handshakes_failed == 1);
  }
  SUBCASE("of nobody that the system trusts") {
    Pair pair(*TlsContext::load({files.server}), trust(""), "redis.example");
    CHECK_FALSE(pair.connects());
    CHECK(pair.at_client.why == refusal + "self-signed certificate");
  }
  SUBCASE("expired") {
    CHECK(outcome("DNS:a.example", "a.example", -30) == refusal + "certificate has expired");
  }
}

TEST_CASE("tls client: shows its certificate to a server that asks for one") {
  const Files files;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto context = make_asking(files.server, files.client.certificate, version);
    const auto with =
        TlsClientContext::load({files.server.certificate, files.client.certificate, files.client.key});
    REQUIRE(with);
    CHECK(Pair(context, *with, "redis.example").connects());
    Pair without(context, trust(files.server.certificate), "redis.example");
    CHECK_FALSE(without.connects());
    CHECK(without.at_client.why.find("alert") != std::string::npos);
  }
}

TEST_CASE("tls client: its files are checked when they are read") {
  const Files files;
  const std::string& ca = files.server.certificate;
  const auto error = [](const TlsClientContext::Options& options) {
    const auto made = TlsClientContext::load(options);
    return made ? "" : made.error().message;
  };
  const std::string none = files.directory.file("none");
  CHECK(error({none, "", ""}) == "cannot use the certificates in " + none + ": No such file or directory");
  CHECK(error({files.server.key, "", ""}).starts_with("cannot use the certificates in " + files.server.key));
  CHECK(error({files.directory.file(""), "", ""}).find("it is not a regular file") != std::string::npos);
  CHECK(error({ca, files.client.certificate, ""}) ==
        "the client certificate in " + files.client.certificate + " needs its key");
  CHECK(error({ca, "", files.client.key}) == "the key in " + files.client.key + " needs its certificate");
  CHECK(error({ca, files.client.certificate, files.server.key}) ==
        "the key in " + files.server.key + " does not belong to the certificate in " +
            files.client.certificate);
  CHECK(error({ca, none, files.client.key}) ==
        "cannot use the certificate in " + none + ": No such file or directory");
  CHECK(error({ca, files.client.certificate, files.client.key}).empty());
  CHECK(error({"", "", ""}).empty());
}

TEST_CASE("tls client: bytes may arrive one by one") {
  const Files files;
  Pair pair(*TlsContext::load({files.server}), trust(files.server.certificate), "redis.example");
  pair.step = 1;
  CHECK(pair.connects());
}

TEST_CASE("tls client: is secure, and not counted among the clients of this server") {
  const OpenPair pair;
  CHECK(pair.near().is_secure());
  CHECK(pair.shared.stats().handshakes_ok == 1);
}

TEST_CASE("tls client: a server without TLS is named as such") {
  const Files files;
  Pair pair(*TlsContext::load({files.server}), trust(files.server.certificate), "redis.example");
  pair.client->set_events(pair.at_client);
  pair.f.run_idle_turns(2);
  CHECK_FALSE(pair.client_wire.received().empty());
  pair.client_wire.send("-ERR Protocol error\r\n");
  pair.f.run_idle_turns(2);
  CHECK(pair.at_client.why == "the server does not use TLS");
}

TEST_CASE("tls client: a handshake that does not end has a deadline, one that is cut short is an error") {
  const Files files;
  Pair pair(*TlsContext::load({files.server}), trust(files.server.certificate), "redis.example");
  pair.shared.set_handshake_timeout(50);
  pair.client->set_events(pair.at_client);
  SUBCASE("silence") {
    CHECK(pair.f.run_until([&] { return pair.has_error(); }));
    CHECK(pair.at_client.why == "TLS handshake not completed within 50 ms");
  }
  SUBCASE("the end") {
    pair.f.run_idle_turns(2);
    pair.client_wire.end();
    CHECK(pair.at_client.why == "connection closed during the TLS handshake");
  }
  CHECK(pair.shared.stats().handshakes_failed == 0);
}

TEST_CASE("tls client: an end without close_notify is an error, one with it is the end") {
  OpenPair pair;
  SUBCASE("cut off") {
    CHECK(write(pair.far(), "half a mess") == 11);
    CHECK(pair.carry_until([&] { return !pair.at_client.bytes.empty(); }));
    pair.client_wire.end();
    CHECK(pair.at_client.why == "connection ended without close_notify");
    CHECK(pair.at_client.ends == 0);
  }
  SUBCASE("ended by the server") {
    pair.far().shutdown();
    pair.carry_all();
    CHECK(pair.at_client.ends == 1);
    CHECK(pair.at_client.errors == 0);
  }
  SUBCASE("ended by the client, which still reads") {
    pair.near().shutdown();
    CHECK(pair.carry_until([&] { return pair.at_server.ends == 1; }));
    CHECK(write(pair.far(), "the rest") == 8);
    CHECK(pair.carry_until([&] { return pair.at_client.bytes == "the rest"; }));
    CHECK(pair.at_server.errors + pair.at_client.errors == 0);
  }
}

TEST_CASE("tls client: much data goes both ways, in bounded memory while one side does not read") {
  OpenPair pair;
  constexpr std::size_t total = 2'000'000;
  const std::string chunk(50'000, 'x');
  const auto fill = [&](ByteStream& stream, std::size_t& sent) {
    while (sent < total) {
      const std::size_t taken = write(stream, std::string_view(chunk).substr(0, total - sent));
      sent += taken;
      if (taken == 0) return;
    }
  };
  std::size_t up = 0;
  std::size_t down = 0;
  pair.client_wire.set_room(0);  // the network takes nothing
  fill(pair.near(), up);
  CHECK(up < total / 10);
  CHECK(pair.near().buffered_bytes() < 150'000);
  CHECK(pair.carry_until([&] {
    pair.client_wire.set_room(10'000);
    pair.server_wire.set_room(10'000);
    fill(pair.near(), up);
    fill(pair.far(), down);
    return pair.at_client.bytes.size() == total && pair.at_server.bytes.size() == total;
  }));
  CHECK(pair.at_client.errors + pair.at_server.errors == 0);
}

TEST_CASE("tls client: it may be destroyed at any moment") {
  const Files files;
  Pair pair(*TlsContext::load({files.server}), trust(files.server.certificate), "redis.example");
  SUBCASE("before it begins") {}
  SUBCASE("before its first flight") { pair.client->set_events(pair.at_client); }
  SUBCASE("in the handshake") {
    pair.client->set_events(pair.at_client);
    pair.f.run_idle_turns(1);
  }
  SUBCASE("after it") { CHECK(pair.connects()); }
  pair.client.reset();
  const Recorder before = pair.at_client;
  pair.f.run_idle_turns();
  pair.client_wire.send("unread");
  CHECK(pair.at_client.errors == before.errors);
  CHECK(pair.at_client.bytes == before.bytes);
}

}  // namespace roomcast::net::tls_client_test
