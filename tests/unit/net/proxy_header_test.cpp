#include "net/proxy_header.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace proxy_header_test {

using namespace std::string_literals;
using roomcast::net::ProxyHeaderReader;
using Verdict = ProxyHeaderReader::Verdict;

namespace {

struct Read {
  ProxyHeaderReader reader;
  std::size_t used = 0;
  Verdict verdict;

  explicit Read(std::string_view bytes) : verdict(reader.read(bytes, used)) {}
};

/// A version 2 header with the addresses 203.0.113.7:4660 and 10.0.0.1:80.
std::string binary(char command, char family, const std::string& rest) {
  return "\r\n\r\n\0\r\nQUIT\n"s + command + family + static_cast<char>(rest.size() / 256) +
         static_cast<char>(rest.size() % 256) + rest;
}
const std::string four = "\xcb\0\x71\x07\x0a\0\0\x01\x12\x34\0\x50"s;
const std::string six = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"s;

}  // namespace

TEST_CASE("PROXY header: version 1 names the client, and nothing behind its line is taken") {
  const Read read("PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\nGET /");
  CHECK(read.verdict == Verdict::complete);
  CHECK(read.used == 41);
  CHECK(read.reader.address() == "203.0.113.7");
  CHECK(read.reader.port() == 4660);
  CHECK(Read("PROXY TCP6 2001:DB8:0::7 ::1 1 2\r\n").reader.address() == "2001:db8::7");
  CHECK(Read("PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n").reader.address() == "203.0.113.7");
}

TEST_CASE("PROXY header: UNKNOWN, LOCAL and Unix sockets leave the client open") {
  for (const std::string& header :
       {"PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN whatever\r\n"s, binary('\x20', '\0', ""),
        binary('\x20', '\x11', four), binary('\x21', '\x31', std::string(216, 'u')),
        binary('\x21', '\0', "")}) {
    const Read read(header);
    CHECK(read.verdict == Verdict::complete);
    CHECK(read.used == header.size());
    CHECK(read.reader.address().empty());
  }
}

TEST_CASE("PROXY header: version 2, with additional fields") {
  const Read plain(binary('\x21', '\x11', four));
  CHECK(plain.reader.address() == "203.0.113.7");
  CHECK(plain.reader.port() == 4660);
  CHECK_FALSE(plain.reader.is_secure());
  CHECK(Read(binary('\x21', '\x21', six + six + "\x12\x34\0\x50"s)).reader.address() == "2001:db8::7");
  CHECK(Read(binary('\x21', '\x11', four + "\x20\0\x05\x01\0\0\0\0"s)).reader.is_secure());
  CHECK_FALSE(Read(binary('\x21', '\x11', four + "\x20\0\x05\x02\0\0\0\0"s)).reader.is_secure());
  CHECK(Read(binary('\x21', '\x11', four + "\x04\0\x02xx"s)).verdict == Verdict::complete);
}

TEST_CASE("PROXY header: a line has 107 bytes at most, a binary header 4,096") {
  CHECK(Read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n").verdict == Verdict::complete);
  CHECK(Read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n").verdict == Verdict::refused);
  const auto padded = [](std::size_t bytes) {
    const std::string value(bytes - 16 - four.size() - 3, 'x');
    return binary('\x21', '\x11',
                  four + '\x04' + static_cast<char>(value.size() / 256) +
                      static_cast<char>(value.size() % 256) + value);
  };
  CHECK(Read(padded(4'096)).verdict == Verdict::complete);
  CHECK(Read(padded(4'097)).verdict == Verdict::refused);
}

TEST_CASE("PROXY header: anything else is refused") {
  for (const std::string& header : {"GET / HTTP/1.1\r\n"s,
                                    "\x16\x03\x01"s,
                                    "PROXY TCP4\r\n"s,
                                    "PROXY TCP4 203.0.113.7 10.0.0.1 1\r\n"s,
                                    "PROXY TCP4 203.0.113.7 10.0.0.1 1 2 \r\n"s,
                                    "PROXY TCP4  203.0.113.7 10.0.0.1 1 2\r\n"s,
                                    "PROXY TCP4 203.0.113.7 10.0.0.1 01 2\r\n"s,
                                    "PROXY TCP4 203.0.113.7 10.0.0.1 -1 2\r\n"s,
                                    "PROXY TCP4 203.0.113.7 10.0.0.1 65536 2\r\n"s,
                                    "PROXY TCP4 ::1 ::1 1 2\r\n"s,
                                    "PROXY TCP6 203.0.113.7 10.0.0.1 1 2\r\n"s,
                                    "PROXY TCP4 localhost 10.0.0.1 1 2\r\n"s,
                                    "PROXY tcp4 203.0.113.7 10.0.0.1 1 2\r\n"s,
                                    "PROXY UNIX\r\n"s,
                                    "PROXY UNKNOWN\n"s,
                                    binary('\x31', '\x11', four),
                                    binary('\x22', '\x11', four),
                                    binary('\x21', '\x41', four),
                                    binary('\x21', '\x13', four),
                                    binary('\x21', '\x11', four.substr(1)),
                                    binary('\x21', '\x21', four),
                                    binary('\x21', '\x11', four + "\x04\0"s),
                                    binary('\x21', '\x11', four + "\x04\0\x03xx"s)}) {
    CAPTURE(header);
    const Read read(header);
    CHECK(read.verdict == Verdict::refused);
    CHECK_FALSE(read.reader.fault().empty());
  }
}

TEST_CASE("PROXY header: it may come byte by byte") {
  for (const std::string& header :
       {"PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n"s, binary('\x21', '\x11', four)}) {
    ProxyHeaderReader reader;
    for (std::size_t i = 0; i < header.size(); ++i) {
      std::size_t used = 0;
      const bool last = i + 1 == header.size();
      CHECK(reader.read(std::string_view(header).substr(i, 1), used) ==
            (last ? Verdict::complete : Verdict::need_more));
      CHECK(used == 1);
    }
    CHECK(reader.address() == "203.0.113.7");
  }
}

}  // namespace proxy_header_test
