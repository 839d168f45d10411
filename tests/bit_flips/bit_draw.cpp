#include "bit_flips/bit_draw.h"

#include <filesystem>
#include <fstream>

namespace roomcast::flips {

namespace {

constexpr std::uint64_t page_bytes = 4'096;

/// Types of pages, https://www.sqlite.org/fileformat2.html#b_tree_pages; all others begin with a 0.
bool is_tree(int first_byte) {
  return first_byte == 2 || first_byte == 5 || first_byte == 10 || first_byte == 13;
}

}  // namespace

BitDraw::BitDraw(const std::string& path, std::mt19937_64& random)
    : bits_(std::filesystem::file_size(path) * 8), random_(random) {
  if (path.ends_with("-wal")) return;
  std::ifstream file(path, std::ios::binary);
  for (std::uint64_t page = 0; page * page_bytes < bits_ / 8; ++page) {
    // The file's own header is before that of its first page.
    file.seekg(static_cast<std::streamoff>(page * page_bytes + (page == 0 ? 100 : 0)));
    if (is_tree(file.get())) tree_pages_.push_back(page);
  }
}

std::uint64_t BitDraw::next() {
  if (tree_pages_.empty() || (++drawn_ & 1U) == 0) return random_() % bits_;
  return tree_pages_[random_() % tree_pages_.size()] * page_bytes * 8 + random_() % (page_bytes * 8);
}

}  // namespace roomcast::flips
