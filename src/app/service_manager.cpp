#include "app/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace roomcast::app {
namespace {

constexpr int first_inherited_fd = 3;  // SD_LISTEN_FDS_START
constexpr int inherited_fds_max = 1024;
constexpr std::size_t unsent_max = 16;

/// The variable's value, removed from the environment; empty if it is not set.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before anything else runs
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Whether a variable that names a process means this one.
bool is_this_process(std::string_view pid) { return number_in(pid) == std::int64_t{getpid()}; }

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    names.emplace_back(text.substr(0, colon));
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return names;
}

/// What an address in NOTIFY_SOCKET is in sun_path; empty if it is neither a path nor an abstract name.
std::string socket_address(std::string text) {
  if (text.size() < 2 || text.size() >= sizeof(sockaddr_un::sun_path)) return {};
  if (text.front() == '@') {
    text.front() = '\0';
    return text;
  }
  return text.front() == '/' ? text : std::string();
}

std::int64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

std::vector<InheritedSocket> take_inherited_sockets() {
  const std::string pid = take_variable("LISTEN_PID");
  const auto count = number_in(take_variable("LISTEN_FDS"));
  std::vector<std::string> names = split_names(take_variable("LISTEN_FDNAMES"));
  if (!is_this_process(pid) || !count || *count < 1 || *count > inherited_fds_max) return {};
  names.resize(static_cast<std::size_t>(*count));
  std::vector<InheritedSocket> sockets;
  int fd = first_inherited_fd;
  for (std::string& name : names) {
    // A number without an open descriptor behind it is not handed on.
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == 0) sockets.push_back({fd, std::move(name)});
    ++fd;
  }
  return sockets;
}

ServiceManager::ServiceManager() {
  const std::string watchdog_pid = take_variable("WATCHDOG_PID");
  const auto watchdog_us = number_in(take_variable("WATCHDOG_USEC"));
  address_ = socket_address(take_variable("NOTIFY_SOCKET"));
  if (address_.empty()) return;
  // Kept open: without a free descriptor the watchdog could not be fed, and would take the process for hung.
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return;
  if (watchdog_us && *watchdog_us > 0 && (watchdog_pid.empty() || is_this_process(watchdog_pid))) {
    watchdog_interval_ms_ = std::max<std::int64_t>(1, *watchdog_us / 2000);
  }
}

ServiceManager::~ServiceManager() {
  if (fd_ >= 0) close(fd_);
}

bool ServiceManager::ready(std::string_view status) { return send("READY=1", status); }

bool ServiceManager::reloading(std::string_view status) {
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()), status);
}

bool ServiceManager::stopping(std::string_view status) { return send("STOPPING=1", status); }

bool ServiceManager::status(std::string_view status) { return send("", status); }

bool ServiceManager::feed_watchdog() { return send("WATCHDOG=1", ""); }

bool ServiceManager::send(std::string_view state, std::string_view status) {
  if (fd_ < 0) return true;
  std::string message(state);
  if (!status.empty()) {
    if (!message.empty()) message += '\n';
    message += "STATUS=";
    // A line break would begin another assignment.
    for (const char c : status)
      message += c == '\n' || c == '\r' ? ' ' : c;
  }
  send_unsent();
  const Outcome outcome = unsent_.empty() ? send_now(message) : Outcome::no_room;
  if (outcome == Outcome::no_room) {
    if (unsent_.size() == unsent_max) unsent_.erase(unsent_.begin());
    unsent_.push_back(std::move(message));
  }
  return outcome == Outcome::sent;
}

void ServiceManager::send_unsent() {
  auto next = unsent_.begin();
  while (next != unsent_.end() && send_now(*next) != Outcome::no_room)
    ++next;
  unsent_.erase(unsent_.begin(), next);
}

ServiceManager::Outcome ServiceManager::send_now(const std::string& message) const {
  sockaddr_un target{};
  target.sun_family = AF_UNIX;
  std::memcpy(target.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const auto sent = sendto(fd_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&target), size);
  if (sent == static_cast<ssize_t>(message.size())) return Outcome::sent;
  return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::no_room : Outcome::failed;
}

}  // namespace roomcast::app
