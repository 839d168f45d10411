#include "app/command_arguments.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "app/keygen_command.h"
#include "base/digest.h"

namespace roomcast::app::command_arguments_test {

namespace {

constexpr std::array<std::string_view, 2> valued{"--role", "--file"};
constexpr std::array<std::string_view, 1> bare{"--help"};

base::Result<CommandArguments> read(const std::vector<std::string_view>& arguments) {
  return read_arguments(arguments, valued, bare);
}

}  // namespace

TEST_CASE("command arguments: flags and words in any order, with and without an equals sign") {
  const auto arguments = read({"add", "--role", "a", "ada", "--role=b=c", "--file=", "--help"});
  REQUIRE(arguments);
  CHECK(arguments->words == std::vector<std::string>{"add", "ada"});
  CHECK(arguments->all("--role") == std::vector<std::string>{"a", "b=c"});
  CHECK(arguments->value("--role") == "b=c");
  CHECK(arguments->value("--file").empty());
  CHECK(arguments->has("--help"));
  CHECK(!read({})->has("--help"));
}

TEST_CASE("command arguments: what is wrong is named") {
  CHECK(read({"--file"}).error().message == "--file needs a value");
  CHECK(read({"--help=yes"}).error().message == "--help takes no value");
  CHECK(read({"--rolle", "x"}).error().message == "unknown flag --rolle (did you mean --role?)");
}

TEST_CASE("keygen: 32 random bytes, and the digest of the whole text") {
  const std::string key = make_api_key();
  std::string bytes;
  REQUIRE(key.starts_with("rck_"));
  CHECK(base::base64url_decode(key.substr(4), bytes));
  CHECK(bytes.size() == 32);
  CHECK(make_api_key() != key);
  CHECK(api_key_hash("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace roomcast::app::command_arguments_test
