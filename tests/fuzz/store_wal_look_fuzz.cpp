#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "store/wal_look.h"

using namespace roomcast;

namespace {

store::WalState look_in_pieces(std::string_view bytes, std::size_t piece) {
  store::WalLook look;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    look.feed(part);
    bytes.remove_prefix(part.size());
  }
  return look.finish();
}

/// Writes a log as SQLite does, with pages of 512 bytes and checksums of little-endian words.
class LogWriter {
 public:
  static constexpr std::size_t frame_bytes = 24 + 512;

  LogWriter() {
    for (const std::uint32_t field : {0x377f0682U, 3'007'000U, 512U, 0U, salts_[0], salts_[1]})
      put(field);
    put_sums_of(bytes_);
  }
  void frame(std::uint32_t page, std::uint32_t pages_after, char fill) {
    const std::size_t start = bytes_.size();
    put(page);
    put(pages_after);
    const std::string page_bytes(512, fill);
    const std::string summed = bytes_.substr(start) + page_bytes;
    put(salts_[0]);
    put(salts_[1]);
    put_sums_of(summed);
    bytes_ += page_bytes;
  }
  [[nodiscard]] std::string& bytes() { return bytes_; }

 private:
  void put(std::uint32_t value) {
    for (unsigned shift = 32; shift > 0; shift -= 8)
      bytes_ += static_cast<char>(static_cast<unsigned char>(value >> (shift - 8)));
  }
  void put_sums_of(const std::string& summed) {
    for (std::size_t at = 0; at < summed.size(); at += 4) {
      std::uint32_t word = 0;
      for (std::size_t i = 4; i-- > 0;)
        word = word << 8U | static_cast<unsigned char>(summed[at + i]);
      const std::size_t which = at / 4 % 2;
      sums_[which] += word + sums_[1 - which];
    }
    put(sums_[0]);
    put(sums_[1]);
  }

  std::array<std::uint32_t, 2> salts_{0x01020304, 0xa0b0c0d0};
  std::array<std::uint32_t, 2> sums_{};
  std::string bytes_;
};

/// A log with a frame for each byte of `script`, of which one bit is flipped: what is found before it is what
/// was committed there, and it is damage if two commits are lost.
void check_made_log(std::string_view script, std::size_t flip) {
  LogWriter writer;
  std::vector<std::size_t> commits;  // their frames
  for (std::size_t i = 0; i < script.size(); ++i) {
    const bool is_commit = script[i] % 2 != 0;
    // 7: a single bit that is flipped does not make it 0.
    writer.frame(static_cast<std::uint32_t>(1 + i % 7), is_commit ? 7 : 0, script[i]);
    if (is_commit) commits.push_back(i);
  }
  std::string& bytes = writer.bytes();
  const store::WalState sound = look_in_pieces(bytes, 700);
  FUZZ_CHECK(sound.commits == commits.size() && sound.commits_behind == 0);
  FUZZ_CHECK((sound.kind == store::WalState::Kind::clean) ==
             (!commits.empty() && commits.back() + 1 == script.size()));

  flip %= bytes.size() * 8;
  const std::size_t byte = flip / 8;
  bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << (flip % 8)));
  const bool is_in_header = byte < 32;
  const std::size_t frame = is_in_header ? 0 : (byte - 32) / LogWriter::frame_bytes;
  std::size_t before = 0;
  while (before < commits.size() && commits[before] < frame)
    ++before;
  const store::WalState found = look_in_pieces(bytes, 700);
  FUZZ_CHECK(found.commits == before);
  // A header that is damaged says nothing of the size of pages, which is that of the store's files then.
  const bool is_split = (32 + frame * LogWriter::frame_bytes) % 512 == 504;
  if (is_in_header || is_split) return;
  if (commits.size() - before >= 2) FUZZ_CHECK(found.kind == store::WalState::Kind::damaged);
}

}  // namespace

/// The same is found in whatever pieces the file is read, and a file that is cut has no more commits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using Kind = store::WalState::Kind;
  const store::WalState whole = look_in_pieces(bytes, size + 1);
  FUZZ_CHECK((whole.kind == Kind::damaged) == (whole.commits_behind >= 2));
  FUZZ_CHECK(whole.kind != Kind::clean || (whole.commits > 0 && whole.commits_behind == 0));
  FUZZ_CHECK(whole.kind != Kind::none || (whole.commits == 0 && whole.commits_behind == 0));
  FUZZ_CHECK(whole.broken_byte <= size);

  const std::size_t piece = size == 0 ? 1 : 1 + data[size - 1];
  const store::WalState again = look_in_pieces(bytes, piece);
  FUZZ_CHECK(again.kind == whole.kind && again.commits == whole.commits);
  FUZZ_CHECK(again.broken_frame == whole.broken_frame && again.broken_byte == whole.broken_byte);
  FUZZ_CHECK(again.commits_behind == whole.commits_behind);

  const store::WalState cut = look_in_pieces(bytes.substr(0, size / 2), piece);
  FUZZ_CHECK(cut.commits <= whole.commits);

  if (size >= 4) {
    const std::size_t flip = std::size_t{data[0]} << 16U | std::size_t{data[1]} << 8U | data[2];
    check_made_log(bytes.substr(3, 40), flip);
  }
  return 0;
}
