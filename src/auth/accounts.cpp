#include "auth/accounts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "auth/users_file_edit.h"
#include "base/address_block.h"
#include "base/digest.h"
#include "base/string_hash.h"

namespace roomcast::auth {

namespace {

using Code = base::Refusal::Code;

constexpr std::int64_t look_interval_ms = 1'000;
constexpr std::size_t secret_file_bytes_max = 4'096;

/// What a sign-in is compared with where there is no user at all, for the same time.
const PasswordHash& nobodys_password() {
  static const PasswordHash hash =
      PasswordHash::parse(
          "$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
          .value();
  return hash;
}

base::Error file_error(const std::string& path, int error) {
  return {"auth.cookie_secret_file: " + path + ": " + std::strerror(error)};
}

/// Creates the file with a random secret; true if it exists afterwards.
bool make_secret_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return errno == EEXIST;
  std::string secret;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t bits = base::random_u64();
    secret.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  std::string text = base::base64_encode(secret) + '\n';
  const ssize_t written = ::write(file, text.data(), text.size());
  const bool ok = written == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  if (!ok) ::unlink(path.c_str());
  errno = error;
  return ok;
}

access::Profile profile_of(const User& user, const SessionClaims& claims) {
  access::Profile profile;
  profile.proof = access::Proof::cookie;
  profile.id = user.id;
  profile.name = user.name;
  profile.roles = user.roles;
  profile.token_id = claims.token_id;
  profile.issued_s = claims.issued_s;
  profile.expires_s = claims.expires_s;
  return profile;
}

base::Refusal signed_out() { return {Code::unauthorized, "nobody is signed in: there is no session cookie"}; }

base::Refusal wrong() { return {Code::login_failed, "the user or the password is wrong"}; }

base::Refusal busy() {
  return {Code::overloaded, "too many are signing in at the moment: try again in some seconds", 2'000};
}

}  // namespace

Accounts::Accounts(loop::Loop& loop, base::Log& log) : loop_(loop), log_(log), worker_(loop) {}

std::optional<base::Error> Accounts::load(const Settings& settings) {
  loaded_.reset();
  if (settings.users_file.empty()) return std::nullopt;
  const FileVersion version = version_of(settings.users_file);
  const auto text = read_users_text(settings.users_file);
  if (!text) return base::Error{"auth.users_file: " + text.error().message};
  auto users = Users::parse(*text);
  if (!users) return base::Error{"auth.users_file: " + settings.users_file + ": " + users.error().message};
  // A reload goes on with the random secret.
  if (settings.secret_file.empty() && exist() && secret_file_in_use_.empty()) {
    loaded_ = Loaded{*std::move(users), version, tokens_};
    return std::nullopt;
  }
  auto tokens = load_secret(settings.secret_file);
  if (!tokens) return tokens.error();
  loaded_ = Loaded{*std::move(users), version, *std::move(tokens)};
  return std::nullopt;
}

void Accounts::apply(const Settings& settings) {
  const bool had_accounts = exist();
  settings_ = settings;
  worker_.set_limits(settings.hashing);
  if (!loaded_) return;
  users_ = std::move(loaded_->users);
  version_ = loaded_->version;
  tokens_ = std::move(loaded_->tokens);
  secret_file_in_use_ = settings.secret_file;
  loaded_.reset();
  if (users_.all().empty())
    log_.warn("the users file has no users: roomcast user add makes one", {{"file", settings.users_file}});
  if (settings.secret_file.empty() && !had_accounts)
    log_.info("sessions of users end when the server does: auth.cookie_secret_file keeps them");
}

Accounts::FileVersion Accounts::version_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, status.st_size,
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

base::Result<SessionTokens> Accounts::load_secret(const std::string& path) {
  if (path.empty()) return SessionTokens();
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 && errno == ENOENT) {
    if (!make_secret_file(path)) return file_error(path, errno);
    file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  }
  if (file < 0) return file_error(path, errno);
  std::string secret(secret_file_bytes_max, '\0');
  const ssize_t size = ::read(file, secret.data(), secret.size());
  const int error = errno;
  ::close(file);
  if (size < 0) return file_error(path, error);
  secret.resize(static_cast<std::size_t>(size));
  if (secret.size() >= SessionTokens::secret_bytes_min) return SessionTokens(std::move(secret));
  return base::Error{"auth.cookie_secret_file: " + path + ": a secret has at least 32 bytes"};
}

void Accounts::read_users_if_changed() {
  looked_at_ms_ = loop_.monotonic_ms();
  const FileVersion version = version_of(settings_.users_file);
  if (version == version_) return;
  version_ = version;  // also if it is broken: one log line for each version
  auto text = read_users_text(settings_.users_file);
  auto users = text ? Users::parse(*text) : base::Result<Users>(text.error());
  if (!users) {
    log_.error("the users file cannot be used: the users stay as they were",
               {base::LogField::whole("file", settings_.users_file),
                base::LogField::whole("problem", users.error().message)});
    return;
  }
  users_ = *std::move(users);
  log_.info("the users file was read again", {{"users", users_.all().size()}});
}

base::SlotId Accounts::sign_in(std::string_view user, std::string password, std::string_view address,
                               const Done& done) {
  read_users_if_changed();
  const std::string block = base::address_block(address, settings_.ipv6_prefix);
  const std::int64_t now_ms = loop_.monotonic_ms();
  if (const auto wait_ms = limits_.take(user, block, now_ms)) {
    ++stats_.rate_limited;
    done(base::Refusal{Code::rate_limited, "too many tries to sign in: wait before the next one",
                       static_cast<std::uint32_t>(*wait_ms)});
    return {};
  }
  const User* const known = users_.find(user);
  const User* const compared = users_.find_or_stand_in(user);
  const PasswordHash& hash = compared == nullptr ? nobodys_password() : compared->password;
  std::string fingerprint = known == nullptr ? std::string() : hash.fingerprint();
  const auto id = worker_.check(hash, std::move(password),
                                [this, done, name = std::string(user), fingerprint = std::move(fingerprint),
                                 client = std::string(address)](std::optional<bool> matches) {
                                  done(finish(name, fingerprint, client, matches));
                                });
  if (id) return *id;
  limits_.give_back(user, block, now_ms);
  ++stats_.overloaded;
  done(busy());
  return {};
}

/// `fingerprint`: of the password that the user had at the beginning; empty if there was no such user.
Accounts::Result Accounts::finish(const std::string& user, const std::string& fingerprint,
                                  const std::string& address, std::optional<bool> matches) {
  const std::string block = base::address_block(address, settings_.ipv6_prefix);
  if (!matches) {
    limits_.give_back(user, block, loop_.monotonic_ms());
    ++stats_.overloaded;
    return busy();
  }
  const User* const known = users_.find(user);
  const bool is_right =
      *matches && !fingerprint.empty() && known != nullptr && known->password.fingerprint() == fingerprint;
  if (!is_right) {
    ++stats_.failed;
    // What was typed for a user that does not exist may be a password.
    log_.info("sign-in refused", {{"peer", address}, {"user", known == nullptr ? "unknown" : user}});
    return wrong();
  }
  limits_.succeed(user, block, loop_.monotonic_ms());
  ++stats_.succeeded;
  log_.info("signed in", {{"peer", address}, {"user", user}});
  return issue(*known);
}

Accounts::SignedIn Accounts::issue(const User& user) {
  const std::int64_t life_s = settings_.session_ms / 1'000;
  SessionClaims claims{user.id, user.password.fingerprint(), {}, now_s(), now_s() + life_s};
  std::string cookie = tokens_.issue(claims);
  return {profile_of(user, claims), std::move(cookie), life_s};
}

base::Result<access::Profile, base::Refusal> Accounts::verify(std::string_view cookie) {
  if (cookie.empty() || !exist()) return signed_out();
  const auto claims = tokens_.verify(cookie, now_s());
  if (!claims) return claims.error();
  if (signed_out_.find(base::StringHash{}(claims->token_id)) != nullptr)
    return base::Refusal{Code::token_revoked, "this session was ended by signing out"};
  if (loop_.monotonic_ms() - looked_at_ms_ >= look_interval_ms) read_users_if_changed();
  const User* const user = users_.find(claims->user);
  if (user == nullptr)
    return base::Refusal{Code::token_revoked, "there is no user " + claims->user + " any more"};
  if (user->password.fingerprint() != claims->fingerprint) {
    return base::Refusal{Code::token_revoked,
                         "the password of user " + claims->user + " was changed: sign in again"};
  }
  return profile_of(*user, *claims);
}

Accounts::Result Accounts::renew(std::string_view cookie) {
  const auto profile = verify(cookie);
  if (!profile) return profile.error();
  return issue(*users_.find(profile->id));
}

void Accounts::sign_out(std::string_view cookie) {
  const auto profile = verify(cookie);
  if (!profile) return;
  signed_out_.use(base::StringHash{}(profile->token_id), 0) = true;
  log_.info("signed out", {{"user", profile->id}});
  if (on_sign_out_) on_sign_out_(*profile);
}

}  // namespace roomcast::auth
