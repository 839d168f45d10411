#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "hub/room_settings.h"
#include "power_cut/workload.h"
#include "store/room_store.h"
#include "store/store.h"
#include "support/loop_fixture.h"

namespace roomcast::power_cut {

/// A store that is opened in a directory, whose answers are waited for. Everything throws std::runtime_error
/// with what the store says.
class OpenStore final : private store::RoomStore::Listener {
 public:
  /// Its files are small, so that folds and checkpoints are frequent; nothing is too old or too much.
  explicit OpenStore(const std::string& directory);
  ~OpenStore();

  [[nodiscard]] store::Store& operator*() { return *store_; }
  [[nodiscard]] store::Store* operator->() { return store_.get(); }

  /// Where the rooms of a Workload stand, by number.
  [[nodiscard]] const std::vector<store::RoomExtent>& load();
  /// All messages of these rooms. Offsets that are missing in between are simply not there.
  [[nodiscard]] Content content();

  /// The last batch that is committed.
  [[nodiscard]] std::uint64_t committed() const { return committed_; }
  void wait_until(const std::function<bool()>& done, const char* what);
  void turn() { fixture_.loop.run_turn_without_waiting(); }

 private:
  using BatchNumber = store::RoomStore::BatchNumber;

  void on_committed(BatchNumber batch) override { committed_ = batch; }
  void on_loaded(std::string_view room, base::Result<store::RoomExtent, hub::Refusal>&& extent) override;
  void on_read(std::uint64_t ticket, base::Result<store::RecordPage, hub::Refusal>&& page) override;
  void on_state(store::State /*state*/) override {}

  void read(std::size_t room);
  void wait_for_answers(const char* what);

  test::LoopFixture fixture_;
  base::Log log_;
  hub::RoomRules rules_;
  std::unique_ptr<store::Store> store_;
  std::uint64_t committed_ = 0;
  std::vector<store::RoomExtent> extents_ = std::vector<store::RoomExtent>(Workload::rooms);
  std::vector<std::uint64_t> read_upto_ = std::vector<std::uint64_t>(Workload::rooms);
  Content content_;
  std::size_t waiting_ = 0;  // answers to load or read
  std::string refusal_;
};

}  // namespace roomcast::power_cut
