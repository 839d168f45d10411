#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#ifdef ROOMCAST_CHAOS
#include <cstdint>
#include <cstdlib>
#endif

namespace roomcast::net {

#ifdef ROOMCAST_CHAOS

/// Shortens reads and writes at random, to find framing errors: only in builds with sanitizers, and only with
/// NET_CHAOS in the environment.
class Chaos {
 public:
  [[nodiscard]] bool is_on() const { return is_on_; }

  /// A number from 1 to `most` (at least 1) of bytes to process. The sequence is always the same, so that
  /// failures can be reproduced.
  [[nodiscard]] std::size_t up_to(std::size_t most) {
    if (!is_on_) return most;
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return 1 + static_cast<std::size_t>(state_ >> 33U) % most;
  }

 private:
  bool is_on_ = std::getenv("NET_CHAOS") != nullptr;
  std::uint64_t state_ = 1;
};

#else

/// Shortens nothing.
struct Chaos {
  [[nodiscard]] static constexpr bool is_on() { return false; }
  [[nodiscard]] static constexpr std::size_t up_to(std::size_t most) { return most; }
};

#endif

/// Buffers that all socket streams of a loop share. There is one per loop, which outlives its streams.
class IoBuffers {
 public:
  static constexpr std::size_t size = 65'536;

  IoBuffers() : reading_(std::make_unique<Buffer>()), joining_(std::make_unique<Buffer>()) {}

  /// The buffer for the next read.
  [[nodiscard]] std::span<char> reading() { return *reading_; }
  /// The buffer in which small pieces of one write are concatenated.
  [[nodiscard]] std::span<char> joining() { return *joining_; }

  /// Shortens reads and writes in chaos builds.
  [[nodiscard]] Chaos& chaos() { return chaos_; }

 private:
  using Buffer = std::array<char, size>;
  std::unique_ptr<Buffer> reading_;
  std::unique_ptr<Buffer> joining_;
  [[no_unique_address]] Chaos chaos_;
};

}  // namespace roomcast::net
