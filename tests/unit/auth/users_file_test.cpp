#include "auth/users_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "auth/users_file_edit.h"
#include "support/temporary_directory.h"

namespace roomcast::auth::users_file_test {

namespace {

PasswordHash cheap_hash() { return PasswordHash::of("correct horse", {10, 8, 1}); }

std::string line_of(const std::string& id, const std::string& rest = "::") {
  return id + ':' + cheap_hash().text() + rest + '\n';
}

std::string error_of(const std::string& text) {
  const auto users = Users::parse(text);
  return users ? "" : users.error().message;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
}

}  // namespace

TEST_CASE("users file: lines, comments, roles, and display names with colons") {
  const auto users = Users::parse("# people\n\n" + line_of("ada", ":admin,staff:Ada: Countess\r") +
                                  line_of("bob@example.org"));
  REQUIRE(users);
  REQUIRE(users->all().size() == 2);
  const User* const ada = users->find("ada");
  REQUIRE(ada != nullptr);
  CHECK(ada->roles == std::vector<std::string>{"admin", "staff"});
  CHECK(ada->name == "Ada: Countess");
  CHECK(ada->password.matches("correct horse"));
  CHECK(users->find("bob@example.org")->roles.empty());
  CHECK(users->find("Ada") == nullptr);
  CHECK(users->find("") == nullptr);
  const auto again = Users::parse(to_line(*ada));
  REQUIRE(again);
  CHECK(to_line(again->all().front()) == to_line(*ada));
}

TEST_CASE("users file: somebody always stands in for a user that there is not") {
  CHECK(Users().find_or_stand_in("ada") == nullptr);
  const auto users = Users::parse(line_of("ada") + line_of("bob"));
  REQUIRE(users);
  CHECK(users->find_or_stand_in("bob")->id == "bob");
  const User* const first = users->find_or_stand_in("eve");
  REQUIRE(first != nullptr);
  CHECK(users->find_or_stand_in("eve") == first);
}

TEST_CASE("users file: an error names the line") {
  CHECK(error_of("# x\nada\n").find("line 2: the password: expected $scrypt$") == 0);
  CHECK(error_of(line_of("a b")).find("line 1: the name of a user") == 0);
  CHECK(error_of(line_of("")).find("line 1: the name of a user") == 0);
  CHECK(error_of(line_of("a/b")).find("line 1") == 0);
  CHECK(error_of(line_of("ada") + line_of("ada")) == "line 2: there is a user ada already");
  CHECK(error_of(line_of("ada", ":ad min:")).find("line 1: a role") == 0);
  CHECK(error_of(line_of("ada", "::\x01")).find("line 1: a display name") == 0);
  CHECK(error_of(line_of("ada", "::\xC2\x85")).find("line 1: a display name") == 0);
  CHECK(error_of(line_of("ada", "::\xFF")).find("line 1: a display name") == 0);
}

TEST_CASE("users file: limits, at each and one past it") {
  CHECK(error_of(line_of(std::string(100, 'a'))).empty());
  CHECK(!error_of(line_of(std::string(101, 'a'))).empty());
  CHECK(error_of(line_of("ada", "::" + std::string(100, 'n'))).empty());
  CHECK(!error_of(line_of("ada", "::" + std::string(101, 'n'))).empty());
  CHECK(!check_role(std::string(60, 'r')));
  CHECK(check_role(std::string(61, 'r')));
  std::string roles = ":r";
  for (std::size_t i = 1; i < Users::roles_max; ++i)
    roles += ",r";
  CHECK(error_of(line_of("ada", roles + ":")).empty());
  CHECK(!error_of(line_of("ada", roles + ",r:")).empty());
  std::string text(Users::file_bytes_max, '#');
  CHECK(error_of(text).empty());
  CHECK(error_of(text + '#') == "the users file is larger than 1 MiB");
}

TEST_CASE("users file: a change keeps the other lines, and is written as a whole") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("users");
  CHECK(!UsersFileEdit::open(path, false));
  {
    auto edit = UsersFileEdit::open(path, true);
    REQUIRE(edit);
    edit->put({"ada", cheap_hash(), {"admin"}, "Ada"});
    CHECK(edit->users().find("ada") != nullptr);
    CHECK(content_of(path).empty());
    CHECK(!edit->save());
  }
  CHECK(mode_of(path) == 0600);
  std::ofstream(path, std::ios::app) << "# a note\n" << line_of("bob") << line_of("eve");
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  const std::string before = content_of(path);
  {
    auto edit = UsersFileEdit::open(path, false);
    REQUIRE(edit);
    edit->remove("bob");
    edit->put({"eve", cheap_hash(), {}, "Eve"});
    CHECK(!edit->save());
  }
  CHECK(mode_of(path) == 0640);
  const std::string after = content_of(path);
  CHECK(after.find("# a note\neve:") != std::string::npos);
  CHECK(after.find("bob") == std::string::npos);
  CHECK(after.substr(0, after.find('\n')) == before.substr(0, before.find('\n')));
  CHECK(Users::parse(after)->find("eve")->name == "Eve");
}

TEST_CASE("users file: a link to it stays one") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("users");
  const std::string link = directory.file("link");
  std::ofstream(path) << line_of("ada");
  REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
  auto edit = UsersFileEdit::open(link, false);
  REQUIRE(edit);
  edit->put({"bob", cheap_hash(), {}, ""});
  CHECK(!edit->save());
  struct stat status {};
  REQUIRE(::lstat(link.c_str(), &status) == 0);
  CHECK(S_ISLNK(status.st_mode));
  CHECK(content_of(path).find("bob:") != std::string::npos);
}

}  // namespace roomcast::auth::users_file_test
