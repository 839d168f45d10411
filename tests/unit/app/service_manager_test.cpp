#include "app/service_manager.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace service_manager_test {

using namespace roomcast::app;

namespace {

/// What systemd is to a service: a datagram socket that collects what is said.
class Manager {
 public:
  /// `address` as in NOTIFY_SOCKET: a path or '@' and an abstract name.
  explicit Manager(const std::string& address) : address_(address), fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::memcpy(own.sun_path, address.data(), address.size());
    if (own.sun_path[0] == '@') own.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&own), size) == 0);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    close(fd_);
    if (address_[0] == '/') unlink(address_.c_str());
  }

  /// The next message, or "nothing".
  std::string heard() {
    char buffer[4096];
    const ssize_t size = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(size));
  }

 private:
  std::string address_;
  int fd_;
};

std::string own_name(const std::string& prefix) { return prefix + std::to_string(getpid()); }

void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

}  // namespace

TEST_CASE("without a service manager everything succeeds and nothing happens") {
  unsetenv("NOTIFY_SOCKET");
  ServiceManager manager;
  CHECK_FALSE(manager.is_present());
  CHECK(manager.ready("up"));
  CHECK(manager.feed_watchdog());
  CHECK_FALSE(manager.watchdog_interval_ms().has_value());
}

TEST_CASE("readiness, status, watchdog and stopping are sent in the protocol of sd_notify") {
  for (const std::string& address :
       {own_name("/tmp/roomcast-notify-test-"), own_name("@roomcast-notify-test-")}) {
    CAPTURE(address);
    Manager manager(address);
    set("NOTIFY_SOCKET", address);
    ServiceManager service;
    CHECK(service.is_present());
    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    CHECK(service.ready("listening on 2 addresses"));
    CHECK(manager.heard() == "READY=1\nSTATUS=listening on 2 addresses");
    CHECK(service.ready(""));
    CHECK(manager.heard() == "READY=1");
    CHECK(service.status("5 connections"));
    CHECK(manager.heard() == "STATUS=5 connections");
    CHECK(service.feed_watchdog());
    CHECK(manager.heard() == "WATCHDOG=1");
    CHECK(service.stopping("draining"));
    CHECK(manager.heard() == "STOPPING=1\nSTATUS=draining");
    CHECK(manager.heard() == "nothing");
  }
}

TEST_CASE("a reload is announced with the monotonic time at which it began") {
  const std::string address = own_name("@roomcast-reload-test-");
  Manager manager(address);
  set("NOTIFY_SOCKET", address);
  ServiceManager service;
  const auto now_us = [] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  };
  const std::int64_t before = now_us();
  CHECK(service.reloading("reading the configuration"));
  const std::int64_t after = now_us();
  const std::string message = manager.heard();
  const std::string front = "RELOADING=1\nMONOTONIC_USEC=";
  const std::string back = "\nSTATUS=reading the configuration";
  REQUIRE(message.starts_with(front));
  REQUIRE(message.ends_with(back));
  const std::string time = message.substr(front.size(), message.size() - front.size() - back.size());
  CHECK(time == std::to_string(std::stoll(time)));
  CHECK(std::stoll(time) >= before);
  CHECK(std::stoll(time) <= after);
}

TEST_CASE("a line break in a status cannot smuggle in another assignment") {
  const std::string address = own_name("@roomcast-status-test-");
  Manager manager(address);
  set("NOTIFY_SOCKET", address);
  ServiceManager service;
  CHECK(service.status("a\nREADY=1\rb"));
  CHECK(manager.heard() == "STATUS=a READY=1 b");
}

TEST_CASE("a service manager that is gone is noticed and harms nothing") {
  const std::string address = own_name("@roomcast-gone-test-");
  set("NOTIFY_SOCKET", address);
  ServiceManager service;
  CHECK(service.is_present());
  CHECK_FALSE(service.ready("up"));
}

