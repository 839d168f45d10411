#include "base/gzip.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace gzip_test {

using namespace roomcast::base;

namespace {

/// Inflates one complete gzip file and checks its checksum and length; "broken" for anything else.
std::string gunzip(std::string_view bytes) {
  constexpr int gzip_only = 15 + 16;
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, gzip_only) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 10'000> chunk{};
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  const bool is_whole = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  return is_whole ? out : "broken";
}

}  // namespace

TEST_CASE("gzip: what comes out is a whole file that holds what went in") {
  std::string noise(100'000, ' ');
  std::mt19937 random(7);
  for (char& c : noise)
    c = static_cast<char>(random());
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string("\0\xff", 2), std::string(1'000'000, 'a'), noise}) {
    CAPTURE(bytes.size());
    CHECK(gunzip(gzip(bytes)) == bytes);
  }
}

TEST_CASE("gzip: what repeats itself becomes much smaller") {
  std::string json;
  for (int i = 0; i < 1'000; ++i)
    json += R"({"type":"message","room":"lobby","data":)" + std::to_string(i) + "},";
  CHECK(gzip(json).size() < json.size() / 10);
}

TEST_CASE("gzip: a file that lost its end is seen to be broken") {
  const std::string file = gzip("hello");
  for (std::size_t size = 0; size < file.size(); ++size)
    CHECK(gunzip(file.substr(0, size)) == "broken");
}

}  // namespace gzip_test
