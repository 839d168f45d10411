#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/message.h"

namespace roomcast::store {

/// A room's number in the store; never 0, never used for another room.
using RoomId = std::uint32_t;
/// The highest that is given: numbers are not used again, and never wrap.
inline constexpr RoomId room_id_max = 0xFFFF'0000U;

/// The idempotency key that a message was published with, and a digest of what it published: see
/// hub/idempotent_publisher.h.
struct PublishKey {
  using Digest = std::array<unsigned char, 16>;
  std::string_view text;  ///< empty: published without one
  Digest digest{};
};

/// What the journal and the chunks are made of. On disk, little endian, without padding:
///
///     crc32 u32 | length u32 | type u8 | room u32 | offset u64 | number i64 | body
///
/// `length` counts what comes after it, the checksum (that of zlib) covers what comes after itself. A record
/// is never changed: a message that is removed or replaced has another record that says so, until the chunk
/// that holds it is written again.
struct Record {
  /// The numbers are those of the files.
  enum class Type : std::uint8_t {
    message = 1,   ///< `number`: its time; body: see MessageBody
    room = 2,      ///< a room is created. `number`: its epoch, as bits; body: its name
    ceiling = 3,   ///< offsets up to `offset` may have been given to messages that are not kept
    top = 4,       ///< takes that back: `offset` is that of the last message, or of the end of a hole
    hole = 5,      ///< what had the offsets from `number` to `offset` is missing
    removed = 6,   ///< the message at `offset` has been removed; `number`: when
    replaced = 7,  ///< the message at `offset` is another now; as `message`, with the time of the first
    cleared = 8,   ///< all up to `offset` have been removed: the floor is there, or higher
    value = 9,     ///< a named value that does not belong to a room (room 0). Body: name, NUL, value; a
                   ///< value that is empty: there is none any more
  };
  static constexpr std::size_t head_bytes = 4 + 4 + 1 + 4 + 8 + 8;

  Type type = Type::message;
  RoomId room = 0;
  std::uint64_t offset = 0;
  std::int64_t number = 0;
  std::string_view body;   ///< in the bytes that it was read from
  std::string_view bytes;  ///< all of it, for copying
};

/// The body of a message's record: kind u8 | name u16-counted | principal u16-counted | key u8-counted, with
/// its digest if it is not empty | event u8-counted | tags u8-counted pairs of u16-counted texts | payload.
/// Of a removed one only the place is left: a byte of its own instead of the kind, and the key as above
/// unless it is empty, so that it is not published once more.
struct MessageBody {
  hub::Kind kind = hub::Kind::text;
  bool is_removed = false;  ///< of a chunk that was written again: only the place is left
  std::string_view name;    ///< of the author
  std::string_view principal;
  PublishKey key;
  std::string_view labels;  ///< undecoded: see to_message
  std::string_view payload;
};
[[nodiscard]] std::optional<MessageBody> read_message_body(std::string_view body);
/// The message of a record of that type; only on the loop's thread, like all hub::Message. Nothing if the
/// body is not one.
[[nodiscard]] std::optional<hub::Message> to_message(const Record& record, std::uint64_t epoch);

// Each appends one record to `out`, without its checksum: seal fills those in, on the thread that writes.

/// `type`: message or replaced.
void append_message(std::string& out, RoomId room, const hub::Message& message, const PublishKey& key = {},
                    Record::Type type = Record::Type::message);
/// What is left in its chunk of a removed message that was published with that key.
void append_removed_place(std::string& out, RoomId room, std::uint64_t offset, std::int64_t time_ms,
                          const PublishKey& key = {});
/// The message of a record of type `replaced` as it is in its chunk: at the time of the first, and with the
/// key of that, unless it has one itself.
void append_replacement(std::string& out, const Record& replaced, std::int64_t time_ms,
                        const PublishKey& key);
void append_room(std::string& out, RoomId room, std::string_view name, std::uint64_t epoch);
/// The types without a body: ceiling, top, hole, removed, cleared.
void append_mark(std::string& out, Record::Type type, RoomId room, std::uint64_t offset,
                 std::int64_t number = 0);
void append_value(std::string& out, std::string_view name, std::string_view value);

/// Fills in the checksums of all records in `records`, from `from` on. Returns how many of them are messages.
std::size_t seal(std::string& records, std::size_t from = 0);

/// Reads records one after the other; checks the length and type of each, and its checksum unless that is
/// known to be right.
class RecordReader {
 public:
  enum class Checksums : std::uint8_t {
    checked,
    known,  ///< only for bytes that have been sealed, or checked, since they were last read from a file
  };
  explicit RecordReader(std::string_view bytes, Checksums checksums = Checksums::checked)
      : bytes_(bytes), checksums_(checksums) {}

  /// The next record; nothing at the end, or where the bytes are no record.
  [[nodiscard]] std::optional<Record> next();
  /// Whether reading ended at bytes that are no record.
  [[nodiscard]] bool is_damaged() const { return is_damaged_; }
  /// Skips to the next record behind damage whose checksum is right, if there is one: true if so, and `next`
  /// goes on there. Where a length is damaged this may be something that a client has put into a payload: use
  /// what follows only if its room and its offset are those that are expected. It gives up on long stretches
  /// that are made to look like records.
  [[nodiscard]] bool skip_damage();
  /// Where the next record begins.
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  std::string_view bytes_;
  Checksums checksums_;
  std::size_t position_ = 0;
  bool is_damaged_ = false;
};

}  // namespace roomcast::store
