#include "ws/frame_reader.h"

#include "unit/ws/client.h"

namespace roomcast::ws::test::frame_reader_deflate_test {

using Type = ReaderEvent::Type;
using Events = std::vector<Seen>;
using Takeover = ContextTakeover;

namespace {

std::string compressed(std::string_view message) {
  Deflater deflater({});
  std::string out;
  deflater.compress(message, out);
  return out;
}

Setup with_deflate(std::uint64_t message_bytes = 65536, Takeover takeover = Takeover::no) {
  return {
      .limits = {.message_bytes = message_bytes, .fragments = 1024}, .deflate = true, .takeover = takeover};
}

/// `piece`, repeated up to `bytes` bytes.
std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string all;
  while (all.size() + piece.size() <= bytes)
    all += piece;
  return all;
}

/// The number of bytes of an incomplete compressed message that are read with that allowance.
std::size_t looked_at(const std::string& payload, std::size_t units) {
  InflaterPool inflaters;
  const ReaderProfile profile{usual_limits, &inflaters};
  FrameReader reader(profile);
  std::string bytes = frame(rsv1 | text, payload);
  std::span<char> input(bytes);
  base::WorkAllowance allowance(units);
  const ReaderEvent event = reader.next(input, allowance);
  CHECK(event.type == (input.empty() ? Type::need_more : Type::cut));
  CHECK(allowance.is_used_up() == (event.type == Type::cut));
  return bytes.size() - input.size();
}

// Two blocks with their own Huffman codes and no output, a whole number of bytes long.
constexpr std::string_view two_empty_dynamic_blocks(
    "\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x43\x00\x1c\x88\x00\x00\x00\x00\x00\xf2\xb7\x3e", 23);

const std::string hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
const std::string hello_again("\xf2\x00\x11\x00\x00", 5);

}  // namespace

