#include "auth/authenticator.h"

#include <algorithm>
#include <utility>

#include "access/claims.h"
#include "auth/key_profile.h"
#include "base/digest.h"
#include "base/text.h"
#include "jose/token.h"

namespace roomcast::auth {

namespace {

using base::Refusal;
using Code = Refusal::Code;

// Verified at once before others have to wait: some fifty tokens with ES256.
constexpr std::int64_t verifying_most_us = 4'000;
// One slice.
constexpr std::int64_t slice_us = 250;

// Users of a directory are in more groups than an issuer puts into tokens (access::roles_max).
constexpr std::size_t proxy_groups_max = 100;

/// Whether other keys might change the verdict.
bool needs_keys(const Verdict& verdict) {
  return !verdict && (verdict.error().code == Code::unknown_key || verdict.error().code == Code::unavailable);
}

/// How far a token got: of the refusals of several sources that of the furthest is given.
int progress(Code code) {
  switch (code) {
    case Code::unknown_key:
      return 1;
    case Code::unavailable:
      return 2;
    case Code::bad_token:
      return 0;
    default:  // its signature is right
      return 3;
  }
}

/// `{"` in base64url.
constexpr std::string_view begin_of_tokens = "eyJ";

/// API keys are any text; a token has three parts.
bool looks_like_token(std::string_view text) { return std::count(text.begin(), text.end(), '.') == 2; }

/// HEX of "sha256:HEX", as base::sha256_hex writes it.
std::string hash_of(std::string_view configured) {
  return base::lower_case(configured.substr(configured.find(':') + 1));
}

}  // namespace

Authenticator::Authenticator(Parts parts)
    : parts_(std::move(parts)), verifying_(parts_.clock, verifying_most_us) {}

Authenticator::~Authenticator() = default;

std::optional<base::Error> Authenticator::load(const config::Config& config) {
  Loaded loaded;
  for (const config::TokenKeys& settings : config.auth.tokens) {
    auto source = TokenSource::load(
        settings, [this](const std::string& url, jose::AlgorithmSet algorithms) -> KeySource& {
          return open_url(url, algorithms);
        });
    if (!source) return source.error();
    loaded.sources.push_back(std::move(*source));
  }
  for (const config::ApiKey& key : config.auth.keys)
    loaded.keys.push_back({hash_of(key.hash), identity_of(key), key});
  next_ = std::move(loaded);
  return std::nullopt;
}

void Authenticator::apply(const config::Config& config) {
  const bool has_accounts = !config.auth.users_file.empty();
  const std::string& cookie = config.auth.cookie;
  names_ = {cookie.empty() && has_accounts ? std::string(default_cookie) : cookie,
            config.auth.proxy_user_header, config.auth.proxy_groups_header, config.auth.proxy_name_header};
  leeway_s_ = config.auth.leeway_ms / 1'000;
  if (!next_) return;
  loaded_ = *std::exchange(next_, std::nullopt);
  verified_.clear();
  std::erase_if(urls_, [this](const Url& url) {
    return std::none_of(loaded_.sources.begin(), loaded_.sources.end(),
                        [&url](const auto& source) { return source->url() == url.keys.get(); });
  });
  // Keys that were being fetched for them are those of a source that has gone.
  fetches_ = 0;
  ++generation_;
  on_keys_fetched(generation_);
}

access::Identity Authenticator::identity_of(const config::ApiKey& key) const {
  // A key that has not changed stays the same identity: its clients stay.
  for (const ApiKey& known : loaded_.keys) {
    if (known.settings == key) return known.identity;
  }
  return access::Identity(key_profile(key));
}

std::optional<Refusal> Authenticator::check_again(const access::Identity& identity) const {
  if (identity.kind() == access::Kind::key) {
    const bool is_known = std::any_of(loaded_.keys.begin(), loaded_.keys.end(),
                                      [&](const ApiKey& key) { return key.identity == identity; });
    if (!is_known) return Refusal{Code::bad_api_key, "the API key was changed or removed"};
  }
  if (identity.proof() == access::Proof::cookie && accounts_ != nullptr && !accounts_->has(identity.id()))
    return Refusal{Code::token_revoked, "the account is gone"};
  return std::nullopt;
}

bool Authenticator::takes_tokens() const {
  return !loaded_.sources.empty() || !loaded_.keys.empty() || (accounts_ != nullptr && accounts_->exist());
}

KeySource& Authenticator::open_url(const std::string& url, jose::AlgorithmSet algorithms) {
  for (const Url& known : urls_) {
    if (known.url == url && known.algorithms == algorithms) return *known.keys;
  }
  auto keys = parts_.open_url(url, algorithms);
  keys->on_change([this] { verified_.clear(); });
  return *urls_.emplace_back(Url{url, algorithms, std::move(keys)}).keys;
}

const access::Identity* Authenticator::find_key(std::string_view text) const {
  if (loaded_.keys.empty()) return nullptr;
  const std::string hash = base::sha256_hex(text);
  const access::Identity* found = nullptr;
  // All are compared, in constant time.
  for (const ApiKey& key : loaded_.keys) {
    if (base::equal_in_constant_time(key.hash, hash)) found = &key.identity;
  }
  return found;
}

std::optional<Verdict> Authenticator::look_up(std::string_view text) {
  const bool may_be_token = looks_like_token(text);
  // What a key is costs a digest, which the many that show tokens need not wait for: see verify.
  if (!may_be_token || loaded_.sources.empty()) {
    if (const access::Identity* const key = find_key(text)) return Verdict(*key);
  }
  if (!may_be_token) {
    // What begins like a token was cut off, or is encrypted: that is said instead.
    if (text.starts_with(begin_of_tokens)) {
      if (auto token = jose::parse(text); !token) return Verdict(std::move(token.error()));
    }
    if (loaded_.keys.empty()) {
      return Verdict(
          Refusal{Code::bad_token, "this is no token, and no API keys are configured (auth.keys)"});
    }
    return Verdict(Refusal{Code::bad_api_key, "no API key of auth.keys is this one"});
  }
  if (loaded_.sources.empty()) {
    return Verdict(Refusal{Code::bad_token, "no keys for tokens are configured (auth.tokens)"});
  }
  if (const access::Identity* const known = verified_.find(text, parts_.clock.wall_ms() / 1'000)) {
    ++stats_.remembered;
    return Verdict(*known);
  }
  return std::nullopt;
}

Verdict Authenticator::verify(std::string_view text) {
  const auto token = tokens_.parse(text);
  if (!token) {
    if (const access::Identity* const key = find_key(text)) return *key;
    return token.error();
  }
  const std::int64_t now_s = parts_.clock.wall_ms() / 1'000;
  std::optional<Refusal> refusal;
  for (const auto& source : loaded_.sources) {
    if (!source->accepts(token->algorithm())) continue;
    const auto claims = source->verify(*token, now_s, leeway_s_);
    if (!claims) {
      if (!refusal || progress(claims.error().code) > progress(refusal->code)) refusal = claims.error();
      continue;
    }
    auto profile = access::profile_from_claims(claims->object);
    if (!profile) return profile.error();
    const std::int64_t expires_s = profile->expires_s;
    access::Identity identity(std::move(*profile));
    verified_.insert(text, identity, expires_s == 0 ? 0 : expires_s + leeway_s_);
    return identity;
  }
  if (refusal) return *std::move(refusal);
  return Refusal{Code::bad_token, "no element of auth.tokens is for the algorithm " +
                                      std::string(jose::to_string(token->algorithm()))};
}

Verdict Authenticator::trust_proxy(const Credentials& credentials) {
  access::Profile profile;
  profile.proof = access::Proof::proxy_header;
  profile.id = credentials.text;
  profile.name = credentials.name;
  if (!access::is_profile_text(profile.id, access::Profile::id_bytes_max)) {
    return Refusal{Code::bad_token,
                   "the header of auth.proxy_user_header must be UTF-8 of at most 100 bytes"};
  }
  if (!profile.name.empty() && !access::is_profile_text(profile.name, access::name_bytes_max)) {
    return Refusal{Code::bad_token,
                   "the header of auth.proxy_name_header must be UTF-8 of at most 100 bytes"};
  }
  for (const std::string_view group : base::list_elements(credentials.groups)) {
    if (group.empty()) continue;
    if (profile.roles.size() == proxy_groups_max ||
        !access::is_profile_text(group, access::Profile::id_bytes_max)) {
      return Refusal{Code::bad_token,
                     "the header of auth.proxy_groups_header must have at most 100 groups, each UTF-8 of at "
                     "most 100 bytes"};
    }
    profile.roles.emplace_back(group);
  }
  return access::Identity(std::move(profile));
}

Verdict Authenticator::conclude(Verdict verdict) {
  if (verdict) {
    if (auto revoked = parts_.control.sanctions.revocation_of(*verdict)) verdict = *std::move(revoked);
  }
  ++(verdict ? stats_.accepted : stats_.refused);
  return verdict;
}

std::optional<Verdict> Authenticator::identify(const Credentials& credentials) {
  using From = Credentials::From;
  if (credentials.from == From::nothing) return Verdict(access::Identity());
  if (credentials.from == From::proxy) return conclude(trust_proxy(credentials));
  if (credentials.from == From::cookie && accounts_ != nullptr &&
      SessionTokens::looks_like_one(credentials.text)) {
    auto profile = accounts_->verify(credentials.text);
    return conclude(profile ? Verdict(access::Identity(std::move(*profile))) : Verdict(profile.error()));
  }
  // Without any configuration a token is for somebody else: a proxy, or a backend behind the page.
  if (!takes_tokens()) return Verdict(access::Identity());
  if (auto verdict = look_up(credentials.text)) return conclude(*std::move(verdict));
  if (!queue_.empty() || !verifying_.has_some()) return std::nullopt;
  std::optional<Verdict> verdict;
  verifying_.spend_on([&] { verdict = verify(credentials.text); });
  if (needs_keys(*verdict) && has_urls()) return std::nullopt;
  return conclude(*std::move(verdict));
}

void Authenticator::identify_later(Credentials credentials, Done done) {
  take_turn({std::move(credentials.text), std::move(done)});
}

void Authenticator::authenticate(std::string_view token, Done done) {
  Credentials credentials{Credentials::From::bearer, std::string(token)};
  if (const auto verdict = identify(credentials)) return done(*verdict);
  identify_later(std::move(credentials), std::move(done));
}

void Authenticator::take_turn(Waiting waiting) {
  queue_.push_back(std::move(waiting));
  parts_.scheduler.wake();
}

bool Authenticator::do_slice() {
  const std::int64_t until_us = parts_.clock.monotonic_us() + slice_us;
  bool has_time = true;
  for (; has_time && !queue_.empty(); has_time = parts_.clock.monotonic_us() < until_us) {
    Waiting waiting = std::move(queue_.front());
    queue_.pop_front();
    std::optional<Verdict> verdict = look_up(waiting.text);
    if (!verdict) verdict = verify(waiting.text);
    if (needs_keys(*verdict) && has_urls() && !waiting.has_fetched) {
      fetch_keys_for(std::move(waiting));
      continue;
    }
    waiting.done(conclude(*std::move(verdict)));
  }
  return !queue_.empty();
}

bool Authenticator::has_urls() const {
  return std::any_of(loaded_.sources.begin(), loaded_.sources.end(),
                     [](const auto& source) { return source->url() != nullptr; });
}

void Authenticator::fetch_keys_for(Waiting waiting) {
  waiting.has_fetched = true;
  awaiting_keys_.push_back(std::move(waiting));
  if (fetches_ > 0) return;
  const std::uint64_t generation = generation_;
  // One more than there are, so that those that end at once do not end the wait.
  fetches_ = 1;
  for (const auto& source : loaded_.sources) {
    if (source->url() == nullptr) continue;
    ++fetches_;
    source->url()->refresh([this, generation] { on_keys_fetched(generation); });
  }
  on_keys_fetched(generation);
}

void Authenticator::on_keys_fetched(std::uint64_t generation) {
  if (generation != generation_) return;
  if (fetches_ > 0 && --fetches_ > 0) return;
  for (Waiting& waiting : std::exchange(awaiting_keys_, {}))
    take_turn(std::move(waiting));
}

}  // namespace roomcast::auth
