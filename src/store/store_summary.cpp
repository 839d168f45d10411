#include "store/store_summary.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "store/store_files.h"
#include "store/store_scan.h"

namespace roomcast::store {

namespace {

using RoomSizes = std::unordered_map<RoomId, StoreSummary::Room>;

std::optional<Fault> add_chunks(Database& history, RoomSizes& rooms) {
  base::Result<Statement, Fault> rows = history.prepare(
      "SELECT room.id,room.name,ifnull(sum(chunk.count),0),ifnull(sum(chunk.bytes),0)"
      " FROM room LEFT JOIN chunk ON chunk.room=room.id GROUP BY room.id");
  if (!rows) return std::move(rows.error());
  base::Result<bool, Fault> row = rows->step();
  for (; row && *row; row = rows->step()) {
    rooms[static_cast<RoomId>(rows->number(0))] = {std::string(rows->text(1)),
                                                   static_cast<std::uint64_t>(rows->number(2)),
                                                   static_cast<std::uint64_t>(rows->number(3))};
  }
  return row ? std::nullopt : std::optional(row.error());
}

void add_tail_records(const TailSegment& tail, RoomSizes& rooms) {
  for (const auto& [name, id] : tail.rooms)
    rooms[id].name = name;
  for (const auto& [id, records] : tail.records) {
    const auto room = rooms.find(id);
    if (room == rooms.end()) continue;
    for (const std::string_view bytes : records) {
      RecordReader reader(bytes);
      const std::optional<Record> record = reader.next();
      if (!record || record->type != Record::Type::message) continue;
      ++room->second.messages;
      room->second.bytes += bytes.size();
    }
  }
}

}  // namespace

base::Result<StoreSummary> summarize_store(const std::string& directory) {
  base::Result<std::unique_ptr<StoreScan>> opened = StoreScan::open({.directory = directory});
  if (!opened) return std::move(opened.error());
  StoreScan& scan = **opened;
  StoreSummary summary;
  RoomSizes rooms;
  if (scan.history() != nullptr) {
    if (const auto fault = add_chunks(*scan.history(), rooms)) return command_error(*fault);
    const auto quarantined = scan.history()->number("SELECT count(*) FROM quarantine");
    if (!quarantined) return command_error(quarantined.error());
    summary.quarantined = static_cast<std::uint64_t>(*quarantined);
  }
  if (!scan.problems().texts().empty())
    return command_error({Fault::Code::corrupt, scan.problems().texts().front()});
  add_tail_records(scan.tail(), rooms);
  for (auto& [id, room] : rooms) {
    ++summary.rooms;
    summary.messages += room.messages;
    summary.bytes += room.bytes;
    summary.largest.push_back(std::move(room));
  }
  std::sort(summary.largest.begin(), summary.largest.end(),
            [](const StoreSummary::Room& a, const StoreSummary::Room& b) {
              return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
            });
  summary.largest.resize(std::min(summary.largest.size(), StoreSummary::largest_max));
  summary.batches = scan.batches();
  summary.batch_bytes = scan.tail().bytes;
  summary.journal_bytes = Database::bytes_on_disk(directory + "/journal.db");
  summary.history_bytes = Database::bytes_on_disk(directory + "/history.db");
  summary.used_by = user_of_store(directory).value_or("");
  summary.is_clean = scan.meta().is_clean;
  return summary;
}

}  // namespace roomcast::store
