#include "bit_flips/made_store.h"

#include <cstdio>
#include <filesystem>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "store/record.h"
#include "store/startup.h"

namespace roomcast::flips {

namespace {

constexpr std::size_t rooms_count = 12;
constexpr std::uint64_t batches_before = 40;  // of the first process
constexpr std::uint64_t batches_after = 44;   // of the second
constexpr std::uint64_t checkpoint_at = 24;   // of those: what comes later is in the WAL
constexpr std::uint64_t fold_at = 12;  // after so many of the second process; the rest stays in the journal

/// Writes batches the way the store's threads do, one step after the other.
class Writer {
 public:
  Writer(store::StoreFiles& files, Content& content, std::mt19937_64& random)
      : files_(files), content_(content), random_(random), next_batch_(files.last_seq + 1) {}

  bool commit_batch(bool may_amend) {
    std::string records;
    const std::size_t count = 1 + random_() % 12;
    for (std::size_t i = 0; i < count; ++i)
      append_something(records, may_amend);
    store::seal(records);
    if (failed(files_.journal.append(next_batch_, records, {folded_, 8}))) return false;
    files_.tail->add(next_batch_, std::move(records));
    content_.last_batch = next_batch_++;
    ++content_.batches_in_log;
    return true;
  }
  bool fold() {
    const auto segment = files_.tail->cut();
    if (segment == nullptr) return true;
    const auto folded = files_.archive.fold(*segment, generous_rules(), {content_.time_ms, true});
    if (!folded) return !failed(folded.error());
    files_.tail->release_cut();
    folded_ = folded->seq;
    return true;
  }
  bool checkpoint() {
    content_.batches_in_log = 0;
    return !failed(files_.journal.checkpoint(store::Database::CheckpointMode::truncate));
  }
  bool end() { return checkpoint() && !failed(files_.archive.end()); }

 private:
  static bool failed(const std::optional<store::Fault>& fault) {
    if (fault) std::fprintf(stderr, "the store cannot be made: %s\n", fault->message.c_str());
    return fault.has_value();
  }

  void append_something(std::string& records, bool may_amend) {
    const std::size_t number = random_() % rooms_count;
    const std::string name = "room-" + std::to_string(number);
    ExpectedRoom& room = content_.rooms[name];
    const auto id = static_cast<store::RoomId>(number + 1);
    if (room.epoch == 0) {
      room.epoch = random_() | 1U;
      store::append_room(records, id, name, room.epoch);
    }
    const std::uint64_t next = room.messages.size() + 1;
    const std::uint64_t kind = may_amend && next > 2 ? random_() % 16 : 15;
    const std::uint64_t other = next > 1 ? 1 + random_() % (next - 1) : 1;
    if (kind == 0) {
      store::append_mark(records, store::Record::Type::removed, id, other, content_.time_ms);
      std::string place;
      store::append_removed_place(place, id, other, room.messages[other].time_ms);
      expect(room, other, place);
    } else if (kind == 1 && room.messages[other].body.size() > 1) {
      append_message(records, room, {id, other, store::Record::Type::replaced});
    } else {
      append_message(records, room, {id, next, store::Record::Type::message});
    }
  }
  struct Place {
    store::RoomId room;
    std::uint64_t offset;
    store::Record::Type type;
  };
  void append_message(std::string& records, ExpectedRoom& room, const Place& place) {
    const bool is_new = place.type == store::Record::Type::message;
    if (is_new) content_.time_ms += static_cast<std::int64_t>(random_() % 50);
    const std::int64_t time_ms = is_new ? content_.time_ms : room.messages[place.offset].time_ms;
    std::string payload(20 + random_() % (random_() % 8 == 0 ? 6'000 : 300), '\0');
    for (char& byte : payload)
      byte = static_cast<char>('a' + random_() % 26);
    const std::size_t from = records.size();
    store::append_message(records, place.room,
                          {hub::Kind::text,
                           base::Bytes::copy_of(payload),
                           hub::Author("ada"),
                           0,
                           {room.epoch, place.offset},
                           time_ms},
                          {}, place.type);
    expect(room, place.offset, std::string_view(records).substr(from));
  }
  void expect(ExpectedRoom& room, std::uint64_t offset, std::string_view record) {
    const std::int64_t time_ms =
        room.messages.contains(offset) ? room.messages[offset].time_ms : content_.time_ms;
    room.messages[offset] = {std::string(record.substr(store::Record::head_bytes)), time_ms, next_batch_};
  }

  store::StoreFiles& files_;
  Content& content_;
  std::mt19937_64& random_;
  std::uint64_t next_batch_;
  std::uint64_t folded_ = 0;
};

base::Result<store::StoreFiles> open_store(const std::string& directory, std::int64_t now_ms,
                                           base::Log& log) {
  base::Result<store::StoreFiles> files = store::open_files(options_of(directory), now_ms, log);
  if (!files) std::fprintf(stderr, "%s\n", files.error().message.c_str());
  return files;
}

bool write_before(Writer&& writer) {
  for (std::uint64_t i = 1; i <= batches_before; ++i) {
    if (!writer.commit_batch(i > 5)) return false;
    if (i % 12 == 0 && !writer.fold()) return false;
  }
  return writer.end();
}

bool write_after(Writer&& writer, End end) {
  for (std::uint64_t i = 1; i <= batches_after; ++i) {
    // The last commit only adds: if it is taken for an interrupted one, nothing old comes back.
    if (!writer.commit_batch(i != batches_after)) return false;
    if (i == fold_at && !writer.fold()) return false;
    if (i == checkpoint_at && !writer.checkpoint()) return false;
  }
  return end == End::killed || writer.end();
}

void copy_databases(const std::string& from, const std::string& to) {
  std::filesystem::create_directories(to);
  for (const char* const name : files) {
    if (std::filesystem::exists(from + "/" + name))
      std::filesystem::copy_file(from + "/" + name, to + "/" + name,
                                 std::filesystem::copy_options::overwrite_existing);
  }
}

}  // namespace

store::StoreOptions options_of(const std::string& directory) {
  store::StoreOptions options;
  options.path = directory;
  return options;
}

hub::RoomRules generous_rules() {
  constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max() / 4;
  return hub::RoomRules({{1'000'000, std::size_t{1} << 30U, for_ever}, {0, 100}, hub::Durability::sync});
}

std::optional<Content> make_store(const std::string& directory, End end, std::uint64_t seed,
                                  std::int64_t begin_ms) {
  base::Log log(base::LogLevel::error, base::LogFormat::text);
  std::mt19937_64 random(seed);
  Content content;
  content.time_ms = begin_ms;
  const std::string working = directory + ".working";
  {
    base::Result<store::StoreFiles> files = open_store(working, begin_ms, log);
    if (!files || !write_before(Writer(*files, content, random))) return std::nullopt;
  }
  {
    base::Result<store::StoreFiles> files = open_store(working, begin_ms, log);
    if (!files || !write_after(Writer(*files, content, random), end)) return std::nullopt;
    // While it is open: as the files are when the process is killed.
    if (end == End::killed) copy_databases(working, directory);
  }
  if (end == End::closed) copy_databases(working, directory);
  std::filesystem::remove_all(working);
  return content;
}

}  // namespace roomcast::flips
