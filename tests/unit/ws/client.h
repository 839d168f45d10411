#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ws/frame_reader.h"

/// A client that can violate the protocol, and ways to read what it sends.
namespace roomcast::ws::test {

constexpr std::uint8_t fin = 0x80;
constexpr std::uint8_t rsv1 = 0x40;
constexpr std::uint8_t text = 0x1;
constexpr std::uint8_t binary = 0x2;
constexpr std::uint8_t close = 0x8;
constexpr std::uint8_t ping = 0x9;
constexpr std::uint8_t pong = 0xA;
constexpr std::uint8_t continuation = 0x0;

constexpr MaskKey default_mask{0x37, 0xFA, 0x21, 0x3D};

/// A client frame: `first_byte` as given, the shortest length field, masked.
inline std::string frame(int first_byte, std::string_view payload, MaskKey mask = default_mask) {
  std::string out(1, static_cast<char>(first_byte));
  const auto append_length = [&](unsigned bytes) {
    for (unsigned left = bytes; left > 0; --left) {
      out.push_back(static_cast<char>(payload.size() >> 8U * (left - 1) & 0xFFU));
    }
  };
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80U | payload.size()));
  } else if (payload.size() < 65536) {
    out.push_back('\xFE');
    append_length(2);
  } else {
    out.push_back('\xFF');
    append_length(8);
  }
  out.append(mask.begin(), mask.end());
  for (std::size_t at = 0; at < payload.size(); ++at) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(payload[at]) ^ mask[at % 4]));
  }
  return out;
}

inline std::string close_frame(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return frame(fin | close, payload.append(reason));
}

/// An event that owns its payload.
struct Seen {
  ReaderEvent::Type type;
  CloseCode code;
  std::string payload;

  bool operator==(const Seen&) const = default;
};

inline Seen seen(ReaderEvent::Type type, std::string_view payload) {
  return {type, CloseCode::no_status, std::string(payload)};
}

inline Seen failed(Fault fault) {
  return {ReaderEvent::Type::error, describe(fault).code, std::string(describe(fault).text)};
}

/// Feeds `piece` and collects the events up to need_more or an error.
inline void feed(FrameReader& reader, std::string_view piece, std::vector<Seen>& events) {
  std::string buffer(piece);  // the reader modifies its input
  std::span<char> input(buffer);
  for (;;) {
    const ReaderEvent event = reader.next(input);
    if (event.type == ReaderEvent::Type::need_more) {
      REQUIRE(input.empty());
      return;
    }
    events.push_back({event.type, event.code, std::string(event.payload)});
    if (event.type == ReaderEvent::Type::error) return;
  }
}

/// For tests that are not about the limits.
inline constexpr ReaderLimits usual_limits{.message_bytes = 65'536, .fragments = 1'024};

/// Everything a reader needs, for making several of a kind.
struct Setup {
  ReaderLimits limits = usual_limits;
  bool deflate = false;
  ContextTakeover takeover = ContextTakeover::no;
};

/// The events of a new reader for input in these pieces.
inline std::vector<Seen> read_pieces(const std::vector<std::string_view>& pieces, const Setup& setup) {
  InflaterPool pool;
  const ReaderProfile profile{setup.limits, setup.deflate ? &pool : nullptr, setup.takeover};
  FrameReader reader(profile);
  std::vector<Seen> events;
  for (const auto piece : pieces) {
    feed(reader, piece, events);
    if (!events.empty() && events.back().type == ReaderEvent::Type::error) break;
  }
  return events;
}

/// The events of a reader for `bytes`, after checking that they are the same byte by byte and split at any
/// position.
inline std::vector<Seen> read(std::string_view bytes, const Setup& setup = {}) {
  auto whole = read_pieces({bytes}, setup);
  std::vector<std::string_view> single;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    single.push_back(bytes.substr(at, 1));
  CHECK(read_pieces(single, setup) == whole);
  // Long inputs are split near both ends and at some positions between, to keep the tests fast.
  for (std::size_t at = 1; at < bytes.size(); at += at < 300 || bytes.size() - at < 300 ? 1 : 997) {
    CAPTURE(at);
    CHECK(read_pieces({bytes.substr(0, at), bytes.substr(at)}, setup) == whole);
  }
  return whole;
}

}  // namespace roomcast::ws::test

namespace doctest {
template <>
struct StringMaker<roomcast::ws::test::Seen> {
  static String convert(const roomcast::ws::test::Seen& seen) {
    const auto text = std::to_string(static_cast<int>(seen.type)) + "/" +
                      std::to_string(static_cast<int>(seen.code)) + "/" + seen.payload.substr(0, 60);
    return {text.c_str()};
  }
};
template <>
struct StringMaker<std::vector<roomcast::ws::test::Seen>> {
  static String convert(const std::vector<roomcast::ws::test::Seen>& all) {
    String out = "[";
    for (const auto& one : all)
      out += StringMaker<roomcast::ws::test::Seen>::convert(one) + " ";
    return out + "]";
  }
};
}  // namespace doctest
