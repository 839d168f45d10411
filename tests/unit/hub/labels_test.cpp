#include "hub/labels.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace labels_test {

using namespace roomcast;
using hub::Labels;
using hub::Tag;

TEST_CASE("labels: without an event and tags they are a null pointer") {
  CHECK(sizeof(Labels) == sizeof(void*));
  const Labels none("", {});
  CHECK(none.empty());
  CHECK(none.event().empty());
  CHECK(none.tags().empty());
  CHECK(none.held_bytes() == 0);
}

TEST_CASE("labels: copies share what was given, and outlive each other") {
  Labels copy;
  {
    Labels labels("tick", {{"a", "1"}, {"b", "2"}, {"a", "3"}});
    copy = labels;
    const Labels moved(std::move(labels));
    CHECK(moved.event().data() == copy.event().data());
    copy = Labels(copy);
  }
  CHECK(copy.event() == "tick");
  REQUIRE(copy.tags().size() == 2);  // of tags with the same key the last counts
  CHECK(copy.tags()[0].key + copy.tags()[0].value == "a3");
  CHECK(copy.tags()[1].key + copy.tags()[1].value == "b2");
  CHECK(copy.held_bytes() > 2 * sizeof(Tag));
}

TEST_CASE("labels: an event name has 1 to 64 bytes and no control characters") {
  CHECK(Labels::is_event_name("x"));
  CHECK(Labels::is_event_name(std::string(64, 'x')));
  CHECK(Labels::is_event_name("App\\Events\\\xc3\x84nderung kam"));
  for (const std::string& bad : {std::string(), std::string(65, 'x'), std::string("a\nb"),
                                 std::string("\x7f"), std::string("\xc2\x85"), std::string("\xff")})
    CHECK_FALSE(Labels::is_event_name(bad));
}

TEST_CASE("labels: at most 16 tags, of 1024 bytes together") {
  CHECK(Labels::are_within_limits(std::vector<Tag>(16)));
  CHECK_FALSE(Labels::are_within_limits(std::vector<Tag>(17)));
  std::vector<Tag> large{{std::string(500, 'k'), std::string(300, 'v')}, {"k", std::string(223, 'v')}};
  CHECK(Labels::are_within_limits(large));
  large.back().value += 'v';
  CHECK_FALSE(Labels::are_within_limits(large));
}

}  // namespace labels_test
