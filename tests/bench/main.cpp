// CPU time of the server per delivery, roomcast beside a bare loop of send(2), interleaved in one run.
// Usage: roomcast-bench PATH_OF_ROOMCAST [ROUNDS]

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "fanout.h"
#include "floor_server.h"
#include "server_process.h"

namespace {

using namespace roomcast::bench;

constexpr int server_cpu = 0;
constexpr int client_cpu = 1;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double measure(const char* name, const std::vector<std::string>& command, const FanoutSettings& settings) {
  const ServerProcess server(command, server_cpu);
  const FanoutResult result = run_fanout(server, settings);
  if (result.deliveries != result.expected) {
    std::printf("%s lost messages: %zu of %zu arrived\n", name, result.deliveries, result.expected);
    std::exit(1);
  }
  return result.ns_per_delivery();
}

/// A thousand subscribers do not fit the usual soft limit of 1024 descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const char* self, const char* roomcast, int rounds) {
  const FanoutSettings settings;
  raise_descriptor_limit();
  pin_to_cpu(client_cpu);
  std::printf("fan-out: %zu subscribers, %zu bytes, %zu messages, at most %lld/s, %d rounds\n",
              settings.subscribers, settings.message_bytes, settings.messages,
              1'000'000LL / settings.interval_us, rounds);
  std::vector<double> floors;
  std::vector<double> ours;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    floors.push_back(measure("floor", {self, "--floor"}, settings));
    ours.push_back(measure("roomcast", {roomcast, "--listen", "http://127.0.0.1:0"}, settings));
    ratios.push_back(ours.back() / floors.back());
    std::printf("round %d: floor %.0f ns, roomcast %.0f ns per delivery, ratio %.3f\n", round + 1,
                floors.back(), ours.back(), ratios.back());
    std::fflush(stdout);
  }
  std::printf("median: floor %.0f ns, roomcast %.0f ns per delivery, ratio %.3f\n", median(floors),
              median(ours), median(ratios));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc >= 2 && std::string_view(argv[1]) == "--floor") run_floor_server();
    if (argc < 2) {
      std::fprintf(stderr, "usage: %s PATH_OF_ROOMCAST [ROUNDS]\n", argv[0]);
      return 2;
    }
    return run("/proc/self/exe", argv[1], argc >= 3 ? std::atoi(argv[2]) : 5);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
