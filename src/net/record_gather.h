#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace roomcast::net {

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
