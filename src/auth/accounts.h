#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/identity.h"
#include "auth/login_limits.h"
#include "auth/password_worker.h"
#include "auth/session_tokens.h"
#include "auth/users_file.h"
#include "base/log.h"
#include "base/refusal.h"
#include "base/result.h"
#include "loop/loop.h"

namespace roomcast::auth {

/// The name of the cookie where `auth.cookie` does not say another.
inline constexpr std::string_view default_cookie = "roomcast";

/// Users who sign in here with a password: those of the users file. Who is signed in shows a cookie, which is
/// a token that this class has issued.
///
/// The users file is read again when it has changed: looked at whenever somebody signs in, and at most once a
/// second when cookies are verified. A cookie ends with its user or its password.
class Accounts {
 public:
  struct Settings {
    std::string users_file;              ///< empty: there are no accounts
    std::string cookie{default_cookie};  ///< its name
    std::string secret_file;             ///< of the cookies' signatures; empty: a random secret
    std::int64_t session_ms = 43'200'000;
    unsigned ipv6_prefix = 64;  ///< bits that count as one address
    PasswordWorker::Limits hashing;
  };
  /// Who has signed in.
  struct SignedIn {
    access::Profile profile;
    std::string cookie;  ///< the value
    std::int64_t expires_in_s = 0;
  };
  using Result = base::Result<SignedIn, base::Refusal>;
  using Done = std::function<void(const Result& result)>;
  struct Stats {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;        ///< wrong user or wrong password
    std::uint64_t rate_limited = 0;  ///< past LoginLimits
    std::uint64_t overloaded = 0;    ///< too many waited, or there was no memory
  };

  /// Both outlive it.
  Accounts(loop::Loop& loop, base::Log& log);
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  /// Reads the files, for `apply`. An error names the file. A secret file that does not exist is made.
  [[nodiscard]] std::optional<base::Error> load(const Settings& settings);
  /// Takes over `settings` and what was loaded last.
  void apply(const Settings& settings);
  /// Is called with the identity of one that signs out: its token is good no longer.
  void set_on_sign_out(std::function<void(const access::Profile&)> hook) { on_sign_out_ = std::move(hook); }

  /// Whether there are accounts.
  [[nodiscard]] bool exist() const { return !settings_.users_file.empty(); }
  /// Whether there is one of that name.
  [[nodiscard]] bool has(std::string_view user) const { return users_.find(user) != nullptr; }
  [[nodiscard]] const std::string& cookie_name() const { return settings_.cookie; }

  /// Checks the password on another thread; `done` is called from the loop, or from within the call if it is
  /// refused at once, and then the id is one of nothing. `address`: of the client.
  [[nodiscard]] base::SlotId sign_in(std::string_view user, std::string password, std::string_view address,
                                     const Done& done);
  /// `done` is not called any more.
  void cancel(base::SlotId id) { worker_.cancel(id); }
  /// Whose cookie this is: `unauthorized`, `bad_token`, `token_expired` or `token_revoked` otherwise.
  [[nodiscard]] base::Result<access::Profile, base::Refusal> verify(std::string_view cookie);
  /// A new cookie, good for as long as one of signing in, for one that is good.
  [[nodiscard]] Result renew(std::string_view cookie);
  /// The cookie is good no longer. In memory only: with `secret_file` it would be again after a restart.
  void sign_out(std::string_view cookie);

  [[nodiscard]] const Stats& stats() const { return stats_; }
  [[nodiscard]] const PasswordWorker& worker() const { return worker_; }

 private:
  /// What tells two versions of a file apart.
  struct FileVersion {
    std::uint64_t inode = 0;
    std::int64_t bytes = -1;
    std::int64_t changed_ns = 0;
    friend bool operator==(const FileVersion&, const FileVersion&) = default;
  };
  struct Loaded {
    Users users;
    FileVersion version;
    SessionTokens tokens;
  };
  [[nodiscard]] static FileVersion version_of(const std::string& path);
  [[nodiscard]] base::Result<SessionTokens> load_secret(const std::string& path);
  void read_users_if_changed();
  [[nodiscard]] Result finish(const std::string& user, const std::string& fingerprint,
                              const std::string& address, std::optional<bool> matches);
  [[nodiscard]] SignedIn issue(const User& user);
  [[nodiscard]] std::int64_t now_s() const { return loop_.wall_ms() / 1'000; }

  loop::Loop& loop_;
  base::Log& log_;
  Settings settings_;
  std::optional<Loaded> loaded_;  // for the next apply
  Users users_;
  FileVersion version_;
  std::int64_t looked_at_ms_ = 0;
  SessionTokens tokens_;
  std::string secret_file_in_use_;
  LoginLimits limits_;
  /// By the hash of their `jti`: the last 20,000 that were signed out, at least.
  RecentMap<bool> signed_out_{40'000, std::numeric_limits<std::int64_t>::max()};
  Stats stats_;
  std::function<void(const access::Profile&)> on_sign_out_;
  PasswordWorker worker_;  // the last: what it calls uses the rest
};

}  // namespace roomcast::auth
