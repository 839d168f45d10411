#include "transport/body_coding.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/stream_reader.h"

namespace body_coding_test {

using namespace roomcast;
using roomcast::test::Dechunked;
using roomcast::test::Gunzip;
using transport::BodyCoding;
using Length = BodyCoding::Length;

namespace {

std::string start(const BodyCoding& coding) {
  std::string out;
  coding.append_start(out);
  return out;
}
std::string piece(const BodyCoding& coding, std::string_view content) {
  std::string out;
  coding.append(content, out);
  return out;
}
std::string end(const BodyCoding& coding) {
  std::string out;
  coding.append_end(out);
  return out;
}

std::vector<std::string> pieces() {
  std::string long_one;
  for (int i = 0; i < 20'000; ++i)
    long_one += std::to_string(i * i) + (i % 7 == 0 ? "\n" : " ");
  return {"first", "first", std::string(300, 'x'), std::string("\0\r\n", 3), long_one, "last"};
}

}  // namespace

TEST_CASE("body coding: neither chunked nor compressed, content goes as it is") {
  const BodyCoding coding(Length::until_close, nullptr);
  CHECK(start(coding).empty());
  CHECK(piece(coding, "content") == "content");
  CHECK(end(coding).empty());
}

TEST_CASE("body coding: a piece is a chunk, its size in hexadecimal, and the end the last chunk") {
  const BodyCoding coding(Length::chunked, nullptr);
  CHECK(start(coding).empty());
  CHECK(piece(coding, "content") == "7\r\ncontent\r\n");
  CHECK(piece(coding, std::string(15, 'x')).starts_with("f\r\nx"));
  CHECK(piece(coding, std::string(16, 'x')).starts_with("10\r\nx"));
  CHECK(piece(coding, std::string(70'000, 'x')).starts_with("11170\r\nx"));
  CHECK(end(coding) == "0\r\n\r\n");
}

TEST_CASE("body coding: nothing is no chunk, for that would be the last one") {
  ws::Deflater deflater({});
  for (const Length length : {Length::chunked, Length::until_close}) {
    CHECK(piece(BodyCoding(length, nullptr), "").empty());
    CHECK(piece(BodyCoding(length, &deflater), "").empty());
  }
}

TEST_CASE("body coding: every compressed piece can be read as soon as it is there") {
  ws::Deflater deflater({});
  const BodyCoding coding(Length::until_close, &deflater);
  Gunzip reader;
  CHECK(reader.read(start(coding)).empty());
  for (const std::string& content : pieces())
    CHECK(reader.read(piece(coding, content)) == content);
}

TEST_CASE("body coding: every compressed piece can be read by itself behind a header, and all in one go") {
  ws::Deflater deflater({});
  const BodyCoding coding(Length::until_close, &deflater);
  std::string all = start(coding);
  std::string expected;
  for (const std::string& content : pieces()) {
    const std::string wire = piece(coding, content);
    CHECK(Gunzip().read(start(coding) + wire) == content);
    CHECK(wire == piece(coding, content));
    all += wire;
    expected += content;
  }
  CHECK(Gunzip().read(all) == expected);
}

TEST_CASE("body coding: what is compressed stands in the chunks, header and all") {
  ws::Deflater deflater({});
  const BodyCoding coding(Length::chunked, &deflater);
  std::string wire = start(coding) + piece(coding, "one ") + piece(coding, "two");
  CHECK_FALSE(Dechunked(wire).ended);
  wire += end(coding);
  const Dechunked body(wire);
  CHECK(body.ended);
  CHECK(Gunzip().read(body.content) == "one two");
}

TEST_CASE("body coding: compression makes text smaller") {
  ws::Deflater deflater({});
  const std::string content(1000, 'x');
  CHECK(piece(BodyCoding(Length::chunked, &deflater), content).size() < 50);
}

}  // namespace body_coding_test
