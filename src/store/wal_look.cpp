#include "store/wal_look.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <system_error>
#include <utility>

namespace roomcast::store {

namespace {

constexpr std::size_t wal_header_bytes = 32;
constexpr std::size_t wal_frame_head = 24;
constexpr std::size_t summed_of_header = 24;       // its checksum covers this much
constexpr std::size_t summed_of_frame_head = 8;    // and that of a frame this, then the page
constexpr std::uint32_t wal_magic = 0x377f0682;    // the last bit: checksums take the bytes as big endian
constexpr std::size_t page_bytes_of_store = 4096;  // for a header that can't be trusted
constexpr std::size_t page_bytes_min = 512;
constexpr std::size_t page_bytes_max = 65'536;
constexpr std::size_t disk_sector_bytes = 512;  // that a disk writes whole or not at all
constexpr std::size_t read_bytes = 65'536;

std::uint32_t load_be32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint32_t load_le32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Owns an open file. Errors are in errno.
class OpenFile {
 public:
  OpenFile(const std::string& path, int mode) : file_(::open(path.c_str(), mode | O_CLOEXEC)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (is_open()) ::close(file_);
  }
  [[nodiscard]] bool is_open() const { return file_ >= 0; }
  /// The number of bytes; 0 at the end, negative after an error.
  [[nodiscard]] ssize_t read(std::string& into, std::uint64_t at) const {
    while (true) {
      const ssize_t count = ::pread(file_, into.data(), into.size(), static_cast<off_t>(at));
      if (count >= 0 || errno != EINTR) return count;
    }
  }
  [[nodiscard]] bool write(std::string_view bytes, std::uint64_t at) const {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
      at += static_cast<std::uint64_t>(count);
    }
    return true;
  }
  [[nodiscard]] bool sync() const { return ::fdatasync(file_) == 0; }

 private:
  int file_;
};

Fault file_fault(const std::string& path, std::string_view what, int error) {
  return {Fault::Code::io, path + ": " + std::string(what) + ": " + std::generic_category().message(error)};
}

Fault damage_fault(const std::string& path, const WalState& state) {
  const std::string place =
      state.broken_frame == 0 ? "the header" : "frame " + std::to_string(state.broken_frame);
  return {Fault::Code::corrupt, path + ": " + place + " (at byte " + std::to_string(state.broken_byte) +
                                    ") is damaged, and " + std::to_string(state.commits_behind) +
                                    " commits behind it would be lost"};
}

}  // namespace

WalLook::Checksum WalLook::sum(std::string_view bytes, Checksum start) const {
  Checksum sums = start;
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    const auto first = is_big_endian_ ? load_be32(bytes, at) : load_le32(bytes, at);
    const auto second = is_big_endian_ ? load_be32(bytes, at + 4) : load_le32(bytes, at + 4);
    sums[0] += first + sums[1];
    sums[1] += second + sums[0];
  }
  return sums;
}

WalLook::FrameHead WalLook::read_head(std::string_view frame) {
  return {load_be32(frame, 0),
          load_be32(frame, 4),
          {load_be32(frame, 8), load_be32(frame, 12)},
          {load_be32(frame, 16), load_be32(frame, 20)}};
}

std::size_t WalLook::wanted_bytes() const {
  return has_header_ ? wal_frame_head + page_bytes_ : wal_header_bytes;
}

void WalLook::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, wanted_bytes() - part_.size());
    part_ += piece;
    bytes.remove_prefix(piece.size());
    if (part_.size() < wanted_bytes()) return;
    if (has_header_) {
      take_frame();
    } else {
      take_header();
    }
    part_.clear();
  }
}

void WalLook::take_header() {
  has_header_ = true;
  const std::uint32_t magic = load_be32(part_, 0);
  is_big_endian_ = (magic & 1U) != 0;
  page_bytes_ = load_be32(part_, 8);
  salts_ = {load_be32(part_, 16), load_be32(part_, 20)};
  checksum_ = {load_be32(part_, 24), load_be32(part_, 28)};
  is_header_right_ = (magic & ~std::uint32_t{1}) == wal_magic && std::has_single_bit(page_bytes_) &&
                     page_bytes_ >= page_bytes_min && page_bytes_ <= page_bytes_max &&
                     sum(std::string_view(part_).substr(0, summed_of_header), {}) == checksum_;
  if (is_header_right_) return;
  page_bytes_ = page_bytes_of_store;
  is_broken_ = true;
}