TEST_CASE(
    "a service manager that reads nothing blocks nothing; messages it had no room for come later, in order") {
  const std::string address = own_name("@roomcast-busy-test-");
  Manager manager(address);
  set("NOTIFY_SOCKET", address);
  ServiceManager service;
  int sent = 0;
  while (service.status("busy"))
    ++sent;
  CHECK(sent > 0);
  CHECK(service.has_unsent());
  CHECK_FALSE(service.reloading(""));
  CHECK_FALSE(service.ready("up"));
  for (int i = 0; i < sent; ++i)
    CHECK(manager.heard() == "STATUS=busy");
  service.send_unsent();
  CHECK_FALSE(service.has_unsent());
  CHECK(manager.heard() == "STATUS=busy");
  CHECK(manager.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(manager.heard() == "READY=1\nSTATUS=up");
  CHECK(manager.heard() == "nothing");
}

TEST_CASE("a service manager that reads nothing for long: the last 16 messages wait") {
  const std::string address = own_name("@roomcast-stuck-test-");
  Manager manager(address);
  set("NOTIFY_SOCKET", address);
  ServiceManager service;
  int sent = 0;
  while (service.feed_watchdog())
    ++sent;
  for (int i = 0; i < 16; ++i)
    service.status(std::to_string(i));
  for (int i = 0; i < sent; ++i)
    CHECK(manager.heard() == "WATCHDOG=1");
  for (int i = 0; i < 16; ++i) {
    service.send_unsent();
    CHECK(manager.heard() == "STATUS=" + std::to_string(i));
  }
  CHECK_FALSE(service.has_unsent());
  CHECK(manager.heard() == "nothing");
}

TEST_CASE("an address of another kind is not taken for a socket") {
  for (const std::string& address : {std::string("vsock:2:1234"), std::string("relative"), std::string("@"),
                                     std::string("/"), "/" + std::string(200, 'a')}) {
    CAPTURE(address);
    set("NOTIFY_SOCKET", address);
    ServiceManager service;
    CHECK_FALSE(service.is_present());
    CHECK(service.ready(""));
  }
}

TEST_CASE("an address as long as the system takes is used, one byte more is not") {
  for (const std::size_t size : {sizeof(sockaddr_un::sun_path) - 1, sizeof(sockaddr_un::sun_path)}) {
    set("NOTIFY_SOCKET", "@" + std::string(size - 1, 'x'));
    CHECK(ServiceManager().is_present() == (size < sizeof(sockaddr_un::sun_path)));
  }
}

TEST_CASE("the watchdog is fed at half of what the service manager waits") {
  const std::string address = own_name("@roomcast-watchdog-test-");
  const auto interval = [&address](const std::string& usec, const std::string& pid) {
    set("NOTIFY_SOCKET", address);
    set("WATCHDOG_USEC", usec);
    set("WATCHDOG_PID", pid);
    ServiceManager service;
    CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
    CHECK(std::getenv("WATCHDOG_PID") == nullptr);
    return service.watchdog_interval_ms().value_or(-1);
  };
  const std::string own_pid = std::to_string(getpid());
  CHECK(interval("30000000", own_pid) == 15'000);
  CHECK(interval("30000000", "") == 15'000);
  CHECK(interval("1", own_pid) == 1);
  CHECK(interval("30000000", std::to_string(getppid())) == -1);
  CHECK(interval("0", own_pid) == -1);
  CHECK(interval("-5", own_pid) == -1);
  CHECK(interval("soon", own_pid) == -1);
  CHECK(interval("", own_pid) == -1);
}

namespace {

/// Runs `child` in a child process, as the variables and low descriptors are the process's own.
/// What it returns is the exit code.
template <class Child>
int exit_code_of(Child child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Puts two sockets where an activated service finds them.
void prepare_two_sockets() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) _exit(100);
  const int first = fcntl(pair[0], F_DUPFD, 50);
  const int second = fcntl(pair[1], F_DUPFD, 50);
  dup2(first, 3);
  dup2(second, 4);
  set("LISTEN_PID", std::to_string(getpid()));
  set("LISTEN_FDS", "2");
}

}  // namespace

TEST_CASE("inherited sockets are taken over with their names and become close-on-exec") {
  CHECK(exit_code_of([] {
          prepare_two_sockets();
          set("LISTEN_FDNAMES", "http:https");
          const auto sockets = take_inherited_sockets();
          if (sockets.size() != 2) return 1;
          if (sockets[0].fd != 3 || sockets[0].name != "http") return 2;
          if (sockets[1].fd != 4 || sockets[1].name != "https") return 3;
          if ((fcntl(3, F_GETFD) & FD_CLOEXEC) == 0 || (fcntl(4, F_GETFD) & FD_CLOEXEC) == 0) return 4;
          if (getenv("LISTEN_PID") != nullptr || getenv("LISTEN_FDS") != nullptr) return 5;
          if (getenv("LISTEN_FDNAMES") != nullptr) return 6;
          return take_inherited_sockets().empty() ? 0 : 7;
        }) == 0);
}

TEST_CASE("inherited sockets without names have empty names") {
  CHECK(exit_code_of([] {
          prepare_two_sockets();
          unsetenv("LISTEN_FDNAMES");
          const auto sockets = take_inherited_sockets();
          return sockets.size() == 2 && sockets[0].name.empty() && sockets[1].name.empty() ? 0 : 1;
        }) == 0);
}

TEST_CASE("sockets meant for another process or with a nonsensical number are left alone") {
  CHECK(exit_code_of([] {
          prepare_two_sockets();
          set("LISTEN_PID", std::to_string(getppid()));
          return take_inherited_sockets().empty() ? 0 : 1;
        }) == 0);
  for (const char* count : {"0", "-1", "x", "", "1025", "99999999999999999999"}) {
    CAPTURE(count);
    CHECK(exit_code_of([count] {
            prepare_two_sockets();
            set("LISTEN_FDS", count);
            return take_inherited_sockets().empty() ? 0 : 1;
          }) == 0);
  }
}

TEST_CASE("a descriptor that was promised but is not open is not handed on") {
  CHECK(exit_code_of([] {
          prepare_two_sockets();
          close(4);
          const auto sockets = take_inherited_sockets();
          return sockets.size() == 1 && sockets[0].fd == 3 ? 0 : 1;
        }) == 0);
}

}  // namespace service_manager_test
