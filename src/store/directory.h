#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace roomcast::store {

/// The directory of a store, held by one process at a time.
class Directory {
 public:
  /// The size of the file that is given up when the disk is full, so that what is under way can end.
  static constexpr std::uint64_t reserve_bytes = std::uint64_t{8} << 20U;

  /// Makes it, for its owner only, if it does not exist; then takes its lock. The error names the process
  /// that holds it.
  [[nodiscard]] static base::Result<Directory> open(const std::string& path);

  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&& other) noexcept;
  ~Directory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string journal_path() const { return path_ + "/journal.db"; }
  [[nodiscard]] std::string history_path() const { return path_ + "/history.db"; }

  /// Makes the reserve if it is missing: true if it is there, on the disk.
  [[nodiscard]] bool make_reserve() const;
  /// True if there was one.
  bool drop_reserve() const;

  /// Moves the databases to a directory inside, which is named after the time: its path.
  [[nodiscard]] base::Result<std::string> set_aside(std::int64_t wall_ms) const;

  /// What all files of the store take of the disk.
  [[nodiscard]] std::uint64_t bytes_on_disk() const;

 private:
  Directory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  [[nodiscard]] std::string reserve_path() const { return path_ + "/reserve"; }

  std::string path_;
  int lock_;  // a descriptor; -1: moved from
};

}  // namespace roomcast::store
