#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace roomcast::net {

/// Arranges the pieces of one write for as few system calls as possible: small pieces are concatenated, large
/// ones are referred to in place.
class Gather {
 public:
  static constexpr std::size_t small_piece_bytes =
      2'048;  ///< up to this size copying is cheaper than another iovec
  static constexpr std::size_t max_parts = 64;

  /// The buffers of one system call.
  struct Parts {
    std::span<iovec> buffers;
    std::size_t bytes = 0;  ///< of all buffers; 0: nothing is left
  };

  /// `joining` has room for at least one small piece; it and `pieces` outlive this.
  Gather(std::span<const std::string_view> pieces, std::span<char> joining)
      : pieces_(pieces), joining_(joining) {}

  /// The buffers to send next, valid until the next call.
  [[nodiscard]] Parts next();

 private:
  void add_part(const char* bytes, std::size_t size);
  [[nodiscard]] bool join(std::string_view piece);

  std::span<const std::string_view> pieces_;  // those that were not returned yet
  std::span<char> joining_;
  std::size_t joined_ = 0;  // bytes used of joining_
  std::array<iovec, max_parts> parts_;
  std::size_t count_ = 0;  // parts in use
};

/// Divides the pieces of one write into as few contiguous runs of bytes as possible, none longer than
/// `joining`: small pieces are concatenated in `joining`, large ones are returned in place.
class RecordGather {
 public:
  RecordGather(std::span<const std::string_view> pieces, std::span<char> joining)
      : pieces_(pieces), joining_(joining) {
    skip_empty();
  }

  /// The next run, valid until the next call; empty when there is nothing left.
  [[nodiscard]] std::string_view next();
  [[nodiscard]] bool is_done() const { return pieces_.empty(); }

 private:
  void skip_empty();
  [[nodiscard]] std::string_view take(std::size_t most);

  std::span<const std::string_view> pieces_;
  std::span<char> joining_;
  std::size_t offset_ = 0;  // in the first piece
};

}  // namespace roomcast::net
