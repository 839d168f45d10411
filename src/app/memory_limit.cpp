#include "app/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace roomcast::app {

namespace {

constexpr std::uint64_t unlimited = UINT64_MAX;
// Used if no limit can be found, not even the physical memory.
constexpr std::uint64_t fallback_bytes = std::uint64_t{1} << 30U;
constexpr std::uint64_t least_bytes = std::uint64_t{1} << 20U;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

class Search {
 public:
  void consider(std::uint64_t bytes, std::string_view from) {
    if (smallest_.bytes != 0 && bytes >= smallest_.bytes) return;
    smallest_ = {std::max<std::uint64_t>(bytes, 1), std::string(from)};
  }

  /// The number in the file `name` of the cgroup `path` below `mount` and of all above it. "max" is none.
  void consider_cgroups(const std::string& mount, std::string path, const std::string& name,
                        std::string_view from) {
    for (;;) {
      std::string file = mount;
      file.append(path).append("/").append(name);
      const auto bytes = parse_number(first_line(file));
      if (bytes) consider(*bytes, from);
      const auto slash = path.rfind('/');
      if (slash == std::string::npos) return;
      path.resize(slash);
    }
  }

  [[nodiscard]] MemoryCeiling result() const { return smallest_; }

 private:
  MemoryCeiling smallest_;
};

/// `controllers` of a line of /proc/self/cgroup, "ID:CONTROLLERS:PATH", names the memory controller.
bool has_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "memory") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

/// In a container without a cgroup namespace the path is the host's, and what is mounted is the container's
/// own: what is not there is passed over on the way up to the mount point, which is there in any case.
void consider_all_cgroups(const std::string& root, Search& search) {
  std::ifstream memberships(root + "proc/self/cgroup");
  for (std::string line; std::getline(memberships, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    while (!path.empty() && path.back() == '/')
      path.pop_back();
    if (controllers.empty()) {
      for (const std::string name : {"memory.max", "memory.high"})
        search.consider_cgroups(root + "sys/fs/cgroup", path, name, "cgroup " + name);
    } else if (has_memory(controllers)) {
      const std::string name = "memory.limit_in_bytes";
      search.consider_cgroups(root + "sys/fs/cgroup/memory", path, name, "cgroup " + name);
    }
  }
}

std::uint64_t physical_bytes(const std::string& root) {
  std::ifstream file(root + "proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t kib = 0;
    if (words >> key >> kib && key == "MemTotal:") return kib * 1024;
  }
  return 0;
}

/// Address space in use: the first number of statm, in pages.
std::uint64_t address_space_in_use(const std::string& root) {
  const auto pages = parse_number(first_line(root + "proc/self/statm"));
  return pages.value_or(0) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t soft_limit(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return unlimited;
  return limit.rlim_cur == RLIM_INFINITY ? unlimited : limit.rlim_cur;
}

}  // namespace

ResourceLimits resource_limits() { return {soft_limit(RLIMIT_AS), soft_limit(RLIMIT_DATA)}; }

MemoryCeiling memory_ceiling(const std::string& root, const ResourceLimits& limits) {
  Search search;
  if (const std::uint64_t bytes = physical_bytes(root); bytes != 0) search.consider(bytes, "physical memory");
  consider_all_cgroups(root, search);
  if (limits.data != unlimited) search.consider(limits.data, "RLIMIT_DATA");
  if (limits.address_space != unlimited) {
    const std::uint64_t used = address_space_in_use(root);
    search.consider(limits.address_space - std::min(used, limits.address_space), "RLIMIT_AS");
  }
  return search.result();
}

MemoryPlan plan_memory(const config::Config& config, const MemoryCeiling& ceiling) {
  MemoryPlan plan;
  plan.is_automatic = config.limits.memory_bytes == 0;
  const std::uint64_t there_is = ceiling.bytes == 0 ? fallback_bytes : ceiling.bytes;
  plan.memory_bytes = config.limits.memory_bytes;
  if (plan.is_automatic) plan.memory_bytes = there_is / 10 * 7;
  plan.memory_bytes = std::max(plan.memory_bytes, least_bytes);
  plan.is_past_ceiling = !plan.is_automatic && ceiling.bytes != 0 && plan.memory_bytes > ceiling.bytes;
  plan.history_bytes = config.history.total_bytes;
  // A value other than the default was chosen deliberately.
  if (plan.history_bytes == config::Config{}.history.total_bytes)
    plan.history_bytes = std::min(plan.history_bytes, plan.memory_bytes / 4);
  plan.address_memory_bytes = config.limits.address_memory_bytes;
  if (plan.address_memory_bytes == 0) plan.address_memory_bytes = plan.memory_bytes / 4;
  return plan;
}

}  // namespace roomcast::app
