#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/authenticator.h"
#include "access/control.h"
#include "access/identity.h"
#include "auth/accounts.h"
#include "auth/credentials.h"
#include "auth/token_source.h"
#include "auth/verified_tokens.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/refusal.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "base/time_budget.h"
#include "config/config.h"
#include "jose/token.h"

namespace roomcast::auth {

/// Who the client is, or why it is refused.
using Verdict = base::Result<access::Identity, base::Refusal>;

struct AuthenticatorStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t remembered = 0;  ///< of the accepted, those whose token had been verified before
};

/// Finds out who a client is by what it shows: an API key, a token that a configured key has signed, the
/// cookie of a login, the header of a trusted proxy.
///
/// Verifying a signature takes up to 0.1 ms (ES256). It is done at once while there is time for it, else in
/// slices between other work, so that a storm of clients delays nobody by much; and once for each token, as
/// long as it is remembered.
class Authenticator final : public access::Authenticator, public base::SlicedWork {
 public:
  struct Parts {
    access::Control& control;
    const base::Clock& clock;
    base::Scheduler& scheduler;
    base::Log& log;
    /// Makes what fetches the keys of a `jwks_url`.
    std::function<std::unique_ptr<KeySource>(const std::string& url, jose::AlgorithmSet algorithms)> open_url;
  };
  /// All parts outlive it.
  explicit Authenticator(Parts parts);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;
  ~Authenticator();

  /// Whose users may show its cookies; outlives this.
  void set_accounts(Accounts& accounts) { accounts_ = &accounts; }

  /// Reads the keys that `config` names, for the next `apply`. An error names the key and the file.
  [[nodiscard]] std::optional<base::Error> load(const config::Config& config);
  /// Uses what was loaded. Tokens that wait are verified with the new keys.
  void apply(const config::Config& config);

  [[nodiscard]] const CredentialNames& names() const { return names_; }
  /// The verdict, if it can be had at once; else identify_later is to be called.
  [[nodiscard]] std::optional<Verdict> identify(const Credentials& credentials);
  /// `done` is called once, not from within the call, after a few seconds at most.
  void identify_later(Credentials credentials, Done done);
  void authenticate(std::string_view token, Done done) override;
  /// Why an identity that was given out before the last `apply` is good no longer, if so: its API key was
  /// changed or removed, or its account is gone.
  [[nodiscard]] std::optional<base::Refusal> check_again(const access::Identity& identity) const;
  bool do_slice() override;

  [[nodiscard]] const AuthenticatorStats& stats() const { return stats_; }
  /// Tokens that wait to be verified.
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }

 private:
  struct ApiKey {
    std::string hash;  // SHA-256 in lower-case hexadecimal
    access::Identity identity;
    config::ApiKey settings;
  };
  struct Loaded {
    std::vector<std::unique_ptr<TokenSource>> sources;
    std::vector<ApiKey> keys;
  };
  /// Keys of a URL, which a reload keeps: they may not be there a second time.
  struct Url {
    std::string url;
    jose::AlgorithmSet algorithms;
    std::unique_ptr<KeySource> keys;
  };
  struct Waiting {
    std::string text;
    Done done;
    bool has_fetched = false;  // the keys have been fetched for it
  };

  /// Whether anything is configured that a token could be checked against.
  [[nodiscard]] bool takes_tokens() const;
  [[nodiscard]] access::Identity identity_of(const config::ApiKey& key) const;
  [[nodiscard]] KeySource& open_url(const std::string& url, jose::AlgorithmSet algorithms);
  [[nodiscard]] const access::Identity* find_key(std::string_view text) const;
  /// What can be said without verifying a signature; nothing if that is needed.
  [[nodiscard]] std::optional<Verdict> look_up(std::string_view text);
  [[nodiscard]] Verdict verify(std::string_view text);
  [[nodiscard]] static Verdict trust_proxy(const Credentials& credentials);
  /// The last word: counts it, and refuses an identity that was revoked.
  [[nodiscard]] Verdict conclude(Verdict verdict);
  void take_turn(Waiting waiting);
  [[nodiscard]] bool has_urls() const;
  /// Has all keys that come from URLs fetched again; then the token takes its turn once more.
  void fetch_keys_for(Waiting waiting);
  void on_keys_fetched(std::uint64_t generation);

  Parts parts_;
  Accounts* accounts_ = nullptr;
  base::TimeBudget verifying_;
  CredentialNames names_;
  std::int64_t leeway_s_ = 0;
  std::optional<Loaded> next_;
  std::vector<Url> urls_;
  Loaded loaded_;
  jose::TokenReader tokens_;
  VerifiedTokens verified_;
  std::deque<Waiting> queue_;
  std::deque<Waiting> awaiting_keys_;
  std::size_t fetches_ = 0;       // under way for those
  std::uint64_t generation_ = 0;  // of loaded_
  AuthenticatorStats stats_;
};

}  // namespace roomcast::auth
