#include "hub/engine_requests.h"

namespace roomcast::hub {

namespace {

constexpr std::int64_t check_ms = 250;
constexpr std::size_t requests_per_check = 1'024;

template <class Request>
std::optional<Request> take_from(std::unordered_map<Ticket, Request>& requests, Ticket ticket) {
  const auto found = requests.find(ticket);
  if (found == requests.end()) return std::nullopt;
  std::optional<Request> taken(std::move(found->second));
  requests.erase(found);
  return taken;
}

}  // namespace

Ticket EngineRequests::add(Publish&& publish) {
  publishes_.emplace(++last_ticket_, std::move(publish));
  return last_ticket_;
}

Ticket EngineRequests::add(Read&& read) {
  if (!read.done) ++member_reads_;
  reads_.emplace(++last_ticket_, std::move(read));
  return last_ticket_;
}

void EngineRequests::watch(Ticket ticket, std::int64_t ms) {
  if (!is_open(ticket)) return;
  while (!watched_.empty() && !is_open(watched_.front().second))
    watched_.pop_front();
  watched_.emplace_back(clock_.monotonic_ms() + ms, ticket);
  if (!due_.is_set()) due_.set_in(check_ms);
}

std::optional<EngineRequests::Publish> EngineRequests::take_publish(Ticket ticket) {
  return take_from(publishes_, ticket);
}

std::optional<EngineRequests::Read> EngineRequests::take_read(Ticket ticket) {
  std::optional<Read> taken = take_from(reads_, ticket);
  if (taken && !taken->done) --member_reads_;
  return taken;
}

void EngineRequests::on_deadline() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  for (std::size_t i = 0; i < requests_per_check && !watched_.empty() && watched_.front().first <= now_ms;
       ++i) {
    const Ticket ticket = watched_.front().second;
    watched_.pop_front();
    owner_.on_overdue(ticket);
  }
  if (!watched_.empty()) due_.set_in(check_ms);
}

}  // namespace roomcast::hub
