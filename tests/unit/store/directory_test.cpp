#include "store/directory.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "support/temporary_directory.h"

namespace directory_test {

using namespace roomcast;

namespace {

struct Fixture {
  test::TemporaryDirectory scratch;
  std::string path = scratch.file("store");

  [[nodiscard]] store::Directory open() const {
    auto directory = store::Directory::open(path);
    if (!directory) FAIL(directory.error().message);
    return std::move(*directory);
  }
};

void write_file(const std::string& path, const std::string& content) { std::ofstream(path) << content; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "store directory: it is made for its owner only") {
  const store::Directory directory = open();
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0700);
}

TEST_CASE_FIXTURE(Fixture, "store directory: one process at a time holds it, and others are told which") {
  {
    const store::Directory directory = open();
    const auto second = store::Directory::open(path);
    REQUIRE(!second.ok());
    CHECK(second.error().message == "store.path: " + path + " is in use by process " +
                                        std::to_string(::getpid()) + "; two servers cannot share a store");
  }
  const store::Directory again = open();
}

TEST_CASE_FIXTURE(Fixture, "store directory: an error names the path") {
  write_file(path, "a file");
  const auto directory = store::Directory::open(path);
  REQUIRE(!directory.ok());
  CHECK(directory.error().message.find(path) != std::string::npos);
  const auto nowhere = store::Directory::open(scratch.file("a/b"));
  REQUIRE(!nowhere.ok());
  CHECK(nowhere.error().message.find("cannot make the directory " + scratch.file("a/b")) !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "store directory: the reserve takes its space, and can be given up once") {
  const store::Directory directory = open();
  CHECK(!directory.drop_reserve());
  CHECK(directory.make_reserve());
  CHECK(directory.make_reserve());
  CHECK(directory.bytes_on_disk() >= store::Directory::reserve_bytes);
  CHECK(directory.drop_reserve());
  CHECK(!directory.drop_reserve());
  CHECK(directory.bytes_on_disk() < store::Directory::reserve_bytes);
}

TEST_CASE_FIXTURE(Fixture, "store directory: databases are set aside, each time in a directory of its own") {
  const store::Directory directory = open();
  write_file(directory.journal_path(), "journal");
  write_file(directory.history_path() + "-wal", "wal");
  const auto first = directory.set_aside(1'700'000'000'000);
  REQUIRE(first.ok());
  CHECK(*first == path + "/corrupt-20231114T221320Z");
  CHECK(std::filesystem::exists(*first + "/journal.db"));
  CHECK(std::filesystem::exists(*first + "/history.db-wal"));
  CHECK(!std::filesystem::exists(directory.journal_path()));
  write_file(directory.journal_path(), "journal");
  const auto second = directory.set_aside(1'700'000'000'000);
  REQUIRE(second.ok());
  CHECK(*second == *first + "-2");
}

}  // namespace directory_test
