#include "store/wal_look.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/database.h"
#include "support/temporary_directory.h"

namespace wal_look_test {

using namespace roomcast;
using Kind = store::WalState::Kind;

namespace {

constexpr std::size_t header_bytes = 32;
constexpr std::size_t frame_bytes = 24 + 4'096;

store::WalState state_of(std::string_view bytes, std::size_t piece = 65'536) {
  store::WalLook look;
  while (!bytes.empty()) {
    look.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return look.finish();
}

std::string flipped(std::string bytes, std::size_t bit) {
  REQUIRE(bit / 8 < bytes.size());
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

std::string content_of_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Databases that SQLite writes.
struct Fixture {
  test::TemporaryDirectory directory;
  std::string path = directory.file("journal.db");

  [[nodiscard]] store::Database open() const {
    store::Database::Options options;
    options.path = path;
    options.application_id = 7;
    auto database = store::Database::open(options);
    if (!database) FAIL(database.error().message);
    return std::move(*database);
  }
  /// So many commits more, each of a few pages; the end of the log after each of them.
  std::vector<std::size_t> commit(std::size_t count, std::size_t bytes = 9'000) const {
    store::Database database = open();
    REQUIRE(!database.execute("CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY, data BLOB)"));
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < count; ++i) {
      auto insert = database.prepare("INSERT INTO log(data) VALUES(?1)");
      REQUIRE(insert.ok());
      const std::string data(bytes, static_cast<char>('a' + i));
      insert->bind_blob(1, data);
      REQUIRE(!insert->run());
      ends.push_back(header_bytes + database.wal_bytes() / frame_bytes * frame_bytes);
    }
    return ends;
  }
  void checkpoint(store::Database::CheckpointMode mode) const {
    store::Database database = open();
    REQUIRE(database.checkpoint(mode).ok());
  }
  /// Empties the log by a checkpoint, and makes so many commits after it.
  std::vector<std::size_t> fresh_commits(std::size_t count) const {
    (void)commit(1);
    checkpoint(store::Database::CheckpointMode::truncate);
    return commit(count);
  }
  [[nodiscard]] std::string wal() const { return content_of_file(path + "-wal"); }
  /// The rows that SQLite finds with `wal` as its log.
  [[nodiscard]] std::int64_t rows_with(std::string_view wal) const {
    const std::string copy = directory.file("copy.db");
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove(copy + "-shm");
    write_file(copy + "-wal", wal);
    store::Database::Options options;
    options.path = copy;
    options.application_id = 7;
    auto database = store::Database::open(options);
    REQUIRE(database.ok());
    const auto rows = database->number("SELECT count(*) FROM log");
    return rows ? *rows : -1;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "WAL look: a log of SQLite is clean, however it comes in pieces") {
  const auto ends = fresh_commits(5);
  const std::string log = wal();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{31}, std::size_t{4'120}, log.size()}) {
    const auto state = state_of(log, piece);
    CHECK(state.kind == Kind::clean);
    CHECK(state.commits == 5);
    CHECK(state.commits_behind == 0);
  }
  const auto found = store::look_at_wal(path);
  REQUIRE(found.ok());
  CHECK(found->kind == Kind::clean);
  CHECK(found->commits == 5);
}

TEST_CASE_FIXTURE(Fixture, "WAL look: there may be no log, or an empty one") {
  CHECK(store::look_at_wal(path).value().kind == Kind::none);
  (void)commit(3);
  checkpoint(store::Database::CheckpointMode::truncate);
  REQUIRE(std::filesystem::exists(path + "-wal"));
  CHECK(store::look_at_wal(path).value().kind == Kind::none);
  std::filesystem::remove(path + "-wal");
  std::filesystem::create_directory(path + "-wal");
  const auto unreadable = store::look_at_wal(path);
  REQUIRE(!unreadable.ok());
  CHECK(unreadable.error().code == store::Fault::Code::io);
  CHECK(unreadable.error().message == path + "-wal: can't be read: Is a directory");
}

TEST_CASE_FIXTURE(Fixture, "WAL look: frames of the generation before are no damage") {
  (void)commit(6);
  {
    store::Database database = open();
    REQUIRE(database.checkpoint(store::Database::CheckpointMode::passive)->is_complete());
    REQUIRE(!database.execute("INSERT INTO log(data) VALUES('after')"));
  }
  REQUIRE(wal().size() > 10 * frame_bytes);
  const auto state = state_of(wal());
  CHECK(state.kind == Kind::clean);
  CHECK(state.commits == 1);
  CHECK(state.broken_frame > 0);
  CHECK(rows_with(wal()) == 7);
}

TEST_CASE_FIXTURE(Fixture, "WAL look: a cut loses one commit at most, and is not damage") {
  const auto ends = fresh_commits(4);
  const std::string log = wal();
  REQUIRE(log.size() == ends.back());
  for (std::size_t size = 0; size <= log.size(); size += size < 200 ? 1 : 257) {
    CAPTURE(size);
    const auto state = state_of(std::string_view(log).substr(0, size));
    const auto whole = static_cast<std::size_t>(
        std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= size; }));
    CHECK(state.commits == whole);
    CHECK(state.kind != Kind::damaged);
    CHECK(state.commits_behind <= 1);
  }
  CHECK(state_of(std::string_view(log).substr(0, ends[2])).kind == Kind::clean);
  CHECK(state_of(std::string_view(log).substr(0, ends[2] + frame_bytes)).kind == Kind::torn);
  CHECK(state_of(std::string_view(log).substr(0, ends[3] - 1)).kind == Kind::torn);
}

TEST_CASE_FIXTURE(Fixture, "WAL look: the last commit may miss any of its sectors") {
  const auto ends = fresh_commits(4);
  const std::string log = wal();
  for (std::size_t at = ends[2]; at < log.size(); at += 512) {
    std::string torn = log;
    const std::size_t end = std::min(at + 512, log.size());
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at), torn.begin() + static_cast<std::ptrdiff_t>(end),
              '\0');
    if (torn == log) continue;
    CAPTURE(at);
    const auto state = state_of(torn);
    CHECK(state.kind == Kind::torn);
    CHECK(state.commits == 3);
  }
}

