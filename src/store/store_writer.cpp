#include "store/store_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/store_files.h"

namespace roomcast::store {

namespace {

constexpr std::size_t written_bytes = std::size_t{4} << 20U;

hub::RoomRules rules_that_keep_all() {
  hub::RoomSettings settings{};
  settings.history = {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max(),
                      std::int64_t{100} * 365 * 24 * 3'600 * 1'000};
  return hub::RoomRules(settings);
}

}  // namespace

base::Result<std::unique_ptr<StoreWriter>> StoreWriter::open(const StoreOptions& options, base::Log& log) {
  if (const std::optional<std::string> user = user_of_store(options.path))
    return base::Error{options.path + " is in use by " + *user + ": stop it first"};
  base::Result<StoreFiles> files = open_files(options, 0, log);
  if (!files) return std::move(files.error());
  return std::unique_ptr<StoreWriter>(
      new StoreWriter(std::move(*files), options));  // NOLINT: the constructor is private
}

StoreWriter::StoreWriter(StoreFiles files, const StoreOptions& options)
    : files_(std::move(files)), disk_bytes_(options.disk_bytes), keeping_(rules_that_keep_all()) {}

base::Result<StoreWriter::Room*> StoreWriter::find(std::string_view name) {
  if (const auto known = rooms_.find(name); known != rooms_.end()) return &known->second;
  base::Result<ArchiveReader::Loaded, Fault> loaded = files_.reader.load(name, keeping_, {}, 0);
  if (!loaded) return command_error(loaded.error());
  const RoomExtent& extent = loaded->extent;
  if (!extent.is_written) return static_cast<Room*>(nullptr);
  return &rooms_.emplace(name, Room{extent.id, extent.epoch, extent.top}).first->second;
}

base::Result<StoreWriter::Room*> StoreWriter::create(std::string_view name, std::uint64_t epoch,
                                                     std::uint64_t floor) {
  if (files_.next_room > room_id_max) {
    return base::Error{
        "the store has given all its room numbers (4,294,901,760): export it and import it into "
        "a new one"};
  }
  Room& room = rooms_.emplace(name, Room{files_.next_room++, epoch, floor}).first->second;
  append_room(batch_, room.id, name, epoch);
  if (floor > 0) append_mark(batch_, Record::Type::cleared, room.id, floor);
  if (std::optional<base::Error> error = written(written_bytes)) return std::move(*error);
  return &room;
}

void StoreWriter::fill_gap(Room& room, std::uint64_t offset) {
  if (offset > room.top + 1) {
    append_mark(batch_, Record::Type::hole, room.id, offset - 1, static_cast<std::int64_t>(room.top + 1));
  }
  room.top = offset;
}

std::optional<base::Error> StoreWriter::add(Room& room, const hub::Message& message) {
  fill_gap(room, message.position.offset);
  append_message(batch_, room.id, message);
  return written(written_bytes);
}

std::optional<base::Error> StoreWriter::add(Room& room, const Record& message) {
  const std::optional<MessageBody> body = read_message_body(message.body);
  if (!body) return std::nullopt;
  if (body->is_removed) return add_removed(room, message.offset, message.number, body->key);
  const std::optional<hub::Message> read = to_message(message, room.epoch);
  if (!read) return std::nullopt;
  fill_gap(room, message.offset);
  append_message(batch_, room.id, *read, body->key);
  return written(written_bytes);
}

std::optional<base::Error> StoreWriter::add_removed(Room& room, std::uint64_t offset, std::int64_t time_ms,
                                                    const PublishKey& key) {
  fill_gap(room, offset);
  append_removed_place(batch_, room.id, offset, time_ms, key);
  return written(written_bytes);
}

std::optional<base::Error> StoreWriter::add_hole(Room& room, std::uint64_t last) {
  fill_gap(room, last + 1);
  room.top = last;
  return written(written_bytes);
}

std::optional<base::Error> StoreWriter::put_value(std::string_view name, std::string_view value) {
  append_value(batch_, name, value);
  return written(written_bytes);
}

/// Folds what is collected if it is more than `bytes_max`. It does not go through the journal: nobody waits
/// for it.
std::optional<base::Error> StoreWriter::written(std::size_t bytes_max) {
  if (batch_.size() <= bytes_max) return std::nullopt;
  seal(batch_);
  files_.tail->add(++files_.last_seq, std::exchange(batch_, {}));
  const auto cut = files_.tail->cut();
  const base::Result<Archive::Folded, Fault> folded = files_.archive.fold(*cut, keeping_, {});
  if (!folded) return command_error(folded.error());
  files_.tail->release_cut();
  if (files_.archive.evicted().disk == 0) return std::nullopt;
  return base::Error{"the messages need more than store.disk_bytes, which is " + std::to_string(disk_bytes_) +
                     ": the oldest ones are lost. Raise it and begin again"};
}

std::optional<base::Error> StoreWriter::finish() {
  for (const auto& [name, room] : rooms_)
    append_mark(batch_, Record::Type::ceiling, room.id, room.top + skipped_offsets);
  if (std::optional<base::Error> error = written(0)) return error;
  if (const auto left = files_.tail->cut()) {
    // Of the journal alone.
    const base::Result<Archive::Folded, Fault> folded = files_.archive.fold(*left, keeping_, {});
    if (!folded) return command_error(folded.error());
    files_.tail->release_cut();
  }
  if (std::optional<Fault> fault = files_.journal.release({files_.last_seq, files_.last_seq}))
    return command_error(*fault);
  if (std::optional<Fault> fault = files_.journal.checkpoint(Database::CheckpointMode::truncate))
    return command_error(*fault);
  if (std::optional<Fault> fault = files_.archive.end()) return command_error(*fault);
  return std::nullopt;
}

}  // namespace roomcast::store
