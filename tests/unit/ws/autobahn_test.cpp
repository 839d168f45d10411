// The case families of the Autobahn test suite, sections 1 to 7, as this reader must answer them: every case
// strictly, each input in one piece, byte by byte and split at every position. Section 9 (limits) is in
// frame_reader_test.cpp, 12 and 13 (compression) in frame_reader_deflate_test.cpp.
#include "unit/ws/client.h"

namespace roomcast::ws::test::autobahn_test {

using Type = ReaderEvent::Type;
using Events = std::vector<Seen>;

namespace {

/// Feeds the pieces one after the other; returns the index of the one that made the reader fail with 1007.
int failing_piece(const std::vector<std::string>& pieces) {
  const ReaderProfile profile{usual_limits};
  FrameReader reader(profile);
  for (std::size_t index = 0; index < pieces.size(); ++index) {
    Events events;
    feed(reader, pieces[index], events);
    if (!events.empty() && events.back() == failed(Fault::text_not_utf8)) return static_cast<int>(index);
  }
  return -1;
}

}  // namespace

TEST_CASE("Autobahn 1: text and binary messages of all sizes come back as sent") {
  for (const std::size_t size : {0U, 125U, 126U, 127U, 128U, 65535U, 65536U}) {
    CAPTURE(size);
    const std::string ascii(size, '*');
    const std::string octets(size, '\xFE');
    CHECK(read(frame(fin | text, ascii)) == Events{seen(Type::text, ascii)});
    CHECK(read(frame(fin | binary, octets)) == Events{seen(Type::binary, octets)});
  }
}

TEST_CASE("Autobahn 2: pings carry up to 125 octets, more is a protocol error, unasked pongs are fine") {
  const std::string octets("\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF", 8);
  const std::string largest(125, '\xFE');
  CHECK(read(frame(fin | ping, "")) == Events{seen(Type::ping, "")});
  CHECK(read(frame(fin | ping, octets)) == Events{seen(Type::ping, octets)});
  CHECK(read(frame(fin | ping, largest)) == Events{seen(Type::ping, largest)});
  CHECK(read(frame(fin | ping, largest + '\xFE')) == Events{failed(Fault::control_too_long)});
  CHECK(read(frame(fin | pong, "unasked") + frame(fin | ping, "p")) ==
        Events{seen(Type::pong, "unasked"), seen(Type::ping, "p")});
}

TEST_CASE("Autobahn 3: reserved bits without an extension are a protocol error, messages before them stand") {
  for (int bits = 1; bits <= 7; ++bits) {
    CAPTURE(bits);
    for (const int opcode : {text, binary, ping, pong, close}) {
      const auto bad = frame(fin | bits << 4 | opcode, "");
      CHECK(read(frame(fin | text, "ok") + bad) ==
            Events{seen(Type::text, "ok"), failed(Fault::reserved_bits)});
    }
  }
}

TEST_CASE("Autobahn 4: reserved opcodes are a protocol error") {
  for (const int opcode : {0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
    CAPTURE(opcode);
    for (const std::string_view payload : {"", "x", "reserved opcode payload"}) {
      CHECK(read(frame(fin | text, "ok") + frame(fin | opcode, payload) + frame(fin | ping, "")) ==
            Events{seen(Type::text, "ok"), failed(Fault::reserved_opcode)});
    }
  }
}

TEST_CASE("Autobahn 5: control frames may not be fragmented") {
  CHECK(read(frame(ping, "a") + frame(fin | continuation, "b")) == Events{failed(Fault::control_fragmented)});
  CHECK(read(frame(pong, "a") + frame(fin | continuation, "b")) == Events{failed(Fault::control_fragmented)});
  CHECK(read(frame(close, "") + frame(fin | continuation, "b")) == Events{failed(Fault::control_fragmented)});
}

TEST_CASE("Autobahn 5: fragments need a beginning and an end") {
  const auto orphan = failed(Fault::unexpected_continuation);
  CHECK(read(frame(fin | continuation, "x") + frame(fin | text, "y")) == Events{orphan});
  CHECK(read(frame(continuation, "x") + frame(fin | text, "y")) == Events{orphan});
  CHECK(read(frame(fin | text, "whole") + frame(fin | continuation, "x")) ==
        Events{seen(Type::text, "whole"), orphan});
  CHECK(read(frame(text, "frag1") + frame(fin | text, "frag2")) ==
        Events{failed(Fault::expected_continuation)});
  CHECK(read(frame(text, "frag1") + frame(binary, "frag2")) == Events{failed(Fault::expected_continuation)});
  CHECK(read(frame(text, "1") + frame(continuation, "2") + frame(fin | ping, "p") + frame(continuation, "3") +
             frame(fin | ping, "q") + frame(fin | continuation, "4")) ==
        Events{seen(Type::ping, "p"), seen(Type::ping, "q"), seen(Type::text, "1234")});
}

TEST_CASE("Autobahn 6.1: empty fragments make an empty message") {
  CHECK(read(frame(fin | text, "")) == Events{seen(Type::text, "")});
  CHECK(read(frame(text, "") + frame(continuation, "") + frame(fin | continuation, "")) ==
        Events{seen(Type::text, "")});
  CHECK(read(frame(text, "") + frame(continuation, "middle") + frame(fin | continuation, "")) ==
        Events{seen(Type::text, "middle")});
}

TEST_CASE("Autobahn 6.2: characters may be cut by fragments anywhere") {
  const std::string greeting = "Hello-µ@ßöäüàá-UTF-8!!";
  for (std::size_t cut = 0; cut <= greeting.size(); ++cut) {
    const auto input = frame(text, greeting.substr(0, cut)) + frame(fin | continuation, greeting.substr(cut));
    CHECK(read(input) == Events{seen(Type::text, greeting)});
  }
  std::string single = frame(text, "");
  for (const char byte : greeting)
    single += frame(continuation, std::string(1, byte));
  CHECK(read(single + frame(fin | continuation, "")) == Events{seen(Type::text, greeting)});
}

TEST_CASE("Autobahn 6.3: invalid UTF-8 fails, in one frame and in fragments of an octet") {
  const std::string bad =
      "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
      "edited";
  CHECK(read(frame(fin | text, bad)) == Events{failed(Fault::text_not_utf8)});
  std::string single = frame(text, "");
  for (const char byte : bad)
    single += frame(continuation, std::string(1, byte));
  CHECK(read(single) == Events{failed(Fault::text_not_utf8)});
}

TEST_CASE("Autobahn 6.4: invalid UTF-8 fails as soon as the octet arrives, within a frame too") {
  const std::string valid = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4";  // may still become U+10xxxx
  const std::string wrong = "\x90";
  const std::string rest =
      "\x80\x80"
      "edited";
  // 6.4.1 and 6.4.2: as fragments.
  CHECK(failing_piece({frame(text, valid), frame(continuation, wrong), frame(fin | continuation, rest)}) ==
        1);
  CHECK(failing_piece(
            {frame(text, valid + "\x8F"), frame(continuation, "\x41"), frame(fin | continuation, "")}) == 1);
  // 6.4.3 and 6.4.4: as pieces of one frame that stays incomplete.
  const auto whole = frame(fin | text, valid + wrong + rest);
  const auto cut = 6 + valid.size();
  CHECK(failing_piece({whole.substr(0, cut), whole.substr(cut, 1), whole.substr(cut + 1)}) == 1);
  // The last fragment of several, split within.
  const auto last = frame(fin | continuation, wrong + rest);
  CHECK(failing_piece({frame(text, valid), last.substr(0, 6), last.substr(6, 1), last.substr(7)}) == 2);
}

TEST_CASE("Autobahn 6.5 to 6.23: a text that ends within a character is invalid only at its end") {
  for (const std::string_view cut : {"\xCE", "\xE1\xBD", "\xF0\x90\x8D", "\xF4\x8F", "abc\xC3"}) {
    CHECK(read(frame(fin | text, cut)) == Events{failed(Fault::text_not_utf8)});
    CHECK(read(frame(text, cut)).empty());
    CHECK(read(frame(text, cut) + frame(fin | continuation, "")) == Events{failed(Fault::text_not_utf8)});
  }
  CHECK(read(frame(fin | binary, "\xCE")) == Events{seen(Type::binary, "\xCE")});
}

TEST_CASE("Autobahn 7.1 and 7.3: close frames with nothing, a code, a reason up to 123 octets") {
  const std::string longest(123, '*');
  CHECK(read(frame(fin | close, "")) == Events{{Type::close, CloseCode::no_status, ""}});
  CHECK(read(frame(fin | close, "a")) == Events{failed(Fault::close_length)});
  CHECK(read(close_frame(1000)) == Events{{Type::close, CloseCode::normal, ""}});
  CHECK(read(close_frame(1000, "Hello World!")) == Events{{Type::close, CloseCode::normal, "Hello World!"}});
  CHECK(read(close_frame(1000, longest)) == Events{{Type::close, CloseCode::normal, longest}});
  CHECK(read(close_frame(1000, longest + '*')) == Events{failed(Fault::control_too_long)});
  // 7.1.4 and 7.1.5: between the fragments of a message, which stays incomplete.
  CHECK(read(frame(text, "frag") + close_frame(1000) + frame(fin | continuation, "ment")) ==
        Events{{Type::close, CloseCode::normal, ""}});
}

TEST_CASE("Autobahn 7.5: a close reason must be UTF-8") {
  CHECK(read(close_frame(1000, "\xCE\xBA\xED\xA0\x80")) == Events{failed(Fault::close_reason_not_utf8)});
  CHECK(read(close_frame(1000, "\xCE\xBA\xCE")) == Events{failed(Fault::close_reason_not_utf8)});
}

TEST_CASE("Autobahn 7.7 and 7.9: close codes that may be sent and such that may not") {
  for (const int code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    CAPTURE(code);
    CHECK(read(close_frame(code)) == Events{{Type::close, static_cast<CloseCode>(code), ""}});
  }
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    CAPTURE(code);
    CHECK(read(close_frame(code)) == Events{failed(Fault::close_code)});
    CHECK(read(close_frame(code, "why")) == Events{failed(Fault::close_code)});
  }
}

}  // namespace roomcast::ws::test::autobahn_test
