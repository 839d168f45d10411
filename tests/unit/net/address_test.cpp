#include "net/address.h"

#include <doctest/doctest.h>

#include <string>

namespace roomcast::net::address_test {

TEST_CASE("address: every form is understood and written back") {
  const auto round_trip = [](const std::string& text) {
    const auto address = Address::parse(text);
    return address ? address->to_url() : address.error().message;
  };
  CHECK(round_trip("http://127.0.0.1:8080") == "http://127.0.0.1:8080");
  CHECK(round_trip("127.0.0.1:8080") == "http://127.0.0.1:8080");
  CHECK(round_trip("localhost:0") == "http://localhost:0");
  CHECK(round_trip("0.0.0.0:65535") == "http://0.0.0.0:65535");
  CHECK(round_trip("https://[::]:8443") == "https://[::]:8443");
  CHECK(round_trip("[::1]:80") == "http://[::1]:80");
  CHECK(round_trip("unix:/run/x.sock") == "unix:/run/x.sock");
  CHECK(round_trip("[::ffff:127.0.0.1]:80") == "http://127.0.0.1:80");
  CHECK(round_trip("https://[::ffff:7f00:1]:80") == "https://127.0.0.1:80");
  CHECK(round_trip("[::ffff:0.0.0.0]:80") == "http://0.0.0.0:80");
  CHECK(round_trip("[0:0::0:1]:80") == "http://[::1]:80");
}

TEST_CASE("address: what is wrong with it is said") {
  const auto why = [](const std::string& text) {
    const auto address = Address::parse(text);
    return address ? "fine" : address.error().message;
  };
  const auto says = [&](const std::string& text, const std::string& words) {
    CAPTURE(text);
    CHECK(why(text).find("\"" + text + "\"") != std::string::npos);
    CHECK(why(text).find(words) != std::string::npos);
  };
  says("", "numeric address or localhost");
  says("ftp://127.0.0.1:80", "http, https or unix");
  says("example.org:80", "numeric address or localhost");
  says("*:80", "[::] means every address");
  says("[fe80::1]:80", "link-local");
  says("[fe80::1%eth0]:80", "link-local");
  says("[ff02::1]:80", "multicast");
  says("224.0.0.1:80", "multicast");
  says("255.255.255.255:80", "broadcast");
  says("[::ffff:224.0.0.1]:80", "multicast");
  says("127.0.0.1", "a port is needed");
  says("127.0.0.1:", "must be a number");
  says("127.0.0.1:x", "must be a number");
  says("127.0.0.1:80/", "stand last");
  says("127.0.0.1:+80", "must be a number");
  says("127.0.0.1:65536", "at most 65535");
  says("127.0.0.1:99999999999999999999", "at most 65535");
  says("::1:80", "brackets");
  says("[::1:80", "]");
  says("[127.0.0.1]:80", "IPv6");
  says("[::1]80", "a port is needed");
  says("unix:run/x.sock", "absolute path");
  says("unix:", "absolute path");
  says("unix:/" + std::string(107, 'x'), "at most 107 bytes");
  CHECK(why("unix:/" + std::string(106, 'x')) == "fine");
}

TEST_CASE("socket address: there and back, and an IPv4-mapped address is IPv4") {
  const auto peer = [](const std::string& text) {
    return SocketAddress::from(*Address::parse(text)).to_peer();
  };
  CHECK(peer("127.0.0.1:8080").address == "127.0.0.1");
  CHECK(peer("127.0.0.1:8080").port == 8080);
  CHECK(peer("255.255.255.254:1").address == "255.255.255.254");
  CHECK(peer("0.10.200.3:1").address == "0.10.200.3");
  CHECK(peer("localhost:1").address == "127.0.0.1");
  CHECK(peer("[2001:DB8::1]:2").address == "2001:db8::1");
  CHECK(peer("[::ffff:10.1.2.3]:2").address == "10.1.2.3");
  CHECK(peer("unix:/run/x.sock").address == "unix");
  CHECK(SocketAddress::from(*Address::parse("unix:/run/x.sock")).path() == "/run/x.sock");
}

}  // namespace roomcast::net::address_test
