#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/room_store.h"

namespace roomcast::test {

/// A store whose disk is memory: it commits, loads and reads when the test says so, can be full or fail, and
/// can lose its power. It keeps everything, and notes when records do not make sense.
class FakeRoomStore final : public store::RoomStore {
 public:
  void start(Listener& listener) override { listener_ = &listener; }
  [[nodiscard]] store::State state() const override { return state_; }
  void load(std::string_view room, hub::Source /*source*/) override {
    ++loads;
    if (std::find(loads_.begin(), loads_.end(), room) == loads_.end()) loads_.emplace_back(room);
  }
  void read(store::RoomId room, std::string_view /*name*/, std::uint64_t after, std::size_t back,
            std::size_t messages_max, std::size_t /*bytes_max*/, std::uint64_t ticket) override {
    ++reads;
    reads_.push_back({room, after, back, messages_max, ticket});
  }
  [[nodiscard]] std::string& batch() override { return filling_; }
  [[nodiscard]] BatchNumber batch_number() const override { return number_; }
  void appended() override {}
  [[nodiscard]] bool has_space_for(std::size_t bytes) const override {
    return queued_bytes() + bytes <= queue_bytes_max;
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return filling_.size() + under_way_.size(); }
  void forget(store::RoomId room) override { forgotten.push_back(room); }
  [[nodiscard]] bool has_room_ids() const override { return last_id_ < room_ids_max; }
  [[nodiscard]] store::RoomId next_room_id() override { return ++last_id_; }

  // --- For the test ---

  /// What is in the batch is on its way to the disk; further records are in the next one.
  void begin_commit() {
    if (!under_way_.empty() || filling_.empty()) return;
    under_way_ = std::exchange(filling_, {});
    ++number_;
  }
  /// What is on its way is on the disk.
  void end_commit() {
    if (under_way_.empty()) return;
    put_on_disk(std::exchange(under_way_, {}));
    listener_->on_committed(number_ - 1);
  }
  /// Everything is on the disk.
  void commit() {
    end_commit();
    begin_commit();
    end_commit();
  }
  void answer_loads() {
    for (const std::string& name : std::exchange(loads_, {})) {
      if (refuses) {
        listener_->on_loaded(name, refusal);
      } else {
        listener_->on_loaded(name, extent_of(name));
      }
    }
  }
  void answer_reads() {
    for (const Read& read : std::exchange(reads_, {})) {
      if (refuses) {
        listener_->on_read(read.ticket, refusal);
      } else {
        listener_->on_read(read.ticket, page_of(read));
      }
    }
  }
  [[nodiscard]] bool is_idle() const { return loads_.empty() && reads_.empty() && queued_bytes() == 0; }
  void set_state(store::State state) {
    state_ = state;
    listener_->on_state(state);
  }
  /// The power fails: what is not on the disk is lost, or, with `is_late`, what was on its way has just
  /// reached it. A new engine starts it again.
  void lose_power(bool is_late = false) {
    if (is_late && !under_way_.empty()) put_on_disk(under_way_);
    under_way_.clear();
    filling_.clear();
    loads_.clear();
    reads_.clear();
    number_ = 1;
    state_ = store::State::ok;
    refuses = false;
  }

  struct OnDisk {
    store::RoomExtent extent;
    std::map<std::uint64_t, std::string> messages;  // records, by offset
  };
  [[nodiscard]] OnDisk& on_disk(std::string_view name) { return rooms_[std::string(name)]; }
  /// The types of all records that have reached the disk: "room ceiling message".
  std::string take_types() { return std::exchange(types_, {}); }

  std::size_t queue_bytes_max = std::size_t{1} << 20U;
  store::RoomId room_ids_max = store::room_id_max;
  bool refuses = false;
  hub::Refusal refusal{hub::Refusal::Code::store_busy, "too many rooms are being loaded"};
  int loads = 0;
  int reads = 0;
  std::vector<store::RoomId> forgotten;
  bool is_sound = true;  // offsets follow each other, and rooms have one number

 private:
  struct Read {
    store::RoomId room;
    std::uint64_t after;
    std::size_t back;
    std::size_t messages_max;
    std::uint64_t ticket;
  };

