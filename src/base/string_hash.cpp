#include "base/string_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "base/digest.h"

namespace roomcast::base {

namespace {

class State {
 public:
  explicit State(const SipKey& key)
      : v0_(key.low ^ 0x736f6d6570736575U),
        v1_(key.high ^ 0x646f72616e646f6dU),
        v2_(key.low ^ 0x6c7967656e657261U),
        v3_(key.high ^ 0x7465646279746573U) {}

  template <int rounds>
  void compress(std::uint64_t word) {
    v3_ ^= word;
    run<rounds>();
    v0_ ^= word;
  }

  template <int rounds>
  [[nodiscard]] std::uint64_t finish() {
    v2_ ^= 0xffU;
    run<rounds>();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  template <int rounds>
  void run() {
    for (int i = 0; i < rounds; ++i) {
      v0_ += v1_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v3_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ += v3_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ += v1_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
};

/// The eight bytes at `bytes` as a little-endian integer.
std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes, sizeof word);
  } else {
    for (std::size_t i = sizeof word; i > 0; --i)
      word = word << 8U | static_cast<unsigned char>(bytes[i - 1]);
  }
  return word;
}

template <int compression_rounds, int finalization_rounds>
std::uint64_t siphash(const SipKey& key, std::string_view text) {
  State state(key);
  // The last word consists of the remaining bytes and the length modulo 256 as its highest byte.
  std::uint64_t last = std::uint64_t{text.size()} << 56U;
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t)))
    state.compress<compression_rounds>(word_at(text.data()));
  for (std::size_t i = 0; i < text.size(); ++i)
    last |= std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
  state.compress<compression_rounds>(last);
  return state.finish<finalization_rounds>();
}

}  // namespace

std::uint64_t siphash13(const SipKey& key, std::string_view text) { return siphash<1, 3>(key, text); }
std::uint64_t siphash24(const SipKey& key, std::string_view text) { return siphash<2, 4>(key, text); }

std::size_t StringHash::operator()(std::string_view text) const {
  // A constant that is only known at run time, not mutable state.
  static const SipKey key{random_u64(), random_u64()};
  return static_cast<std::size_t>(siphash13(key, text));
}

}  // namespace roomcast::base
