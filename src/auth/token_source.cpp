#include "auth/token_source.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace roomcast::auth {

namespace {

using base::Refusal;

constexpr std::size_t key_file_bytes_max = jose::jwks_bytes_max;

base::Result<std::string> read_key_file(std::string_view setting, const std::string& path) {
  const auto failed = [&](const std::string& why) {
    return base::Error{"auth.tokens: " + std::string(setting) + " " + path + ": " + why};
  };
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return failed(std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): at the start and at reloads
  std::string text(key_file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return failed("cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > key_file_bytes_max) return failed("is larger than 256 KiB");
  return text;
}

/// A secret in a file mostly ends with a line feed that is not part of it.
std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

base::Error in_tokens(std::string_view setting, const base::Error& error) {
  return {"auth.tokens: " + std::string(setting) + ": " + error.message};
}

base::Result<jose::KeySet> one_key(std::string_view setting, base::Result<jose::Key> key) {
  if (!key) return in_tokens(setting, key.error());
  return jose::KeySet(std::move(*key));
}

base::Result<jose::KeySet> load_keys(const config::TokenKeys& settings, jose::AlgorithmSet algorithms) {
  if (!settings.secret.empty()) return one_key("secret", jose::Key::from_secret(settings.secret, algorithms));
  if (!settings.secret_file.empty()) {
    const auto text = read_key_file("secret_file", settings.secret_file);
    if (!text) return text.error();
    return one_key("secret_file", jose::Key::from_secret(without_line_end(*text), algorithms));
  }
  if (!settings.key_file.empty()) {
    const auto text = read_key_file("key_file", settings.key_file);
    if (!text) return text.error();
    return one_key("key_file", jose::Key::from_pem(*text, algorithms));
  }
  const auto text = read_key_file("jwks_file", settings.jwks_file);
  if (!text) return text.error();
  auto keys = jose::KeySet::from_jwks(*text, algorithms, jose::JwksOrigin::file);
  if (!keys) return in_tokens("jwks_file", keys.error());
  return keys;
}

}  // namespace

base::Result<std::unique_ptr<TokenSource>> TokenSource::load(
    const config::TokenKeys& settings,
    const std::function<KeySource&(const std::string& url, jose::AlgorithmSet algorithms)>& open_url) {
  std::unique_ptr<TokenSource> source(new TokenSource);
  for (const std::string& name : settings.algorithms) {
    const auto algorithm = jose::algorithm_from(name);
    if (!algorithm) return base::Error{"auth.tokens: unknown algorithm " + name};
    source->algorithms_.add(*algorithm);
  }
  source->expected_.issuer = settings.issuer;
  source->expected_.audience = settings.audience;
  if (!settings.jwks_url.empty()) {
    source->url_ = &open_url(settings.jwks_url, source->algorithms_);
    return source;
  }
  auto keys = load_keys(settings, source->algorithms_);
  if (!keys) return keys.error();
  source->keys_ = std::move(*keys);
  return source;
}

base::Result<jose::Claims, Refusal> TokenSource::verify(const jose::ParsedToken& token, std::int64_t now_s,
                                                        std::int64_t leeway_s) {
  const jose::KeySet* const keys = url_ != nullptr ? url_->current() : &keys_;
  if (keys == nullptr) {
    return Refusal{Refusal::Code::unavailable, "the keys of auth.tokens (jwks_url) are not there yet"};
  }
  expected_.leeway_s = leeway_s;
  expected_.now_s = now_s;
  return jose::verify(token, *keys, expected_);
}

}  // namespace roomcast::auth
