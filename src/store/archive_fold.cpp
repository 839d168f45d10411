#include <algorithm>
#include <utility>

#include "store/archive.h"

namespace roomcast::store {

namespace {

/// The room's name, if `records` begin with its creation or have it further on.
std::optional<std::string_view> created_name(const std::vector<std::string_view>& records) {
  for (const std::string_view bytes : records) {
    RecordReader reader(bytes, RecordReader::Checksums::known);
    const std::optional<Record> record = reader.next();
    if (record && record->type == Record::Type::room) return record->body;
  }
  return std::nullopt;
}

/// What a fold may take of the disk beyond the records: rows, indexes, pages that are not full.
constexpr std::uint64_t with_overhead(std::uint64_t bytes) { return bytes + bytes / 2 + (1U << 20U); }

}  // namespace

base::Result<Archive::Folded, Fault> Archive::fold(const TailSegment& segment, const hub::RoomRules& rules,
                                                   const AgeTime& now) {
  Folded folded{meta_.folded_seq};
  if (segment.last_seq <= meta_.folded_seq) return folded;
  if (std::optional<Fault> fault = make_space(with_overhead(segment.bytes))) return std::move(*fault);
  if (std::optional<Fault> fault = checkpoint_if_due()) return std::move(*fault);
  std::vector<RoomId> rooms;
  rooms.reserve(segment.records.size());
  for (const auto& [room, records] : segment.records)
    rooms.push_back(room);
  std::sort(rooms.begin(), rooms.end());
  auto room = rooms.begin();
  // One transaction, unless the WAL would become too long: rooms that are folded already do not change when
  // that is done again.
  while (true) {
    base::Result<Work, Fault> work = begin_work();
    if (!work) return std::move(work.error());
    for (; room != rooms.end() && work->tally.bytes_written < options_.wal_bytes / 2; ++room) {
      const std::vector<std::string_view>& records = segment.records.at(*room);
      std::optional<Fault> fault =
          *room == 0 ? fold_values(*work, records) : fold_room(*work, *room, records, rules, now);
      if (fault) return std::move(*fault);
    }
    const bool is_last = room == rooms.end();
    if (is_last) work->meta.folded_seq = segment.last_seq;
    if (std::optional<Fault> fault = commit(*work)) return std::move(*fault);
    folded.orphans += work->orphans;
    folded.damage.insert(folded.damage.end(), work->tally.damage.begin(), work->tally.damage.end());
    // After the last one it can wait for the next fold.
    if (std::optional<Fault> fault = checkpoint_if_due(); fault && !is_last) return std::move(*fault);
    if (is_last) break;
  }
  folded.seq = meta_.folded_seq;
  return folded;
}

std::optional<Fault> Archive::fold_values(Work& work, const std::vector<std::string_view>& records) {
  for (const std::string_view bytes : records) {
    RecordReader reader(bytes, RecordReader::Checksums::known);
    const std::optional<Record> record = reader.next();
    if (!record || record->type != Record::Type::value) continue;
    const std::size_t end = record->body.find('\0');
    if (end == std::string_view::npos) continue;
    const std::string_view name = record->body.substr(0, end);
    const std::string_view value = record->body.substr(end + 1);
    Statement& statement = value.empty() ? parts_.remove_value : parts_.put_value;
    statement.bind_text(1, name);
    if (!value.empty()) statement.bind_blob(2, value);
    if (std::optional<Fault> fault = statement.run()) return fault;
    work.tally.bytes_written += bytes.size();
  }
  return std::nullopt;
}

std::optional<Fault> Archive::fold_room(Work& work, RoomId room, const std::vector<std::string_view>& records,
                                        const hub::RoomRules& rules, const AgeTime& now) {
  base::Result<std::optional<RoomState>, Fault> state = find_room(room);
  if (!state) return std::move(state.error());
  const bool is_new = !*state;
  if (is_new) {
    const std::optional<std::string_view> name = created_name(records);
    if (name) {
      base::Result<std::optional<RoomRow>, Fault> other = parts_.rows.find(*name);
      if (!other) return std::move(other.error());
      if (!*other) *state = RoomState(RoomRow{room}, {});
    }
    if (!*state) {
      work.orphans += records.size();
      return std::nullopt;
    }
    work.meta.next_room = std::max(work.meta.next_room, room + 1);
  }
  RoomEdit edit(parts_.rows, parts_.writer, work.tally, std::move(**state), is_new);
  edit.add(records);
  const hub::HistoryLimits& limits = rules.find(edit.state().row().name).history;
  if (std::optional<Fault> fault = edit.amend(now.now_ms)) return fault;
  const RoomState::Floors floors = edit.state().floors(limits, now);
  if (std::optional<Fault> fault = edit.drop_below(floors, edit.state().chunks().size())) return fault;
  if (std::optional<Fault> fault = edit.append(floors, now.now_ms)) return fault;
  return edit.finish(limits.age_ms);
}

}  // namespace roomcast::store
