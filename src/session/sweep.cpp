#include "session/sweep.h"

#include <algorithm>
#include <utility>

#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

namespace {

// Well below a turn. A session in many rooms takes some microseconds, most take less than one.
constexpr std::int64_t sweep_slice_us = 500;
// Between two looks at the clock, of which a session costs as much as several empty slots.
constexpr std::size_t slots_per_look = 64;
constexpr std::size_t slots_of_session = 8;

}  // namespace

void Sweeps::push(Visit visit) {
  sweeps_.push_back({std::move(visit), 0, table_.slots()});
  scheduler_.mark_deferred(*this);
}

void Sweeps::add(Visit visit) { push(std::move(visit)); }

void Sweeps::add_rights() {
  const auto under_way =
      std::find_if(sweeps_.begin(), sweeps_.end(), [](const Sweep& sweep) { return !sweep.visit; });
  if (under_way == sweeps_.end()) return push({});
  // From where it is, once around.
  under_way->left = table_.slots();
}

void Sweeps::visit(const Sweep& sweep, Session& session) {
  if (sweep.visit) {
    sweep.visit(session);
  } else {
    session.reconsider_rights();
  }
}

void Sweeps::run_at_turn_end() {
  const std::int64_t end_us = clock_.monotonic_us() + sweep_slice_us;
  std::size_t looked_at = 0;
  while (!sweeps_.empty()) {
    Sweep& sweep = sweeps_.front();
    if (sweep.left == 0) {
      sweeps_.pop_front();
      continue;
    }
    if (sweep.next >= table_.slots()) sweep.next = 0;
    Session* const session = table_.at_slot(sweep.next);
    ++sweep.next;
    --sweep.left;
    const bool is_there = session != nullptr && !session->has_begun_to_close();
    if (is_there) visit(sweep, *session);
    looked_at += is_there ? slots_of_session : 1;
    if (looked_at < slots_per_look) continue;
    looked_at = 0;
    if (clock_.monotonic_us() >= end_us) break;
  }
  if (!sweeps_.empty()) scheduler_.mark_deferred(*this);
}

}  // namespace roomcast::session
