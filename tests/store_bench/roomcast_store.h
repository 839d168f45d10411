#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "store/store.h"
#include "store_bench/subject.h"

namespace roomcast::store_bench {

/// The store of src/store, as a subject and for reading.
class RoomcastStore final : public Subject, private store::RoomStore::Listener {
 public:
  explicit RoomcastStore(const Parts& parts);
  ~RoomcastStore() override;

  void append(std::uint32_t room, const hub::Message& message) override;
  [[nodiscard]] bool has_space_for(std::size_t bytes) const override { return store_->has_space_for(bytes); }
  [[nodiscard]] std::uint64_t batch_number() const override { return store_->batch_number(); }
  void turn() override {}
  void finish() override;

  /// Whether something is in the batch that is being filled.
  [[nodiscard]] bool has_batch() { return !store_->batch().empty(); }
  /// Both run the loop until the answer is there.
  [[nodiscard]] store::RoomExtent load(std::uint32_t room);
  /// The number of messages of the page.
  std::size_t read(std::uint32_t room, std::uint64_t after, std::size_t messages_max);

 private:
  void on_committed(store::RoomStore::BatchNumber batch) override;
  void on_loaded(std::string_view room, base::Result<store::RoomExtent, hub::Refusal>&& extent) override;
  void on_read(std::uint64_t ticket, base::Result<store::RecordPage, hub::Refusal>&& page) override;
  void on_state(store::State state) override;
  void wait_for_answer();

  Parts parts_;
  base::Log log_{base::LogLevel::error, base::LogFormat::text};
  std::unique_ptr<store::Store> store_;
  std::vector<bool> is_created_;
  bool has_answer_ = false;
  store::RoomExtent extent_;
  std::string page_;
};

[[nodiscard]] std::string room_name(std::uint32_t room);

}  // namespace roomcast::store_bench
