#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/stamp.h"

struct z_stream_s;

namespace roomcast::bench {

/// Reads the stamps of compressed messages (RFC 7692, no context taken over) at the price of a digest each.
///
/// Without context takeover the same message is the same bytes for every subscriber. So only the first to get
/// some bytes has them inflated; for all who get the very same ones (judged by length and a digest of 64 bits
/// over all of them) the stamp is remembered. Thereby order and loss are checked for every delivery, and
/// bytes that differ in a single bit are inflated, and found out, on their own.
class CompressedStamps {
 public:
  CompressedStamps();
  CompressedStamps(const CompressedStamps&) = delete;
  CompressedStamps& operator=(const CompressedStamps&) = delete;
  ~CompressedStamps();

  /// Nothing when `payload` can't be inflated, or has no stamp.
  [[nodiscard]] std::optional<Stamp> read(std::string_view payload);
  /// How many times it had to be inflated.
  [[nodiscard]] std::uint64_t inflated() const { return inflated_; }

 private:
  struct Known {
    std::uint64_t digest = 0;
    std::size_t bytes = 0;  ///< 0: nothing is known here yet
    std::optional<Stamp> stamp;
  };
  [[nodiscard]] std::optional<Stamp> inflate(std::string_view payload);

  std::unique_ptr<z_stream_s> stream_;
  std::string text_;
  std::vector<Known> known_;  ///< by the digest's last bits; the newer one stays
  std::uint64_t inflated_ = 0;
};

}  // namespace roomcast::bench
