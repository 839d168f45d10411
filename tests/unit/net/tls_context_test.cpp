#include "net/tls_context.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "support/certificates.h"

namespace roomcast::net::tls_context_test {

namespace {

std::string load_error(const std::vector<CertificateFiles>& files) {
  const auto context = TlsContext::load(files);
  return context ? "fine" : context.error().message;
}

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("tls context: what is wrong with the files is said, and which file it is") {
  const test::TwoCertificates c;
  const std::string missing = c.directory.file("missing.pem");
  const std::string garbage = c.directory.file("garbage.pem");
  std::ofstream(garbage) << "no certificate";
  CHECK(says(load_error({}), "tls.certificate"));
  CHECK(says(load_error({{missing, c.one.key}}), missing));
  CHECK(says(load_error({{missing, c.one.key}}), "No such file"));
  CHECK(says(load_error({{c.one.certificate, missing}}), missing));
  CHECK(says(load_error({{garbage, c.one.key}}), garbage));
  CHECK(says(load_error({{c.one.certificate, garbage}}), garbage));
  const std::string mismatch = load_error({c.two, {c.one.certificate, c.two.key}});
  CHECK(says(mismatch, "does not belong"));
  CHECK(says(mismatch, c.one.certificate));
  CHECK(says(mismatch, c.two.key));
  CHECK(load_error({c.one, c.two}) == "fine");
}

TEST_CASE("tls context: it knows when each certificate expires") {
  const test::TwoCertificates c;
  const auto context = c.load();
  REQUIRE(context->expiries().size() == 2);
  CHECK(context->expiries()[1].certificate == c.two.certificate);
  const std::int64_t now_ms = std::int64_t{std::time(nullptr)} * 1000;
  const std::int64_t left_ms = context->expiries()[0].not_after_ms - now_ms;
  CHECK(left_ms > 86'000'000);
  CHECK(left_ms <= 86'400'000);
}

}  // namespace roomcast::net::tls_context_test
