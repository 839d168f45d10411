// HTTPS: which servers are trusted.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "net/tls_context.h"
#include "support/certificates.h"
#include "unit/fetch/fetch_fixture.h"

namespace roomcast::fetch::tls_test {

using Connection = test::OriginServer::Connection;

namespace {

struct Fixture : test::FetchFixture {
  Fixture() {
    server.on_request = [](Connection& connection, const std::string&) { connection.respond(200, "", "ok"); };
  }
  ~Fixture() {
    client.reset();
    server.close_all();
  }

  /// Serves with a new certificate for `names`.
  net::CertificateFiles serve(const std::string& name, const std::string& names) {
    auto files = test::make_certificate(directory, name, names);
    wrapper = std::make_unique<net::TlsWrapper>(tls, *net::TlsContext::load({files}));
    server.tls = wrapper.get();
    return files;
  }
  void trust(const std::string& ca_file) {
    ClientOptions options;
    options.ca_file = ca_file;
    set_up(options);
  }

  test::TemporaryDirectory directory;
  net::TlsShared tls{turn, deadlines};
  std::unique_ptr<net::TlsWrapper> wrapper;
};

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fetch: https with a certificate of our own") {
  trust(serve("own", "IP:127.0.0.1").certificate);
  CHECK(fetch(get()) == "200 ok");
  CHECK(fetch(get()) == "200 ok");
  CHECK(server.accepted == 1);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a certificate that is not trusted is refused") {
  (void)serve("own", "IP:127.0.0.1");
  CHECK(fetch(get()) == "tls_failed");
  CHECK(says(message(), "certificate"));
  trust(test::make_certificate(directory, "other", "IP:127.0.0.1").certificate);
  CHECK(fetch(get()) == "tls_failed");
  CHECK(server.requests.empty());
}

TEST_CASE_FIXTURE(Fixture, "fetch: a trusted certificate for another host is refused") {
  trust(serve("own", "DNS:example.org").certificate);
  CHECK(fetch(get()) == "tls_failed");
  CHECK(server.requests.empty());
}

TEST_CASE_FIXTURE(Fixture, "fetch: a file of trusted certificates that can't be read is named") {
  (void)serve("own", "IP:127.0.0.1");
  trust(directory.file("missing.crt"));
  CHECK(fetch(get()) == "tls_failed");
  CHECK(says(message(), "missing.crt"));
}

TEST_CASE_FIXTURE(Fixture, "fetch: a server that breaks off the handshake") {
  (void)serve("own", "IP:127.0.0.1");
  Request request = get();
  request.url.replace(0, 5, "http");
  CHECK(fetch(request) == "broken");
  server.tls = nullptr;
  request.url.replace(0, 4, "https");
  test::Fetched fetched(*client, request);
  REQUIRE(run_until([&] { return server.accepted == 2; }));
  server.connection(0).send("HTTP/1.1 400 Bad Request\r\n\r\n");
  REQUIRE(run_until([&] { return fetched.has_ended(); }));
  CHECK(fetched.summary() == "tls_failed");
}

}  // namespace roomcast::fetch::tls_test
