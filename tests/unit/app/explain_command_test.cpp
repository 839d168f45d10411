#include "app/explain_command.h"

#include <doctest/doctest.h>

#include <string>

#include "config/config.h"

namespace explain_command_test {

using namespace roomcast;

namespace {

std::string explained(const config::Config& config, const app::CommandLine::ExplainAccess& question) {
  auto text = app::explain_access(config, question);
  return text ? *text : text.error().message;
}

config::Config configured() {
  config::Config config;
  config.access = {{"chat/**", "user", {"join", "publish"}}, {"**", "role:ops", {"admin"}}};
  config.auth.keys = {{"ci", "sha256:0", {"publish"}, {"ci/**"}}, {"bare", "sha256:1", {}, {}}};
  return config;
}

}  // namespace

TEST_CASE("explain: each permission with the row that decides it") {
  CHECK(explained(configured(), {"ada", "chat/tea", {}}) ==
        "user:ada in chat/tea\n"
        "join      yes  row 1 of access (rooms \"chat/**\", who \"user\")\n"
        "publish   yes  row 1 of access (rooms \"chat/**\", who \"user\")\n"
        "presence  no   row 1 of access (rooms \"chat/**\", who \"user\") does not list it\n"
        "history   no   row 1 of access (rooms \"chat/**\", who \"user\") does not list it\n"
        "moderate  no   row 1 of access (rooms \"chat/**\", who \"user\") does not list it\n"
        "admin     no   no row of access matches all rooms (**)\n");
  CHECK(explained(configured(), {"user:ada", "chat/tea", {"ops"}})
            .ends_with("admin     yes  row 2 of access (rooms \"**\", who \"role:ops\")\n"));
  CHECK(explained(configured(), {"anyone", "chat/tea", {}})
            .starts_with("anyone in chat/tea\njoin      no   no row of "));
  CHECK(explained(configured(), {"user:anyone", "chat/tea", {}})
            .starts_with("user:anyone in chat/tea\njoin      yes"));
}

TEST_CASE("explain: a key has what its line brings") {
  const std::string key = explained(configured(), {"key:ci", "ci/build", {}});
  CHECK(key.starts_with("key:ci in ci/build\njoin      no   no row of access matches\n"));
  CHECK(key.find("publish   yes  the line of the key\n") != std::string::npos);
  CHECK(explained({}, {"anyone", "a", {}}).find("join      yes  there are no rows of access\n") !=
        std::string::npos);
  CHECK(explained({}, {"anyone", "a", {}})
            .ends_with("admin     no   there are no rows of access, one of which would have to list it\n"));
  config::Config without_rows = configured();
  without_rows.access.clear();
  CHECK(explained(without_rows, {"key:bare", "a", {}})
            .find("join      no   the line of the key does not list it\n") != std::string::npos);
}

TEST_CASE("explain: an argument that names nothing is an error") {
  CHECK(explained(configured(), {"key:other", "a", {}}) ==
        "--explain-access: auth.keys has no key \"other\"");
  CHECK(explained(configured(), {"anyone", "a", {"ops"}}) ==
        "--explain-access: only users have roles, anyone has none");
  CHECK(explained(configured(), {"key:ci", "a", {"ops"}}) ==
        "--explain-access: only users have roles, key:ci has none");
  CHECK(explained(configured(), {"user:", "a", {}})
            .starts_with("--explain-access: expected anyone, user:ID or key:"));
  CHECK(explained(configured(), {std::string(100, 'u'), "a", {}}).starts_with("user:uuu"));
  CHECK(explained(configured(), {std::string(101, 'u'), "a", {}}).starts_with("--explain-access: expected"));
  CHECK(explained(configured(), {"ada", "/a", {}}).starts_with("--explain-access: "));
}

}  // namespace explain_command_test
