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

/// Cuts reads and writes short, to flush out mistakes of framing: only in a build with sanitizers, and there
/// only with NET_CHAOS in the environment.
class Chaos {
 public:
  [[nodiscard]] bool is_on() const { return is_on_; }

  /// How many of `most` bytes, at least 1, are let through: a number from 1 to `most`. Always the same
  /// sequence, so that what goes wrong goes wrong again.
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

/// Nothing is cut short, whatever the environment says.
struct Chaos {
  [[nodiscard]] static constexpr bool is_on() { return false; }
  [[nodiscard]] static constexpr std::size_t up_to(std::size_t most) { return most; }
};

#endif

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
