#include "scenario/stage.h"

#include <algorithm>

#include "load/clock.h"
#include "serve/process_facts.h"

namespace roomcast::bench {

namespace {

/// Into which a run is divided when it goes by turns with others.
constexpr std::uint64_t blocks = 20;

}  // namespace

Stage::Stage(const Target& target, const Common& common)
    : target_(target),
      common_(common),
      deadline_ns_(now_ns() + common.give_up_seconds * second_ns),
      tell_next_ns_(now_ns() + second_ns) {}

void Stage::report(std::string_view what, std::uint64_t done, std::uint64_t of) {
  if (!common_.progress) return;
  const std::int64_t now = now_ns();
  if (now < tell_next_ns_) return;
  tell_next_ns_ = now + second_ns;
  common_.progress(what, done, of);
}

bool Stage::run_until(Poller& poller, std::string_view what, std::uint64_t of,
                      const std::function<std::uint64_t()>& so_far, const std::function<bool()>& done) {
  return poller.run_until(
      [&] {
        report(what, so_far(), of);
        return done();
      },
      deadline_ns_);
}

bool Stage::open(Poller& poller, Crowd& crowd, std::size_t count) {
  crowd.start_first(count);
  run_until(
      poller, "connections", count, [&] { return crowd.open(); }, [&] { return crowd.under_way() == 0; });
  return crowd.open() >= count;
}

void Stage::begin() {
  if (target_.pid != 0) {
    wait_until_asleep(target_.pid);
    cpu_begun_ns_ = cpu_ns(target_.pid);
  }
  begun_ns_ = now_ns();
}

void Stage::end(Measurement& measurement) const {
  measurement.wall_ns += now_ns() - begun_ns_;
  if (cpu_begun_ns_ < 0) return;
  wait_until_asleep(target_.pid);
  const std::int64_t cpu = cpu_ns(target_.pid);
  if (cpu >= 0)
    measurement.server_cpu_ns = std::max<std::int64_t>(0, measurement.server_cpu_ns) + cpu - cpu_begun_ns_;
}

void Stage::run_in_blocks(Measurement& measurement, std::uint64_t operations, std::uint64_t least,
                          const std::function<bool(std::uint64_t operations)>& block) {
  const std::uint64_t size = common_.rest ? std::max(least, operations / blocks) : operations;
  bool go_on = true;
  for (std::uint64_t done = 0; done < operations && go_on; done += size) {
    rest();
    begin();
    go_on = block(std::min(size, operations - done));
    end(measurement);
  }
}

void Stage::rest() {
  if (!common_.rest) return;
  const std::int64_t begun_ns = now_ns();
  common_.rest();
  deadline_ns_ += now_ns() - begun_ns;
}

}  // namespace roomcast::bench
