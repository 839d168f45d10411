#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

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

#ifdef ROOMCAST_CHAOS
  /// A number from 1 to `most`, which is at least 1: how much of a read or write is let through. Always the
  /// same sequence, so that what goes wrong goes wrong again.
  [[nodiscard]] std::size_t random_up_to(std::size_t most) {
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return 1 + static_cast<std::size_t>(random_ >> 33U) % most;
  }
#endif

 private:
  using Buffer = std::array<char, size>;
  std::unique_ptr<Buffer> reading_;
  std::unique_ptr<Buffer> joining_;
#ifdef ROOMCAST_CHAOS
  std::uint64_t random_ = 1;
#endif
};

}  // namespace roomcast::net
