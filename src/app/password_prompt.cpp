#include "app/password_prompt.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace roomcast::app {

namespace {

constexpr std::size_t line_bytes_max = 4'096;

/// Turns the echo of the terminal off for its lifetime, and holds the signals back that would end the program
/// with it off.
class SilentTerminal {
 public:
  SilentTerminal() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
      sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, &before_);
    is_changed_ = ::tcgetattr(STDIN_FILENO, &shown_) == 0;
    termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    // An interrupt ends the line instead, as an end of file does: signals are held back.
    hidden.c_cc[VEOL] = hidden.c_cc[VINTR];
    hidden.c_lflag &= ~static_cast<tcflag_t>(ISIG);
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    interrupt_ = static_cast<char>(shown_.c_cc[VINTR]);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal() {
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  /// The character by which an interrupt is typed.
  [[nodiscard]] char interrupt() const { return interrupt_; }

 private:
  sigset_t before_{};
  termios shown_{};
  bool is_changed_ = false;
  char interrupt_ = '\x03';
};

base::Result<std::string> ask(const SilentTerminal& terminal, const char* question) {
  std::fputs(question, stderr);
  auto line = read_password_line(STDIN_FILENO);
  std::fputs("\n", stderr);
  if (line && line->find(terminal.interrupt()) != std::string::npos) return base::Error{"interrupted"};
  return line;
}

}  // namespace

base::Result<std::string> prompt_for_password() {
  const SilentTerminal terminal;
  auto first = ask(terminal, "Password: ");
  if (!first) return first.error();
  auto second = ask(terminal, "Password again: ");
  if (!second) return second.error();
  if (*first != *second) return base::Error{"the two passwords are not the same"};
  return first;
}

base::Result<std::string> read_password_line(int descriptor) {
  std::string line;
  char c = 0;
  while (line.size() < line_bytes_max) {
    const ssize_t got = ::read(descriptor, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::Error{std::string("the password cannot be read: ") + std::strerror(errno)};
    if (got == 0 && line.empty()) return base::Error{"there is no password on standard input"};
    if (got == 0 || c == '\n') break;
    line += c;
    if (c == '\x03') break;  // see SilentTerminal
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace roomcast::app
