#include "app/memory_guard.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "app/allocator.h"
#include "base/allocation_count.h"

namespace roomcast::app {

namespace {

constexpr std::int64_t look_every_ms = 100;
constexpr std::int64_t urgent_look_every_ms = 10;
constexpr std::int64_t warn_every_ms = 10'000;
constexpr std::size_t large_holder_bytes = 65'536;
constexpr std::size_t small_holder_bytes = 16'384;
constexpr std::size_t holders_least_share = 100;  // a hundredth of what is used
constexpr int most_shed_at_once = 64;
constexpr std::size_t least_given_back_bytes = std::size_t{2} << 20U;
constexpr std::size_t part_given_back_bytes = std::size_t{16} << 20U;
constexpr std::size_t most_kept_back_bytes = std::size_t{1} << 30U;

}  // namespace

MemoryGuard::MemoryGuard(const Context& context)
    : context_(context), worth_giving_back_bytes_(least_given_back_bytes), timer_(context.loop, *this) {
  timer_.start_every(look_every_ms);
}

bool MemoryGuard::do_slice() {
  if (has_new_limits_) {
    look();
    return false;
  }
  const std::size_t used = base::allocated_bytes();
  most_used_ = std::max(most_used_, used);
  // Much that is freed at once is given back in portions: each takes a millisecond or two.
  if (most_used_ - used >= std::max(worth_giving_back_bytes_, part_given_back_bytes)) give_back(used);
  const bool exhausted = EmergencyReserve::is_used_up();
  if (used <= percent(95) && !exhausted) return false;
  // All that is left is what the reserve was, and one client may use that up within a few milliseconds.
  if (exhausted && !has_no_reserve_) {
    look();
    return false;
  }
  if (context_.loop.monotonic_ms() - looked_ms_ >= urgent_look_every_ms) look();
  return false;
}

void MemoryGuard::on_timer(loop::Timer& /*timer*/) {
  look();
  const std::size_t freed = most_used_ - std::min(most_used_, used_bytes_);
  if (freed >= worth_giving_back_bytes_ && freed >= used_bytes_ / 4) give_back(used_bytes_);
}

void MemoryGuard::look() {
  looked_ms_ = context_.loop.monotonic_ms();
  has_new_limits_ = false;
  used_bytes_ = base::allocated_bytes();
  most_used_ = std::max(most_used_, used_bytes_);
  std::size_t used = used_bytes_;
  // Regardless of the limit, there is no more memory than is used now.
  const bool exhausted = EmergencyReserve::is_used_up();
  if (exhausted && exhausted_warning_.is_due(looked_ms_)) {
    context_.log.error("the system gives no more memory: lower limits.memory_bytes",
                       {{"used_bytes", used_bytes_}, {"limits.memory_bytes", limits_.memory_bytes}});
  }
  used -= std::min(used, shed_over_share());
  if (exhausted) {
    used -= std::min(used, shed_largest(used / 5, small_holder_bytes));
    used -= std::min(used, shed_parts());
    (void)give_back_free_memory();
    // If this fails, the next look tries again: the clients that were closed will have been freed.
    has_no_reserve_ = !EmergencyReserve::restore();
  } else {
    if (used > percent(85)) used -= std::min(used, shed_largest(used - percent(80), large_holder_bytes));
    if (used > percent(95)) {
      used -= std::min(used, shed_largest(used - percent(95), small_holder_bytes));
      used -= std::min(used, shed_parts());
    }
  }
  refuse_or_relent(used);
}

std::size_t MemoryGuard::shed_over_share() {
  net::AdmissionControl::Shed all;
  for (int i = 0; i < most_shed_at_once; ++i) {
    auto one = context_.admissions.shed_over_share();
    if (one.bytes == 0) break;
    ++shed_holders_;
    all.bytes += one.bytes;
    all.address = std::move(one.address);
  }
  log_shed(share_warning_, "an address holds more than limits.address_memory_bytes: its largest go", all);
  return all.bytes;
}

std::size_t MemoryGuard::shed_largest(std::size_t enough_bytes, std::size_t least_bytes) {
  // Where all connections together hold next to nothing, closing the largest would only hit a client that
  // happens to be publishing.
  if (context_.admissions.held_bytes() < used_bytes_ / holders_least_share) return 0;
  net::AdmissionControl::Shed all;
  for (int i = 0; i < most_shed_at_once && all.bytes < enough_bytes; ++i) {
    auto one = context_.admissions.shed_largest(least_bytes);
    if (one.bytes == 0) break;
    ++shed_holders_;
    all.bytes += one.bytes;
    all.address = std::move(one.address);
  }
  log_shed(largest_warning_, "memory is short: those who hold most are disconnected", all);
  return all.bytes;
}

void MemoryGuard::log_shed(Warning& warning, std::string_view what, const net::AdmissionControl::Shed& all) {
  if (all.bytes == 0 || !warning.is_due(looked_ms_)) return;
  context_.log.warn(what, {{"peer", all.address},
                           {"held_bytes", all.bytes},
                           {"disconnected_so_far", shed_holders_},
                           {"used_bytes", used_bytes_},
                           {"limits.memory_bytes", limits_.memory_bytes}});
}

std::size_t MemoryGuard::shed_parts() {
  const std::size_t before = base::allocated_bytes();
  std::optional<bool> warns;  // for all parts alike
  for (const auto& part : context_.parts) {
    const part::ShedMemory shed = part->shed_memory();
    if (shed.bytes == 0) continue;
    if (!warns) warns = parts_warning_.is_due(looked_ms_);
    if (!*warns) continue;
    context_.log.warn(shed.what, {{"used_bytes", used_bytes_},
                                  {"limits.memory_bytes", limits_.memory_bytes},
                                  {"forgotten_bytes", shed.bytes}});
  }
  if (!warns) return 0;
  // What clients are still owed of it has not been freed.
  return before - std::min(before, base::allocated_bytes());
}

void MemoryGuard::refuse_or_relent(std::size_t used) {
  if (used > percent(100)) {
    if (!context_.hub.overloaded()) {
      context_.log.warn("memory is short: publishes and new clients are refused",
                        {{"used_bytes", used_bytes_}, {"limits.memory_bytes", limits_.memory_bytes}});
    }
    context_.hub.set_overloaded(true);
  } else if (context_.hub.overloaded() && used_bytes_ < percent(90)) {
    context_.hub.set_overloaded(false);
    context_.log.info("memory suffices again", {{"used_bytes", used_bytes_}});
  }
}

void MemoryGuard::give_back(std::size_t used) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  if (begin < next_give_back_) return;
  const std::size_t freed = most_used_ - used;
  const std::size_t given_back = give_back_free_memory();
  // However many free blocks there are to search, this takes half of the time at most.
  const auto end = Clock::now();
  next_give_back_ = end + (end - begin);
  most_used_ = used;
  ++times_given_back_;
  // Small blocks leave holes that cannot be given back, and trying costs time: then it is done less often.
  const bool was_worth_it = given_back >= freed / 8;
  worth_giving_back_bytes_ =
      was_worth_it ? least_given_back_bytes : std::min(2 * worth_giving_back_bytes_, most_kept_back_bytes);
}

bool MemoryGuard::Warning::is_due(std::int64_t now_ms) {
  if (now_ms < next_ms_) return false;
  next_ms_ = now_ms + warn_every_ms;
  return true;
}

}  // namespace roomcast::app
