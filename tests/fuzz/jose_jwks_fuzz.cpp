#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "check.h"
#include "jose/key_set.h"
#include "jose/token.h"

using namespace roomcast::jose;
using roomcast::base::is_valid_utf8;

namespace {

constexpr AlgorithmSet all{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512, Algorithm::rs256,
                           Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::es256,
                           Algorithm::es384, Algorithm::eddsa};
constexpr AlgorithmSet of_secrets{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512};

void check_keys(const KeySet& set, AlgorithmSet allowed) {
  FUZZ_CHECK(!set.empty() && set.keys().size() + set.skipped().size() <= jwks_keys_max);
  for (const Key& key : set.keys()) {
    const AlgorithmSet algorithms = key.algorithms();
    FUZZ_CHECK(!algorithms.empty() && (algorithms - allowed).empty());
    FUZZ_CHECK((algorithms & of_secrets).empty() || (algorithms - of_secrets).empty());
    FUZZ_CHECK(!key.kid() || (key.kid()->size() <= kid_bytes_max && is_valid_utf8(*key.kid())));
    for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256,
                                      Algorithm::es384, Algorithm::eddsa}) {
      for (const std::size_t size :
           {std::size_t{0}, std::size_t{32}, std::size_t{64}, std::size_t{96}, std::size_t{256}})
        FUZZ_CHECK(!key.verify(algorithm, "input", std::string(size, '\1')));
    }
  }
  for (const std::string& reason : set.skipped())
    FUZZ_CHECK(is_valid_utf8(reason));
}

}  // namespace

/// Any text gives a set of keys that are bound to what is allowed, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is detected.
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = KeySet::from_jwks(text, all, JwksOrigin::file);
  if (file.ok()) {
    check_keys(*file, all);
  } else {
    FUZZ_CHECK(is_valid_utf8(file.error().message));
  }
  const auto url =
      KeySet::from_jwks(text, {Algorithm::hs256, Algorithm::rs256, Algorithm::es256}, JwksOrigin::url);
  if (url.ok()) {
    check_keys(*url, {Algorithm::rs256, Algorithm::es256});
    FUZZ_CHECK(file.ok());
  }
  const auto key = Key::from_pem(text, {Algorithm::rs256});
  FUZZ_CHECK(key.ok() || is_valid_utf8(key.error().message));
  return 0;
}
