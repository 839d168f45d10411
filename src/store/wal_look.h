#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/database.h"

namespace roomcast::store {

/// What a write-ahead log of SQLite says of its own end.
struct WalState {
  enum class Kind : std::uint8_t {
    none,     ///< there is no log, or nothing in it
    clean,    ///< it ends with a commit
    torn,     ///< one commit at most is not whole: what a power cut leaves, or what has rotted since
    damaged,  ///< several commits are behind the place where SQLite would stop reading
  };
  Kind kind = Kind::none;
  std::uint64_t commits = 0;         ///< that SQLite will find
  std::uint64_t bytes = 0;           ///< up to the end of the last of them
  std::uint64_t broken_frame = 0;    ///< where it stops, from 1 on; 0: at the header, unless it is clean
  std::uint64_t broken_byte = 0;     ///< where that begins in the file
  std::uint64_t commits_behind = 0;  ///< that it will not find
};

/// Looks through a log for damage that SQLite would not report: it takes the first frame that is not right
/// for the end, without a word, since that is what an interrupted commit looks like. But a commit begins only
/// when the one before is on the disk, so at most one can be interrupted. Where two or more commits of the
/// same generation of the log (its salts) are behind such a frame, what is on the disk has changed.
///
/// This holds for a log whose commits were all synced, and only if none of an earlier stop's are left in it:
/// whoever opens a database whose log is `torn` empties it (CheckpointMode::truncate) before the first
/// commit. The format: https://www.sqlite.org/fileformat2.html#walformat
class WalLook {
 public:
  /// The next bytes of the file, in pieces of any size; keeps one frame, 64 KiB and a few bytes at most.
  void feed(std::string_view bytes);
  /// The state, after the last piece.
  [[nodiscard]] WalState finish();

 private:
  using Salts = std::array<std::uint32_t, 2>;
  using Checksum = std::array<std::uint32_t, 2>;
  struct FrameHead {
    std::uint32_t page = 0;
    std::uint32_t pages_after = 0;  ///< of the database, in a frame that commits; 0 in all others
    Salts salts{};
    Checksum checksum{};
    [[nodiscard]] bool is_commit() const { return page != 0 && pages_after != 0; }
  };

  [[nodiscard]] std::size_t wanted_bytes() const;
  void take_header();
  void take_frame();
  [[nodiscard]] static FrameHead read_head(std::string_view frame);
  [[nodiscard]] Checksum sum(std::string_view bytes, Checksum start) const;

  std::string part_;  ///< the header or the frame that is being collected
  bool has_header_ = false;
  bool is_header_right_ = false;
  bool is_big_endian_ = false;  ///< how checksums take the bytes
  std::size_t page_bytes_ = 0;
  Salts salts_{};
  Checksum checksum_{};            ///< up to the last frame that is right
  std::uint64_t frames_ = 0;       ///< that were whole
  std::uint64_t uncommitted_ = 0;  ///< frames that are right since the last commit
  bool is_broken_ = false;
  bool has_rest_ = false;  ///< something of the same generation is behind the break
  WalState state_;
};

/// Looks at the log of the database at `path`, which nobody may have open. A fault says that it can't be
/// read, or (`corrupt`) that it is damaged, with the file and the frame.
[[nodiscard]] base::Result<WalState, Fault> look_at_wal(const std::string& path);

/// Writes the log of the database at `path` over itself, the first `bytes` of it, and syncs it: to be done
/// before the database is opened again after a commit that failed. SQLite then finds that commit in the log
/// and builds on it, but after a failed sync Linux may have marked pages as written that are not, and never
/// writes those. (A commit that is repeated on the same connection needs none of this: it overwrites the one
/// that failed.)
[[nodiscard]] std::optional<Fault> rewrite_wal(
    const std::string& path, std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max());

}  // namespace roomcast::store
