#pragma once

namespace roomcast::bench {

/// The CPUs that the server and the load are bound to, so that neither is counted for what the other does;
/// -1: any.
struct Cpus {
  int server = -1;
  int load = -1;
};

/// The first two this process may use; none when it may use one only. Ask before binding anything.
[[nodiscard]] Cpus choose_cpus();

}  // namespace roomcast::bench
