#include "redis/server_address.h"

#include <doctest/doctest.h>

#include <string>

using namespace roomcast;
using redis::ServerAddress;
using namespace std::string_literals;

namespace server_address_test {

ServerAddress parsed(std::string_view text) {
  CAPTURE(std::string(text));
  auto address = ServerAddress::parse(text);
  REQUIRE(address.ok());
  return *address;
}

std::string error_of(std::string_view text) {
  CAPTURE(std::string(text));
  const auto address = ServerAddress::parse(text);
  REQUIRE_FALSE(address.ok());
  return address.error().message;
}

bool complains(std::string_view text, std::string_view words) {
  const std::string message = error_of(text);
  CAPTURE(message);
  return message.find(words) != std::string::npos;
}

TEST_CASE("a server is a host, with a port and a database if they are not the usual ones") {
  const auto plain = parsed("redis://Redis.Example");
  CHECK(plain.scheme == ServerAddress::Scheme::tcp);
  CHECK(plain.host == "redis.example");
  CHECK(plain.port == 6'379);
  CHECK(plain.database == 0);
  CHECK(plain.user.empty());
  CHECK_FALSE(plain.has_password());
  CHECK(parsed("redis://redis.example/") == plain);
  CHECK(parsed("REDIS://redis.example:6379/0") == plain);

  const auto tls = parsed("rediss://my_host-1:1/15");
  CHECK(tls.scheme == ServerAddress::Scheme::tls);
  CHECK(tls.host == "my_host-1");
  CHECK(tls.port == 1);
  CHECK(tls.database == 15);
  CHECK(parsed("redis://127.0.0.1:65535").port == 65'535);
}

TEST_CASE("an IPv6 address stands in brackets") {
  const auto address = parsed("redis://[::1]:7000/2");
  CHECK(address.host == "::1");
  CHECK(address.port == 7'000);
  CHECK(address.database == 2);
  CHECK(parsed("rediss://u@[2001:DB8::0:1]").host == "2001:db8::1");
  CHECK(complains("redis://[::1", "closing ]"));
  CHECK(complains("redis://[1.2.3.4]", "no IPv6 address"));
  CHECK(complains("redis://[fe80::1%eth0]", "no IPv6 address"));
  CHECK(complains("redis://::1:6379", "needs brackets"));
  CHECK(complains("redis://[::1]6379", "a port is"));
}

TEST_CASE("user and password are percent-decoded") {
  const auto both = parsed("redis://roomcast:p%40ss%2F%3a%25%00@h:1");
  CHECK(both.user == "roomcast");
  CHECK(both.password == "p@ss/:%\0"s);
  CHECK(both.has_password());
  CHECK(both.host == "h");
  CHECK(parsed("redis://:only@h").user.empty());
  CHECK(parsed("redis://:only@h").password == "only");
  CHECK(parsed("redis://me@h").user == "me");
  CHECK_FALSE(parsed("redis://me@h").has_password());
  CHECK(parsed("redis://a:b:c@h").password == "b:c");
  for (const std::string bad : {"redis://a%@h", "redis://a%4@h", "redis://a:%zz@h", "redis://a:x%4@h"})
    CHECK(complains(bad, "%25"));
}

TEST_CASE("a Unix socket has an absolute path") {
  const auto address = parsed("unix:/run/redis/redis.sock");
  CHECK(address.scheme == ServerAddress::Scheme::unix_socket);
  CHECK(address.path == "/run/redis/redis.sock");
  CHECK(address.to_text() == "unix:/run/redis/redis.sock");
  CHECK(parsed("unix:/" + std::string(106, 'x')).path.size() == 107);
  CHECK(complains("unix:/" + std::string(107, 'x'), "at most 107 bytes"));
  CHECK(complains("unix:redis.sock", "absolute path"));
  CHECK(complains("unix:", "absolute path"));
  CHECK(complains("unix:/a\0b"s, "NUL"));
}

TEST_CASE("an address that is wrong is refused with what is wrong") {
  for (const std::string bad : {"", "redis", "localhost:6379", "http://h", "redis:/h", "redis:h", "unix"})
    CHECK(complains(bad, "begins with redis://"));
  for (const std::string bad : {"redis://", "redis://:6379", "redis://u:p@", "redis:///1"})
    CHECK(complains(bad, "host is missing"));
  for (const std::string bad :
       {"redis://h:0", "redis://h:65536", "redis://h:", "redis://h:-1", "redis://h:+1", "redis://h:6379x",
        "redis://h: 1", "redis://h:99999999999999999999"})
    CHECK(complains(bad, "from 1 to 65535"));
  for (const std::string bad : {"redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://h/1?a=b",
                                "redis://h/1#x", "redis://h/4294967296", "redis://h//"})
    CHECK(complains(bad, "number of a database"));
  for (const std::string& bad :
       {"redis://h h"s, "redis://h?x"s, "redis://h\r\n"s, "redis://h%41"s, "redis://h\0"s})
    CHECK(complains(bad, "letters, digits"));
  CHECK(parsed("redis://" + std::string(253, 'h')).host.size() == 253);
  CHECK(complains("redis://" + std::string(254, 'h'), "at most 253 bytes"));
}

TEST_CASE("no part of the text is in a message, or in what logs show") {
  for (const std::string bad :
       {"redis://u:s3cret@h:0", "redis://u:s3cret@", "redis://u:s3cret/x@h", "redis://:s3cret",
        "redis://u:s3cret", "redis://u:a@s3cret@h", "redis://s3cret%@h", "s3cret", "redis://u:s3cret@h/x",
        "redis://h/s3cret", "redis://[s3cret]", "unix:s3cret"}) {
    CHECK_FALSE(complains(bad, "s3cret"));
  }
  CHECK(complains("redis://u:s3cret/x@h", "%2F"));
  CHECK(complains("redis://u:a@s3cret@h", "%40"));
  CHECK(parsed("redis://u:s3cret@h/3").to_text() == "redis://h:6379");
  CHECK(parsed("rediss://u:s3cret@[::1]:1").to_text() == "rediss://[::1]:1");
}

}  // namespace server_address_test
