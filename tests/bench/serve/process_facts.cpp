#include "serve/process_facts.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace roomcast::bench {

namespace {

std::string read_whole(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The number behind the first `label` of `text`.
std::optional<std::int64_t> number_behind(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + label.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

/// The process's state and what follows, "S 1234 …"; empty when there is no such process.
std::string state_of(pid_t pid) {
  const std::string stat = read_whole("/proc/" + std::to_string(pid) + "/stat");
  // Behind the name, which is in parentheses and may hold any character.
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 4 > stat.size() ? "" : stat.substr(name_end + 2);
}

std::optional<pid_t> parent_of(pid_t pid) {
  const std::string state = state_of(pid);
  const auto parent = state.empty() ? std::nullopt : number_behind(std::string_view(state).substr(1), "");
  return parent ? std::optional(static_cast<pid_t>(*parent)) : std::nullopt;
}

/// `pid` and all that descend from it. /proc/PID/task/TID/children would be shorter, but is not in every
/// kernel.
std::vector<pid_t> family_of(pid_t pid) {
  std::vector<std::pair<pid_t, pid_t>> child_and_parent;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const pid_t child = std::atoi(entry.path().filename().c_str());
    if (child <= 0) continue;
    if (const auto parent = parent_of(child)) child_and_parent.emplace_back(child, *parent);
  }
  std::vector<pid_t> family{pid};
  for (std::size_t i = 0; i < family.size(); ++i) {
    for (const auto& [child, parent] : child_and_parent) {
      if (parent == family[i]) family.push_back(child);
    }
  }
  return family;
}

std::int64_t own_cpu_ns(pid_t pid) {
  if (pid <= 0) return -1;  // 0 would be the caller
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return -1;
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::int64_t own_resident_bytes(pid_t pid) {
  // Not VmRSS and the like: since Linux 6.2 these may be off by 128 kB for each CPU.
  const std::string maps = read_whole("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const auto anonymous_kb = number_behind(maps, "Pss_Anon:");
  const auto shared_kb = number_behind(maps, "Pss_Shmem:");
  return anonymous_kb && shared_kb ? (*anonymous_kb + *shared_kb) * 1024 : -1;
}

/// The sum over the family; a process that has ended meanwhile counts for nothing, unless it is `pid` itself.
std::int64_t over_family(pid_t pid, std::int64_t (*own)(pid_t)) {
  std::int64_t sum = own(pid);
  if (sum < 0) return -1;
  for (const pid_t member : family_of(pid)) {
    if (member != pid) sum += std::max<std::int64_t>(own(member), 0);
  }
  return sum;
}

}  // namespace

void wait_until_asleep(pid_t pid) {
  constexpr timespec look_interval{0, 200'000};
  constexpr int looks = 100;
  for (int i = 0; i < looks && state_of(pid).starts_with('R'); ++i)
    nanosleep(&look_interval, nullptr);
}

std::int64_t cpu_ns(pid_t pid) { return over_family(pid, own_cpu_ns); }

std::int64_t resident_bytes(pid_t pid) { return over_family(pid, own_resident_bytes); }

std::int64_t counted_bytes(pid_t pid) {
  const auto kb = number_behind(read_whole("/proc/" + std::to_string(pid) + "/status"), "RssAnon:\t");
  return kb ? *kb * 1024 : -1;
}

std::int64_t kernel_socket_bytes() {
  const auto slab_kb = number_behind(read_whole("/proc/meminfo"), "Slab:");
  const std::string sockets = read_whole("/proc/net/sockstat");
  const std::size_t tcp = std::min(sockets.find("TCP:"), sockets.size());
  const auto pages = number_behind(std::string_view(sockets).substr(tcp), " mem");
  return slab_kb && pages ? *slab_kb * 1024 + *pages * sysconf(_SC_PAGESIZE) : -1;
}

}  // namespace roomcast::bench
