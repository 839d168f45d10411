#include "http/origin_finder.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace origin_finder_test {

using roomcast::http::OriginFinder;

namespace {

std::string find(std::string_view head) {
  OriginFinder whole;
  whole.feed(head);
  OriginFinder pieces;
  for (const char& byte : head)
    pieces.feed({&byte, 1});
  CHECK(whole.origin() == pieces.origin());
  CHECK(whole.is_over() == pieces.is_over());
  return std::string(whole.origin());
}

}  // namespace

TEST_CASE("origin finder: it finds the field wherever it stands, however long the others are") {
  CHECK(find("GET / HTTP/1.1\r\nHost: x\r\noRiGiN:  https://a.test \r\n") == "https://a.test");
  CHECK(find("\r\nGET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nCookie: " + std::string(9'000, 'c') +
             "\r\nOrigin: null\r\n\r\n") == "null");
}

TEST_CASE("origin finder: not outside the head, nor half of it") {
  CHECK(find("GET / HTTP/1.1\r\nX-Origin: https://a.test\r\n\r\nOrigin: https://b.test\r\n").empty());
  CHECK(find("GET / HTTP/1.1\r\nOrigin: https://a.te").empty());
  CHECK(find("GET / HTTP/1.1\r\nOrigin: " + std::string(600, 'a') + "\r\n").empty());
}

TEST_CASE("origin finder: it looks at 64 KiB") {
  const auto behind = [](std::size_t bytes) { return std::string(bytes - 1, 'x') + "\nOrigin: a\n"; };
  CHECK(find(behind(OriginFinder::bytes_max - 10)) == "a");
  CHECK(find(behind(OriginFinder::bytes_max - 9)).empty());
  OriginFinder finder;
  finder.feed(std::string(OriginFinder::bytes_max + 1, 'x'));
  CHECK(finder.is_over());
}

}  // namespace origin_finder_test
