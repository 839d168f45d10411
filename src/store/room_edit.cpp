#include "store/room_edit.h"

#include <algorithm>
#include <string>
#include <utility>

namespace roomcast::store {

namespace {

/// So many chunks of less than that become one, so that a message is written again about once.
constexpr std::size_t small_chunks = 16;
constexpr std::uint64_t small_chunk_bytes = chunk_bytes / small_chunks;
/// What a row costs, about.
constexpr std::uint64_t row_bytes = 256;
constexpr std::int64_t day_ms = std::int64_t{24} * 3'600 * 1'000;

std::uint64_t& cause_of(Evicted& evicted, const RoomState::Floors& floors, std::uint64_t offset) {
  if (offset <= floors.count) return evicted.count;
  return offset <= floors.bytes ? evicted.bytes : evicted.age;
}

}  // namespace

RoomEdit::RoomEdit(RoomRows& rows, RoomRowsWriter& writer, EditTally& tally, RoomState state, bool is_new)
    : rows_(rows),
      writer_(writer),
      tally_(tally),
      state_(std::move(state)),
      row_before_(state_.row()),
      is_new_(is_new),
      had_chunks_(!state_.chunks().empty()) {}

std::optional<Fault> RoomEdit::drop_below(const RoomState::Floors& floors, std::size_t chunks_max) {
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  const std::uint64_t floor = floors.highest();
  std::size_t count = 0;
  for (; count < std::min(chunks.size(), chunks_max) && chunks[count].last <= floor; ++count) {
    const ChunkExtent& chunk = chunks[count];
    if (chunk.last > state_.row().floor) cause_of(tally_.evicted, floors, chunk.last) += chunk.count;
  }
  return drop_first(count);
}

std::optional<Fault> RoomEdit::evict_up_to(std::uint64_t last) {
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  std::size_t count = 0;
  for (; count < chunks.size() && chunks[count].last <= last; ++count)
    tally_.evicted.disk += chunks[count].count;
  return drop_first(count);
}

std::optional<Fault> RoomEdit::drop_first(std::size_t count) {
  if (count == 0) return std::nullopt;
  std::vector<ChunkExtent>& chunks = state_.chunks();
  RoomRow& row = state_.row();
  // What the chunks say must survive the last of them.
  if (count == chunks.size()) {
    row.last_ms = state_.last_ms();
    row.floor = std::max(row.floor, chunks.back().last);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (std::optional<Fault> fault = writer_.remove_chunk(chunks[i].id)) return fault;
    tally_.messages -= static_cast<std::int64_t>(chunks[i].count);
  }
  tally_.chunks_dropped += count;
  chunks.erase(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(count));
  return std::nullopt;
}

std::optional<Fault> RoomEdit::amend(std::int64_t now_ms) {
  const std::uint64_t floor = state_.row().floor;
  const bool is_cleared = floor > row_before_.floor;
  // From the back, since writing may make several of one.
  for (std::size_t i = state_.chunks().size(); i-- > 0;) {
    const ChunkExtent& chunk = state_.chunks()[i];
    const bool is_cut = is_cleared && chunk.first <= floor && chunk.last > floor;
    if (!is_cut && !state_.amendments().concerns(chunk.first, chunk.last)) continue;
    if (std::optional<Fault> fault = rewrite(i, now_ms)) return fault;
  }
  return std::nullopt;
}

base::Result<ChunkContent, Fault> RoomEdit::take(const ChunkExtent& extent, std::string& records,
                                                 std::int64_t now_ms) {
  base::Result<std::string, Fault> read = rows_.records(extent.id);
  if (!read) return std::move(read.error());
  records = std::move(*read);
  ChunkContent content = read_chunk(extent, state_.row().id, records);
  if (content.is_damaged) {
    if (std::optional<Fault> fault = writer_.quarantine(extent.id, now_ms)) return std::move(*fault);
    tally_.damage.push_back({state_.row().id, extent.id, extent.first, extent.last});
    // It may be the last one, which says what has been given out.
    state_.row().top = std::max(state_.row().top, extent.last);
    state_.row().last_ms = std::max(state_.row().last_ms, extent.newest_ms);
    state_.note_gaps(extent.first, extent.last, content.messages);
  }
  return content;
}

std::optional<Fault> RoomEdit::rewrite(std::size_t index, std::int64_t now_ms) {
  const ChunkExtent extent = state_.chunks()[index];
  std::string records;
  const base::Result<ChunkContent, Fault> content = take(extent, records, now_ms);
  if (!content) return content.error();
  ChunkPacker packer;
  for (const Record& message : content->messages) {
    if (message.offset <= state_.row().floor) continue;
    packer.add_amended(message, state_.amendments());
  }
  std::vector<Chunk> chunks = packer.take();
  tally_.messages -= static_cast<std::int64_t>(extent.count);
  std::vector<ChunkExtent> extents;
  if (chunks.size() == 1) {
    chunks.front().extent.id = extent.id;
    extents.push_back(chunks.front().extent);
    tally_.bytes_written += chunks.front().records.size() + row_bytes;
    tally_.messages += static_cast<std::int64_t>(extents.front().count);
    if (std::optional<Fault> fault = writer_.replace(chunks.front())) return fault;
  } else {
    if (std::optional<Fault> fault = writer_.remove_chunk(extent.id)) return fault;
    if (std::optional<Fault> fault = write(std::move(chunks), extents)) return fault;
  }
  std::vector<ChunkExtent>& all = state_.chunks();
  const auto at = all.erase(all.begin() + static_cast<std::ptrdiff_t>(index));
  all.insert(at, extents.begin(), extents.end());
  return std::nullopt;
}

std::optional<Fault> RoomEdit::write(std::vector<Chunk>&& chunks, std::vector<ChunkExtent>& extents) {
  for (const Chunk& chunk : chunks) {
    if (std::optional<Fault> fault = writer_.add(state_.row().id, chunk)) return fault;
    tally_.messages += static_cast<std::int64_t>(chunk.extent.count);
    tally_.bytes_written += chunk.records.size() + row_bytes;
    extents.push_back(chunk.extent);
  }
  return std::nullopt;
}

/// How many small chunks there are at the end.
std::size_t RoomEdit::small_run() const {
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  std::size_t run = 0;
  // Those without a number have been written by this edit.
  while (run < chunks.size() && chunks[chunks.size() - 1 - run].bytes < small_chunk_bytes &&
         chunks[chunks.size() - 1 - run].id != 0)
    ++run;
  return run;
}

std::optional<Fault> RoomEdit::append(const RoomState::Floors& floors, std::int64_t now_ms) {
  const std::uint64_t floor = std::max(floors.highest(), state_.row().floor);
  const std::vector<Record>& messages = state_.messages();
  const auto first = std::find_if(messages.begin(), messages.end(),
                                  [floor](const Record& message) { return message.offset > floor; });
  for (auto message = messages.begin(); message != first; ++message) {
    if (message->offset > state_.row().floor) ++cause_of(tally_.evicted, floors, message->offset);
  }
  if (first == messages.end()) return std::nullopt;
  ChunkPacker packer;
  std::vector<ChunkExtent>& chunks = state_.chunks();
  if (const std::size_t run = small_run(); run + 1 >= small_chunks) {
    for (std::size_t i = chunks.size() - run; i < chunks.size(); ++i) {
      std::string records;
      const base::Result<ChunkContent, Fault> content = take(chunks[i], records, now_ms);
      if (!content) return content.error();
      for (const Record& message : content->messages)
        packer.add(message);
      if (std::optional<Fault> fault = writer_.remove_chunk(chunks[i].id)) return fault;
      tally_.messages -= static_cast<std::int64_t>(chunks[i].count);
    }
    chunks.resize(chunks.size() - run);
  }
  for (auto message = first; message != messages.end(); ++message)
    packer.add_amended(*message, state_.amendments());
  return write(packer.take(), chunks);
}

std::optional<Fault> RoomEdit::repair(std::int64_t chunk, std::int64_t now_ms) {
  const std::vector<ChunkExtent>& chunks = state_.chunks();
  const auto found = std::find_if(chunks.begin(), chunks.end(),
                                  [chunk](const ChunkExtent& extent) { return extent.id == chunk; });
  if (found == chunks.end()) return std::nullopt;
  const base::Result<std::string, Fault> records = rows_.records(chunk);
  if (!records) return records.error();
  if (!read_chunk(*found, state_.row().id, *records).is_damaged) return std::nullopt;
  return rewrite(static_cast<std::size_t>(found - chunks.begin()), now_ms);
}

/// What the chunks would say must be in the row if there are none.
void RoomEdit::note_if_empty() {
  if (!state_.chunks().empty()) return;
  RoomRow& row = state_.row();
  row.top = row.floor = state_.top();
  row.last_ms = state_.last_ms();
  row.holes.clear();
  row.due_ms = row.last_ms + idle_ms;
}

std::optional<Fault> RoomEdit::finish(std::optional<std::int64_t> age_ms) {
  note_if_empty();
  if (!had_chunks_ && !state_.chunks().empty() && age_ms)
    state_.row().due_ms = state_.chunks().front().newest_ms + *age_ms;
  return put_row();
}

std::optional<Fault> RoomEdit::finish_swept(std::int64_t age_ms, std::int64_t now_ms) {
  note_if_empty();
  std::int64_t& due_ms = state_.row().due_ms;
  if (!state_.chunks().empty()) {
    due_ms = state_.chunks().front().newest_ms + age_ms;
  } else if (due_ms <= now_ms) {
    due_ms = now_ms + day_ms;
  }
  return put_row();
}

std::optional<Fault> RoomEdit::put_row() {
  if (is_new_) ++tally_.rooms;
  if (!is_new_ && state_.row() == row_before_) return std::nullopt;
  tally_.bytes_written += row_bytes;
  return writer_.put(state_.row());
}

}  // namespace roomcast::store
