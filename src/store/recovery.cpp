#include "store/recovery.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "store/store_files.h"
#include "store/store_writer.h"
#include "store/wal_look.h"

namespace roomcast::store {

namespace {

/// Writes what a scan finds into another store.
class SavingVisitor final : public StoreScan::Visitor {
 public:
  SavingVisitor(StoreWriter& writer, RecoveryReport& report) : writer_(writer), report_(report) {}

  void on_room(const StoreScan::Room& room) override {
    if (error_) return;
    ++report_.rooms;
    std::uint64_t epoch = room.epoch;
    if (epoch == 0) {
      report_.problems.add("room \"" + room.name + "\" has lost its epoch: it gets a new one");
      epoch = base::random_u64() | 1U;
    }
    base::Result<StoreWriter::Room*> created = writer_.create(room.name, epoch, room.floor);
    if (created) writing_ = *created;
    if (!created) error_ = std::move(created.error());
  }
  void on_message(const StoreScan::Room& room, const Record& message) override {
    if (error_) return;
    if (!read_message_body(message.body)) {
      report_.problems.add("room \"" + room.name + "\": message " + std::to_string(message.offset) +
                           " is not one");
      return;
    }
    ++report_.messages;
    error_ = writer_.add(*writing_, message);
  }
  void on_hole(const StoreScan::Room& /*room*/, const hub::Hole& hole) override {
    if (error_) return;
    ++report_.holes;
    error_ = writer_.add_hole(*writing_, hole.last);
  }
  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }

 private:
  StoreWriter& writer_;
  RecoveryReport& report_;
  StoreWriter::Room* writing_ = nullptr;
  std::optional<base::Error> error_;
};

}  // namespace

base::Result<RecoveryReport> recover_store(const std::string& from, const StoreOptions& options,
                                           base::Log& log) {
  const base::Result<Directory> locked = lock_store(from);
  if (!locked) return locked.error();
  RecoveryReport report;
  for (const std::string& path : {locked->journal_path(), locked->history_path()}) {
    const base::Result<WalState, Fault> wal = look_at_wal(path);
    if (!wal) report.problems.add(wal.error().message);
  }
  base::Result<std::unique_ptr<StoreScan>> scan = StoreScan::open({.directory = from, .by_table = true});
  if (!scan) return std::move(scan.error());
  if (std::optional<base::Error> error = make_empty_directory(options.path)) return std::move(*error);
  base::Result<std::unique_ptr<StoreWriter>> writer = StoreWriter::open(options, log);
  if (!writer) return std::move(writer.error());
  SavingVisitor visitor(**writer, report);
  (*scan)->visit(visitor);
  if (visitor.error()) return *visitor.error();
  for (const auto& [name, value] : (*scan)->values()) {
    if (std::optional<base::Error> error = (*writer)->put_value(name, value)) return std::move(*error);
  }
  if (std::optional<base::Error> error = (*writer)->finish()) return std::move(*error);
  for (const std::string& problem : (*scan)->problems().texts())
    report.problems.add(problem);
  return report;
}

}  // namespace roomcast::store
