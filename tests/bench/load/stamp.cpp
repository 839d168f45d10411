#include "load/stamp.h"

#include <string.h>

#include <array>
#include <cstring>

namespace roomcast::bench {
namespace {

// {"s":"#rc:<number><sent, low><sent, high><publisher>","r":[…],"e":"…"}
// The mark has no quote in it, so it is found as well when the whole message is a JSON string in an envelope.
constexpr std::string_view head = R"({"s":")";
constexpr std::string_view mark = "#rc:";
constexpr std::size_t word_letters = 8;
constexpr std::size_t words = 4;
constexpr std::size_t stamp_letters = words * word_letters;
constexpr std::size_t stamp_at = head.size() + mark.size();

// Four bits are one of the letters @ to O. So a letter needs no table, and eight of them are read at once.
constexpr std::uint64_t letters_base = 0x4040404040404040;
constexpr std::uint64_t low_nibbles = 0x0f0f0f0f0f0f0f0f;

void write_word(char* at, std::uint32_t value) {
  std::uint64_t spread = value;
  spread = (spread | spread << 16) & 0x0000ffff0000ffff;
  spread = (spread | spread << 8) & 0x00ff00ff00ff00ff;
  spread = (spread | spread << 4) & low_nibbles;
  spread |= letters_base;
  std::memcpy(at, &spread, sizeof spread);
}

/// False when these are not eight of the letters.
bool read_word(const char* at, std::uint32_t& value) {
  std::uint64_t spread = 0;
  std::memcpy(&spread, at, sizeof spread);
  if ((spread & ~low_nibbles) != letters_base) return false;
  spread &= low_nibbles;
  spread = (spread | spread >> 4) & 0x00ff00ff00ff00ff;
  spread = (spread | spread >> 8) & 0x0000ffff0000ffff;
  spread = (spread | spread >> 16) & 0x00000000ffffffff;
  value = static_cast<std::uint32_t>(spread);
  return true;
}

/// Numbers that look random and are the same in each run (a linear congruential generator).
class Dice {
 public:
  std::uint32_t roll(std::uint32_t below) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(state_ >> 33) % below;
  }

 private:
  std::uint64_t state_ = 20;
};

std::string_view word(Dice& dice) {
  constexpr std::array<std::string_view, 32> vocabulary{
      "room",        "message", "the",      "and",    "delivery", "price",  "order",  "status",
      "temperature", "of",      "to",       "opened", "closed",   "north",  "window", "balance",
      "seven",       "green",   "in",       "a",      "value",    "is",     "player", "score",
      "late",        "train",   "platform", "with",   "for",      "signal", "update", "quiet"};
  return vocabulary[dice.roll(vocabulary.size())];
}

/// Rows as a service would send them: names that come back, numbers that don't, a few words of text.
std::string row(Dice& dice) {
  std::string text = R"({"id":)" + std::to_string(dice.roll(1'000'000'000));
  text.append(R"(,"kind":")").append(word(dice));
  text.append(R"(","value":)")
      .append(std::to_string(dice.roll(100'000)))
      .append(".")
      .append(std::to_string(dice.roll(100)));
  text.append(R"(,"text":")").append(word(dice));
  for (std::uint32_t more = dice.roll(8); more > 0; --more)
    text.append(" ").append(word(dice));
  return text + R"("})";
}

}  // namespace

std::string make_message(std::size_t bytes) {
  constexpr std::string_view tail = R"(],"e":")";
  constexpr std::string_view end = R"("})";
  std::string message;
  message.append(head).append(mark).append(stamp_letters, '@').append(R"(","r":[)");
  const std::size_t enough = bytes - tail.size() - end.size();
  Dice dice;
  bool first = true;
  for (std::string next = row(dice); message.size() + next.size() + 1 <= enough; next = row(dice)) {
    if (!first) message.append(",");
    first = false;
    message.append(next);
  }
  message.append(tail);
  while (message.size() < bytes - end.size())
    message.append(word(dice)).append(" ");
  message.resize(bytes - end.size());
  message.append(end);
  write_stamp(message, {});
  return message;
}

void write_stamp(std::string& message, const Stamp& stamp) {
  char* at = message.data() + stamp_at;
  const auto sent = static_cast<std::uint64_t>(stamp.sent_ns);
  write_word(at, stamp.number);
  write_word(at + word_letters, static_cast<std::uint32_t>(sent));
  write_word(at + 2 * word_letters, static_cast<std::uint32_t>(sent >> 32));
  write_word(at + 3 * word_letters, stamp.publisher);
}

std::optional<Stamp> read_stamp(std::string_view text) {
  std::size_t place = head.size();
  return read_stamp(text, place);
}

std::optional<Stamp> read_stamp(std::string_view text, std::size_t& place) {
  if (text.size() < mark.size() + stamp_letters) return std::nullopt;
  const std::size_t last = text.size() - mark.size() - stamp_letters;
  if (place > last || std::memcmp(text.data() + place, mark.data(), mark.size()) != 0) {
    const void* const found = ::memmem(text.data(), last + mark.size(), mark.data(), mark.size());
    if (found == nullptr) return std::nullopt;
    place = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  }
  const char* const letters = text.data() + place + mark.size();
  Stamp stamp;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  std::uint32_t publisher = 0;
  if (!read_word(letters, stamp.number) || !read_word(letters + word_letters, low) ||
      !read_word(letters + 2 * word_letters, high) || !read_word(letters + 3 * word_letters, publisher)) {
    return std::nullopt;
  }
  stamp.sent_ns = static_cast<std::int64_t>(std::uint64_t{high} << 32 | low);
  stamp.publisher = static_cast<std::uint16_t>(publisher);
  return stamp;
}

}  // namespace roomcast::bench
