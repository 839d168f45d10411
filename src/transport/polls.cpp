#include "transport/polls.h"

#include <string>
#include <utility>

#include "hub/cursor.h"
#include "transport/room_answer.h"

namespace roomcast::transport {

Polls::~Polls() { abort_all(); }

std::optional<base::Refusal> Polls::open(http::Exchange& exchange, const JoinRequest& join,
                                         const PollOptions& options) {
  const bool waits = options.wait_ms > 0;
  auto made = std::make_unique<Poll>(*this, options);
  Poll& poll = *made;
  if (auto refusal = poll.join(join)) return refusal;
  const base::SlotId id = polls_.insert(std::move(made));
  // A poll that does not wait is answered in this turn, even over a half-closed connection.
  poll.owe(id, waits ? exchange.defer_for(*this, id) : exchange.defer());
  return std::nullopt;
}

std::size_t Polls::close_some(std::size_t count) {
  std::size_t closed = 0;
  polls_.for_each([&](base::SlotId, const std::unique_ptr<Poll>& poll) {
    if (closed == count) return;
    ++closed;
    poll->answer();
  });
  return closed;
}

void Polls::abort_all() {
  polls_.for_each([](base::SlotId, const std::unique_ptr<Poll>& poll) { poll->leave(); });
}

bool Polls::postpone(const base::Bytes& items, std::uint16_t& kib) {
  // Far less than what may be queued for the clients that the answers are for.
  constexpr std::size_t most_kib = 16'384;
  const void* const place = items.view().data();
  if (place == last_postponed_) return true;
  const std::size_t needed_kib = items.held_bytes() / 1'024 + 1;
  if (postponed_kib_ + needed_kib > most_kib) return false;
  last_postponed_ = place;
  kib = static_cast<std::uint16_t>(needed_kib);
  postponed_kib_ += kib;
  return true;
}

void Polls::respond(base::SlotId exchange, const PollResult& result, const PollOptions& options) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Roomcast-Cursor", hub::to_cursor(result.cursor));
  response.headers.add("Roomcast-Subscribers", std::to_string(parts_.rooms.subscribers(result.room)));
  response.headers.add("Roomcast-Message-Bytes", std::to_string(parts_.rooms.limits().message_bytes));
  bodies_.write(result, options.gzip, response);
  add_room_fields(response.headers);
  parts_.connections.respond(exchange, std::move(response));
}

void Polls::refuse(base::SlotId exchange, const hub::Refusal& refusal) {
  http::Response response = http::Response::error(refusal);
  add_room_fields(response.headers);
  parts_.connections.respond(exchange, std::move(response));
}

void Polls::on_client_gone(base::SlotId waiter) {
  if (const auto* poll = polls_.find(waiter)) (*poll)->leave();
}

}  // namespace roomcast::transport
