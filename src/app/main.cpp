#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/allocator.h"
#include "app/checks.h"
#include "app/command_line.h"
#include "app/server.h"
#include "app/service_manager.h"
#include "app/version.h"
#include "config/load.h"
#include "config/print.h"

extern char** environ;  // NOLINT: POSIX

namespace {

using namespace roomcast;

enum ExitCode : int { ok = 0, failed = 1, wrong_usage = 2 };

void print(std::FILE* file, std::string_view text) { std::fwrite(text.data(), 1, text.size(), file); }

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
  sources.overrides = command_line.overrides;
  sources.checks = app::configuration_checks();
  return sources;
}

int serve(config::Sources sources, config::Loaded loaded) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  app::configure_allocator();
  app::Server server(std::move(sources), std::move(loaded));
  if (const auto error = server.run(app::take_inherited_sockets())) {
    print(stderr, "roomcast: " + error->message + "\n");
    return failed;
  }
  return ok;
}

int load_and(const app::CommandLine& command_line) {
  config::Sources sources = sources_of(command_line);
  auto loaded = config::load(sources);
  if (!loaded) {
    print(stderr, config::to_text(loaded.error()) + "\n");
    return wrong_usage;
  }
  if (command_line.action == app::CommandLine::Action::print_config) {
    print(stdout, config::print_effective(*loaded));
    return ok;
  }
  if (const auto problem = app::check_whole(loaded->config)) {
    print(stderr, "roomcast: " + *problem + "\n");
    return wrong_usage;
  }
  if (command_line.action == app::CommandLine::Action::check_config) {
    print(stdout, "the configuration is sound\n");
    return ok;
  }
  return serve(std::move(sources), std::move(*loaded));
}

int run(std::span<const std::string_view> arguments) {
  const auto command_line = app::parse_command_line(arguments);
  if (!command_line) {
    print(stderr, "roomcast: " + command_line.error().message + "\n");
    return wrong_usage;
  }
  switch (command_line->action) {
    case app::CommandLine::Action::help:
      print(stdout, app::help_text());
      return ok;
    case app::CommandLine::Action::version:
      print(stdout, "roomcast " + std::string(app::version) + "\n");
      return ok;
    case app::CommandLine::Action::print_reference_toml:
      print(stdout, config::print_reference_toml());
      return ok;
    case app::CommandLine::Action::print_reference_markdown:
      print(stdout, config::print_reference_markdown());
      return ok;
    default:
      return load_and(*command_line);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "roomcast: %s\n", error.what());
    return failed;
  }
}
