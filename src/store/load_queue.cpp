#include "store/load_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace roomcast::store {

std::optional<std::string> LoadQueue::add(Request&& request) {
  if (const auto found = by_name_.find(request.room); found != by_name_.end()) {
    move(found->second, request.source);
    return std::nullopt;
  }
  std::optional<std::string> refused;
  if (by_name_.size() >= waiting_max) {
    const auto longest = std::max_element(queues_.begin(), queues_.end(), [](const auto& a, const auto& b) {
      return a.second.entries.size() < b.second.entries.size();
    });
    const auto own = queues_.find(request.source);
    const std::size_t waiting = own == queues_.end() ? 0 : own->second.entries.size();
    if (waiting + 1 >= longest->second.entries.size()) return std::move(request.room);
    const auto last = std::prev(longest->second.entries.end());
    refused = last->request.room;
    remove(longest, last);
  }
  Queue& queue = queues_[request.source];
  queue.entries.push_back({std::move(request), ++queue.last_number});
  const auto entry = std::prev(queue.entries.end());
  by_name_.emplace(entry->request.room, entry);
  return refused;
}

/// Numbers that are missing between the first one and this one make the estimate of its place too high by as
/// many: a move that does not help is rare, and harmless.
void LoadQueue::move(Entries::iterator entry, hub::Source source) {
  if (entry->request.source == source) return;
  const auto from = queues_.find(entry->request.source);
  const auto to = queues_.find(source);
  const std::uint64_t before = entry->number - from->second.entries.front().number;
  if (to != queues_.end() && to->second.entries.size() >= before) return;
  if (to == queues_.end() && before == 0) return;
  Queue& queue = queues_[source];
  entry->request.source = source;
  entry->number = ++queue.last_number;
  queue.entries.splice(queue.entries.end(), from->second.entries, entry);
  if (from->second.entries.empty()) queues_.erase(from);
}

std::optional<LoadQueue::Request> LoadQueue::take() {
  if (queues_.empty()) return std::nullopt;
  auto queue = queues_.upper_bound(last_);
  if (queue == queues_.end()) queue = queues_.begin();
  last_ = queue->first;
  const auto entry = queue->second.entries.begin();
  by_name_.erase(entry->request.room);
  Request request = std::move(entry->request);
  queue->second.entries.erase(entry);
  if (queue->second.entries.empty()) queues_.erase(queue);
  return request;
}

void LoadQueue::remove(std::map<hub::Source, Queue>::iterator queue, Entries::iterator entry) {
  by_name_.erase(entry->request.room);
  queue->second.entries.erase(entry);
  if (queue->second.entries.empty()) queues_.erase(queue);
}

}  // namespace roomcast::store
