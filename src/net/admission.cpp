#include "net/admission.h"

#include "base/address_block.h"

namespace roomcast::net {

Admission::~Admission() {
  if (place_ == 0) return;
  AdmissionEntry& counted = entry();
  release();
  counted.second.pool.control.leave(counted);
}

AdmissionEntry& Admission::entry() const {
  if (has_record()) return record().entry;
  return *reinterpret_cast<AdmissionEntry*>(place_);  // NOLINT(performance-no-int-to-ptr)
}

std::string_view Admission::address() const {
  return place_ == 0 ? std::string_view{} : std::string_view{entry().first};
}

Lane Admission::lane() const { return place_ == 0 ? Lane::regular : entry().second.pool.lane; }

AdmissionRecord& Admission::record_of(Holder& holder) {
  if (!has_record()) {
    auto made = std::make_unique<AdmissionRecord>(entry(), holder);
    place_ = reinterpret_cast<std::uintptr_t>(made.release()) | record_bit;
  }
  record().holder = &holder;
  return record();
}

void Admission::note(std::size_t bytes, Holder& holder) {
  if (place_ == 0) return;
  AdmissionEntry& counted = entry();
  counted.second.pool.control.set_held(counted, record_of(holder), bytes);
}

void Admission::wait(Wait what, Holder& holder) {
  if (place_ == 0) return;
  AdmissionEntry& counted = entry();
  counted.second.pool.control.begin_waiting(counted, record_of(holder), what);
}

void Admission::stop_waiting() {
  if (has_record()) record().stop_waiting();
}

void Admission::release() {
  if (!has_record()) return;
  const std::unique_ptr<AdmissionRecord> owned(&record());
  AdmissionEntry& counted = owned->entry;
  counted.second.pool.control.set_held(counted, *owned, 0);
  place_ = reinterpret_cast<std::uintptr_t>(&counted);
}

AdmissionControl::AdmissionControl(const Limits& limits, const base::Clock* clock)
    : clock_(clock),
      pools_{AdmissionPool(*this, Lane::regular), AdmissionPool(*this, Lane::reserve),
             AdmissionPool(*this, Lane::operations), AdmissionPool(*this, Lane::refusals)} {
  set_limits(limits);
}

void AdmissionControl::set_limits(const Limits& limits) {
  limits_ = limits;
  // Only regular connections are numerous enough for a limit per address below the total.
  const std::array<std::size_t, lane_count> caps{limits.connections, limits.reserve, limits.operations,
                                                 limits.refusals};
  const std::array<std::size_t, lane_count> caps_per_address{limits.connections_per_address, limits.reserve,
                                                             limits.operations, limits.refusals_per_address};
  bool room_again = false;
  for (std::size_t i = 0; i < lane_count; ++i) {
    AdmissionPool& changed = pools_.at(i);
    const bool was_full = changed.is_full(latest_to_go_ms());
    changed.limit = caps.at(i);
    changed.limit_per_address = caps_per_address.at(i);
    changed.silent_per_address = changed.lane == Lane::regular ? limits.handshakes_per_address
                                                               : std::numeric_limits<std::size_t>::max();
    room_again = room_again || (was_full && !changed.is_full(latest_to_go_ms()));
    for (AdmissionEntry& entry : changed.by_address)
      compare_with_share(entry);
  }
  if (room_again) notify_room_again();
}

ExceededLimit AdmissionControl::admit(std::string_view peer_address, bool exempt_per_address,
                                      Admission& admission, Lane lane) {
  const std::string address = base::address_block(peer_address, limits_.ipv6_prefix_bits);
  AdmissionPool& into = pool(lane);
  const bool exempt = exempt_per_address || address == "unix";
  auto found = into.by_address.find(address);
  const auto at_cap = [&] {
    const std::size_t there = found == into.by_address.end() ? 0 : found->second.connections;
    return !exempt && there >= into.limit_per_address;
  };
  // An entry is removed with its last connection, which may be the one that is evicted.
  if (at_cap()) {
    const bool evicted =
        found != into.by_address.end() && evict(found->second.waiting.next_to_go(latest_to_go_ms()));
    found = into.by_address.find(address);
    if (!evicted || at_cap()) return ExceededLimit::connections_per_address;
  }
  const auto is_silent_full = [&] {
    return !exempt && found != into.by_address.end() && found->second.silent >= into.silent_per_address;
  };
  if (is_silent_full()) {
    const bool evicted = evict(found->second.waiting.next_silent_to_go(latest_to_go_ms()));
    found = into.by_address.find(address);
    if (!evicted || is_silent_full()) return ExceededLimit::handshakes_per_address;
  }
  if (into.connections >= into.limit) {
    const bool evicted = evict(into.waiting.next_to_go(latest_to_go_ms()));
    if (!evicted || into.connections >= into.limit) return ExceededLimit::connections;
    found = into.by_address.find(address);
  }
  if (found == into.by_address.end()) found = into.by_address.try_emplace(address, into).first;
  AdmissionEntry& entry = *found;
  entry.second.exempt = exempt;
  ++entry.second.connections;
  ++into.connections;
  admission = Admission(entry);
  return ExceededLimit::none;
}

void AdmissionControl::leave(AdmissionEntry& entry) {
  AdmissionPool& from = entry.second.pool;
  const bool was_full = from.is_full(latest_to_go_ms());
  --from.connections;
  if (--entry.second.connections == 0) from.by_address.erase(from.by_address.find(entry.first));
  if (was_full && !from.is_full(latest_to_go_ms())) notify_room_again();
}

void AdmissionControl::begin_waiting(AdmissionEntry& entry, AdmissionRecord& record, Wait what) {
  AdmissionPool& in = entry.second.pool;
  const bool was_full = in.is_full(latest_to_go_ms());
  record.stop_waiting();
  record.is_silent = what == Wait::first_request;
  if (record.is_silent) ++entry.second.silent;
  record.waits_since_ms = now_ms();
  in.waiting.add(record, what);
  entry.second.waiting.add(record, what);
  if (was_full && !in.is_full(latest_to_go_ms())) notify_room_again();
}

bool AdmissionControl::evict(AdmissionRecord* record) {
  if (record == nullptr) return false;
  ++evicted_;
  record->stop_waiting();
  record->holder->shed();
  return true;
}

void AdmissionControl::set_held(AdmissionEntry& entry, AdmissionRecord& record, std::size_t bytes) {
  const std::size_t before = record.bytes;
  record.bytes = bytes < AdmissionRecord::least_bytes ? 0 : bytes;
  if (record.bytes == before) return;
  held_.update(record, before, record.bytes);
  auto& held = entry.second.held;
  if (!held) held = std::make_unique<HolderIndex<AdmissionTags::OfAddress>>();
  held->update(record, before, record.bytes);
  compare_with_share(entry);
}

void AdmissionControl::compare_with_share(AdmissionEntry& entry) {
  AdmissionCount& count = entry.second;
  const bool is_over = !count.exempt && count.held_bytes() > limits_.bytes_per_address;
  if (is_over == count.over_share) return;
  count.over_share = is_over;
  if (is_over) {
    over_share_.push_back(&entry);
  } else {
    std::erase(over_share_, &entry);
  }
}

AdmissionControl::Shed AdmissionControl::shed_largest(std::size_t least_bytes) {
  AdmissionRecord* largest = held_.largest();
  if (largest == nullptr || largest->bytes < least_bytes) return {};
  return shed(*largest);
}

AdmissionControl::Shed AdmissionControl::shed_over_share() {
  if (over_share_.empty()) return {};
  return shed(*over_share_.back()->second.held->largest());
}

AdmissionControl::Shed AdmissionControl::shed(AdmissionRecord& record) {
  Shed done{record.bytes, record.entry.first};
  set_held(record.entry, record, 0);
  record.holder->shed();
  return done;
}

void AdmissionControl::notify_room_again() {
  for (auto* listener : listeners_)
    listener->on_room_again();
}

}  // namespace roomcast::net
