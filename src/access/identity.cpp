#include "access/identity.h"

#include <algorithm>
#include <limits>
#include <memory>

namespace roomcast::access {

namespace {

/// What few identities have: kept apart, so that the others are small.
struct RareClaims {
  std::string info;
  std::vector<std::string> roles;
  std::vector<Grant> grants;
  std::string only_room;
  std::string token_id;

  [[nodiscard]] bool empty() const {
    return info.empty() && roles.empty() && grants.empty() && only_room.empty() && token_id.empty();
  }
};

const RareClaims no_claims;

/// Unix times that fit into 32 bits; later ones, from the year 2106 on, are the last of them.
std::uint32_t seconds_of(std::int64_t unix_s) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(unix_s, 0, UINT32_MAX));
}

std::string principal_of(const Profile& profile) {
  const std::string_view id = std::string_view(profile.id).substr(0, Profile::id_bytes_max);
  return std::string(profile.kind == Kind::key ? "key:" : "user:").append(id);
}

}  // namespace

/// All identities together hold one reference to the block; others may outlive them.
struct Identity::Shared final : base::NameBlock {
  Shared(const Texts& texts, const Profile& profile)
      : NameBlock(texts),
        kind(profile.kind),
        proof(profile.proof),
        issued_s(seconds_of(profile.issued_s)),
        expires_s(seconds_of(profile.expires_s)) {}

  Kind kind : 4;
  Proof proof : 4;
  std::uint32_t identities = 1;
  std::uint32_t issued_s;
  std::uint32_t expires_s;
  const RareClaims* rare = nullptr;  // owned by the identities

  [[nodiscard]] const RareClaims& claims() const { return rare != nullptr ? *rare : no_claims; }
};

Identity::Identity(Profile&& profile) {
  const std::string_view name = profile.name.empty() ? profile.id : profile.name;
  shared_ = base::NameBlock::make<Shared>(name, principal_of(profile), std::as_const(profile));
  RareClaims rare{std::move(profile.info), std::move(profile.roles), std::move(profile.grants),
                  std::move(profile.only_room), std::move(profile.token_id)};
  if (!rare.empty()) shared_->rare = std::make_unique<const RareClaims>(std::move(rare)).release();
}

Kind Identity::kind() const { return shared_ == nullptr ? Kind::anonymous : shared_->kind; }
Proof Identity::proof() const { return shared_ == nullptr ? Proof::none : shared_->proof; }

std::string_view Identity::id() const {
  const std::string_view whole = principal_text();
  return whole.substr(whole.find(':') + 1);
}

std::string_view Identity::name() const { return shared_ == nullptr ? std::string_view{} : shared_->name(); }

std::string_view Identity::principal_text() const {
  return shared_ == nullptr ? std::string_view{} : shared_->principal();
}

base::NameRef Identity::name_block() const { return base::NameRef(shared_); }

std::string_view Identity::info() const {
  return shared_ == nullptr ? std::string_view{} : std::string_view(shared_->claims().info);
}
const std::vector<std::string>& Identity::roles() const {
  return shared_ == nullptr ? no_claims.roles : shared_->claims().roles;
}
const std::vector<Grant>& Identity::grants() const {
  return shared_ == nullptr ? no_claims.grants : shared_->claims().grants;
}
std::string_view Identity::only_room() const {
  return shared_ == nullptr ? std::string_view{} : std::string_view(shared_->claims().only_room);
}
std::string_view Identity::token_id() const {
  return shared_ == nullptr ? std::string_view{} : std::string_view(shared_->claims().token_id);
}
std::int64_t Identity::issued_s() const { return shared_ == nullptr ? 0 : shared_->issued_s; }
std::int64_t Identity::expires_s() const { return shared_ == nullptr ? 0 : shared_->expires_s; }

std::int64_t Identity::left_ms(std::int64_t wall_ms, std::int64_t leeway_ms) const {
  if (expires_s() <= 0) return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(0, expires_s() * 1'000 + leeway_ms - wall_ms);
}

bool Identity::has_role(std::string_view role) const {
  const auto& all = roles();
  return std::find(all.begin(), all.end(), role) != all.end();
}

std::string Identity::principal() const {
  return shared_ == nullptr ? "anyone" : std::string(shared_->principal());
}

std::size_t Identity::held_bytes() const {
  if (shared_ == nullptr) return 0;
  std::size_t bytes = shared_->bytes();
  if (shared_->rare == nullptr) return bytes;
  const RareClaims& claims = *shared_->rare;
  bytes += sizeof(RareClaims) + claims.info.size() + claims.only_room.size() + claims.token_id.size();
  for (const std::string& role : claims.roles)
    bytes += sizeof(std::string) + role.size();
  // A pattern with several stars holds 8 KiB for each 64 bytes between them; most hold a few hundred bytes.
  return bytes + claims.grants.size() * sizeof(Grant);
}

void Identity::retain() const noexcept {
  if (shared_ != nullptr) ++shared_->identities;
}

void Identity::release() noexcept {
  if (shared_ == nullptr || --shared_->identities != 0) return;
  const std::unique_ptr<const RareClaims> freed(std::exchange(shared_->rare, nullptr));
  shared_->release();
}

}  // namespace roomcast::access
