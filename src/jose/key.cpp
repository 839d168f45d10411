#include "jose/key.h"

#include <utility>

#include "jose/verifier.h"

namespace roomcast::jose {
namespace {

using base::Error;

/// What is wrong with using a key of this type with `algorithms`.
std::optional<Error> check_algorithms(KeyType type, AlgorithmSet algorithms) {
  const AlgorithmSet possible = AlgorithmSet::of(type);
  const std::string can = std::string(name_of(type)) + " can be used with " + to_string(possible);
  if (algorithms.empty()) return Error{can + "; none is given"};
  if (const AlgorithmSet others = algorithms - possible; !others.empty())
    return Error{can + ", not with " + to_string(others)};
  return std::nullopt;
}

std::optional<Error> check_length(std::string_view secret, AlgorithmSet algorithms) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
    const std::size_t needed = describe(algorithm).hash_bytes;
    if (!algorithms.has(algorithm) || secret.size() >= needed) continue;
    return Error{std::string(to_string(algorithm)) + " needs a secret of at least " + std::to_string(needed) +
                 " bytes; this one has " + std::to_string(secret.size())};
  }
  return std::nullopt;
}

}  // namespace

Key::Key(std::unique_ptr<Verifier> verifier, AlgorithmSet algorithms)
    : verifier_(std::move(verifier)), algorithms_(algorithms) {}
Key::Key(Key&&) noexcept = default;
Key& Key::operator=(Key&&) noexcept = default;
Key::~Key() = default;

base::Result<Key> Key::from_secret(std::string_view secret, AlgorithmSet algorithms) {
  if (auto error = check_algorithms(KeyType::secret, algorithms)) return std::move(*error);
  if (auto error = check_length(secret, algorithms)) return std::move(*error);
  auto verifier = make_verifier(secret, algorithms);
  if (!verifier) return std::move(verifier.error());
  return Key(std::move(*verifier), algorithms);
}

base::Result<Key> Key::from_pem(std::string_view pem, AlgorithmSet algorithms) {
  auto key = PublicKey::from_pem(pem);
  if (!key) return std::move(key.error());
  return from_public_key(std::move(*key), algorithms);
}

base::Result<Key> Key::from_public_key(PublicKey key, AlgorithmSet algorithms) {
  if (auto error = check_algorithms(key.type(), algorithms)) return std::move(*error);
  auto verifier = make_verifier(std::move(key), algorithms);
  if (!verifier) return std::move(verifier.error());
  return Key(std::move(*verifier), algorithms);
}

bool Key::verify(Algorithm algorithm, std::string_view input, std::string_view signature) const {
  return algorithms_.has(algorithm) && verifier_->verify(algorithm, input, signature);
}

}  // namespace roomcast::jose
