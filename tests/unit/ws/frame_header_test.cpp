#include "ws/frame_header.h"

#include "unit/ws/client.h"

namespace roomcast::ws::test::frame_header_test {

namespace {

std::string header(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values)
    bytes.push_back(static_cast<char>(value));
  return bytes;
}

Fault fault_of(std::string_view bytes) {
  FrameHeader parsed;
  const HeaderParse parse = parse_client_header(bytes, parsed);
  CHECK(parse.header_bytes == 0);
  return parse.fault;
}

}  // namespace

TEST_CASE("a header is read with each of its length fields, and not before it is whole") {
  struct Row {
    std::string bytes;
    std::uint64_t length;
  };
  const std::vector<Row> rows{
      {header({0x81, 0x80, 1, 2, 3, 4}), 0},
      {header({0x81, 0xFD, 1, 2, 3, 4}), 125},
      {header({0x81, 0xFE, 0, 126, 1, 2, 3, 4}), 126},
      {header({0x81, 0xFE, 0xFF, 0xFF, 1, 2, 3, 4}), 65535},
      {header({0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}), 65536},
      {header({0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4}),
       (std::uint64_t{1} << 63U) - 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.length);
    FrameHeader parsed;
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      const auto parse = parse_client_header(std::string_view(row.bytes).substr(0, size), parsed);
      CHECK(parse.fault == Fault::none);
      CHECK(parse.header_bytes == 0);
    }
    const auto parse = parse_client_header(row.bytes + "payload", parsed);
    CHECK(parse.header_bytes == row.bytes.size());
    CHECK(parsed.payload_bytes == row.length);
    CHECK(parsed.opcode == Opcode::text);
    CHECK(parsed.fin);
    CHECK_FALSE(parsed.rsv1);
    CHECK(parsed.mask == MaskKey{1, 2, 3, 4});
  }
}

TEST_CASE("a length in more bytes than it needs is refused") {
  CHECK(fault_of(header({0x82, 0xFE, 0, 125})) == Fault::length_not_minimal);
  CHECK(fault_of(header({0x82, 0xFE, 0, 0})) == Fault::length_not_minimal);
  CHECK(fault_of(header({0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) == Fault::length_not_minimal);
  CHECK(fault_of(header({0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5})) == Fault::length_not_minimal);
}

TEST_CASE("a 64-bit length with its most significant bit set is refused") {
  CHECK(fault_of(header({0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0})) == Fault::length_out_of_range);
  CHECK(fault_of(header({0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})) ==
        Fault::length_out_of_range);
}

TEST_CASE("a length is refused as soon as no further byte can make it right") {
  CHECK(fault_of(header({0x82, 0xFE, 0})) == Fault::none);
  CHECK(fault_of(header({0x82, 0xFF, 0x80})) == Fault::length_out_of_range);
  CHECK(fault_of(header({0x82, 0xFF, 0x7F})) == Fault::none);
  CHECK(fault_of(header({0x82, 0xFF, 0, 0, 0, 0, 0})) == Fault::none);
  CHECK(fault_of(header({0x82, 0xFF, 0, 0, 0, 0, 0, 0})) == Fault::length_not_minimal);
  CHECK(fault_of(header({0x82, 0xFF, 0, 0, 0, 0, 0, 1})) == Fault::none);
}

TEST_CASE("a close frame with half a code is refused at its second byte") {
  CHECK(fault_of(header({0x88, 0x81})) == Fault::close_length);
  CHECK(fault_of(header({0x88, 0x80})) == Fault::none);
  CHECK(fault_of(header({0x88, 0x82})) == Fault::none);
  CHECK(fault_of(header({0x89, 0x81})) == Fault::none);
}

TEST_CASE("a frame without a mask is refused at its second byte") {
  CHECK(fault_of(header({0x81, 0x05})) == Fault::not_masked);
  CHECK(fault_of(header({0x89, 0x00})) == Fault::not_masked);
}

TEST_CASE("faults of the first byte are reported when that is all there is") {
  CHECK(fault_of(header({0xA1})) == Fault::reserved_bits);
  CHECK(fault_of(header({0x91})) == Fault::reserved_bits);
  CHECK(fault_of(header({0x83})) == Fault::reserved_opcode);
  CHECK(fault_of(header({0x8B})) == Fault::reserved_opcode);
  CHECK(fault_of(header({0x09})) == Fault::control_fragmented);
}

TEST_CASE("RSV1 is let pass on the first frame of a message only") {
  CHECK(fault_of(header({0xC1})) == Fault::none);
  CHECK(fault_of(header({0x42})) == Fault::none);
  CHECK(fault_of(header({0xC0})) == Fault::reserved_bits);
  CHECK(fault_of(header({0xC8})) == Fault::reserved_bits);
  CHECK(fault_of(header({0xC9})) == Fault::reserved_bits);
  CHECK(fault_of(header({0xCA})) == Fault::reserved_bits);
}

TEST_CASE("a control frame announces at most 125 bytes") {
  CHECK(fault_of(header({0x89, 0xFD})) == Fault::none);
  CHECK(fault_of(header({0x89, 0xFE})) == Fault::control_too_long);
  CHECK(fault_of(header({0x88, 0xFF})) == Fault::control_too_long);
}

TEST_CASE("a short message is recognised only when it is complete") {
  const std::string whole = header({0x82, 0x83, 1, 2, 3, 4, 'a', 'b', 'c'});
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(size_of_short_message(whole.substr(0, size)));
  CHECK(size_of_short_message(whole) == 3);
  CHECK(size_of_short_message(whole + "more") == 3);
  CHECK(size_of_short_message(header({0x81, 0x80, 1, 2, 3, 4})) == 0);
  CHECK(size_of_short_message(header({0x81, 0xFD, 1, 2, 3, 4}) + std::string(125, 'x')) == 125);
  CHECK_FALSE(size_of_short_message(header({0x81, 0xFE, 0, 126, 1, 2, 3, 4}) + std::string(126, 'x')));
  for (const int first : {0x01, 0x80, 0x83, 0x88, 0x89, 0x8A, 0x91, 0xC1})
    CHECK_FALSE(size_of_short_message(header({first, 0x83, 1, 2, 3, 4, 'a', 'b', 'c'})));
  CHECK_FALSE(size_of_short_message(header({0x81, 0x03, 'a', 'b', 'c', 'd', 'e', 'f'})));
}

TEST_CASE("every fault has a code and a reason that fits into a close frame") {
  for (int fault = 1; fault < static_cast<int>(Fault::count_); ++fault) {
    const auto& info = describe(static_cast<Fault>(fault));
    CHECK(may_be_received(static_cast<std::uint16_t>(info.code)));
    CHECK(info.text.size() > 0);
    CHECK(info.text.size() <= 123);
  }
}

}  // namespace roomcast::ws::test::frame_header_test
