#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace roomcast::flips {

/// Draws the bits of a file that are flipped. Most of a database is payload: every second bit is drawn from
/// the pages that say where everything is.
class BitDraw {
 public:
  /// `random` outlives it.
  BitDraw(const std::string& path, std::mt19937_64& random);

  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  /// Not of an empty file.
  [[nodiscard]] std::uint64_t next();

 private:
  std::uint64_t bits_;
  std::mt19937_64& random_;
  std::vector<std::uint64_t> tree_pages_;
  std::uint64_t drawn_ = 0;
};

}  // namespace roomcast::flips