TEST_CASE_FIXTURE(Fixture, "WAL look: a flipped bit anywhere is found, but in the last commit") {
  const auto ends = fresh_commits(10);
  const std::string log = wal();
  std::vector<std::size_t> bits;
  for (std::size_t bit = 0; bit < (header_bytes + 24 + 64) * 8; ++bit)
    bits.push_back(bit);
  for (std::size_t frame = header_bytes; frame < log.size(); frame += frame_bytes) {
    // All of each frame's head, and some of its page.
    for (std::size_t bit = 0; bit < std::size_t{24} * 8; ++bit)
      bits.push_back(frame * 8 + bit);
    for (std::size_t byte = 24; byte < frame_bytes; byte += 401)
      bits.push_back((frame + byte) * 8 + byte % 8);
  }
  for (const std::size_t bit : bits) {
    const auto state = state_of(flipped(log, bit));
    const std::size_t byte = bit / 8;
    const auto before = static_cast<std::size_t>(
        std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= byte; }));
    // So many commits are lost if nobody notices.
    const std::size_t lost = byte < header_bytes ? 10 : 10 - before;
    CAPTURE(bit);
    CHECK(state.commits == 10 - lost);
    if (lost >= 2) {
      CHECK(state.kind == Kind::damaged);
      CHECK(state.commits_behind >= 2);
    } else {
      // A frame of the last commit in which the mark of a commit appears looks like another commit.
      const bool is_mark = (byte - header_bytes) % frame_bytes / 4 == 1;
      CHECK((state.kind == Kind::torn || (is_mark && state.kind == Kind::damaged)));
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "WAL look: it counts the commits that SQLite finds") {
  const auto ends = fresh_commits(6);
  const std::string log = wal();
  REQUIRE(rows_with(log) == 7);
  for (std::size_t byte = 3; byte < log.size(); byte += 1'999) {
    CAPTURE(byte);
    const std::string damaged = flipped(log, byte * 8 + byte % 8);
    const store::WalState state = state_of(damaged);
    CHECK(rows_with(damaged) == 1 + static_cast<std::int64_t>(state.commits));
    CHECK(state.bytes == (state.commits == 0 ? 0 : ends[state.commits - 1]));
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "WAL look: damage is a fault that names the file, the frame and what would be lost") {
  const auto ends = fresh_commits(4);
  const std::size_t frame = (ends[1] - header_bytes) / frame_bytes + 1;
  write_file(path + "-wal", flipped(wal(), (ends[1] + 1'000) * 8));
  const auto found = store::look_at_wal(path);
  REQUIRE(!found.ok());
  CHECK(found.error().code == store::Fault::Code::corrupt);
  CHECK(found.error().message == path + "-wal: frame " + std::to_string(frame) + " (at byte " +
                                     std::to_string(ends[1]) +
                                     ") is damaged, and 2 commits behind it would be lost");
  write_file(path + "-wal", std::string(100, 'x') + wal().substr(100));
  CHECK(store::look_at_wal(path).error().message.find("-wal: the header (at byte 0) is damaged, and") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "WAL look: a log that is written over itself is what it was") {
  CHECK(!store::rewrite_wal(path));
  CHECK(!std::filesystem::exists(path + "-wal"));
  (void)fresh_commits(20);
  const std::string log = wal();
  REQUIRE(log.size() > 200'000);
  const auto long_ago = std::filesystem::last_write_time(path + "-wal") - std::chrono::hours(1);
  // All of it, or only its beginning, in the middle of a read.
  for (const std::uint64_t bytes : {std::numeric_limits<std::uint64_t>::max(), std::uint64_t{100'000}}) {
    std::filesystem::last_write_time(path + "-wal", long_ago);
    CHECK(!store::rewrite_wal(path, bytes));
    CHECK(wal() == log);
    CHECK(std::filesystem::last_write_time(path + "-wal") > long_ago);
  }
  std::filesystem::remove(path + "-wal");
  std::filesystem::create_directory(path + "-wal");
  CHECK(store::rewrite_wal(path)->message == path + "-wal: can't be opened: Is a directory");
}

TEST_CASE("WAL look: checksums in the other order of bytes") {
  // SQLite on a machine that is big endian: the magic number and all checksums are others.
  std::string log = std::string("\x37\x7f\x06\x83\x00\x2d\xe2\x18\x00\x00\x02\x00\x00\x00\x00\x00", 16);
  const auto append_sum = [&log](std::size_t from, std::size_t size, std::uint32_t& a, std::uint32_t& b,
                                 std::size_t skip_from, std::size_t skip) {
    const auto word = [&](std::size_t at) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < 4; ++i)
        value = value << 8U | static_cast<unsigned char>(log[at + i]);
      return value;
    };
    for (std::size_t at = from; at < from + size; at += 8) {
      if (at >= skip_from && at < skip_from + skip) continue;
      a += word(at) + b;
      b += word(at + 4) + a;
    }
  };
  const auto put = [](std::string& to, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
      to[at + i] = static_cast<char>(static_cast<unsigned char>(value >> (24 - 8 * i)));
  };
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  log += std::string("saltSALT", 8);
  append_sum(0, 24, a, b, 0, 0);
  log += std::string(8, '\0');
  put(log, 24, a);
  put(log, 28, b);
  const std::size_t frame = log.size();
  log += std::string("\0\0\0\1\0\0\0\1saltSALT", 16) + std::string(8, '\0') + std::string(512, 'p');
  append_sum(frame, 24 + 512, a, b, frame + 8, 16);
  put(log, frame + 16, a);
  put(log, frame + 20, b);
  const auto state = state_of(log);
  CHECK(state.kind == Kind::clean);
  CHECK(state.commits == 1);
  CHECK(state_of(flipped(log, (frame + 100) * 8)).kind == Kind::torn);
}

}  // namespace wal_look_test
