#include "power_cut/disk_trace.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace roomcast::power_cut {

namespace {

constexpr std::size_t sector_bytes = 512;

bool is_volatile(std::string_view name) { return name.ends_with("-shm") || name == "lock"; }

std::size_t below(std::size_t limit, std::mt19937_64& random) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

void put(std::string& content, std::uint64_t offset, std::string_view data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size());
  content.replace(offset, data.size(), data);
}

void apply_change(std::string& content, const DiskEvent& change) {
  if (change.code == 't') {
    content.resize(change.offset);
  } else {
    put(content, change.offset, change.data);
  }
}

/// The sectors of a write: those of the file, so that the first and the last may be shorter.
template <class Take>
void for_each_sector(const DiskEvent& write, const Take& take) {
  std::uint64_t offset = write.offset;
  std::string_view rest = write.data;
  while (!rest.empty()) {
    const std::size_t size = std::min<std::size_t>(rest.size(), sector_bytes - offset % sector_bytes);
    take(offset, rest.substr(0, size));
    offset += size;
    rest.remove_prefix(size);
  }
}

}  // namespace

std::vector<DiskEvent> read_trace(std::string_view bytes) {
  constexpr std::size_t head_bytes = 14;
  std::vector<DiskEvent> events;
  while (bytes.size() >= head_bytes) {
    DiskEvent event;
    std::uint32_t data_bytes = 0;
    const std::size_t name_bytes = static_cast<unsigned char>(bytes[1]);
    std::memcpy(&event.offset, bytes.data() + 2, sizeof event.offset);
    std::memcpy(&data_bytes, bytes.data() + 10, sizeof data_bytes);
    event.code = bytes[0];
    if (std::string_view("owtbsedurm").find(event.code) == std::string_view::npos)
      throw std::runtime_error("this is no trace of disk_shim");
    if (bytes.size() < head_bytes + name_bytes + data_bytes) break;
    event.name = bytes.substr(head_bytes, name_bytes);
    event.data = bytes.substr(head_bytes + name_bytes, data_bytes);
    bytes.remove_prefix(head_bytes + name_bytes + data_bytes);
    events.push_back(event);
  }
  return events;
}

void Disk::apply_entry(Names& names, const Entry& entry) {
  if (entry.is_there) {
    names.insert_or_assign(entry.name, entry.file);
  } else {
    names.erase(entry.name);
  }
}

void Disk::change_entry(Entry entry) {
  apply_entry(names_, entry);
  pending_entries_.push_back(std::move(entry));
}

void Disk::apply(const DiskEvent& event) {
  if (is_volatile(event.name)) return;
  if (event.name.empty()) {
    if (event.code == 'b') directory_sync_begun_ = pending_entries_.size();
    if (event.code == 's') {
      for (std::size_t i = 0; i < directory_sync_begun_; ++i)
        apply_entry(synced_names_, pending_entries_[i]);
      pending_entries_.erase(pending_entries_.begin(),
                             pending_entries_.begin() + static_cast<std::ptrdiff_t>(directory_sync_begun_));
      directory_sync_begun_ = 0;
    }
    return;
  }
  if (event.code == 'o') {
    files_.emplace_back();
    change_entry({std::string(event.name), files_.size() - 1, true});
    return;
  }
  const auto found = names_.find(event.name);
  if (found == names_.end()) return;
  const FileNumber number = found->second;
  File& file = files_[number];
  switch (event.code) {
    case 'w':
    case 't':
      file.pending.push_back(event);
      break;
    case 'b':
      file.sync_begun = file.pending.size();
      break;
    case 's':
    case 'e':
      for (std::size_t i = 0; i < file.sync_begun; ++i) {
        if (event.code == 's' || below(2, random_) == 0) apply_change(file.synced, file.pending[i]);
      }
      file.pending.erase(file.pending.begin(),
                         file.pending.begin() + static_cast<std::ptrdiff_t>(file.sync_begun));
      file.sync_begun = 0;
      break;
    case 'u':
      change_entry({std::string(event.name), number, false});
      break;
    case 'r':
      change_entry({std::string(event.data), number, true});
      change_entry({std::string(event.name), number, false});
      break;
    default:
      break;
  }
}

std::string Disk::cut_content(const File& file, std::mt19937_64& random) {
  enum { nothing, everything, torn, some_sectors, ways };
  std::string content = file.synced;
  const std::size_t way = below(ways, random);
  if (way == nothing || file.pending.empty()) return content;
  const std::size_t whole = way == torn ? below(file.pending.size(), random) : file.pending.size();
  const unsigned kept_of_8 = static_cast<unsigned>(1 + below(7, random));
  for (std::size_t i = 0; i < whole; ++i) {
    const DiskEvent& change = file.pending[i];
    if (way != some_sectors) {
      apply_change(content, change);
    } else if (change.code == 't') {
      if (below(8, random) < kept_of_8) apply_change(content, change);
    } else {
      for_each_sector(change, [&](std::uint64_t offset, std::string_view sector) {
        if (below(8, random) < kept_of_8) put(content, offset, sector);
      });
    }
  }
  if (way == torn && file.pending[whole].code == 'w') {
    DiskEvent part = file.pending[whole];
    // A sector is written whole or not at all.
    const std::uint64_t cut = part.offset + below(part.data.size() + 1, random);
    const std::uint64_t end = cut == part.offset + part.data.size() ? cut : cut - cut % sector_bytes;
    part.data = part.data.substr(0, end > part.offset ? end - part.offset : 0);
    apply_change(content, part);
  }
  return content;
}

void Disk::write_state(const std::string& directory, std::mt19937_64& random) const {
  Names names = synced_names_;
  const std::size_t done =
      below(2, random) == 0 ? pending_entries_.size() : below(pending_entries_.size() + 1, random);
  for (std::size_t i = 0; i < done; ++i)
    apply_entry(names, pending_entries_[i]);
  for (const auto& [name, number] : names) {
    const std::string content = cut_content(files_[number], random);
    std::ofstream file(directory + "/" + name, std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + directory + "/" + name);
  }
}

std::uint64_t Disk::unsynced_bytes() const {
  std::uint64_t sum = 0;
  for (const File& file : files_) {
    for (const DiskEvent& change : file.pending)
      sum += change.data.size();
  }
  return sum;
}

}  // namespace roomcast::power_cut
