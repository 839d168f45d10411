#include "net/tls_context.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
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

TEST_CASE("tls context: a chain expires with the first of its certificates") {
  const test::TwoCertificates c;
  {
    const test::File intermediate(std::fopen(c.two.certificate.c_str(), "r"));
    const std::unique_ptr<X509, decltype(&X509_free)> short_lived(
        PEM_read_X509(intermediate.get(), nullptr, nullptr, nullptr), X509_free);
    REQUIRE(short_lived);
    const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> in_an_hour(X509_gmtime_adj(nullptr, 3'600),
                                                                           ASN1_TIME_free);
    REQUIRE(X509_set1_notAfter(short_lived.get(), in_an_hour.get()) == 1);
    REQUIRE(i2d_re_X509_tbs(short_lived.get(), nullptr) > 0);  // else what was read would be written again
    const test::File chain(std::fopen(c.one.certificate.c_str(), "a"));
    REQUIRE(PEM_write_X509(chain.get(), short_lived.get()) == 1);
  }
  const auto context = c.load();
  REQUIRE(context->expiries().size() == 2);
  CHECK(context->expiries()[0].not_after_ms - std::int64_t{std::time(nullptr)} * 1000 <= 3'600'000);
  CHECK(context->expiries()[1].not_after_ms - std::int64_t{std::time(nullptr)} * 1000 > 86'000'000);
}

TEST_CASE("tls context: a key with a password is refused without asking for it, and so is what is no file") {
  const test::TwoCertificates c;
  const std::string locked = c.directory.file("locked.key");
  {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const test::File file(std::fopen(locked.c_str(), "w"));
    REQUIRE(PEM_write_PrivateKey(file.get(), key.get(), EVP_aes_256_cbc(), nullptr, 0, nullptr,
                                 const_cast<char*>("password")) == 1);
  }
  CHECK(says(load_error({{c.one.certificate, locked}}), "cannot use the key in " + locked));
  const std::string pipe = c.directory.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(load_error({{pipe, c.one.key}}) ==
        "cannot use " + pipe + ": it is not a regular file, and a reload reads it again");
  CHECK(says(load_error({{c.one.certificate, pipe}}), "cannot use " + pipe));
}

}  // namespace roomcast::net::tls_context_test
