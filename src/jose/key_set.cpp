#include "jose/key_set.h"

#include <utility>

#include "base/json_object.h"
#include "jose/jwk.h"
#include "jose/strict_json.h"

namespace roomcast::jose {
namespace {

/// `key 3 ("abc")`: the position counts from 1.
std::string name_of(const base::JsonValue& jwk, std::size_t position) {
  std::string name = "key " + std::to_string(position);
  const auto kid = find_member(jwk, "kid");
  const auto text = kid ? text_of(*kid) : std::nullopt;
  if (text) name += " (" + quoted(*text) + ")";
  return name;
}

}  // namespace

base::Result<KeySet> KeySet::from_jwks(std::string_view json, AlgorithmSet allowed, JwksOrigin origin) {
  using base::Error;
  if (json.size() > jwks_bytes_max) {
    return Error{"the JWK Set has " + std::to_string(json.size()) + " bytes; " +
                 std::to_string(jwks_bytes_max) + " are allowed"};
  }
  const auto object = base::read_json_object(json);
  if (!object) return Error{"the JWK Set " + object.error().message};
  const auto list = object->find("keys");
  if (!list || !list->is(base::JsonKind::array)) return Error{"the JWK Set has no array \"keys\""};

  KeySet set;
  std::size_t position = 0;
  base::JsonElements elements(*list);
  while (const auto jwk = elements.next()) {
    if (++position > jwks_keys_max)
      return Error{"the JWK Set has more than " + std::to_string(jwks_keys_max) + " keys"};
    auto key = read_jwk(*jwk, allowed, origin);
    if (key) {
      set.keys_.push_back(std::move(*key));
    } else {
      set.skipped_.push_back(name_of(*jwk, position) + " is skipped: " + key.error().message);
    }
  }
  if (!set.empty()) return set;
  if (set.skipped_.empty()) return Error{"the JWK Set has no keys"};
  return Error{"the JWK Set has no key that can be used: " + set.skipped_.front()};
}

}  // namespace roomcast::jose
