#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include "base/linked_list.h"
#include "engine/durable_log.h"
#include "engine/key_table.h"
#include "hub/amendment.h"
#include "hub/engine.h"
#include "hub/room_settings.h"
#include "hub/source.h"
#include "store/room_store.h"

namespace roomcast::engine {

struct RoomsByPublish;
struct RoomsAside;
struct RoomsWithEarly;
struct RoomsToLoad;
struct PendingOfRoom;

/// What the durable engine keeps about a room: where its log stands, and what waits for the disk.
struct DurableRoom final : public base::Linked<RoomsByPublish>,
                           public base::Linked<RoomsAside>,
                           public base::Linked<RoomsWithEarly>,
                           public base::Linked<RoomsToLoad> {
  using InOrderOfPublish = RoomsByPublish;
  using Aside = RoomsAside;
  using WithEarly = RoomsWithEarly;
  using ToLoad = RoomsToLoad;
  using BatchNumber = store::RoomStore::BatchNumber;

  /// A read of messages: for the hub, or to see whether one is there that is to be amended.
  struct Read {
    std::uint64_t after = 0;
    std::size_t messages_max = 0;
    std::size_t bytes_max = 0;
    hub::Ticket ticket = 0;
    std::size_t back = 0;                     // it begins so many messages before `after`
    std::unique_ptr<hub::Amendment> check{};  // null: a read for the hub
  };

  /// Something that is finished when a batch is on the disk. Owned by Durable::order_, with what waits in
  /// other rooms.
  struct Pending final : base::Linked<PendingOfRoom> {
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
    DurableRoom* room = nullptr;
    std::list<Pending>::iterator place{};  // in Durable::order_
    BatchNumber batch = 0;
    std::int64_t since_ms = 0;
    hub::Ticket ticket = 0;  // 0: no outcome is wanted any more
    hub::Message message{};
    hub::DraftKey key{};
    std::unique_ptr<Read> read{};
  };

  /// A publish or an amendment that waits for the room to be loaded.
  struct Early {
    hub::Draft draft;
    hub::Ticket ticket = 0;                       // 0: no outcome is wanted any more
    std::unique_ptr<hub::Amendment> amendment{};  // null: `draft` is published
    std::int64_t since_ms = 0;
  };

  [[nodiscard]] bool is_in_memory() const { return level == hub::Durability::none || is_aside; }

  std::string_view name;                           // in the engine's map
  std::size_t index = 0;                           // in Durable::all_
  hub::Durability level = hub::Durability::none;   // that it is published with
  hub::Durability wanted = hub::Durability::none;  // by the rules: differs while a change has to wait
  bool is_subscribed = false;
  bool is_loading = false;
  bool is_load_answered = false;  // the answer waits for its turn
  hub::Source loaded_for = 0;     // who has asked for that last
  bool is_known = false;          // the hub has been told where the log stands
  bool is_aside = false;          // it goes on in a log of the memory engine: see Durable
  std::uint32_t users = 0;        // what refers to it: in Durable::order_ and Durable::readings_
  std::uint32_t amendments = 0;   // in `pending`
  std::uint64_t announced = 0;    // the offset up to which everything has been announced to the hub
  std::int64_t published_ms = 0;  // when it was put in order of publishes
  std::size_t pending_bytes = 0;
  std::size_t early_bytes = 0;
  DurableLog log{};
  // In the order of their batches, all after what was finished.
  base::LinkedList<Pending, PendingOfRoom> pending{};
  std::vector<Early> early{};
  std::size_t early_answered = 0;  // so many of them have been answered: it took too long
  KeyTable::OfRoom keys{};
};

}  // namespace roomcast::engine
