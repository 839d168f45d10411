#include "auth/credentials.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace credentials_test {

using namespace roomcast;
using auth::Credentials;
using From = Credentials::From;
using Code = base::Refusal::Code;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const auth::CredentialNames names{"session", "Remote-User", "Remote-Groups", "Remote-Name"};

struct Asked {
  http::Request request;
  http::RequestContext context;

  Asked(const Fields& fields, std::string query, http::Method method) {
    request.method = method;
    request.query = std::move(query);
    for (const auto& [name, value] : fields)
      request.headers.add(name, value);
  }
  Asked& from(http::OriginVerdict origin, bool credentials = false) {
    context.origin = origin;
    context.credentials = credentials;
    return *this;
  }
  Asked& through_proxy() {
    request.client.is_forwarded = true;
    request.client.is_by_http_proxy = true;
    return *this;
  }
  [[nodiscard]] auto find() const { return auth::find_credentials(request, context, names); }
  [[nodiscard]] std::string text(From expected) const {
    const auto found = find();
    REQUIRE(found.ok());
    CHECK(found->from == expected);
    return found->text;
  }
  [[nodiscard]] Code refusal() const {
    const auto found = find();
    REQUIRE_FALSE(found.ok());
    return found.error().code;
  }
};

Asked asked(const Fields& fields, std::string query = "", http::Method method = http::Method::get) {
  return Asked(fields, std::move(query), method);
}

}  // namespace

TEST_CASE("credentials: a request without any is one of an anonymous client") {
  CHECK(asked({}).text(From::nothing).empty());
  CHECK(asked({{"Authorization", "Basic YTpi"}}).text(From::nothing).empty());  // for a proxy in front
  CHECK(asked({{"Authorization", "Bearertoken"}}).text(From::nothing).empty());
  CHECK(asked({{"Cookie", "other=1; sessions=2"}}).text(From::nothing).empty());
  CHECK(asked({{"Cookie", "session="}}).text(From::nothing).empty());  // as a log-out leaves it
  CHECK(asked({{"Sec-WebSocket-Protocol", "roomcast.v1"}}).text(From::nothing).empty());
  CHECK(asked({}, "no_access_token=1").text(From::nothing).empty());
}

TEST_CASE("credentials: the ways of showing a token") {
  CHECK(asked({{"Authorization", "Bearer abc"}}).text(From::bearer) == "abc");
  CHECK(asked({{"authorization", "bEARER   abc "}}).text(From::bearer) == "abc");
  CHECK(asked({{"Authorization", "Bearer"}}).text(From::bearer).empty());  // shown, and not a token
  CHECK(asked({}, "since=1&access_token=a%2Eb").text(From::query) == "a.b");
  CHECK(asked({{"Sec-WebSocket-Protocol", "roomcast.v1, roomcast.token.abc"}}).text(From::subprotocol) ==
        "abc");
  CHECK(asked({{"Sec-WebSocket-Protocol", "roomcast.v1"}, {"Sec-WebSocket-Protocol", "roomcast.token.abc"}})
            .text(From::subprotocol) == "abc");
}

TEST_CASE("credentials: more than one token is refused, by any two ways") {
  const Fields all{{"Authorization", "Bearer a"}, {"Sec-WebSocket-Protocol", "roomcast.token.a"}};
  CHECK(asked(all).refusal() == Code::ambiguous_credentials);
  CHECK(asked({all[0]}, "access_token=a").refusal() == Code::ambiguous_credentials);
  CHECK(asked({all[1]}, "access_token=a").refusal() == Code::ambiguous_credentials);
  CHECK(asked({{"Sec-WebSocket-Protocol", "roomcast.token.a, roomcast.token.b"}}).refusal() ==
        Code::ambiguous_credentials);
  CHECK(asked({all[0], all[0]}).refusal() == Code::bad_request);
}

