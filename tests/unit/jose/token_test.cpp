#include "jose/token.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "support/jose_keys.h"

namespace token_test {

using namespace roomcast;
using namespace roomcast::jose;
using test::compact;

namespace {

/// The message of the refusal of a token; empty if it is read.
std::string refused(std::string_view token) {
  const auto parsed = parse(token);
  if (parsed.ok()) return "";
  CHECK(parsed.error().code == base::Refusal::Code::bad_token);
  return std::string(parsed.error().message.view());
}

std::string refused_header(std::string_view header) { return refused(compact(header, "{}", "signature")); }

std::string with(std::string_view members) { return R"({"alg":"ES256")" + std::string(members) + '}'; }

}  // namespace

TEST_CASE("token: its parts are read, and what is signed is as it came") {
  const std::string token = compact("{\"typ\":\"JWT\",\r\n \"alg\":\"ES256\", \"kid\":\"caf\\u00e9\"}",
                                    R"({"sub":"ada"})", "signature");
  const auto parsed = parse(token);
  REQUIRE(parsed.ok());
  CHECK(parsed->algorithm() == Algorithm::es256);
  CHECK(parsed->kid() == "café");
  CHECK(parsed->signature() == "signature");
  CHECK(parsed->signing_input() == token.substr(0, token.rfind('.')));
  CHECK(parsed->payload() == test::base64url(R"({"sub":"ada"})"));
}

TEST_CASE("token: it outlives the text that it was read from") {
  std::string text = compact(R"({"alg":"HS256"})", "{}", "signature");
  const std::string token = text;
  auto parsed = parse(text);
  text.assign(text.size(), 'x');
  const ParsedToken moved = std::move(*parsed);
  CHECK(std::string(moved.signing_input()) + "." + test::base64url(moved.signature()) == token);
}

TEST_CASE("token: 8 KiB are read, and not a byte more") {
  const std::string head = compact(R"({"alg":"HS256"})", "", "signature");
  const std::string middle = head.substr(0, head.find('.') + 1);
  const std::string signature = head.substr(head.rfind('.'));
  const auto of_size = [&](std::size_t bytes) {
    return middle + std::string(bytes - middle.size() - signature.size(), 'A') + signature;
  };
  CHECK(refused(of_size(token_bytes_max)) == "");
  CHECK(refused(of_size(token_bytes_max + 1)) == "the token has 8193 bytes; 8192 are allowed");
  CHECK(refused(std::string(1U << 20U, 'A')) == "the token has 1048576 bytes; 8192 are allowed");
  CHECK(refused(std::string(1U << 20U, '.')) == "the token has 1048576 bytes; 8192 are allowed");
}

TEST_CASE("token: it has three parts; five are an encrypted one") {
  CHECK(refused("") == "a token has three parts with dots between them; this one has 1");
  CHECK(refused("a.b") == "a token has three parts with dots between them; this one has 2");
  CHECK(refused("a.b.c.d") == "a token has three parts with dots between them; this one has 4");
  CHECK(refused("a.b.c.d.e.f") == "a token has three parts with dots between them; this one has 6");
  CHECK(refused("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aaaa.bbbb.cccc") ==
        "the token is encrypted (JWE), which is not supported");
  CHECK(refused_header(R"({"alg":"dir","enc":"A128GCM"})") ==
        "the token is encrypted (JWE), which is not supported");
  CHECK(refused(std::string(token_bytes_max, '.')).starts_with("a token has three parts"));
  CHECK(refused("..") == "the header of the token is not JSON");
}

TEST_CASE("token: base64url has no padding, white space or other digits, and is canonical") {
  const std::string header = test::base64url(R"({"alg":"HS256"})");
  CHECK(refused(header + ".e30.c2ln") == "");
  CHECK(refused(header + "=.e30.c2ln") == "the header of the token is not base64url");
  CHECK(refused(" " + header + ".e30.c2ln") == "the header of the token is not base64url");
  CHECK(refused(header + ".e30.c2ln\n") == "the signature of the token is not base64url");
  CHECK(refused(header + ".e30.c2lnYQ==") == "the signature of the token is not base64url");
  CHECK(refused(header + ".e30.c2lnYR") == "the signature of the token is not base64url");
  CHECK(refused(header + ".e30.c2/n") == "the signature of the token is not base64url");
  CHECK(refused(header + ".e30.c2+n") == "the signature of the token is not base64url");
  CHECK(refused(header + ".e30.") == "the token has no signature");
  CHECK(refused(header + std::string(1, '\0') + ".e30.c2ln") == "the header of the token is not base64url");
}

TEST_CASE("token: the header is one JSON object without duplicates") {
  CHECK(refused_header("") == "the header of the token is not JSON");
  CHECK(refused_header("[]") == "the header of the token is not a JSON object");
  CHECK(refused_header("\"HS256\"") == "the header of the token is not a JSON object");
  CHECK(refused_header(R"({"alg":"ES256"}x)") == "the header of the token is not JSON");
  CHECK(refused_header(R"({"alg":"ES256",})") == "the header of the token is not JSON");
  CHECK(refused_header(R"({'alg':'ES256'})") == "the header of the token is not JSON");
  CHECK(refused_header("\xEF\xBB\xBF{\"alg\":\"ES256\"}") == "the header of the token is not JSON");
  CHECK(refused_header(with(",\"x\":\"\xC3\x28\"")) == "the header of the token is not UTF-8");
  CHECK(refused_header(R"({"alg":"none","alg":"ES256"})") == "the header of the token has a member twice");
  CHECK(refused_header(R"({"alg":"none","b":1,"a":2,"alg":"ES256"})") ==
        "the header of the token has a member twice");
  CHECK(refused_header(R"({"alg":"none","\u0061lg":"ES256"})") ==
        "the header of the token has a member twice");
  CHECK(refused_header(with(R"(,"jwk":{"k":1,"k":2})")) == "the header of the token has a member twice");
  CHECK(refused_header(with(R"(,"x":[{"a":1},{"a":2}],"a":3)")) == "");
  CHECK(refused_header(with(R"(,"x":"\udc00")")) ==
        "the header of the token has half of a surrogate pair in a string");
  CHECK(refused_header(with(R"(,"x":"\ud83d\ude00")")) == "");
}

TEST_CASE("token: a header may be nested 32 deep") {
  const auto nested = [](std::size_t depth) {
    return with(",\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']'));
  };
  CHECK(refused_header(nested(32)) == "");
  CHECK(refused_header(nested(33)) == "the header of the token is nested deeper than 32");
  CHECK(refused_header(nested(1000)) == "the header of the token is nested deeper than 32");
  CHECK(refused_header(std::string(1000, '{')) == "the header of the token is not JSON");
  std::string objects;
  for (int i = 0; i < 1000; ++i)
    objects += "{\"a\":";
  CHECK(refused_header(objects) == "the header of the token is nested deeper than 32");
}

TEST_CASE("token: there is no token without a signature, however none is written") {
  for (const std::string_view name :
       {"none", "None", "nOnE", "NONE", "none ", "", "hs256", "ES512", "PS384", "ES256K", "RSA1_5", "dir"}) {
    CAPTURE(name);
    const std::string header = R"({"alg":")" + std::string(name) + "\"}";
    const std::string message = "the algorithm \"" + std::string(name) + "\" of the token is not supported";
    CHECK(refused_header(header) == message);
    CHECK(refused(compact(header, "{}", "")) == message);
  }
  CHECK(refused_header("{}") == "the header of the token names no algorithm (alg)");
  CHECK(refused_header(R"({"alg":null})") == "the algorithm (alg) of the token is not a text");
  CHECK(refused_header(R"({"alg":["ES256"]})") == "the algorithm (alg) of the token is not a text");
  CHECK(refused_header(R"({"alg":"ES256\u0000"})") == "the algorithm (alg) of the token is not a text");
  CHECK(refused_header(R"({"alg":"\n\u001b[31m)" + std::string(100, 'x') + "\"}") ==
        "the algorithm \"\\n\\u001b[31m" + std::string(58, 'x') + "…\" of the token is not supported");
}

TEST_CASE("token: what changes the meaning of a token is refused, and keys in the header are ignored") {
  CHECK(refused_header(with(R"(,"crit":["exp"],"exp":1)")) ==
        "the header of the token has critical extensions (crit)");
  CHECK(refused_header(with(R"(,"crit":[])")) == "the header of the token has critical extensions (crit)");
  CHECK(refused_header(with(R"(,"crit":null)")) == "the header of the token has critical extensions (crit)");
  CHECK(refused_header(with(R"(,"b64":false)")) == "the header of the token has the option b64");
  CHECK(refused_header(with(R"(,"b64":true)")) == "the header of the token has the option b64");
  CHECK(refused_header(with(R"(,"jwk":{"kty":"oct","k":"AA"},"jku":"http://evil.example")")) == "");
  CHECK(refused_header(with(R"(,"x5u":"file:///etc/passwd","x5c":["AA"],"x5t":1,"unknown":{})")) == "");
}

TEST_CASE("token: its type is JWT or at+jwt, if it says one") {
  for (const std::string_view type :
       {"JWT", "jwt", "at+jwt", "AT+JWT", "application/jwt", "application/at+jwt"})
    CHECK(refused_header(with(R"(,"typ":")" + std::string(type) + '"')) == "");
  const std::string message = "the header of the token has a type (typ) other than JWT and at+jwt";
  for (const std::string_view type :
       {"\"\"", "\"logout+jwt\"", "\"dpop+jwt\"", "\"JOSE\"", "7", "null", "[\"JWT\"]", "\"JWT\\u0000\"",
        "\"application/\"", "\"application/application/jwt\""}) {
    CAPTURE(type);
    CHECK(refused_header(with(",\"typ\":" + std::string(type))) == message);
  }
}

TEST_CASE("token: a kid is any text of at most 200 bytes") {
  const auto with_kid = [](std::string_view kid) { return with(",\"kid\":" + std::string(kid)); };
  for (const std::string_view kid :
       {R"("")", R"("../../../../etc/passwd")", R"("/dev/null")", R"("' OR 1=1 --")", R"("a\nb")",
        R"("http://evil.example/jwks")", R"("|id")"})
    CHECK(refused_header(with_kid(kid)) == "");
  CHECK(refused_header(with_kid('"' + std::string(200, 'k') + '"')) == "");
  const std::string message = "the key (kid) that the token names is not a text of at most 200 bytes";
  CHECK(refused_header(with_kid('"' + std::string(201, 'k') + '"')) == message);
  for (const std::string_view kid : {"7", "null", "[\"a\"]", "{}", "\"a\\u0000b\""})
    CHECK(refused_header(with_kid(kid)) == message);
}

TEST_CASE("token: a reader reads each as if it were the first") {
  TokenReader reader;
  const std::string named = compact(R"({"alg":"ES256","kid":"a"})", "{}", "one");
  const std::string unnamed = compact(R"({"alg":"HS256"})", "{}", "two");
  const std::string bad = compact(R"({"alg":"none"})", "{}", "three");
  for (const std::string& token :
       {named, named, unnamed, bad, unnamed, bad, bad, named, std::string(".e30.eA"), named}) {
    CAPTURE(token);
    const auto expected = parse(token);
    const auto parsed = reader.parse(token);
    REQUIRE(parsed.ok() == expected.ok());
    if (!parsed.ok()) {
      CHECK(parsed.error().message.view() == expected.error().message.view());
      continue;
    }
    CHECK(parsed->algorithm() == expected->algorithm());
    CHECK(parsed->kid() == expected->kid());
    CHECK(parsed->signature() == expected->signature());
    CHECK(parsed->signing_input() == expected->signing_input());
  }
}

TEST_CASE("token: no message contains it") {
  const std::string secret = "c2VjcmV0LXNpZ25hdHVyZQ";
  for (const std::string& token : {"a." + secret + "." + secret, secret, secret + "." + secret + "." + secret,
                                   test::base64url(R"({"alg":"none"})") + "." + secret + "." + secret}) {
    CHECK(refused(token) != "");
    CHECK(refused(token).find(secret) == std::string::npos);
  }
}

}  // namespace token_test
