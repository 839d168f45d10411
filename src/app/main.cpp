#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/allocator.h"
#include "app/checks.h"
#include "app/command_line.h"
#include "app/explain_command.h"
#include "app/keygen_command.h"
#include "app/redis_command.h"
#include "app/server.h"
#include "app/service_manager.h"
#include "app/store_command.h"
#include "app/user_command.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/log_queue.h"
#include "config/load.h"
#include "config/print.h"

extern char** environ;  // NOLINT: POSIX

namespace {

using namespace roomcast;

enum ExitCode : int { ok = 0, failed = 1, wrong_usage = 2 };

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

/// Writes to standard error, without blocking for longer than the log would at the end of the process.
void print_error(std::string_view text) {
  base::DescriptorOutput output(STDERR_FILENO);
  base::LogQueue queue(output, text.size());
  queue.add(text);
  queue.write_out_within(base::Log::last_write_ms);
}

/// Opens those of the descriptors 0 to 2 that the parent left closed: otherwise the next files and sockets
/// would get their numbers, and what is written to standard error would go into them.
bool open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest free number is given out first, which is this one.
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

/// The soft limit is often 1024; every client is a descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

config::Sources sources_of(const app::CommandLine& command_line) {
  config::Sources sources;
  sources.file = command_line.config_file;
  for (char** entry = environ; *entry != nullptr; ++entry)
    sources.environment.emplace_back(*entry);
  sources.defaults = command_line.defaults;
  sources.overrides = command_line.overrides;
  sources.checks = app::configuration_checks();
  return sources;
}

/// The signals that the server handles, and that would end the process before it does.
sigset_t handled_later() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2})
    sigaddset(&signals, number);
  return signals;
}

/// Blocks or unblocks them: blocked from the start of the program until the server handles them.
void hold_signals(bool hold) {
  const sigset_t signals = handled_later();
  sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &signals, nullptr);
}

int serve(config::Sources sources, config::Loaded loaded) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a log file that has reached `ulimit -f`: the write fails, that is all
  raise_descriptor_limit();
  // Before anything else is opened: it could get the descriptor number of a socket that was announced but not
  // passed.
  const auto inherited = app::take_inherited_sockets();
  app::configure_allocator();
  app::Server server(std::move(sources), std::move(loaded));
  hold_signals(false);
  if (const auto error = server.run(inherited)) {
    print_error("roomcast: " + error->message + "\n");
    return failed;
  }
  return ok;
}

int load_and(const app::CommandLine& command_line) {
  config::Sources sources = sources_of(command_line);
  auto loaded = config::load(sources);
  if (!loaded) {
    print_error(config::to_text(loaded.error()) + "\n");
    return wrong_usage;
  }
  if (command_line.action == app::CommandLine::Action::print_config) {
    print(config::print_effective(*loaded));
    return ok;
  }
  if (command_line.action == app::CommandLine::Action::explain_access) {
    const auto text = app::explain_access(loaded->config, command_line.explain_access);
    if (text) {
      print(*text);
      return ok;
    }
    print_error("roomcast: " + text.error().message + "\n");
    return wrong_usage;
  }
  if (const auto problem = app::check_whole(loaded->config)) {
    print_error("roomcast: " + *problem + "\n");
    return wrong_usage;
  }
  if (command_line.action == app::CommandLine::Action::check_config) {
    if (const auto hint = app::service_variables_hint(loaded->service_variables)) {
      print_error("roomcast: " + *hint + "\n");
    }
    for (const std::string& warning :
         app::warnings(loaded->config, std::int64_t{std::time(nullptr)} * 1000)) {
      print_error("roomcast: warning: " + warning + "\n");
    }
    print("the configuration is sound\n");
    return ok;
  }
  sources.text_read_once = loaded->text_read_once;
  return serve(std::move(sources), std::move(*loaded));
}

int run(std::span<const std::string_view> arguments) {
  if (!arguments.empty() && arguments.front() == "keygen")
    return app::run_keygen_command(arguments.subspan(1));
  if (!arguments.empty() && arguments.front() == "user")
    return app::run_user_command(arguments.subspan(1), sources_of({}));
  if (!arguments.empty() && arguments.front() == "store")
    return app::run_store_command(arguments.subspan(1), sources_of({}));
  if (!arguments.empty() && arguments.front() == "redis")
    return app::run_redis_command(arguments.subspan(1), sources_of({}));
  const auto command_line = app::parse_command_line(arguments);
  if (!command_line) {
    print_error("roomcast: " + command_line.error().message + "\n");
    return wrong_usage;
  }
  switch (command_line->action) {
    case app::CommandLine::Action::help:
      print(app::help_text());
      return ok;
    case app::CommandLine::Action::version:
      print("roomcast " + std::string(app::version) + "\n");
      return ok;
    case app::CommandLine::Action::print_reference_toml:
      print(config::print_reference_toml());
      return ok;
    case app::CommandLine::Action::print_reference_markdown:
      print(config::print_reference_markdown());
      return ok;
    default:
      return load_and(*command_line);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return failed;
  hold_signals(true);
  try {
    const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return run(arguments);
  } catch (const std::exception& error) {
    print_error("roomcast: " + std::string(error.what()) + "\n");
    return failed;
  }
}
