#include "base/digest.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

namespace digest_test {

using namespace roomcast::base;

namespace {
std::string bytes_of(const std::array<unsigned char, 20>& hash) {
  return std::string(hash.begin(), hash.end());
}
}  // namespace

TEST_CASE("the handshake example of RFC 6455 section 1.3 gives its accept value") {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  CHECK(base64_encode(bytes_of(Sha1().digest({key}))) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("SHA-256 gives the published digests") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("base64 gives the test vectors of RFC 4648 section 10 and reads them back") {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(base64_encode(plain) == encoded);
    std::string behind = "before ";
    append_base64(behind, plain);
    CHECK(behind == "before " + std::string(encoded));
    std::string out = "what was there before";
    CHECK(base64_decode(encoded, out));
    CHECK(out == plain);
  }
}

TEST_CASE("base64 carries every byte at every place") {
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  for (std::size_t start = 0; start < 3; ++start) {
    std::string out;
    CHECK(base64_decode(base64_encode(all.substr(start)), out));
    CHECK(out == all.substr(start));
  }
}

TEST_CASE("base64 that is not whole, padded and canonical is refused and leaves nothing behind") {
  for (const std::string_view text :
       std::initializer_list<std::string_view>{"Z", "Zg", "Zg=", "Zm9", "Zm9v=", "Zm9vYg", "====", "=",
                                               "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Z=g=", "Zm 9", "Zm9v\n",
                                               " Zm9v", "Zm-_", std::string_view("Zm9v\0\0\0\0", 8),
                                               "Zm\xFF"
                                               "9"}) {
    CAPTURE(text);
    std::string out = "x";
    CHECK_FALSE(base64_decode(text, out));
    CHECK(out.empty());
  }
}

TEST_CASE("base64url is base64 with two other digits and without padding") {
  for (std::size_t size = 0; size < 64; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(0xFF - i * 7);
    std::string expected = base64_encode(bytes);
    expected.erase(std::min(expected.find('='), expected.size()));
    std::replace(expected.begin(), expected.end(), '+', '-');
    std::replace(expected.begin(), expected.end(), '/', '_');
    std::string encoded = "before ";
    append_base64url(encoded, bytes);
    CHECK(encoded == "before " + expected);
    std::string out = "what was there before";
    CHECK(base64url_decode(expected, out));
    CHECK(out == bytes);
  }
}

TEST_CASE(
    "base64url with padding, white space, other digits or stray bits is refused and leaves nothing behind") {
  for (const std::string_view text : std::initializer_list<std::string_view>{
           "Z", "Zg==", "Zm9=", "Zm9vZ", "Zm 9", "Zm9v\n", "\nZm9v", "Zm+/", "Zm9v+A", "Zh", "Zm9vYmF", "A",
           "Zg.", std::string_view("Zm9\0", 4), "Zm\xFFv"}) {
    CAPTURE(text);
    std::string out = "x";
    CHECK_FALSE(base64url_decode(text, out));
    CHECK(out.empty());
  }
}

TEST_CASE("random numbers do not repeat") {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(random_u64());
  CHECK(seen.size() == 1000);
}

}  // namespace digest_test
