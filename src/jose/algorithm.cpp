#include "jose/algorithm.h"

#include <array>

namespace roomcast::jose {
namespace {

constexpr std::array<AlgorithmInfo, static_cast<std::size_t>(Algorithm::count_)> algorithms{{
    {"HS256", KeyType::secret, "SHA256", 32},
    {"HS384", KeyType::secret, "SHA384", 48},
    {"HS512", KeyType::secret, "SHA512", 64},
    {"RS256", KeyType::rsa, "SHA256", 32},
    {"RS384", KeyType::rsa, "SHA384", 48},
    {"RS512", KeyType::rsa, "SHA512", 64},
    {"PS256", KeyType::rsa, "SHA256", 32},
    {"ES256", KeyType::p256, "SHA256", 32},
    {"ES384", KeyType::p384, "SHA384", 48},
    {"EdDSA", KeyType::ed25519, nullptr, 0},
}};

}  // namespace

std::optional<Algorithm> algorithm_from(std::string_view name) {
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    if (algorithms[i].name == name) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Algorithm algorithm) { return describe(algorithm).name; }

const AlgorithmInfo& describe(Algorithm algorithm) {
  return algorithms.at(static_cast<std::size_t>(algorithm));
}

AlgorithmSet AlgorithmSet::of(KeyType key) {
  AlgorithmSet set;
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    if (algorithms[i].key == key) set.add(static_cast<Algorithm>(i));
  }
  return set;
}

std::string to_string(AlgorithmSet set) {
  std::string names;
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    if (!set.has(static_cast<Algorithm>(i))) continue;
    if (!names.empty()) names += ", ";
    names += algorithms[i].name;
  }
  return names;
}

}  // namespace roomcast::jose
