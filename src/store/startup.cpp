#include "store/startup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "store/record.h"
#include "store/wal_look.h"

namespace roomcast::store {

namespace {

// Nobody else writes to the journal. A backup that reads it can be in the way for moments only; what waits
// longer is tried again.
constexpr int journal_busy_ms = 500;

std::string random_store_id() {
  std::string id;
  for (int half = 0; half < 2; ++half) {
    const std::uint64_t bits = base::random_u64();
    for (unsigned shift = 0; shift < 64; shift += 8)
      id.push_back(static_cast<char>((bits >> shift) & 0xFFU));
  }
  return id;
}

/// Fills the tail with what is committed and not folded.
class TailReplay final : public Journal::Replay {
 public:
  TailReplay(Tail& tail, std::map<std::string, std::string>& values, RoomId& next_room)
      : tail_(tail), values_(values), next_room_(next_room) {}

  void on_batch(std::uint64_t seq, std::string&& records) override {
    RecordReader reader(records, RecordReader::Checksums::known);
    while (const std::optional<Record> record = reader.next())
      look_at(*record);
    tail_.add(seq, std::move(records));
  }

 private:
  void look_at(const Record& record) {
    if (record.room >= next_room_) next_room_ = record.room + 1;
    if (record.type != Record::Type::value) return;
    const std::size_t end = record.body.find('\0');
    if (end == std::string_view::npos) return;
    const std::string name(record.body.substr(0, end));
    const std::string_view value = record.body.substr(end + 1);
    if (value.empty()) {
      values_.erase(name);
    } else {
      values_.insert_or_assign(name, std::string(value));
    }
  }

  Tail& tail_;
  std::map<std::string, std::string>& values_;
  RoomId& next_room_;
};

/// Has the kernel begin to read a file into its memory, if it is there.
void read_ahead(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)::posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);
  ::close(file);
}

/// What the process before has written last may be in the memory of the system only, and even be lost there
/// (see rewrite_wal): after this it is on the disk, so that nobody sees what a power cut could take back. A
/// log that ends with a commit goes on from there, and the next checkpoint moves what it has to the main
/// file; here that is only done with one of more than `bytes_max`, since each start adds to it, and where it
/// makes an interrupted commit go, which WalLook relies on.
std::optional<Fault> secure_wal(const WalState& wal, const std::string& path, std::uint32_t application_id,
                                std::uint64_t bytes_max) {
  if (wal.kind == WalState::Kind::none) return std::nullopt;
  if (std::optional<Fault> fault = rewrite_wal(path, wal.bytes)) return fault;
  if (wal.kind == WalState::Kind::clean && wal.bytes <= bytes_max) return std::nullopt;
  Database::Options options;
  options.path = path;
  options.application_id = application_id;
  base::Result<Database, Fault> database = Database::open(options);
  if (!database) return std::move(database.error());
  base::Result<Database::Checkpoint, Fault> done = database->checkpoint(Database::CheckpointMode::truncate);
  if (!done) return std::move(done.error());
  return std::nullopt;
}

/// Opens the files of a directory that is locked already. After a fault everything is closed again.
class FileOpening {
 public:
  FileOpening(const StoreOptions& options, Directory& directory)
      : options_(options),
        directory_(directory),
        shares_(share_disk(options.disk_bytes, options.fold_bytes, options.queue_bytes)) {}

  [[nodiscard]] base::Result<StoreFiles, Fault> open() {
    for (const std::string& path :
         {directory_.journal_path() + "-wal", directory_.history_path() + "-wal", directory_.journal_path()})
      read_ahead(path);
    // Both before SQLite opens either, since it would repair what it takes for an interrupted commit.
    const base::Result<WalState, Fault> journal_wal = look_at_wal(directory_.journal_path());
    if (!journal_wal) return journal_wal.error();
    const base::Result<WalState, Fault> history_wal = look_at_wal(directory_.history_path());
    if (!history_wal) return history_wal.error();
    if (std::optional<Fault> fault =
            secure_wal(*journal_wal, directory_.journal_path(), Journal::application_id,
                       shares_.journal_wal_bytes + shares_.queue_bytes))
      return std::move(*fault);
    if (std::optional<Fault> fault = secure_wal(*history_wal, directory_.history_path(),
                                                Archive::application_id, 2 * shares_.history_wal_bytes))
      return std::move(*fault);

    Journal::Options journal_options;
    journal_options.path = directory_.journal_path();
    journal_options.secure_delete = options_.secure_delete;
    journal_options.bytes_max = shares_.journal_bytes;
    journal_options.wal_bytes = shares_.journal_wal_bytes;
    journal_options.busy_ms = journal_busy_ms;
    Archive::Options archive_options;
    archive_options.path = directory_.history_path();
    archive_options.secure_delete = options_.secure_delete;
    archive_options.cache_bytes = options_.cache_bytes / 2;
    archive_options.bytes_max = shares_.history_bytes;
    archive_options.wal_bytes = shares_.history_wal_bytes;
    archive_options.new_store_id = random_store_id();

    auto tail = std::make_unique<Tail>();
    auto in_use = std::make_unique<RoomsInUse>();
    base::Result<Archive, Fault> archive = Archive::open(archive_options, *tail, *in_use);
    if (!archive) return std::move(archive.error());
    base::Result<Journal, Fault> journal = Journal::open(journal_options);
    if (!journal) return std::move(journal.error());
    return open_contents(std::move(journal_options), std::move(archive_options), std::move(*journal),
                         std::move(*archive), std::move(tail), std::move(in_use));
  }

