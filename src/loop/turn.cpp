#include "loop/turn.h"

#include <uv.h>

namespace roomcast::loop {

Turn::Turn(Loop& loop, std::int64_t time_box_us)
    : loop_(loop), queue_(*this, time_box_us), begin_us_(now_us()) {
  loop_.set_worker(this);
}

Turn::~Turn() { loop_.set_worker(nullptr); }

std::int64_t Turn::now_us() const { return static_cast<std::int64_t>(uv_hrtime() / 1000); }

void Turn::begin_turn() { begin_us_ = now_us(); }

bool Turn::end_turn(bool busy) {
  const bool work_left = queue_.run(busy);
  stats_.add(now_us() - begin_us_);
  return work_left;
}

}  // namespace roomcast::loop
