#include "hub/source.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "hub/message.h"

namespace source_test {

using namespace roomcast;

TEST_CASE("source: an address is always the same one, never 0, and few share one") {
  CHECK(hub::source_of("127.0.0.1") == hub::source_of(std::string("127.0.0.1")));
  std::set<hub::Source> sources;
  for (int i = 0; i < 20'000; ++i) {
    const hub::Source source = hub::source_of("10.0." + std::to_string(i));
    CHECK(source > 0);
    CHECK(source <= 0x0FFF);
    sources.insert(source);
  }
  CHECK(sources.size() > 3'900);
}

TEST_CASE("source: it takes no space in a message") {
  struct Draft {
    hub::Kind kind;
    base::Bytes payload;
    hub::Author author;
    hub::SubscriberId sender;
    hub::Labels labels;
  };
  CHECK(sizeof(hub::Draft) == sizeof(Draft) + sizeof(hub::DraftKey));
  CHECK(sizeof(hub::Message) == sizeof(Draft) + sizeof(hub::Position) + sizeof(std::int64_t));
}

}  // namespace source_test
