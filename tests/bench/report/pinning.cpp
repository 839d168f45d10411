#include "report/pinning.h"

#include <sched.h>

namespace roomcast::bench {

Cpus choose_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) return {};
  Cpus cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus.load < 0; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) (cpus.server < 0 ? cpus.server : cpus.load) = cpu;
  }
  return cpus;
}

}  // namespace roomcast::bench
