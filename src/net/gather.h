#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace roomcast::net {

/// Lays out the pieces of one write for as few system calls as possible: small ones are copied side by side,
/// large ones are referred to where they are.
class Gather {
 public:
  static constexpr std::size_t small_piece_bytes = 2'048;  ///< up to which copying beats one more iovec
  static constexpr std::size_t max_parts = 64;

  struct Batch {
    std::span<iovec> parts;
    std::size_t bytes = 0;  ///< of all parts; 0: nothing is left
  };

  /// `joining` must hold a small piece at least; `pieces` and it outlive this.
  Gather(std::span<const std::string_view> pieces, std::span<char> joining)
      : pieces_(pieces), joining_(joining) {}

  /// What one call should send next. It is valid until the next call.
  [[nodiscard]] Batch next();

 private:
  void add_part(const char* bytes, std::size_t size);
  [[nodiscard]] bool join(std::string_view piece);

  std::span<const std::string_view> pieces_;  // those not in a batch yet
  std::span<char> joining_;
  std::size_t joined_ = 0;  // bytes used of joining_
  std::array<iovec, max_parts> parts_;
  std::size_t count_ = 0;  // parts in use
};

/// Cuts the pieces of one write into as few runs of bytes as possible, none longer than `joining`: small
/// pieces are copied into `joining` side by side, large ones are given out in place.
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
