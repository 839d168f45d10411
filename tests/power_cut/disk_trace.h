#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::power_cut {

/// One thing that a program did to its directory: a record of tests/support/disk_shim.c, where the codes are.
struct DiskEvent {
  char code = 0;
  std::string_view name;
  std::uint64_t offset = 0;
  std::string_view data;
};

/// The records of a trace, which must stay where it is. Throws std::runtime_error if it is not one; a last
/// record that is not whole is left out.
[[nodiscard]] std::vector<DiskEvent> read_trace(std::string_view bytes);

/// A disk on which what was recorded is done again, and which can lose its power at any point.
///
/// Certain is only what was synced: of a file its bytes, of the directory its entries. What a file was given
/// since then is on the disk in whole, in part or not at all, sector by sector, in any order; entries follow
/// each other as on a file system with a journal, so that a first part of them is there. A sync that failed
/// may have written what it was asked for or not, and no later one does, as Linux has it. Files that are not
/// meant to survive (the index of a WAL, the lock) are not looked at.
class Disk {
 public:
  void apply(const DiskEvent& event);
  /// Writes what a power cut leaves into `directory`, which must be empty.
  void write_state(const std::string& directory, std::mt19937_64& random) const;
  /// How much was not synced at the cut, over all files, in bytes.
  [[nodiscard]] std::uint64_t unsynced_bytes() const;

 private:
  using FileNumber = std::size_t;
  struct File {
    std::string synced;
    std::vector<DiskEvent> pending;  // writes and truncations since then, in order
    std::size_t sync_begun = 0;      // how many of them the sync that is under way covers
  };
  struct Entry {
    std::string name;
    FileNumber file;
    bool is_there;  // false: the name is taken away
  };
  using Names = std::map<std::string, FileNumber, std::less<>>;

  static void apply_entry(Names& names, const Entry& entry);
  [[nodiscard]] static std::string cut_content(const File& file, std::mt19937_64& random);
  void change_entry(Entry entry);

  std::vector<File> files_;
  Names names_;
  Names synced_names_;
  std::vector<Entry> pending_entries_;
  std::size_t directory_sync_begun_ = 0;
  std::mt19937_64 random_{1};  // what failed syncs have written
};

}  // namespace roomcast::power_cut
