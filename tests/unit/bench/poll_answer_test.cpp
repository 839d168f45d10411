#include "load/poll_answer.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::bench::poll_answer_test {
namespace {

std::vector<std::string> messages_of(std::string_view body) {
  PollAnswer answer(body);
  std::vector<std::string> messages;
  for (std::string_view next = answer.next(); !next.empty(); next = answer.next())
    messages.emplace_back(next);
  return messages;
}

}  // namespace

TEST_CASE("a poll's answer gives its cursor and its messages") {
  const std::string_view body =
      R"({"room":"a","cursor":"e1-2","gap":null,"messages":[{"type":"message","data":{"b":[1,{}]}},{"data":"}\"{"}]})";
  PollAnswer answer(body);
  CHECK(answer.is_good());
  CHECK(answer.cursor() == "e1-2");
  CHECK(messages_of(body) ==
        std::vector<std::string>{R"({"type":"message","data":{"b":[1,{}]}})", R"({"data":"}\"{"})"});
}

TEST_CASE("a poll's answer may have no messages") {
  const std::string_view body = R"({"room":"a","cursor":"e1-0","gap":null,"messages":[]})";
  CHECK(PollAnswer(body).is_good());
  CHECK(messages_of(body).empty());
}

TEST_CASE("what is no poll's answer is not good and has no messages, wherever a good one is cut") {
  CHECK_FALSE(PollAnswer("").is_good());
  CHECK_FALSE(PollAnswer(R"({"error":{"code":"overloaded"}})").is_good());
  const std::string_view body = R"({"cursor":"e1-2","messages":[{"data":"a"},{"data":"b"}]})";
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    const std::size_t whole = messages_of(body.substr(0, cut)).size();
    CHECK(whole <= messages_of(body).size());
  }
  CHECK(messages_of(body.substr(0, body.size() - 3)).size() == 1);
}

}  // namespace roomcast::bench::poll_answer_test
