#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/linked_list.h"
#include "base/string_hash.h"
#include "engine/durable_log.h"
#include "hub/amendment.h"
#include "hub/engine.h"
#include "hub/room_settings.h"
#include "hub/source.h"
#include "store/room_store.h"

namespace roomcast::engine {

struct RoomsByPublish;
struct RoomsByKeys;
struct RoomsAside;
struct RoomsWithEarly;

/// What the durable engine keeps about a room: where its log stands, and what waits for the disk.
struct DurableRoom final : public base::Linked<RoomsByPublish>,
                           public base::Linked<RoomsByKeys>,
                           public base::Linked<RoomsAside>,
                           public base::Linked<RoomsWithEarly> {
  using InOrderOfPublish = RoomsByPublish;
  using InOrderOfKeys = RoomsByKeys;
  using Aside = RoomsAside;
  using WithEarly = RoomsWithEarly;
  using BatchNumber = store::RoomStore::BatchNumber;

  /// A read of messages: for the hub, or to see whether one is there that is to be amended.
  struct Read {
    std::uint64_t after = 0;
    std::size_t messages_max = 0;
    std::size_t bytes_max = 0;
    hub::Ticket ticket = 0;
    std::unique_ptr<hub::Amendment> check{};  // null: a read for the hub
  };

  /// Something that is finished when a batch is on the disk.
  struct Pending {
    enum class What : std::uint8_t {
      publish,    ///< `message` is announced, and its outcome
      repeat,     ///< the outcome of a publish with the key of an earlier one
      amendment,  ///< `message` is that of an amendment
      read,       ///< the store is asked for a page
      nothing,    ///< only the room's records are waited for
    };
    What what = What::nothing;
    hub::Amendment::What amendment = hub::Amendment::What::removed;
    std::uint32_t bytes = 0;  // of its records
    std::uint64_t number = 0;
    BatchNumber batch = 0;
    std::int64_t since_ms = 0;
    hub::Ticket ticket = 0;  // 0: no outcome is wanted any more
    hub::Message message{};
    hub::DraftKey key{};
    std::unique_ptr<Read> read{};
  };

  /// So many keep their memory when nothing waits any more.
  static constexpr std::size_t pending_kept = 4;

  /// A publish or an amendment that waits for the room to be loaded.
  struct Early {
    hub::Draft draft;
    hub::Ticket ticket = 0;                       // 0: no outcome is wanted any more
    std::unique_ptr<hub::Amendment> amendment{};  // null: `draft` is published
    std::int64_t since_ms = 0;
  };

  /// The key of a message that waits for the disk, or that the hub need not know any more.
  struct Key {
    store::PublishKey::Digest digest{};
    std::uint64_t offset = 0;
    BatchNumber batch = 0;      // that its message is announced with
    std::int64_t until_ms = 0;  // once it is announced
  };
  using Keys = std::unordered_map<std::string, Key, base::StringHash, std::equal_to<>>;
  /// What a key takes beside its text.
  static constexpr std::size_t key_overhead = 128;

  [[nodiscard]] bool is_in_memory() const { return level == hub::Durability::none || is_aside; }

  std::string_view name;                           // in the engine's map
  std::size_t index = 0;                           // in Durable::all_
  hub::Durability level = hub::Durability::none;   // that it is published with
  hub::Durability wanted = hub::Durability::none;  // by the rules: differs while a change has to wait
  bool is_subscribed = false;
  bool is_loading = false;
  hub::Source loaded_for = 0;     // who has asked for that last
  bool is_known = false;          // the hub has been told where the log stands
  bool is_aside = false;          // it goes on in a log of the memory engine: see Durable
  std::uint32_t users = 0;        // what refers to it: in Durable::order_ and Durable::readings_
  std::uint64_t announced = 0;    // the offset up to which everything has been announced to the hub
  std::int64_t published_ms = 0;  // when it was put in order of publishes
  std::int64_t keys_until_ms = 0;
  std::size_t pending_bytes = 0;
  std::size_t early_bytes = 0;
  DurableLog log{};
  std::vector<Pending> pending{};  // in the order of their batches, all after what was finished
  std::vector<Early> early{};
  std::unique_ptr<Keys> keys{};
  std::size_t keys_left = 0;  // after the last look at which of them are over
};

}  // namespace roomcast::engine
