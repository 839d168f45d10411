#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "net/chaos.h"

namespace roomcast::net {

/// The buffers that all socket streams of a loop share, so that none needs its own. One exists per loop and
/// outlives its streams.
class IoBuffers {
 public:
  static constexpr std::size_t size = 65'536;

  IoBuffers() : reading_(std::make_unique<Buffer>()), joining_(std::make_unique<Buffer>()) {}

  /// What the next read goes into.
  [[nodiscard]] std::span<char> reading() { return *reading_; }
  /// Where small pieces of one write are put side by side.
  [[nodiscard]] std::span<char> joining() { return *joining_; }

  /// What cuts the reads into these buffers, and the writes, short.
  [[nodiscard]] Chaos& chaos() { return chaos_; }

 private:
  using Buffer = std::array<char, size>;
  std::unique_ptr<Buffer> reading_;
  std::unique_ptr<Buffer> joining_;
  [[no_unique_address]] Chaos chaos_;
};

}  // namespace roomcast::net
