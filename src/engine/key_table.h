#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/linked_list.h"
#include "base/name_map.h"
#include "store/room_store.h"

namespace roomcast::engine {

/// The idempotency keys of all rooms that the durable engine remembers, bounded in bytes. Every call takes
/// the same time for any number of keys, but for free_some, which works through a slice.
class KeyTable {
  struct InRoom;
  struct InOrderOfEnd;
  struct Item;

 public:
  using BatchNumber = store::RoomStore::BatchNumber;

  /// What a key was published with.
  struct Key {
    store::PublishKey::Digest digest{};
    std::uint64_t offset = 0;
    BatchNumber batch = 0;      // that its message is announced with
    std::int64_t until_ms = 0;  // known until then; 0: as long as its message waits for the disk
  };

  /// The keys of one room, held by the room. To be dropped before the room goes.
  class OfRoom {
   public:
    [[nodiscard]] bool empty() const { return items_.empty(); }

   private:
    friend class KeyTable;
    std::uint64_t number_ = 0;  // of the room in the names of its keys; 0: it has had none yet
    base::LinkedList<Item, InRoom> items_;
  };

  explicit KeyTable(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  [[nodiscard]] bool has_space_for(std::string_view text) const {
    return bytes_ + bytes_of(text) <= bytes_max_;
  }
  /// Null if the room has no such key, or it is over at `now_ms`. Valid until the next call that is not
  /// const.
  [[nodiscard]] const Key* find(OfRoom& room, std::string_view text, std::int64_t now_ms);
  /// False if there is no space for it. A known one with the same text is kept instead.
  [[nodiscard]] bool add(OfRoom& room, std::string_view text, const Key& key);
  /// The message with that key and offset is announced: the key is known until `until_ms`, not less than in
  /// the last call; without it, it is forgotten. Nothing happens if the key is that of another message.
  void end(OfRoom& room, std::string_view text, std::uint64_t offset, std::optional<std::int64_t> until_ms);
  /// Forgets all keys of the room. Their memory is freed in slices, and counts in bytes() until it is.
  void drop(OfRoom& room);

  /// Frees a slice of the keys that were dropped and of those that are over: true if there are more.
  bool free_some(std::int64_t now_ms);
  /// Whether there is, or will be, something to free.
  [[nodiscard]] bool has_some_to_free() const { return !dropped_.empty() || !ending_.empty(); }

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// What one with this text counts in bytes(): its text, with the number of its room, and its entry.
  [[nodiscard]] static std::size_t bytes_of(std::string_view text) {
    constexpr std::size_t overhead = 176;
    return text.size() + overhead;
  }
  /// Keys that free_some frees at most.
  static constexpr std::size_t freed_per_slice = 256;

 private:
  using Items = base::NameMap<Item>;

  struct Item final : base::Linked<InRoom>, base::Linked<InOrderOfEnd> {
    Key key;
    const std::pair<const std::string, Item>* entry = nullptr;  // that it is in
  };

  [[nodiscard]] const std::string& name_of(const OfRoom& room, std::string_view text);
  [[nodiscard]] Item* find_item(const OfRoom& room, std::string_view text);
  void erase(Item& item);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::string name_;  // of the key that is looked for
  Items items_;       // by the number of the room and the text
  base::LinkedList<Item, InRoom> dropped_;
  base::LinkedList<Item, InOrderOfEnd> ending_;  // those with a time; loaded ones later than theirs
};

}  // namespace roomcast::engine
