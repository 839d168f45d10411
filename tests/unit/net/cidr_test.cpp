#include "net/cidr.h"

#include <doctest/doctest.h>

namespace roomcast::net::cidr_test {

TEST_CASE("cidr: a block holds its first and last address and not their neighbours") {
  CidrList list;
  CHECK_FALSE(list.add("10.1.128.0/17"));
  CHECK(list.contains("10.1.128.0"));
  CHECK(list.contains("10.1.255.255"));
  CHECK_FALSE(list.contains("10.1.127.255"));
  CHECK_FALSE(list.contains("10.2.0.0"));
}

TEST_CASE("cidr: single addresses and both families") {
  CidrList list;
  CHECK(list.empty());
  CHECK_FALSE(list.add("192.0.2.1"));
  CHECK_FALSE(list.add("2001:db8::/33"));
  CHECK_FALSE(list.empty());
  CHECK(list.contains("192.0.2.1"));
  CHECK_FALSE(list.contains("192.0.2.2"));
  CHECK(list.contains("2001:db8:7fff:ffff::1"));
  CHECK_FALSE(list.contains("2001:db8:8000::"));
}

TEST_CASE("cidr: IPv4 written as IPv6 is the same address") {
  CidrList list;
  CHECK_FALSE(list.add("10.0.0.0/8"));
  CHECK(list.contains("::ffff:10.9.9.9"));
  CHECK_FALSE(list.add("::ffff:192.168.0.0/112"));
  CHECK(list.contains("192.168.1.2"));
}

TEST_CASE("cidr: everything of one family is not everything of the other") {
  CidrList four;
  CHECK_FALSE(four.add("0.0.0.0/0"));
  CHECK(four.contains("203.0.113.9"));
  CHECK_FALSE(four.contains("::1"));
  CidrList six;
  CHECK_FALSE(six.add("::/0"));
  CHECK(six.contains("::1"));
  CHECK_FALSE(six.contains("203.0.113.9"));
}

TEST_CASE("cidr: Unix sockets only by name") {
  CidrList list;
  CHECK_FALSE(list.add("0.0.0.0/0"));
  CHECK_FALSE(list.contains("unix"));
  CHECK_FALSE(list.add("unix"));
  CHECK(list.contains("unix"));
}

TEST_CASE("cidr: other texts are no block and refused with a reason, or no address and in none") {
  CidrList list;
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.1/8",
                           "::/129", "example.org", "10.0.0/8", "/8"}) {
    CAPTURE(text);
    const auto error = list.add(text);
    REQUIRE(error);
    CHECK(error->message.find(text) != std::string::npos);
  }
  CHECK(list.empty());
  CHECK_FALSE(list.contains(""));
  CHECK_FALSE(list.contains("10.0.0"));
}

}  // namespace roomcast::net::cidr_test