  [[nodiscard]] store::RoomExtent extent_of(const std::string& name) {
    OnDisk& room = rooms_[name];
    if (room.extent.epoch == 0) room.extent.epoch = rooms_.size() * 2 + 1;
    return room.extent;
  }
  [[nodiscard]] store::RecordPage page_of(const Read& read) {
    store::RecordPage page;
    const OnDisk& room = rooms_[names_[read.room]];
    page.floor = room.extent.floor;
    page.holes = room.extent.holes;
    page.after = std::max(before_last(room, read.after, read.back), page.floor);
    std::size_t count = 0;
    for (auto at = room.messages.upper_bound(page.after); at != room.messages.end(); ++at) {
      if (count++ == read.messages_max) break;
      page.records += at->second;
    }
    return page;
  }

  /// The offset before the last `back` messages up to `offset` that are not removed.
  static std::uint64_t before_last(const OnDisk& room, std::uint64_t offset, std::size_t back) {
    if (back == 0) return offset;
    for (auto at = room.messages.upper_bound(offset); at != room.messages.begin();) {
      --at;
      store::RecordReader reader(at->second);
      const auto record = reader.next();
      const auto body = record ? store::read_message_body(record->body) : std::nullopt;
      if (body && !body->is_removed && --back == 0) return at->first - 1;
    }
    return 0;
  }

  void put_on_disk(std::string records) {
    store::seal(records);
    store::RecordReader reader(records);
    while (const auto record = reader.next())
      apply(*record);
    is_sound = is_sound && !reader.is_damaged();
  }

  void apply(const store::Record& record) {
    using Type = store::Record::Type;
    if (record.type == Type::room) {
      is_sound = is_sound && names_.count(record.room) == 0;
      names_[record.room] = std::string(record.body);
      OnDisk& made = rooms_[std::string(record.body)];
      is_sound = is_sound && !made.extent.is_written;
      made.extent.id = record.room;
      made.extent.is_written = true;
      made.extent.epoch = static_cast<std::uint64_t>(record.number);
      return note("room");
    }
    is_sound = is_sound && names_.count(record.room) == 1;
    OnDisk& room = rooms_[names_[record.room]];
    store::RoomExtent& extent = room.extent;
    switch (record.type) {
      case Type::message:
        is_sound = is_sound && record.offset == extent.top + 1 && record.number >= extent.last_time_ms;
        extent.top = record.offset;
        extent.ceiling = std::max(extent.ceiling, extent.top);
        extent.last_time_ms = record.number;
        room.messages[record.offset] = record.bytes;
        note_key(record, extent);
        return note("message");
      case Type::ceiling:
        extent.ceiling = record.offset;
        return note("ceiling");
      case Type::top:
        is_sound = is_sound && record.offset == extent.top;
        extent.ceiling = extent.top;
        return note("top");
      case Type::hole:
        is_sound = is_sound && static_cast<std::uint64_t>(record.number) == extent.top + 1;
        extent.holes.push_back({extent.top + 1, record.offset});
        extent.top = record.offset;
        extent.ceiling = std::max(extent.ceiling, extent.top);
        return note("hole");
      case Type::removed:
        is_sound = is_sound && room.messages.count(record.offset) == 1;
        room.messages[record.offset] = sealed([&](std::string& out) {
          store::append_removed_place(out, record.room, record.offset, record.number);
        });
        return note("removed");
      case Type::replaced:
        is_sound = is_sound && room.messages.count(record.offset) == 1;
        room.messages[record.offset] = sealed([&](std::string& out) {
          store::append_message(out, record.room, *store::to_message(record, extent.epoch));
        });
        return note("replaced");
      case Type::cleared:
        extent.floor = record.offset;
        room.messages.erase(room.messages.begin(), room.messages.upper_bound(record.offset));
        return note("cleared");
      default:
        return note("other");
    }
  }
  static void note_key(const store::Record& record, store::RoomExtent& extent) {
    const auto body = store::read_message_body(record.body);
    if (!body || body->key.text.empty()) return;
    extent.keys.push_back({std::string(body->key.text), body->key.digest, record.offset, record.number});
  }
  template <class Append>
  static std::string sealed(const Append& append) {
    std::string record;
    append(record);
    store::seal(record);
    return record;
  }
  void note(std::string_view type) { types_ += (types_.empty() ? "" : " ") + std::string(type); }

  Listener* listener_ = nullptr;
  store::State state_ = store::State::ok;
  std::string filling_;
  std::string under_way_;
  BatchNumber number_ = 1;
  store::RoomId last_id_ = 0;
  std::vector<std::string> loads_;
  std::vector<Read> reads_;
  std::map<std::string, OnDisk> rooms_;
  std::map<store::RoomId, std::string> names_;
  std::string types_;
};

}  // namespace roomcast::test
