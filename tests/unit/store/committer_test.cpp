#include "store/committer.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/record.h"
#include "support/loop_fixture.h"
#include "support/temporary_directory.h"

namespace committer_test {

using namespace roomcast;

namespace {

struct Rows final : store::Journal::Replay {
  std::map<std::uint64_t, std::string> rows;
  void on_batch(std::uint64_t seq, std::string&& records) override { rows.emplace(seq, std::move(records)); }
};

struct Fixture : test::LoopFixture, store::Committer::Listener {
  test::TemporaryDirectory scratch;
  store::Directory directory;
  store::Tail tail;
  std::unique_ptr<store::Committer> committer;
  std::vector<std::uint64_t> committed;
  std::size_t records = 0;
  std::size_t messages = 0;
  std::vector<unsigned> failures;
  std::string last_fault;
  std::optional<bool> reserve;
  std::uint64_t next_offset = 1;

  Fixture() : directory(std::move(store::Directory::open(scratch.file("store")).value())) {}

  void open(store::Committer::Limits limits = {5, std::size_t{1} << 20U, std::size_t{1} << 20U},
            std::uint64_t journal_bytes = 0) {
    store::Journal::Options options;
    options.path = directory.journal_path();
    options.bytes_max = journal_bytes;
    auto journal = store::Journal::open(options);
    if (!journal) FAIL(journal.error().message);
    const std::uint64_t last = journal->last_seq();
    committer =
        std::make_unique<store::Committer>(store::Committer::Parts{loop, turn, directory, tail, *this},
                                           limits, std::move(*journal), options, last);
  }
  void append(std::size_t records = 1) {
    for (std::size_t i = 0; i < records; ++i)
      store::append_mark(committer->batch(), store::Record::Type::removed, 1, next_offset++);
    committer->appended();
  }
  [[nodiscard]] std::map<std::uint64_t, std::string> rows(std::uint64_t after = 0) const {
    store::Journal::Options options;
    options.path = directory.journal_path();
    auto journal = store::Journal::open(options);
    if (!journal) FAIL(journal.error().message);
    Rows found;
    const auto fault = journal->replay(after, found);
    if (fault) FAIL(fault->message);
    return found.rows;
  }
  [[nodiscard]] static std::vector<std::uint64_t> offsets(const std::map<std::uint64_t, std::string>& rows) {
    std::vector<std::uint64_t> found;
    for (const auto& [seq, records] : rows) {
      store::RecordReader reader(records);
      while (const auto record = reader.next())
        found.push_back(record->offset);
    }
    return found;
  }
  [[nodiscard]] static std::vector<std::uint64_t> up_to(std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t i = 1; i <= last; ++i)
      numbers.push_back(i);
    return numbers;
  }

  void on_committed(const store::Committer::Committed& batch) override {
    committed.push_back(batch.seq);
    records += batch.records;
    messages += batch.messages;
    CHECK(batch.sync_us >= 0);
    CHECK(batch.sync_us <= batch.took_us);
  }
  void on_commit_failed(const store::Fault& fault, unsigned in_a_row) override {
    last_fault = fault.message;
    failures.push_back(in_a_row);
  }
  void on_reserve(bool is_there) override { reserve = is_there; }
  void on_checkpoint_failed(const store::Fault& fault) override { FAIL(fault.message); }
};

/// Takes the write lock of the journal, as nobody but this test does.
class Blocker {
 public:
  explicit Blocker(const std::string& path) {
    store::Database::Options options;
    options.path = path;
    options.application_id = store::Journal::application_id;
    auto opened = store::Database::open(options);
    if (!opened) FAIL(opened.error().message);
    database_.emplace(std::move(*opened));
    REQUIRE(!database_->execute("BEGIN IMMEDIATE"));
  }
  ~Blocker() { static_cast<void>(database_->execute("ROLLBACK")); }

 private:
  std::optional<store::Database> database_;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "committer: batches are on the disk when they are told, in their order") {
  open();
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t batch = committer->batch_number();
    append(3);
    CHECK(committer->batch_number() == batch);
    const bool is_first = i == 0;
    if (is_first) CHECK(run_until([&] { return committed.size() == 1; }));
    run_idle_turns(3);
  }
  CHECK(run_until([&] { return committer->queued_bytes() == 0; }));
  for (std::size_t i = 0; i < committed.size(); ++i)
    CHECK(committed[i] == i + 1);
  CHECK(offsets(rows()) == up_to(60));
  CHECK(tail.find(1).records.size() == 60);
  CHECK(records == 20);
  CHECK(messages == 0);
}

