#include "access/identity.h"

#include <algorithm>
#include <memory>
#include <new>

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

}  // namespace

/// Followed by id and name in the same allocation.
struct Identity::Shared {
  std::unique_ptr<const RareClaims> rare;
  std::int64_t issued_s;
  std::int64_t expires_s;
  std::uint32_t references = 1;
  std::uint16_t name_bytes;
  std::uint8_t id_bytes;
  Kind kind : 4;
  Proof proof : 4;

  [[nodiscard]] const char* texts() const { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] const RareClaims& claims() const { return rare ? *rare : no_claims; }
};

Identity::Identity(Profile&& profile) {
  const std::string_view id = std::string_view(profile.id).substr(0, Profile::id_bytes_max);
  const std::string_view name = std::string_view(profile.name).substr(0, UINT16_MAX);
  RareClaims rare{std::move(profile.info), std::move(profile.roles), std::move(profile.grants),
                  std::move(profile.only_room), std::move(profile.token_id)};
  void* const memory = ::operator new(sizeof(Shared) + id.size() + name.size());
  shared_ = new (memory) Shared{
      rare.empty() ? nullptr : std::make_unique<const RareClaims>(std::move(rare)),
      profile.issued_s,
      profile.expires_s,
      1,
      static_cast<std::uint16_t>(name.size()),
      static_cast<std::uint8_t>(id.size()),
      profile.kind,
      profile.proof,
  };
  char* const texts = static_cast<char*>(memory) + sizeof(Shared);
  std::copy(id.begin(), id.end(), texts);
  std::copy(name.begin(), name.end(), texts + id.size());
}

Kind Identity::kind() const { return shared_ == nullptr ? Kind::anonymous : shared_->kind; }
Proof Identity::proof() const { return shared_ == nullptr ? Proof::none : shared_->proof; }

std::string_view Identity::id() const {
  return shared_ == nullptr ? std::string_view{} : std::string_view(shared_->texts(), shared_->id_bytes);
}

std::string_view Identity::name() const {
  if (shared_ == nullptr || shared_->name_bytes == 0) return id();
  return {shared_->texts() + shared_->id_bytes, shared_->name_bytes};
}

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

bool Identity::has_role(std::string_view role) const {
  const auto& all = roles();
  return std::find(all.begin(), all.end(), role) != all.end();
}

std::string Identity::principal() const {
  if (shared_ == nullptr) return "anyone";
  return std::string(kind() == Kind::key ? "key:" : "user:").append(id());
}

std::size_t Identity::held_bytes() const {
  if (shared_ == nullptr) return 0;
  std::size_t bytes = sizeof(Shared) + shared_->id_bytes + shared_->name_bytes;
  if (!shared_->rare) return bytes;
  const RareClaims& claims = *shared_->rare;
  bytes += sizeof(RareClaims) + claims.info.size() + claims.only_room.size() + claims.token_id.size();
  for (const std::string& role : claims.roles)
    bytes += sizeof(role) + role.size();
  // A pattern with several stars holds 8 KiB for each 64 bytes between them; most hold a few hundred bytes.
  return bytes + claims.grants.size() * sizeof(Grant);
}

void Identity::retain() const noexcept {
  if (shared_ != nullptr) ++shared_->references;
}

void Identity::release() noexcept {
  if (shared_ == nullptr || --shared_->references != 0) return;
  std::destroy_at(shared_);
  ::operator delete(shared_);
}

}  // namespace roomcast::access