void WalLook::take_frame() {
  const FrameHead head = read_head(part_);
  // What is left of an earlier generation behind the end: up to the whole log, and not to be summed up.
  if (is_broken_ && is_header_right_ && head.salts != salts_) {
    ++frames_;
    checksum_ = head.checksum;
    return;
  }
  const std::string_view frame = part_;
  const Checksum expected =
      sum(frame.substr(wal_frame_head), sum(frame.substr(0, summed_of_frame_head), checksum_));
  const bool is_right = expected == head.checksum && head.page != 0;
  const std::uint64_t start = wal_header_bytes + frames_ * (wal_frame_head + page_bytes_);
  ++frames_;
  checksum_ = head.checksum;
  if (!is_broken_ && is_right && head.salts == salts_) {
    ++uncommitted_;
    if (head.is_commit()) {
      ++state_.commits;
      state_.bytes = start + frame.size();
      uncommitted_ = 0;
    }
    return;
  }
  // Salts are not part of the checksum: a frame that is right but for them has been written in this place.
  const bool is_of_this_place = !is_broken_ && is_right;
  if (!is_broken_) {
    is_broken_ = true;
    state_.broken_frame = frames_;
    state_.broken_byte = start;
  }
  // Of a log whose header can't be trusted, the generation is that of the frames that are together.
  if (!is_header_right_ && head.salts != salts_ && state_.commits_behind < 2) {
    salts_ = head.salts;
    state_.commits_behind = 0;
  }
  if (head.salts != salts_ && !is_of_this_place) return;
  has_rest_ = true;
  // Where the salts are in the next sector, a power cut may have left those and what an older frame says of
  // its commit.
  const bool is_split = start % disk_sector_bytes == disk_sector_bytes - summed_of_frame_head;
  if (head.is_commit() && (is_right || !is_split)) ++state_.commits_behind;
}

WalState WalLook::finish() {
  if (!has_header_) return {};
  // The head of a frame that the file ends in tells as much as that of a whole one.
  if (part_.size() >= wal_frame_head) {
    part_.resize(wanted_bytes());
    take_frame();
  }
  if (state_.commits_behind >= 2) {
    state_.kind = WalState::Kind::damaged;
  } else if (has_rest_ || uncommitted_ > 0) {
    state_.kind = WalState::Kind::torn;
  } else {
    state_.kind = state_.commits == 0 ? WalState::Kind::none : WalState::Kind::clean;
  }
  return state_;
}

base::Result<WalState, Fault> look_at_wal(const std::string& path) {
  const std::string log = path + "-wal";
  const OpenFile file(log, O_RDONLY);
  if (!file.is_open()) {
    if (errno == ENOENT) return WalState{};
    return file_fault(log, "can't be read", errno);
  }
  WalLook look;
  std::string buffer(read_bytes, '\0');
  std::uint64_t at = 0;
  while (true) {
    const ssize_t count = file.read(buffer, at);
    if (count < 0) return file_fault(log, "can't be read", errno);
    if (count == 0) break;
    look.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
    at += static_cast<std::uint64_t>(count);
  }
  const WalState state = look.finish();
  if (state.kind == WalState::Kind::damaged) return damage_fault(log, state);
  return state;
}

std::optional<Fault> rewrite_wal(const std::string& path, std::uint64_t bytes) {
  const std::string log = path + "-wal";
  const OpenFile file(log, O_RDWR);
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    return file_fault(log, "can't be opened", errno);
  }
  std::string buffer(read_bytes, '\0');
  std::uint64_t at = 0;
  while (at < bytes) {
    const ssize_t count = file.read(buffer, at);
    if (count < 0) return file_fault(log, "can't be read", errno);
    if (count == 0) break;
    const std::size_t size = std::min<std::uint64_t>(static_cast<std::uint64_t>(count), bytes - at);
    if (!file.write(std::string_view(buffer).substr(0, size), at))
      return file_fault(log, "can't be written", errno);
    at += size;
  }
  if (!file.sync()) return file_fault(log, "can't be synced", errno);
  return std::nullopt;
}

}  // namespace roomcast::store
