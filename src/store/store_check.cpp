#include "store/store_check.h"

#include <memory>
#include <optional>
#include <utility>

#include "store/store_files.h"
#include "store/wal_look.h"

namespace roomcast::store {

namespace {

/// Counts what a scan comes across.
class CountingVisitor final : public StoreScan::Visitor {
 public:
  explicit CountingVisitor(CheckReport& report) : report_(report) {}
  void on_room(const StoreScan::Room& room) override {
    ++report_.rooms;
    if (room.epoch == 0) report_.problems.add("room \"" + room.name + "\" has lost its epoch");
  }
  void on_message(const StoreScan::Room& room, const Record& message) override {
    ++report_.messages;
    if (read_message_body(message.body)) return;
    report_.problems.add("room \"" + room.name + "\": message " + std::to_string(message.offset) +
                         " is not one");
  }
  void on_hole(const StoreScan::Room& /*room*/, const hub::Hole& /*hole*/) override { ++report_.holes; }

 private:
  CheckReport& report_;
};

void check_structure(Database& database, ProblemList& problems) {
  base::Result<Statement, Fault> rows = database.prepare("PRAGMA integrity_check");
  if (!rows) return problems.add(rows.error().message);
  base::Result<bool, Fault> row = rows->step();
  for (; row && *row; row = rows->step()) {
    if (rows->text(0) != "ok") problems.add(database.path() + ": " + std::string(rows->text(0)));
  }
  if (!row) problems.add(row.error().message);
}

void check_counts(const StoreScan& scan, std::uint64_t rooms, std::uint64_t messages, ProblemList& problems) {
  if (!scan.tail().batches.empty() || problems.count() > 0) return;
  // In the history alone the sums have to be those that it has noted.
  if (rooms != scan.meta().rooms) {
    problems.add("history.db: there are " + std::to_string(rooms) + " rooms, but should be " +
                 std::to_string(scan.meta().rooms));
  }
  if (messages != scan.meta().messages) {
    problems.add("history.db: there are " + std::to_string(messages) + " messages, but should be " +
                 std::to_string(scan.meta().messages));
  }
}

}  // namespace

base::Result<CheckReport> check_store(const std::string& directory) {
  CheckReport report;
  if (std::optional<base::Error> error = check_store_is_there(directory)) return std::move(*error);
  report.is_in_use = user_of_store(directory).has_value();
  // So that no server starts meanwhile.
  std::optional<Directory> lock;
  if (!report.is_in_use) {
    base::Result<Directory> locked = lock_store(directory);
    if (!locked) return std::move(locked.error());
    lock.emplace(std::move(*locked));
    for (const std::string& path : {lock->journal_path(), lock->history_path()}) {
      const base::Result<WalState, Fault> wal = look_at_wal(path);
      if (!wal) report.problems.add(wal.error().message);
    }
  }
  base::Result<std::unique_ptr<StoreScan>> scan = StoreScan::open({.directory = directory, .by_table = true});
  if (!scan) return std::move(scan.error());
  if ((*scan)->history() != nullptr) check_structure(*(*scan)->history(), report.problems);
  base::Result<Database, Fault> journal = open_journal_to_read(directory);
  if (journal) check_structure(*journal, report.problems);
  CountingVisitor visitor(report);
  (*scan)->visit(visitor);
  (void)(*scan)->values();
  report.batches = (*scan)->batches();
  for (const std::string& problem : (*scan)->problems().texts())
    report.problems.add(problem);
  check_counts(**scan, report.rooms, report.messages, report.problems);
  return report;
}

}  // namespace roomcast::store