TEST_CASE_FIXTURE(Fixture, "committer: of what is in a batch, messages are counted") {
  open();
  for (std::uint64_t offset = 1; offset <= 3; ++offset) {
    const hub::Message message{
        hub::Kind::text, base::Bytes::copy_of("some text"), hub::Author("ada"), 0, {7, offset}, 1'000};
    store::append_message(committer->batch(), 1, message, {}, store::Record::Type::message);
    append(2);
  }
  CHECK(run_until([&] { return committer->queued_bytes() == 0; }));
  CHECK(messages == 3);
  CHECK(records == 3);
}

TEST_CASE_FIXTURE(Fixture, "committer: what comes while a commit is under way is one batch") {
  open({50, std::size_t{1} << 20U, std::size_t{1} << 20U});
  append();
  run_idle_turns(1);
  CHECK(committer->batch_number() == 2);
  for (int i = 0; i < 10; ++i) {
    append();
    run_idle_turns(1);
  }
  CHECK(run_until([&] { return committer->queued_bytes() == 0; }));
  CHECK(committed.size() <= 3);
  CHECK(offsets(rows()) == up_to(11));
}

TEST_CASE_FIXTURE(Fixture,
                  "committer: the queue has a bound, of the batch under way and the one being filled") {
  open({0, 300, std::size_t{1} << 20U});
  CHECK(committer->has_space_for(300));
  CHECK(!committer->has_space_for(301));
  append(5);
  const std::size_t bytes = committer->queued_bytes();
  CHECK(bytes == 5 * store::Record::head_bytes);
  run_idle_turns(1);
  CHECK(committer->queued_bytes() <= bytes);
  append(1);
  CHECK(!committer->has_space_for(301 - committer->queued_bytes()));
  CHECK(run_until([&] { return committer->queued_bytes() == 0; }));
  CHECK(committer->has_space_for(300));
}

TEST_CASE_FIXTURE(Fixture, "committer: commits wait while the tail is full") {
  open({0, std::size_t{1} << 20U, 300});
  append(11);
  CHECK(run_until([&] { return committed.size() == 1; }));
  append(7);
  run_idle_turns(100);
  CHECK(committed.size() == 1);
  CHECK(committer->queued_bytes() > 0);
  // The fold has committed.
  static_cast<void>(tail.cut());
  tail.release_cut();
  committer->release(1);
  CHECK(run_until([&] { return committed.size() == 2; }));
  CHECK(rows(1).size() == 1);  // the first one went with the second
}

TEST_CASE_FIXTURE(Fixture, "committer: a batch that cannot be written is tried again, and nothing is lost") {
  open({0, std::size_t{1} << 20U, std::size_t{1} << 20U});
  append();
  CHECK(run_until([&] { return committed.size() == 1; }));
  // A file of 64 pages at most, which the next batch does not fit into.
  committer.reset();
  open({0, std::size_t{1} << 22U, std::size_t{1} << 22U}, 64 * 4'096);
  append(20'000);
  CHECK(run_until([&] { return failures.size() >= 4; }));
  CHECK(failures[0] == 1);
  CHECK(failures[3] == 4);
  CHECK(committed.size() == 1);
  CHECK(last_fault.find("journal.db") != std::string::npos);
  CHECK(rows().size() == 1);
  CHECK(!committer->finish());
  CHECK(rows().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "committer: after failures it goes on by itself, in order, with the same bytes") {
  open({0, std::size_t{1} << 20U, std::size_t{1} << 20U});
  append();
  CHECK(run_until([&] { return committed.size() == 1; }));
  committer.reset();
  {
    store::Journal::Options options;
    options.path = directory.journal_path();
    auto journal = store::Journal::open(options);
    REQUIRE(journal.ok());
    options.busy_ms = 10;
    auto impatient = store::Journal::open(options);
    REQUIRE(impatient.ok());
    committer = std::make_unique<store::Committer>(
        store::Committer::Parts{loop, turn, directory, tail, *this},
        store::Committer::Limits{0, std::size_t{1} << 20U, std::size_t{1} << 20U}, std::move(*impatient),
        options, 1);
    const Blocker blocker(directory.journal_path());
    append(3);
    CHECK(run_until([&] { return failures.size() >= 4; }));  // the file has been opened anew by then
    append(2);
    CHECK(committed.size() == 1);
  }
  CHECK(run_until([&] { return committer->queued_bytes() == 0; }));
  CHECK(committed == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(offsets(rows()) == up_to(6));
}

TEST_CASE_FIXTURE(Fixture, "committer: a full file makes it give the reserve up") {
  REQUIRE(directory.make_reserve());
  open({0, std::size_t{1} << 22U, std::size_t{1} << 22U}, 64 * 4'096);
  append(20'000);
  CHECK(run_until([&] { return !failures.empty(); }));
  CHECK(reserve == false);
  CHECK(!directory.drop_reserve());
  committer->make_reserve();
  CHECK(run_until([&] { return reserve == true; }));
  CHECK(directory.drop_reserve());
}

TEST_CASE_FIXTURE(Fixture, "committer: its end commits what is left, and closing empties what was folded") {
  open({1'000, std::size_t{1} << 20U, std::size_t{1} << 20U});
  append();
  CHECK(run_until([&] { return committed.size() == 1; }));
  append(4);
  run_idle_turns(3);
  CHECK(committed.size() == 1);
  CHECK(committer->finish());
  committer->close(1);
  CHECK(offsets(rows(1)) == std::vector<std::uint64_t>{2, 3, 4, 5});
}

TEST_CASE_FIXTURE(Fixture, "committer: what was folded goes without commits, too, when asked") {
  open({0, std::size_t{1} << 20U, std::size_t{1} << 20U});
  for (std::uint64_t i = 1; i <= 200; ++i) {
    append();
    REQUIRE(run_until([&] { return committed.size() == i; }));
  }
  committer->release(199);
  committer->release_now();
  CHECK(run_until([&] {
    Rows found;
    auto journal = store::Journal::open([&] {
      store::Journal::Options options;
      options.path = directory.journal_path();
      return options;
    }());
    return journal && !journal->has_up_to(199) && journal->has_up_to(200);
  }));
}

TEST_CASE_FIXTURE(Fixture, "committer: an end without finish is like that of the process") {
  open({1'000, std::size_t{1} << 20U, std::size_t{1} << 20U});
  append();
  CHECK(run_until([&] { return committed.size() == 1; }));
  append(4);
  run_idle_turns(3);
  committer.reset();
  CHECK(offsets(rows()) == up_to(1));
}

}  // namespace committer_test
