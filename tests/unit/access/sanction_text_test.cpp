#include "access/sanction_text.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sanction_text_test {

using namespace roomcast;
using access::Sanction;
using SanctionKind = Sanction::Kind;

namespace {

Sanction made(SanctionKind kind, std::string_view user, std::string_view address, std::string_view token_id,
              std::string_view rooms = "**") {
  Sanction sanction;
  sanction.kind = kind;
  sanction.user = user;
  if (!address.empty()) sanction.address = *base::AddressBlock::parse(address);
  sanction.token_id = token_id;
  sanction.rooms = rooms;
  return sanction;
}

std::string problem_of(std::string_view text) {
  const auto kept = access::read_sanction(text);
  return kept ? "" : kept.error().message;
}

}  // namespace

TEST_CASE("sanction text: is stable, since files have it") {
  Sanction ban = made(SanctionKind::ban, "ada", "", "", "chat/**");
  ban.until_s = 1'700'000'060;
  ban.reason = "spam \"and\" more";
  ban.by = "key:mod";
  CHECK(
      access::to_text(7, ban) ==
      R"({"kind":"ban","user":"ada","room":"chat/**","id":7,"until":1700000060,"reason":"spam \"and\" more","by":"key:mod"})");
  CHECK(access::name_in_store(ban) == "073b02c9e7beb729a81daeb060b6ce43");
  Sanction revocation = made(SanctionKind::revocation, "ada", "", "");
  revocation.issued_before_s = 5;
  CHECK(access::to_text(1, revocation) ==
        R"({"kind":"revocation","user":"ada","room":"**","id":1,"issued_before":5,"reason":"","by":""})");
}

TEST_CASE("sanction text: is read as it was written") {
  std::vector<Sanction> all{
      made(SanctionKind::ban, "ada", "", ""),
      made(SanctionKind::ban, "", "192.0.2.0/24", "", "a/*"),
      made(SanctionKind::mute, "", "2001:db8::/64", ""),
      made(SanctionKind::mute, "", "192.0.2.1", ""),
      made(SanctionKind::mute, "söme \\ \"one\"", "", "", "r"),
      made(SanctionKind::revocation, "", "", "t1"),
      made(SanctionKind::revocation, "ada", "", ""),
  };
  all.front().until_s = 253'402'300'799;
  all.front().reason = "ü";
  all.front().by = "user:root";
  all.back().issued_before_s = 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string text = access::to_text(i + 1, all[i]);
    CAPTURE(text);
    const auto kept = access::read_sanction(text);
    REQUIRE(kept);
    CHECK(kept->id == i + 1);
    CHECK(access::to_text(i + 1, kept->sanction) == text);
    CHECK(kept->sanction.address == all[i].address);
    CHECK(kept->sanction.until_s == all[i].until_s);
    CHECK(access::name_in_store(kept->sanction) == access::name_in_store(all[i]));
  }
}

TEST_CASE("sanction text: the name in the store tells kind, subject and rooms apart, and nothing else") {
  const Sanction ban = made(SanctionKind::ban, "ada", "", "");
  Sanction other_terms = ban;
  other_terms.until_s = 9;
  other_terms.reason = "other";
  CHECK(access::name_in_store(other_terms) == access::name_in_store(ban));
  for (const Sanction& other :
       {made(SanctionKind::mute, "ada", "", ""), made(SanctionKind::ban, "bob", "", ""),
        made(SanctionKind::ban, "ada", "", "", "*"), made(SanctionKind::ban, "", "192.0.2.1", "")}) {
    CHECK(access::name_in_store(other) != access::name_in_store(ban));
  }
  CHECK(access::name_in_store(made(SanctionKind::ban, "", "192.0.2.0/24", "")) !=
        access::name_in_store(made(SanctionKind::ban, "", "192.0.2.0/25", "")));
}

TEST_CASE("sanction text: nonsense is refused, and named") {
  for (const auto& [text, problem] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"", "is not JSON"},
           {"[]", "is not a JSON object"},
           {"{}", "has a bad kind"},
           {R"({"kind":"exile","user":"a","room":"**","id":1})", "has a bad kind"},
           {R"({"kind":"ban","room":"**","id":1})", "is for nobody, or for more than one"},
           {R"({"kind":"ban","user":"a","address":"10.0.0.1","room":"**","id":1})",
            "is for nobody, or for more than one"},
           {R"({"kind":"ban","jti":"a","room":"**","id":1})", "is for nobody, or for more than one"},
           {R"({"kind":"revocation","address":"10.0.0.1","room":"**","id":1})",
            "is for nobody, or for more than one"},
           {R"({"kind":"ban","user":"a","id":1})", "has a bad room"},
           {R"({"kind":"revocation","jti":"a","room":"r","id":1})", "has a bad room"},
           {R"({"kind":"ban","user":"a\u0000","room":"**","id":1})", "has a bad user"},
           {R"({"kind":"ban","user":1,"room":"**","id":1})", "has a bad user"},
           {R"({"kind":"ban","address":"10.0.0","room":"**","id":1})", "has a bad address"},
           {R"({"kind":"ban","user":"a","room":"**"})", "has no id"},
           {R"({"kind":"ban","user":"a","room":"**","id":0})", "has a bad id"},
           {R"({"kind":"ban","user":"a","room":"**","id":1.5})", "has a bad id"},
           {R"({"kind":"ban","user":"a","room":"**","id":1,"until":-1})", "has a bad until"},
           {R"({"kind":"ban","user":"a","room":"**","id":1,"until":253402300800})", "has a bad until"},
           {R"({"kind":"ban","user":"a","room":"**","id":1,"issued_before":1})",
            "has an issued_before that is not of a user's tokens"},
           {R"({"kind":"ban","user":"a","room":"**","id":1,"weight":1})", "has an unknown member"},
       }) {
    CAPTURE(text);
    CHECK(problem_of(text) == problem);
  }
  CHECK(problem_of(std::string(R"({"kind":"ban","user":"a","id":1,"room":")") + std::string(201, 'r') +
                   "\"}") == "has a bad room");
  CHECK(problem_of(R"({"kind":"ban","kind":"mute","user":"a","room":"**","id":1})").find("twice") !=
        std::string::npos);
}

}  // namespace sanction_text_test
