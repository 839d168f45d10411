#include "net/admission.h"

namespace roomcast::net {

Admission::~Admission() {
  if (entry_ != nullptr) entry_->second.control.leave(*entry_);
}

std::string_view Admission::address() const {
  return entry_ == nullptr ? std::string_view{} : std::string_view{entry_->first};
}

void AdmissionControl::set_limits(Limits limits) {
  const bool was_full = full();
  limits_ = limits;
  if (!was_full || full()) return;
  for (auto* listener : listeners_)
    listener->on_room_again();
}

Refusal AdmissionControl::admit(std::string_view address, bool exempt_per_address, Admission& admission) {
  if (full()) return Refusal::connections;
  auto& entry = *by_address_.try_emplace(std::string(address), Admission::Count{*this}).first;
  const bool exempt = exempt_per_address || address == "unix";
  if (!exempt && entry.second.connections >= limits_.connections_per_address) {
    if (entry.second.connections == 0) by_address_.erase(entry.first);  // a cap of 0
    return Refusal::connections_per_address;
  }
  ++entry.second.connections;
  ++connections_;
  admission = Admission(entry);
  return Refusal::none;
}

void AdmissionControl::leave(Admission::Entry& entry) {
  const bool was_full = full();
  --connections_;
  if (--entry.second.connections == 0) by_address_.erase(by_address_.find(entry.first));
  if (!was_full || full()) return;
  for (auto* listener : listeners_)
    listener->on_room_again();
}

}  // namespace roomcast::net