 private:
  [[nodiscard]] base::Result<StoreFiles, Fault> open_contents(Journal::Options journal_options,
                                                              Archive::Options archive_options,
                                                              Journal journal, Archive archive,
                                                              std::unique_ptr<Tail> tail,
                                                              std::unique_ptr<RoomsInUse> in_use) {
    base::Result<std::vector<Archive::Value>, Fault> found = archive.values();
    if (!found) return std::move(found.error());
    std::map<std::string, std::string> values;
    for (Archive::Value& value : *found)
      values.emplace(std::move(value.name), std::move(value.value));

    RoomId next_room = archive.meta().next_room;
    TailReplay replay(*tail, values, next_room);
    if (std::optional<Fault> fault = journal.replay(archive.meta().folded_seq, replay))
      return std::move(*fault);
    in_use->set_first_created(next_room);
    const bool was_clean = archive.meta().is_clean;
    if (std::optional<Fault> fault = archive.begin()) return std::move(*fault);

    ArchiveReader::Options reader_options;
    reader_options.path = archive_options.path;
    reader_options.cache_bytes = options_.cache_bytes / 2;
    base::Result<ArchiveReader, Fault> reader = ArchiveReader::open(reader_options, *tail, *in_use);
    if (!reader) return std::move(reader.error());

    const std::uint64_t last_seq = std::max(journal.last_seq(), archive.meta().folded_seq);
    StoreFiles files{std::move(directory_),
                     shares_,
                     std::move(journal_options),
                     std::move(archive_options),
                     std::move(journal),
                     std::move(archive),
                     std::move(tail),
                     std::move(in_use),
                     std::move(*reader),
                     next_room,
                     last_seq,
                     {},
                     true};
    for (auto& [name, value] : values)
      files.values.push_back({name, std::move(value)});
    if (was_clean) return files;
    Database::Options check_options;
    check_options.path = files.archive_options.path;
    check_options.application_id = Archive::application_id;
    check_options.is_writable = false;
    base::Result<Database, Fault> to_check = Database::open(check_options);
    if (!to_check) return std::move(to_check.error());
    files.to_check = std::move(*to_check);
    return files;
  }

  const StoreOptions& options_;
  Directory& directory_;
  DiskShares shares_;
};

base::Error startup_error(const Fault& fault, const std::string& path) {
  std::string message = "store.path: " + fault.message;
  switch (fault.code) {
    case Fault::Code::corrupt:
      message +=
          "; `roomcast store check` says what is damaged, `roomcast store recover DIR` saves what is "
          "whole into a new store, and store.on_corruption = \"set_aside\" begins with an empty one";
      break;
    case Fault::Code::full:
      message += "; make space on the disk of " + path;
      break;
    case Fault::Code::readonly:
      message += "; the user that the server runs as must own " + path + " and be able to write there";
      break;
    default:
      break;
  }
  return {std::move(message)};
}

}  // namespace

base::Result<StoreFiles> open_files(const StoreOptions& options, std::int64_t wall_ms, base::Log& log) {
  Database::prepare_process();
  base::Result<Directory> directory = Directory::open(options.path);
  if (!directory) return std::move(directory.error());
  base::Result<StoreFiles, Fault> files = FileOpening(options, *directory).open();
  // Opening may move what a crash has left in a WAL to the main file, which grows.
  if (!files && files.error().code == Fault::Code::full && directory->drop_reserve())
    files = FileOpening(options, *directory).open();
  if (!files && files.error().code == Fault::Code::corrupt && options.sets_aside) {
    const base::Result<std::string> moved = directory->set_aside(wall_ms);
    if (!moved) return moved.error();
    log.error("the store is damaged: its files have been moved, and an empty one begins",
              {{"why", files.error().message}, {"moved_to", *moved}});
    files = FileOpening(options, *directory).open();
  }
  if (!files) return startup_error(files.error(), options.path);
  files->has_reserve = files->directory.make_reserve();
  if (!files->has_reserve)
    log.error("the disk is full: the store keeps no messages until there is space", {{"path", options.path}});
  return std::move(*files);
}

}  // namespace roomcast::store
