#include "access/sanction_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_object.h"
#include "base/name_pattern.h"
#include "base/text.h"

namespace roomcast::access {

namespace {

using base::Error;
using base::JsonKind;
using base::JsonObject;
using SanctionKind = Sanction::Kind;

constexpr std::size_t name_digits = 32;
constexpr std::uint64_t latest_s = 253'402'300'799;  // the end of the year 9999
constexpr std::array<std::string_view, 3> kind_names{"ban", "mute", "revocation"};
static_assert(kind_names.size() == static_cast<std::size_t>(SanctionKind::count_));
constexpr std::array<std::string_view, 10> member_names{"kind", "user",          "address", "jti",    "room",
                                                        "id",   "issued_before", "until",   "reason", "by"};

void append_text(std::string& json, std::string_view name, std::string_view value) {
  json.append(json.empty() ? "{\"" : ",\"").append(name).append("\":");
  base::append_json_string(json, value);
}

void append_number(std::string& json, std::string_view name, std::uint64_t value) {
  json.append(",\"").append(name).append("\":").append(std::to_string(value));
}

/// The members that tell it apart from others.
std::string subject_text(const Sanction& sanction) {
  std::string json;
  append_text(json, "kind", kind_names[static_cast<std::size_t>(sanction.kind)]);
  if (!sanction.user.empty()) append_text(json, "user", sanction.user);
  if (sanction.address) append_text(json, "address", sanction.address->text());
  if (!sanction.token_id.empty()) append_text(json, "jti", sanction.token_id);
  append_text(json, "room", sanction.rooms);
  return json;
}

/// Reads members; the first thing that is wrong is kept in `problem`.
class MemberReader {
 public:
  explicit MemberReader(const JsonObject& object) : object_(object) {
    for (const JsonObject::Member& member : object.members) {
      if (std::find(member_names.begin(), member_names.end(), member.name) == member_names.end())
        refuse("has an unknown member");
    }
  }

  /// Empty if there is none; else without control characters.
  std::string text(std::string_view name) {
    std::string text;
    const auto value = object_.find(name);
    if (!value) return text;
    value->append_text(text);
    if (!value->is(JsonKind::string) || base::has_control_character(text))
      refuse(std::string("has a bad ").append(name));
    return text;
  }
  /// 0 if there is none.
  std::uint64_t number(std::string_view name, std::uint64_t max) {
    const auto value = object_.find(name);
    if (!value) return 0;
    const auto number = value->to_unsigned(max);
    if (!number || *number == 0) refuse(std::string("has a bad ").append(name));
    return number.value_or(0);
  }
  void refuse(std::string what) {
    if (!problem_) problem_ = Error{std::move(what)};
  }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

 private:
  const JsonObject& object_;
  std::optional<Error> problem_;
};

void read_subject(MemberReader& members, Sanction& sanction) {
  const std::string kind = members.text("kind");
  const auto* const found = std::find(kind_names.begin(), kind_names.end(), kind);
  if (found == kind_names.end()) return members.refuse("has a bad kind");
  sanction.kind = static_cast<SanctionKind>(found - kind_names.begin());
  sanction.user = members.text("user");
  sanction.token_id = members.text("jti");
  const std::string address = members.text("address");
  if (!address.empty()) {
    const auto block = base::AddressBlock::parse(address);
    if (!block) return members.refuse("has a bad address");
    sanction.address = *block;
  }
  const bool is_revocation = sanction.kind == SanctionKind::revocation;
  const int subjects = (sanction.user.empty() ? 0 : 1) + (sanction.token_id.empty() ? 0 : 1) +
                       (sanction.address.has_value() ? 1 : 0);
  if (subjects != 1 || (is_revocation ? sanction.address.has_value() : !sanction.token_id.empty()))
    members.refuse("is for nobody, or for more than one");
  sanction.rooms = members.text("room");
  const bool is_pattern = !sanction.rooms.empty() && sanction.rooms.size() <= base::NamePattern::bytes_max;
  if (!is_pattern || (is_revocation && sanction.rooms != "**")) members.refuse("has a bad room");
}

}  // namespace

std::string name_in_store(const Sanction& sanction) {
  return base::sha256_hex(subject_text(sanction)).substr(0, name_digits);
}

std::string to_text(Sanctions::Id id, const Sanction& sanction) {
  std::string json = subject_text(sanction);
  append_number(json, "id", id);
  if (sanction.issued_before_s != 0)
    append_number(json, "issued_before", static_cast<std::uint64_t>(sanction.issued_before_s));
  if (sanction.until_s != 0) append_number(json, "until", static_cast<std::uint64_t>(sanction.until_s));
  append_text(json, "reason", sanction.reason);
  append_text(json, "by", sanction.by);
  return json + '}';
}

base::Result<KeptSanction> read_sanction(std::string_view text) {
  const auto object = base::read_json_object(text);
  if (!object) return object.error();
  MemberReader members(*object);
  KeptSanction kept;
  Sanction& sanction = kept.sanction;
  read_subject(members, sanction);
  kept.id = members.number("id", UINT64_MAX >> 1U);
  if (kept.id == 0) members.refuse("has no id");
  sanction.until_s = static_cast<std::int64_t>(members.number("until", latest_s));
  sanction.issued_before_s = static_cast<std::int64_t>(members.number("issued_before", latest_s));
  if (sanction.issued_before_s != 0 && (sanction.kind != SanctionKind::revocation || sanction.user.empty()))
    members.refuse("has an issued_before that is not of a user's tokens");
  sanction.reason = members.text("reason");
  sanction.by = members.text("by");
  if (members.problem()) return *members.problem();
  return kept;
}

}  // namespace roomcast::access