TEST_CASE("compressed data that becomes nothing is paid for by what comes, and by the block") {
  constexpr std::size_t bytes = 60'000;
  const auto of_first_read = [](std::string_view blocks) {
    return looked_at(repeated(blocks, bytes), base::WorkAllowance::of_first_read);
  };
  // Building the codes is the cost: about 80 of these use up an allowance.
  CHECK(of_first_read(two_empty_dynamic_blocks) < 3'000);
  // Four empty blocks with fixed codes; one final block; one stored block.
  CHECK(of_first_read(std::string_view("\x02\x08\x20\x80\x00", 5)) < 3'000);
  CHECK(of_first_read(std::string_view("\x03\x00", 2)) < 3'000);
  CHECK(of_first_read(std::string_view("\x00\x00\x00\xff\xff", 5)) < 3'000);
}

TEST_CASE("what compressed data becomes is paid for, even if each piece of it is small enough to be whole") {
  // Each 512 bytes of this inflate to some 12,000.
  std::string message;
  for (int i = 0; message.size() < 60'000; ++i)
    message += std::to_string(i * 7919) + std::string(150, 'x');
  const std::string payload = compressed(message);
  REQUIRE(payload.size() > 1'600);
  CHECK(looked_at(payload, 24'000) < 1'600);
  CHECK(looked_at(payload, 200'000) > payload.size());
}

TEST_CASE("what is left to inflate when the allowance is used up is judged as what came before it") {
  const std::string start(60'000, 'x');
  for (const std::string_view end : {"end", "\xff", "\xE2\x82"}) {
    CAPTURE(end);
    InflaterPool inflaters;
    const ReaderProfile profile{ReaderLimits{.message_bytes = 100'000, .fragments = 10}, &inflaters};
    FrameReader reader(profile);
    std::string bytes = frame(fin | rsv1 | text, compressed(start + std::string(end)));
    std::span<char> input(bytes);
    ReaderEvent event{Type::cut, CloseCode::no_status, {}};
    int cuts = -1;
    while (event.type == Type::cut) {
      ++cuts;
      base::WorkAllowance allowance(16'384);
      event = reader.next(input, allowance);
    }
    CHECK(cuts >= 3);
    if (end == "end") {
      CHECK(event.type == Type::text);
      CHECK(event.payload == start + "end");
    } else {
      CHECK(event.type == Type::error);
      CHECK(event.code == CloseCode::invalid_data);
    }
  }
}

TEST_CASE("a stored block is no more than its bytes: ordinary data is not cut") {
  std::string stored(std::string_view("\x00\x20\x4e\xdf\xb1", 5));
  stored += std::string(20'000, 's');
  CHECK(looked_at(stored, 45'000) > stored.size());
}

TEST_CASE("fragments without a byte, pings and pongs between them are each paid for") {
  const auto frames_looked_at = [](const std::string& one) {
    const ReaderProfile profile{usual_limits};
    FrameReader reader(profile);
    std::string bytes = frame(text, "begun") + repeated(one, 60'000);
    std::span<char> input(bytes);
    base::WorkAllowance allowance(base::WorkAllowance::of_first_read);
    for (;;) {
      const ReaderEvent event = reader.next(input, allowance);
      if (allowance.is_used_up() || event.type == Type::need_more || event.type == Type::error) break;
    }
    CHECK(allowance.is_used_up());
    return (bytes.size() - input.size()) / one.size();
  };
  CHECK(frames_looked_at(frame(continuation, "")) < 330);
  CHECK(frames_looked_at(frame(continuation, "x")) < 330);
  CHECK(frames_looked_at(frame(fin | ping, "")) < 90);
  CHECK(frames_looked_at(frame(fin | pong, "")) < 90);
}

TEST_CASE("a compressed message is read in one frame and in fragments, as RFC 7692 section 7.2.3.1 shows") {
  CHECK(read(frame(fin | rsv1 | text, hello), with_deflate()) == Events{seen(Type::text, "Hello")});
  const auto fragments = frame(rsv1 | text, hello.substr(0, 3)) + frame(fin | ping, "?") +
                         frame(fin | continuation, hello.substr(3));
  CHECK(read(fragments, with_deflate()) == Events{seen(Type::ping, "?"), seen(Type::text, "Hello")});
}

TEST_CASE("compressed and plain messages may alternate") {
  const auto input = frame(fin | text, "plain") + frame(fin | rsv1 | binary, hello) + frame(text, "pl") +
                     frame(fin | continuation, "ain") + frame(fin | rsv1 | text, hello);
  CHECK(read(input, with_deflate()) == Events{seen(Type::text, "plain"), seen(Type::binary, "Hello"),
                                              seen(Type::text, "plain"), seen(Type::text, "Hello")});
}

TEST_CASE("RSV1 has a meaning only where compression was negotiated, and only on the first frame") {
  const auto fault = Events{failed(Fault::reserved_bits)};
  CHECK(read(frame(fin | rsv1 | text, hello)) == fault);
  CHECK(read(frame(text, "a") + frame(fin | rsv1 | continuation, "b"), with_deflate()) == fault);
  CHECK(read(frame(rsv1 | text, hello) + frame(fin | rsv1 | continuation, ""), with_deflate()) == fault);
  CHECK(read(frame(fin | rsv1 | ping, ""), with_deflate()) == fault);
  CHECK(read(frame(fin | 0x20 | text, ""), with_deflate()) == fault);
  CHECK(read(frame(fin | 0x10 | rsv1 | text, hello), with_deflate()) == fault);
}

TEST_CASE("empty compressed messages, as one empty block and as nothing at all") {
  CHECK(read(frame(fin | rsv1 | text, std::string(1, '\0')), with_deflate()) == Events{seen(Type::text, "")});
  CHECK(read(frame(fin | rsv1 | text, ""), with_deflate()) == Events{seen(Type::text, "")});
  CHECK(read(frame(rsv1 | binary, "") + frame(fin | continuation, ""), with_deflate()) ==
        Events{seen(Type::binary, "")});
}

TEST_CASE("final blocks end nothing, with and without the empty block that should follow") {
  const std::string final_block("\xf3\x48\xcd\xc9\xc9\x07\x00", 7);
  const auto input = frame(fin | rsv1 | text, final_block + std::string(1, '\0')) +
                     frame(fin | rsv1 | text, final_block) + frame(fin | rsv1 | text, final_block + hello);
  CHECK(read(input, with_deflate()) ==
        Events{seen(Type::text, "Hello"), seen(Type::text, "Hello"), seen(Type::text, "HelloHello")});
}

TEST_CASE("a final block is seen to its end although its output is longer than its last bytes of input") {
  for (std::size_t size = 16384; size < 17500; size += 50) {
    CAPTURE(size);
    const std::string message(size, 'a');
    auto payload = compressed(message);
    payload.front() = static_cast<char>(payload.front() | 1);  // BFINAL of its only block
    CHECK(read_pieces({frame(fin | rsv1 | text, payload)}, with_deflate()) ==
          Events{seen(Type::text, message)});
  }
}

TEST_CASE("invalid and unfinished compressed data fails with 1007") {
  for (const std::string_view bad : {"\xff\xff\xff", "\xf2\x48\xcd", "\x01", "garbage!"}) {
    const auto events = read(frame(fin | rsv1 | binary, bad), with_deflate());
    REQUIRE_FALSE(events.empty());
    CHECK(events.back() == failed(Fault::bad_compression));
  }
  // A reference to data before the beginning.
  CHECK(read(frame(fin | rsv1 | text, hello_again), with_deflate()) ==
        Events{failed(Fault::bad_compression)});
}

TEST_CASE("without context takeover each message stands alone, with it they may refer to each other") {
  const auto input = frame(fin | rsv1 | text, hello) + frame(fin | rsv1 | text, hello_again);
  CHECK(read(input, with_deflate()) == Events{seen(Type::text, "Hello"), failed(Fault::bad_compression)});
  CHECK(read(input, with_deflate(65536, Takeover::yes)) ==
        Events{seen(Type::text, "Hello"), seen(Type::text, "Hello")});
}

TEST_CASE("an idle reader holds an inflater only where context is taken over") {
  InflaterPool pool;
  Events events;
  {
    const ReaderProfile forgetful_profile{usual_limits, &pool, Takeover::no};
    FrameReader forgetful(forgetful_profile);
    feed(forgetful, frame(rsv1 | text, hello.substr(0, 2)), events);
    CHECK(pool.spare() == 0);
    feed(forgetful, frame(fin | continuation, hello.substr(2)), events);
    CHECK(pool.spare() == 1);
    const ReaderProfile keeping_profile{usual_limits, &pool, Takeover::yes};
    FrameReader keeping(keeping_profile);
    feed(keeping, frame(fin | rsv1 | text, hello), events);
    CHECK(keeping.allocated_bytes() < 512);
    CHECK(pool.spare() == 0);
  }
  CHECK(pool.spare() == 1);
}

TEST_CASE("an inflater goes back when its message fails, its peer closes or its reader goes away") {
  InflaterPool pool;
  Events events;
  {
    const ReaderProfile gone_profile{usual_limits, &pool, Takeover::no};
    FrameReader gone(gone_profile);
    feed(gone, frame(rsv1 | text, hello.substr(0, 2)), events);
  }
  CHECK(pool.spare() == 1);
  const ReaderProfile failing_profile{usual_limits, &pool, Takeover::yes};
  FrameReader failing(failing_profile);
  feed(failing, frame(fin | rsv1 | text, "\xff\xff"), events);
  CHECK(pool.spare() == 1);
  const ReaderProfile closing_profile{usual_limits, &pool, Takeover::yes};
  FrameReader closing(closing_profile);
  feed(closing, frame(fin | rsv1 | text, hello), events);
  CHECK(pool.spare() == 0);
  feed(closing, close_frame(1000), events);
  CHECK(pool.spare() == 1);
}

TEST_CASE("the limit counts inflated bytes, at it and one past it") {
  const std::string at_limit(20000, 'a');
  CHECK(read(frame(fin | rsv1 | text, compressed(at_limit)), with_deflate(20000)) ==
        Events{seen(Type::text, at_limit)});
  CHECK(read(frame(fin | rsv1 | text, compressed(at_limit + "a")), with_deflate(20000)) ==
        Events{failed(Fault::message_too_big)});
}

TEST_CASE("a decompression bomb is stopped at the limit, without holding more than it") {
  const auto bomb = compressed(std::string(50U << 20U, '\0'));
  InflaterPool pool;
  const ReaderLimits limits{.message_bytes = 100000, .fragments = 10};
  const ReaderProfile reader_profile{limits, &pool, Takeover::no};
  FrameReader reader(reader_profile);
  Events events;
  std::size_t most = 0;
  const auto bytes = frame(fin | rsv1 | binary, bomb);
  for (std::size_t at = 0; at < bytes.size() && events.empty(); at += 10) {
    feed(reader, std::string_view(bytes).substr(at, 10), events);
    most = std::max(most, reader.allocated_bytes());
  }
  CHECK(events == Events{failed(Fault::message_too_big)});
  CHECK(most <= limits.message_bytes + 1024);
}

TEST_CASE("compressed payload is bounded as well, at it and one past it") {
  const auto most = max_compressed_bytes({.message_bytes = 1000, .fragments = 10});
  const auto header_only = [](int first_byte, std::size_t size) {
    auto bytes = frame(first_byte, std::string(size, '\0'));
    return bytes.substr(0, bytes.size() - size);
  };
  const auto refused = Events{failed(Fault::message_too_big)};
  CHECK(read(header_only(fin | rsv1 | binary, most), with_deflate(1000)).empty());
  CHECK(read(header_only(fin | rsv1 | binary, most + 1), with_deflate(1000)) == refused);
  // An empty stored block inflates to nothing and still counts.
  const auto empty_block = frame(rsv1 | binary, std::string("\x00\x00\x00\xff\xff", 5));
  CHECK(read(empty_block + header_only(continuation, most - 5), with_deflate(1000)).empty());
  CHECK(read(empty_block + header_only(continuation, most - 4), with_deflate(1000)) == refused);
}

TEST_CASE("incompressible messages at the limit fit through the bound on compressed payload") {
  for (const std::size_t size : {1U, 100U, 1000U, 60000U}) {
    std::string noise;
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < size; ++i) {
      state = state * 1664525U + 1013904223U;
      noise.push_back(static_cast<char>(state >> 24U));
    }
    CHECK(read_pieces({frame(fin | rsv1 | binary, compressed(noise))}, with_deflate(size)) ==
          Events{seen(Type::binary, noise)});
  }
}

TEST_CASE("UTF-8 is judged on the inflated bytes as they come") {
  const auto good = compressed("κόσμε €");
  CHECK(read(frame(fin | rsv1 | text, good), with_deflate()) == Events{seen(Type::text, "κόσμε €")});
  const auto bad = compressed("abc\xED\xA0\x80 and much more text that follows it");
  CHECK(read(frame(fin | rsv1 | text, bad), with_deflate()) == Events{failed(Fault::text_not_utf8)});
  CHECK(read(frame(fin | rsv1 | text, compressed("abc\xE2\x82")), with_deflate()) ==
        Events{failed(Fault::text_not_utf8)});
  // Before the message is complete: a stored block arrives byte by byte.
  const std::string stored("\x00\x05\x00\xfa\xff\xED\xA0lo!\x00", 11);
  CHECK(read(frame(rsv1 | text, stored.substr(0, 6)), with_deflate()).empty());
  CHECK(read(frame(rsv1 | text, stored.substr(0, 7)), with_deflate()) ==
        Events{failed(Fault::text_not_utf8)});
}

TEST_CASE(
    "Autobahn 12 and 13: messages of all sizes, compressed with every window, in frames of every size") {
  const std::string json = R"({"from":"someone","text":"ein Satz mit Umlauten: äöü, und so weiter","n":123})";
  for (int bits = 9; bits <= 15; ++bits) {
    Deflater deflater({.window_bits = bits});
    for (const std::size_t size : {16U, 64U, 256U, 1024U, 4096U, 8192U, 16384U, 32768U, 65536U, 131072U}) {
      std::string message;
      while (message.size() < size)
        message += json;
      std::string payload;
      deflater.compress(message, payload);
      std::string input = frame(fin | rsv1 | text, payload);
      for (const std::size_t piece : {1U, 100U, 256U}) {
        input += frame(rsv1 | text, "");
        for (std::size_t at = 0; at < payload.size(); at += piece) {
          input += frame(continuation, std::string_view(payload).substr(at, piece));
        }
        input += frame(fin | continuation, "");
      }
      Setup setup = with_deflate(200000);
      setup.limits.fragments = 100000;
      CHECK(read_pieces({input}, setup) == Events(4, seen(Type::text, message)));
    }
  }
}

}  // namespace roomcast::ws::test::frame_reader_deflate_test
