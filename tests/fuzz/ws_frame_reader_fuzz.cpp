// The events of a reader do not depend on how its input is split, it never holds more than its limits allow,
// and it releases everything.
//
// The input: one byte of options (bit 0 compression, bit 1 context takeover, bit 2 raw input, the rest
// limits), one byte that determines the pieces, then frames in a form that mutation does not break at once:
// first byte of the frame, a length byte, a payload of that length. Masked frames are built from that; with
// bit 2 the rest is raw input instead.

#include "check.h"
#include "ws/frame_reader.h"

using namespace roomcast::ws;

namespace {

struct Seen {
  ReaderEvent::Type type;
  CloseCode code;
  std::string payload;
  bool operator==(const Seen&) const = default;
};

struct Options {
  bool deflate;
  ContextTakeover takeover;
  ReaderLimits limits;
};

Options read_options(std::uint8_t bits) {
  Options options{};
  options.deflate = (bits & 1U) != 0;
  options.takeover = (bits & 2U) != 0 ? ContextTakeover::yes : ContextTakeover::no;
  options.limits.message_bytes = (bits & 8U) != 0 ? 100 : 70000;
  options.limits.fragments = (bits & 16U) != 0 ? 3 : 1000;
  return options;
}

std::string build_frames(std::string_view recipe) {
  std::string wire;
  while (recipe.size() >= 2) {
    const auto length = std::min<std::size_t>(static_cast<std::uint8_t>(recipe[1]), recipe.size() - 2);
    const MaskKey mask{0x11, 0x00, static_cast<unsigned char>(length), 0xFF};
    wire.push_back(recipe[0]);
    if (length < 126) {
      wire.push_back(static_cast<char>(0x80U | length));
    } else {
      wire.append({'\xFE', '\0', static_cast<char>(length)});
    }
    wire.append(mask.begin(), mask.end());
    std::string payload(recipe.substr(2, length));
    apply_mask(payload, mask);
    wire.append(payload);
    recipe.remove_prefix(2 + length);
  }
  return wire;
}

/// Feeds pieces of the sizes that `next_size` returns and checks the memory after each.
template <class NextSize>
std::vector<Seen> read_all(const std::string& wire, const Options& options, NextSize next_size) {
  InflaterPool pool;
  std::vector<Seen> events;
  {
    const ReaderProfile profile{options.limits, options.deflate ? &pool : nullptr, options.takeover};
    FrameReader reader(profile);
    for (std::size_t at = 0; at < wire.size();) {
      const auto size = std::min<std::size_t>(wire.size() - at, next_size());
      // Exactly that many bytes on the heap, so that the address sanitizer detects reads beyond them.
      std::vector<char> piece(wire.begin() + static_cast<std::ptrdiff_t>(at),
                              wire.begin() + static_cast<std::ptrdiff_t>(at + size));
      at += size;
      std::span<char> input(piece);
      for (;;) {
        const ReaderEvent event = reader.next(input);
        FUZZ_CHECK(reader.allocated_bytes() <= options.limits.message_bytes + 512);
        if (event.type == ReaderEvent::Type::need_more) break;
        events.push_back({event.type, event.code, std::string(event.payload)});
        if (event.type == ReaderEvent::Type::error) {
          FUZZ_CHECK(reader.allocated_bytes() == 0);
          return events;
        }
        if (event.type == ReaderEvent::Type::text || event.type == ReaderEvent::Type::binary) {
          FUZZ_CHECK(event.payload.size() <= options.limits.message_bytes);
        }
      }
      FUZZ_CHECK(input.empty());
    }
  }
  FUZZ_CHECK(pool.spare() <= 1);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Options options = read_options(data[0]);
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string wire = (data[0] & 4U) != 0 ? std::string(rest) : build_frames(rest);

  const auto whole = read_all(wire, options, [&] { return wire.size(); });
  FUZZ_CHECK(read_all(wire, options, [] { return std::size_t{1}; }) == whole);
  std::uint32_t state = data[1];
  FUZZ_CHECK(read_all(wire, options, [&] {
               state = state * 1664525U + 1013904223U;
               return std::size_t{1} + (state >> 24U) % 40;
             }) == whole);
  return 0;
}
