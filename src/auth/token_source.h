#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/refusal.h"
#include "base/result.h"
#include "config/config.h"
#include "jose/key_set.h"
#include "jose/verify.h"

namespace roomcast::auth {

/// Keys that may change while the server runs.
class KeySource {
 public:
  KeySource() = default;
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;
  virtual ~KeySource() = default;

  /// Null before the first were there. Valid until the next turn.
  [[nodiscard]] virtual const jose::KeySet* current() const = 0;
  /// Fetches the keys, at most once a minute. `done` is called once, from within the call if they are not
  /// fetched now.
  virtual void refresh(std::function<void()> done) = 0;
  /// Called whenever there are new keys.
  virtual void on_change(std::function<void()> changed) = 0;
};

/// One element of `auth.tokens`: keys, and what tokens signed with them have to say.
class TokenSource {
 public:
  /// Reads the files that `settings` names. `open_url` has the source of a `jwks_url`, which outlives this.
  static base::Result<std::unique_ptr<TokenSource>> load(
      const config::TokenKeys& settings,
      const std::function<KeySource&(const std::string& url, jose::AlgorithmSet algorithms)>& open_url);

  /// Verifies the token against these keys. unknown_key: they may have to be refreshed.
  [[nodiscard]] base::Result<jose::Claims, base::Refusal> verify(const jose::ParsedToken& token,
                                                                 std::int64_t now_s, std::int64_t leeway_s);
  [[nodiscard]] bool accepts(jose::Algorithm algorithm) const { return algorithms_.has(algorithm); }
  /// Null unless the keys come from a URL.
  [[nodiscard]] KeySource* url() const { return url_; }

 private:
  TokenSource() = default;

  jose::AlgorithmSet algorithms_;
  jose::Expectations expected_;
  jose::KeySet keys_;
  KeySource* url_ = nullptr;
};

}  // namespace roomcast::auth
