// Who the client is: shown with its connection, or later by a command; until when; and what that means for
// the rooms that it is in.
#include <string>
#include <utility>
#include <vector>

#include "session/credential.h"
#include "session/lifecycle.h"
#include "session/room_set.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

using Code = base::Refusal::Code;

access::Identity Session::identity() const {
  return credential_ ? credential_->identity() : access::Identity();
}

void Session::set_identity(const access::Identity& identity) {
  if (credential_) {
    credential_->renew(identity);
  } else {
    credential_ = std::make_unique<Credential>(*this, identity);
    table_.users().add(*credential_);
    table_.service().begin_connection(identity);
  }
  credential_->watch_expiry(can_refresh());
}

void Session::recheck_expiry() {
  if (credential_) credential_->recheck_expiry(can_refresh());
}

bool Session::can_refresh() const { return takes_requests() && encoder_->dialect().can_authenticate(); }

void Session::set_author(std::string_view name) {
  // Most clients are nobody in particular, or who their identity says, and cost nothing for it.
  const bool is_plain = name.empty() || (credential_ && credential_->identity().kind() == access::Kind::user);
  if (extras_ || !is_plain) extras().author = service::author_of(identity(), name);
}

hub::Author Session::author() const {
  if (extras_) return extras_->author;
  return credential_ ? service::author_of(credential_->identity(), {}) : hub::Author();
}

void Session::end_credential() {
  if (!credential_) return;
  credential_->stop();
  table_.users().remove(*credential_);
}

void Session::run(const dialect::Authenticate& request) {
  access::Authenticator* const authenticator = table_.authenticator();
  if (authenticator == nullptr) {
    return refuse(request.id,
                  {Code::unauthorized, "this server takes no tokens: auth.tokens and auth.keys are empty"});
  }
  // Tokens are not to be guessed faster here than elsewhere.
  if (const auto refusal = table_.service().take_request(caller())) return refuse(request.id, *refusal);
  authenticates_ = true;
  authenticator->authenticate(request.token,
                              [&table = table_, session = id_, id = base::Bytes::copy_of(request.id)](
                                  const base::Result<access::Identity, base::Refusal>& shown) {
                                Session* const client = table.find(session);
                                if (client != nullptr) client->on_authenticated(id.view(), shown);
                              });
  // What the client asks for behind it is for the one that it is then.
  if (authenticates_) transport_->pause();
}

void Session::on_authenticated(dialect::RequestId id,
                               const base::Result<access::Identity, base::Refusal>& shown) {
  authenticates_ = false;
  if (has_begun_to_close()) return;
  if (may_read()) transport_->resume();
  if (!shown) return refuse(id, shown.error());
  if (const auto refusal = check_change(*shown)) return refuse(id, *refusal);
  const hub::Author before = author();
  set_identity(*shown);
  set_author(before.name());
  if (!(before == author())) for_each_membership([&](hub::Membership& one) { one.rename(author()); });
  const bool is_key = shown->kind() == access::Kind::key;
  const std::int64_t left = left_ms(*shown, table_);
  send_event(dialect::Authenticated{id, is_key ? std::string_view{} : shown->id(),
                                    is_key ? shown->id() : std::string_view{}, shown->name(),
                                    shown->expires_s() == 0 ? std::nullopt : std::optional(left)});
  if (state_ == State::opening) return admit();
  // It may have fewer rights than before.
  reconsider_rights();
}

std::optional<base::Refusal> Session::check_change(const access::Identity& next) const {
  if (next.is_anonymous())
    return base::Refusal{Code::unauthorized, "the token says nothing of who it is for"};
  if (!credential_) {
    if (!is_in_rooms()) return table_.check_connection(next);
    return base::Refusal{Code::already_subscribed,
                         "authenticate before the first room is joined, or connect with the token"};
  }
  const access::Identity& own = credential_->identity();
  if (own.kind() == next.kind() && own.id() == next.id()) return std::nullopt;
  return base::Refusal{Code::forbidden, "this connection is that of " + own.principal() +
                                            ": another identity needs a connection of its own"};
}

void Session::announce_expiry(std::int64_t left_ms) { send_event(dialect::Expires{left_ms}); }

bool Session::may_run_early(const dialect::Command& command) {
  if (conversation() != nullptr) {
    close(base::CloseReason::policy_violation, "the client has not been admitted yet");
    return false;
  }
  if (std::holds_alternative<dialect::Authenticate>(command) ||
      std::holds_alternative<dialect::Ping>(command)) {
    return true;
  }
  const dialect::RequestId id = std::visit([](const auto& request) { return request.id; }, command);
  refuse(id, {Code::unauthorized, "the room of this connection needs authenticate first"});
  return false;
}

void Session::reconsider_rights() {
  if (has_begun_to_close()) return;
  const service::Caller asking = caller();
  std::vector<std::pair<std::string, base::Refusal>> lost;
  for_each_membership([&](const hub::Membership& membership) {
    if (auto refusal = table_.service().check_stay(asking, membership))
      lost.emplace_back(membership.room_name(), *std::move(refusal));
  });
  for (const auto& [room, refusal] : lost) {
    if (has_begun_to_close()) return;
    leave_room(room, refusal);
  }
}

}  // namespace roomcast::session
