#include "engine/key_table.h"

#include <utility>

namespace roomcast::engine {

const std::string& KeyTable::name_of(const OfRoom& room, std::string_view text) {
  name_.clear();
  for (unsigned shift = 0; shift < 64; shift += 8)
    name_ += static_cast<char>((room.number_ >> shift) & 0xFFU);
  return name_.append(text);
}

KeyTable::Item* KeyTable::find_item(const OfRoom& room, std::string_view text) {
  if (room.empty()) return nullptr;
  Items::Entry* const found = items_.find(name_of(room, text));
  return found == nullptr ? nullptr : &found->second;
}

const KeyTable::Key* KeyTable::find(OfRoom& room, std::string_view text, std::int64_t now_ms) {
  Item* const item = find_item(room, text);
  if (item == nullptr) return nullptr;
  const bool is_over = item->key.until_ms != 0 && item->key.until_ms <= now_ms;
  if (!is_over) return &item->key;
  erase(*item);
  return nullptr;
}

bool KeyTable::add(OfRoom& room, std::string_view text, const Key& key) {
  if (!has_space_for(text)) return false;
  if (room.number_ == 0) room.number_ = ++last_number_;
  const auto& [entry, is_new] = items_.try_emplace(name_of(room, text));
  if (!is_new) return true;
  Item& item = entry.second;
  item.key = key;
  item.entry = &entry;
  room.items_.push_back(item);
  if (key.until_ms != 0) ending_.push_back(item);
  bytes_ += bytes_of(text);
  return true;
}

void KeyTable::end(OfRoom& room, std::string_view text, std::uint64_t offset,
                   std::optional<std::int64_t> until_ms) {
  Item* const item = find_item(room, text);
  if (item == nullptr || item->key.offset != offset) return;
  if (!until_ms) return erase(*item);
  item->key.until_ms = *until_ms;
  ending_.push_back(*item);
}

void KeyTable::drop(OfRoom& room) {
  // With another number none of them is found any more.
  room.number_ = 0;
  dropped_.take_all(room.items_);
}

bool KeyTable::free_some(std::int64_t now_ms) {
  for (std::size_t i = 0; i < freed_per_slice; ++i) {
    Item* next = dropped_.front();
    if (next == nullptr) next = ending_.front();
    if (next == nullptr) return false;
    if (dropped_.empty() && next->key.until_ms > now_ms) return false;
    erase(*next);
  }
  const Item* const ending = ending_.front();
  return !dropped_.empty() || (ending != nullptr && ending->key.until_ms <= now_ms);
}

void KeyTable::erase(Item& item) {
  bytes_ -= bytes_of(std::string_view(item.entry->first).substr(sizeof(OfRoom::number_)));
  items_.erase(*item.entry);
}

}  // namespace roomcast::engine
