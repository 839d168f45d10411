#include "serve/kernel_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

namespace roomcast::bench {

namespace {

/// Conntrack only counts where a firewall rule asks for it; its count says whether one does.
constexpr std::array<std::string_view, 12> names{"fs.nr_open",
                                                 "fs.file-max",
                                                 "fs.epoll.max_user_watches",
                                                 "net.core.somaxconn",
                                                 "net.ipv4.ip_local_port_range",
                                                 "net.ipv4.tcp_max_syn_backlog",
                                                 "net.ipv4.tcp_mem",
                                                 "net.ipv4.tcp_rmem",
                                                 "net.ipv4.tcp_wmem",
                                                 "net.ipv4.tcp_max_tw_buckets",
                                                 "net.netfilter.nf_conntrack_max",
                                                 "net.netfilter.nf_conntrack_count"};

/// Empty when there is no such setting.
std::string setting(std::string_view name) {
  std::string path = "/proc/sys/";
  for (const char c : name)
    path += c == '.' ? '/' : c;
  std::ifstream file(path);
  std::string value;
  for (std::string word; file >> word;)
    value += (value.empty() ? "" : " ") + word;
  return value;
}

}  // namespace

std::int64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string label;
    std::int64_t kib = 0;
    if (words >> label >> kib && label == "MemAvailable:") return kib * 1024;
  }
  return -1;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

std::size_t ports_to_connect_from() {
  std::istringstream words(setting("net.ipv4.ip_local_port_range"));
  std::size_t first = 32768;
  std::size_t last = 60999;
  words >> first >> last;
  return last >= first ? last - first + 1 : 0;
}

std::vector<KernelLimit> kernel_limits() {
  std::vector<KernelLimit> limits{{"RLIMIT_NOFILE (hard)", std::to_string(descriptor_limit())}};
  for (const std::string_view name : names) {
    std::string value = setting(name);
    if (!value.empty()) limits.push_back({std::string(name), std::move(value)});
  }
  return limits;
}

}  // namespace roomcast::bench