TEST_CASE("credentials: a cookie counts for pages of this server, whatever else may connect") {
  using http::OriginVerdict;
  const Fields cookie{{"Cookie", "a=1; session=abc; b=2"}};
  CHECK(asked(cookie).from(OriginVerdict::same_origin).text(From::cookie) == "abc");
  CHECK(asked(cookie).from(OriginVerdict::listed, true).text(From::cookie) == "abc");
  CHECK(asked(cookie).from(OriginVerdict::listed, false).refusal() == Code::origin_denied);
  CHECK(asked(cookie).from(OriginVerdict::denied).refusal() == Code::origin_denied);
  // Plain GET requests of a page carry no Origin.
  CHECK(asked(cookie).text(From::cookie) == "abc");
  for (const char* site : {"same-origin", "none", "same-site", "cross-site", "nonsense"}) {
    CAPTURE(site);
    const Asked request = asked({cookie[0], {"Sec-Fetch-Site", site}});
    const bool is_own = std::string_view(site) == "same-origin" || std::string_view(site) == "none";
    CHECK(request.find().ok() == is_own);
  }
  CHECK(asked(cookie, "", http::Method::post).refusal() == Code::origin_denied);
  CHECK(asked(cookie, "", http::Method::post).from(OriginVerdict::same_origin).text(From::cookie) == "abc");
}

TEST_CASE("credentials: one cookie of that name, also in several fields") {
  CHECK(asked({{"Cookie", "session=a; session=b"}}).refusal() == Code::bad_request);
  CHECK(asked({{"Cookie", "session=a"}, {"Cookie", "session=a"}}).refusal() == Code::bad_request);
  CHECK(asked({{"Cookie", "x=1"}, {"Cookie", "session=a"}}).text(From::cookie) == "a");
}

TEST_CASE("credentials: a token goes before the cookie, and that before the header of a proxy") {
  const Fields all{{"Authorization", "Bearer t"}, {"Cookie", "session=c"}, {"Remote-User", "ada"}};
  CHECK(asked(all).through_proxy().text(From::bearer) == "t");
  CHECK(asked({all[1], all[2]}).through_proxy().text(From::cookie) == "c");
  CHECK(asked({all[2]}).through_proxy().text(From::proxy) == "ada");
}

TEST_CASE("credentials: the headers of a proxy count only through a trusted one") {
  const Fields fields{{"Remote-User", "ada"}, {"Remote-Groups", "staff, dev"}, {"Remote-Name", "Ada L."}};
  CHECK(asked(fields).text(From::nothing).empty());
  const auto found = asked(fields).through_proxy().find();
  REQUIRE(found.ok());
  CHECK(found->text == "ada");
  CHECK(found->groups == "staff, dev");
  CHECK(found->name == "Ada L.");
  CHECK(asked({{"Remote-User", ""}}).through_proxy().text(From::nothing).empty());
  CHECK(asked({fields[0], fields[0]}).through_proxy().refusal() == Code::bad_request);
}

TEST_CASE("credentials: the header of a proxy counts only if the proxy could have set it") {
  Asked request = asked({{"Remote-User", "ada"}});
  request.request.client.is_forwarded = true;  // by a PROXY protocol header
  CHECK(request.text(From::nothing).empty());
}

TEST_CASE("credentials: a user of a proxy counts for pages of this server, and for programs") {
  using http::OriginVerdict;
  const Fields user{{"Remote-User", "ada"}};
  for (const auto method : {http::Method::get, http::Method::post}) {
    CHECK(asked(user, "", method).through_proxy().text(From::proxy) == "ada");
    CHECK(asked(user, "", method).from(OriginVerdict::same_origin).through_proxy().text(From::proxy) ==
          "ada");
    CHECK(asked(user, "", method).from(OriginVerdict::listed, true).through_proxy().text(From::proxy) ==
          "ada");
    CHECK(asked(user, "", method).from(OriginVerdict::listed, false).through_proxy().refusal() ==
          Code::origin_denied);
    CHECK(asked(user, "", method).from(OriginVerdict::denied).through_proxy().refusal() ==
          Code::origin_denied);
  }
  CHECK(asked({user[0], {"Sec-Fetch-Site", "cross-site"}}).through_proxy().refusal() == Code::origin_denied);
}

TEST_CASE("credentials: names that are not configured are not looked at") {
  Asked request = asked({{"Cookie", "session=c"}, {"Remote-User", "ada"}});
  request.through_proxy();
  const auto found = auth::find_credentials(request.request, request.context, {});
  REQUIRE(found.ok());
  CHECK(found->from == From::nothing);
}

}  // namespace credentials_test
