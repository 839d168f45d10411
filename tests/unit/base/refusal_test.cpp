#include "base/refusal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace refusal_test {

using roomcast::base::describe;
using roomcast::base::Refusal;
using roomcast::base::RefusalInfo;
using roomcast::base::RefusalMessage;

template <class Visit>
void for_each_code(Visit visit) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Refusal::Code::count_); ++i)
    visit(static_cast<Refusal::Code>(i));
}

TEST_CASE("refusal: every code has a row with a name in snake_case") {
  for_each_code([](Refusal::Code code) {
    const std::string name(describe(code).name);
    CAPTURE(name);
    CHECK_FALSE(name.empty());
    CHECK(std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
  });
}

TEST_CASE("refusal: no two codes have the same name and status") {
  std::set<std::pair<std::string, int>> rows;
  for_each_code([&](Refusal::Code code) {
    const RefusalInfo& info = describe(code);
    CAPTURE(info.name);
    CHECK(rows.emplace(info.name, info.http).second);
  });
}

TEST_CASE("refusal: what has a status is an error, and Retry-After only where coming back may help") {
  for_each_code([](Refusal::Code code) {
    const RefusalInfo& info = describe(code);
    CAPTURE(info.name);
    CHECK((info.http == 0 || (info.http >= 400 && info.http < 600)));
    if (info.retry_after_s != 0) CHECK(info.is_temporary);
    CHECK(info.is_temporary ==
          (info.http == 408 || info.http == 429 || info.http == 500 || info.http == 503 || info.http == 504));
    // A client that gets 503 is told when to come back (RFC 9110 section 15.6.4).
    if (info.http == 503) CHECK(info.retry_after_s != 0);
    // A client that is closed for now comes back by itself.
    if (info.http == 503) CHECK(describe(info.close).retry);
  });
}

TEST_CASE("refusal: the words of a literal are not copied, others are owned") {
  static constexpr Refusal fixed{Refusal::Code::overloaded, "memory is short"};
  const Refusal copy = fixed;
  CHECK(copy.message == "memory is short");
  CHECK(copy.message.view().data() == fixed.message.view().data());

  Refusal made{Refusal::Code::bad_request, "member " + std::to_string(7)};
  const Refusal copied = made;
  CHECK(copied.message == "member 7");
  CHECK(copied.message.view().data() != made.message.view().data());
  const char* const text = made.message.view().data();
  Refusal moved = std::move(made);
  CHECK(moved.message.view().data() == text);
  moved = copied;
  CHECK(moved.message == "member 7");
  moved = fixed;
  CHECK(moved.message == "memory is short");
  CHECK(RefusalMessage().empty());
  CHECK(RefusalMessage(std::string()).empty());
}

}  // namespace refusal_test
