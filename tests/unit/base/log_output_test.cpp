#include "base/log_output.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace log_output_test {

using namespace roomcast::base;

namespace {

/// Owns both ends of a channel.
struct Ends {
  std::array<int, 2> fds{-1, -1};
  Ends() = default;
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    for (const int fd : fds)
      if (fd >= 0) close(fd);
  }
  void close_reader() { close(std::exchange(fds[0], -1)); }
  [[nodiscard]] int writer() const { return fds[1]; }
};

void open_pipe(Ends& ends) { REQUIRE(pipe(ends.fds.data()) == 0); }
void open_sockets(Ends& ends) { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.fds.data()) == 0); }

/// Writes until the output takes no more; returns the number of bytes written.
std::size_t fill(LogOutput& output) {
  const std::string block(10'000, 'x');
  std::size_t total = 0;
  for (;;) {
    const auto taken = output.write(block);
    REQUIRE(taken);
    if (*taken == 0) return total;
    total += *taken;
  }
}

std::size_t read_some(int fd) {
  std::array<char, 65'536> bytes;
  const ssize_t got = read(fd, bytes.data(), bytes.size());
  REQUIRE(got > 0);
  return static_cast<std::size_t>(got);
}

}  // namespace

TEST_CASE("log output: a pipe or socket that is not read takes no more until it is read again") {
  for (void (*const open_ends)(Ends&) : {open_pipe, open_sockets}) {
    Ends ends;
    open_ends(ends);
    DescriptorOutput output(ends.writer());
    CHECK(fill(output) >= 4'096);
    CHECK(!output.wait(0));
    while (!output.wait(0))
      read_some(ends.fds[0]);
    CHECK(fill(output) > 0);
  }
}

TEST_CASE("log output: the descriptor itself, which others share, stays in blocking mode") {
  for (void (*const open_ends)(Ends&) : {open_pipe, open_sockets}) {
    Ends ends;
    open_ends(ends);
    DescriptorOutput output(ends.writer());
    fill(output);
    CHECK((fcntl(ends.writer(), F_GETFL) & O_NONBLOCK) == 0);
  }
}

TEST_CASE("log output: a closed other end is an error, not a signal") {
  for (void (*const open_ends)(Ends&) : {open_pipe, open_sockets}) {
    const auto before = std::signal(SIGPIPE, SIG_IGN);  // as main does
    Ends ends;
    open_ends(ends);
    DescriptorOutput output(ends.writer());
    ends.close_reader();
    CHECK(!output.write("x"));
    std::signal(SIGPIPE, before);
  }
}

TEST_CASE("log output: a pipe that may not be opened again is given what fits") {
  Ends ends;
  open_pipe(ends);
  // Only other users may open it.
  REQUIRE(fchmod(ends.writer(), 0) == 0);
  const bool is_root = geteuid() == 0;
  if (is_root) REQUIRE(seteuid(65'534) == 0);
  {
    DescriptorOutput output(ends.writer());
    CHECK(output.write(std::string(10'000, 'x')) == 4'096);
    CHECK(fill(output) >= 4'096);
    CHECK(!output.wait(0));
    read_some(ends.fds[0]);
    CHECK(fill(output) > 0);
  }
  if (is_root) REQUIRE(seteuid(0) == 0);
}

TEST_CASE("log output: a full disk and a closed descriptor are errors") {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  {
    DescriptorOutput output(full);
    CHECK(!output.write("x"));
  }
  close(full);
  DescriptorOutput closed(full);
  CHECK(!closed.write("x"));
}

TEST_CASE("log output: a file is written where its descriptor stands, behind what others wrote") {
  std::FILE* file = std::tmpfile();
  const int fd = fileno(file);
  REQUIRE(write(fd, "others ", 7) == 7);
  DescriptorOutput output(fd);
  CHECK(output.write("ours") == 4);
  std::array<char, 16> bytes{};
  CHECK(pread(fd, bytes.data(), bytes.size(), 0) == 11);
  CHECK(std::string_view(bytes.data()) == "others ours");
  std::fclose(file);
}

TEST_CASE("log output: it is the journal's if JOURNAL_STREAM names its device and inode") {
  Ends ends;
  open_sockets(ends);
  struct stat status {};
  REQUIRE(fstat(ends.writer(), &status) == 0);
  const std::string device = std::to_string(status.st_dev) + ':';
  const auto is_journal = [&ends](const std::string& stream) {
    setenv("JOURNAL_STREAM", stream.c_str(), 1);
    return DescriptorOutput(ends.writer()).is_journal();
  };
  CHECK(is_journal(device + std::to_string(status.st_ino)));
  CHECK(!is_journal(device + std::to_string(status.st_ino + 1)));
  CHECK(!is_journal(""));
  CHECK(!is_journal(device));
  unsetenv("JOURNAL_STREAM");
  CHECK(!DescriptorOutput(ends.writer()).is_journal());
}

}  // namespace log_output_test
