#include "ws/extensions.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::ws::extensions_test {

namespace {

/// The header value of the answer, "-" for none, "error" for an invalid list.
std::string answer_to(std::string_view offers, const DeflatePolicy& policy = {}) {
  const auto result = negotiate_deflate(offers, &policy);
  if (!result) return "error";
  return *result ? (*result)->header_value : "-";
}

const std::string plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

}  // namespace

TEST_CASE("an offer is answered without context takeover on either side") {
  CHECK(answer_to("permessage-deflate") == plain);
  CHECK(answer_to("permessage-deflate; client_max_window_bits") == plain);
  CHECK(answer_to("permessage-deflate; server_no_context_takeover; client_no_context_takeover") == plain);
  CHECK(answer_to("permessage-deflate;client_no_context_takeover;client_max_window_bits") == plain);
}

TEST_CASE("server_max_window_bits is answered when offered, never with more") {
  for (int bits = 9; bits <= 15; ++bits) {
    const auto number = std::to_string(bits);
    CHECK(answer_to("permessage-deflate; server_max_window_bits=" + number) ==
          plain + "; server_max_window_bits=" + number);
  }
  const DeflatePolicy small{.server_max_window_bits = 11};
  CHECK(answer_to("permessage-deflate; server_max_window_bits=15", small) ==
        plain + "; server_max_window_bits=11");
  CHECK(answer_to("permessage-deflate; server_max_window_bits=10", small) ==
        plain + "; server_max_window_bits=10");
  CHECK(negotiate_deflate("permessage-deflate", &small)->value().parameters.server_max_window_bits == 11);
}

TEST_CASE("client_max_window_bits is answered only when the client knows it") {
  const DeflatePolicy small{.client_max_window_bits = 10};
  CHECK(answer_to("permessage-deflate", small) == plain);
  CHECK(answer_to("permessage-deflate; client_max_window_bits", small) ==
        plain + "; client_max_window_bits=10");
  CHECK(answer_to("permessage-deflate; client_max_window_bits=15", small) ==
        plain + "; client_max_window_bits=10");
  CHECK(answer_to("permessage-deflate; client_max_window_bits=8", small) ==
        plain + "; client_max_window_bits=8");
  CHECK(answer_to("permessage-deflate; client_max_window_bits=12") == plain + "; client_max_window_bits=12");
  CHECK(negotiate_deflate("permessage-deflate", &small)->value().parameters.client_max_window_bits == 15);
}

TEST_CASE("a client keeps its context only where the policy lets it and it wants to") {
  const DeflatePolicy keeping{.client_context_takeover = true};
  CHECK(answer_to("permessage-deflate", keeping) == "permessage-deflate; server_no_context_takeover");
  CHECK(answer_to("permessage-deflate; client_no_context_takeover", keeping) == plain);
  CHECK(negotiate_deflate("permessage-deflate", &keeping)->value().parameters.client_context_takeover);
}

TEST_CASE("an unsound offer is declined and the next one tried") {
  const std::vector<std::string> unsound{
      "permessage-deflate; server_max_window_bits",
      "permessage-deflate; server_max_window_bits=8",
      "permessage-deflate; server_max_window_bits=7",
      "permessage-deflate; server_max_window_bits=16",
      "permessage-deflate; server_max_window_bits=010",
      "permessage-deflate; server_max_window_bits=1x",
      "permessage-deflate; server_max_window_bits=100",
      "permessage-deflate; client_max_window_bits=7",
      "permessage-deflate; client_max_window_bits=16",
      "permessage-deflate; client_max_window_bits=x",
      "permessage-deflate; server_no_context_takeover=1",
      "permessage-deflate; client_no_context_takeover=true",
      "permessage-deflate; unknown",
      "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
      "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
      "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
      "x-webkit-deflate-frame",
      "permessage-bzip2; client_max_window_bits",
  };
  for (const auto& offer : unsound) {
    CAPTURE(offer);
    CHECK(answer_to(offer) == "-");
    CHECK(answer_to(offer + ", permessage-deflate") == plain);
    CHECK(answer_to("permessage-deflate, " + offer) == plain);
  }
}

TEST_CASE("the first sound offer wins") {
  CHECK(answer_to("permessage-deflate; server_max_window_bits=10, permessage-deflate") ==
        plain + "; server_max_window_bits=10");
}

TEST_CASE("values may be quoted, with backslashes") {
  CHECK(answer_to("permessage-deflate; server_max_window_bits=\"10\"") ==
        plain + "; server_max_window_bits=10");
  CHECK(answer_to("permessage-deflate; server_max_window_bits=\"1\\0\"") ==
        plain + "; server_max_window_bits=10");
  CHECK(answer_to("foo; bar=\"b\\az\", permessage-deflate") == plain);
}

TEST_CASE("space and empty elements are let pass") {
  CHECK(answer_to("") == "-");
  CHECK(answer_to(" , ,\tpermessage-deflate ;\tserver_max_window_bits = 9 , ") ==
        plain + "; server_max_window_bits=9");
}

TEST_CASE("a list that breaks the grammar is an error even where nothing is offered that matters") {
  const std::vector<std::string_view> broken{
      ";",
      "=",
      "permessage-deflate;",
      "permessage-deflate; ;",
      "permessage-deflate; =",
      "permessage-deflate; a=",
      "permessage-deflate; a=\"",
      "permessage-deflate; a=\"b",
      "permessage-deflate; a=\"b\\",
      "permessage-deflate; a=\"\"",
      "permessage-deflate; a=\"b c\"",
      "permessage-deflate; a=b c",
      "permessage deflate",
      "permessage-deflate, @",
      "permessage-deflate; a==b",
      "a, b; c=\"d\"e",
      "permess\xC3\xA4ge",
  };
  for (const auto list : broken) {
    CAPTURE(list);
    CHECK(answer_to(list) == "error");
    CHECK_FALSE(negotiate_deflate(list, nullptr).ok());
  }
}

TEST_CASE("nothing is answered where compression is switched off") {
  const auto result = negotiate_deflate("permessage-deflate", nullptr);
  REQUIRE(result.ok());
  CHECK_FALSE(result.value().has_value());
}

TEST_CASE("a very long list takes no longer than its length") {
  std::string offers = "permessage-deflate";
  for (int i = 0; i < 20000; ++i)
    offers += "; a=\"\\b\"";
  CHECK(answer_to(offers) == "-");
  std::string commas(60000, ',');
  CHECK(answer_to(commas + "permessage-deflate") == plain);
}

}  // namespace roomcast::ws::extensions_test
