#include "app/store_command.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "app/command_arguments.h"
#include "app/store_export.h"
#include "app/store_import.h"
#include "base/log.h"
#include "hub/cursor.h"
#include "hub/room_name.h"
#include "store/backup.h"
#include "store/options.h"
#include "store/recovery.h"
#include "store/store_check.h"
#include "store/store_summary.h"

namespace roomcast::app {

namespace {

enum StoreExit : int { store_done = 0, store_failed = 1, store_wrong_usage = 2 };

constexpr std::array<std::string_view, 4> store_flags{"--path", "--config", "--room", "--since"};
constexpr std::array<std::string_view, 2> store_switches{"--help", "-h"};

int store_fail(const std::string& what, int code = store_failed) {
  std::fprintf(stderr, "roomcast store: %s\n", what.c_str());
  return code;
}

base::Result<store::StoreOptions> store_options_of(const CommandArguments& arguments,
                                                   config::Sources sources) {
  if (std::string file = arguments.value("--config"); !file.empty()) sources.file = std::move(file);
  const auto loaded = config::load(sources);
  if (!loaded) return base::Error{config::to_text(loaded.error())};
  const config::Config::Store& settings = loaded->config.store;
  store::StoreOptions options;
  options.path = arguments.value("--path").empty() ? settings.path : arguments.value("--path");
  options.disk_bytes = settings.disk_bytes;
  options.secure_delete = settings.secure_delete;
  if (options.path.empty())
    return base::Error{"which store? Name its directory by --path, or by store.path in the file of --config"};
  return options;
}

void print_count(const char* what, std::uint64_t count) { std::printf("%-12s %" PRIu64 "\n", what, count); }

int print_stats(const std::string& path) {
  const auto summary = store::summarize_store(path);
  if (!summary) return store_fail(summary.error().message);
  std::printf("%-12s %s\n", "path", path.c_str());
  const char* const stopped = summary->is_clean ? "nobody, stopped well" : "nobody, not stopped well";
  std::printf("%-12s %s\n", "used by", summary->used_by.empty() ? stopped : summary->used_by.c_str());
  print_count("rooms", summary->rooms);
  print_count("messages", summary->messages);
  print_count("bytes", summary->bytes);
  std::printf("%-12s %" PRIu64 " batches, %" PRIu64 " bytes\n", "not sorted", summary->batches,
              summary->batch_bytes);
  print_count("damaged", summary->quarantined);
  std::printf("%-12s journal.db %" PRIu64 " bytes, history.db %" PRIu64 " bytes\n", "on the disk",
              summary->journal_bytes, summary->history_bytes);
  for (const auto& room : summary->largest) {
    std::printf("%-12s %s: %" PRIu64 " messages, %" PRIu64 " bytes\n", "room", room.name.c_str(),
                room.messages, room.bytes);
  }
  return store_done;
}

void print_problems(const store::ProblemList& problems, std::FILE* to) {
  for (const std::string& problem : problems.texts())
    std::fprintf(to, "%s\n", problem.c_str());
  const std::size_t left_out = problems.count() - problems.texts().size();
  if (left_out > 0) std::fprintf(to, "and %zu more\n", left_out);
}

int check(const std::string& path) {
  const auto report = store::check_store(path);
  if (!report) return store_fail(report.error().message);
  print_problems(report->problems, stderr);
  if (report->problems.count() > 0) {
    return store_fail(path + " is damaged: " + std::to_string(report->problems.count()) +
                      " problems. `roomcast store recover DIR` saves what is whole into a new store");
  }
  std::printf("the store is whole: %" PRIu64 " rooms, %" PRIu64 " messages, %" PRIu64 " holes, %" PRIu64
              " batches in the journal\n",
              report->rooms, report->messages, report->holes, report->batches);
  if (report->is_in_use)
    std::printf("a server uses it: the ends of its write-ahead logs are checked when that is stopped\n");
  return store_done;
}

int export_rooms(const std::string& path, const CommandArguments& arguments) {
  ExportOptions options{.path = path};
  if (!arguments.all("--room").empty()) {
    options.room = arguments.value("--room");
    if (const auto valid = hub::check_room_name(*options.room); !valid)
      return store_fail("--room: " + valid.error().message, store_wrong_usage);
  }
  if (const std::string since = arguments.value("--since"); !since.empty()) {
    options.since = hub::parse_cursor(since);
    if (!options.room)
      return store_fail("--since goes with --room: a cursor is one of a room", store_wrong_usage);
    if (!options.since) return store_fail("--since takes a cursor, not " + since, store_wrong_usage);
  }
  const auto problems = export_store(options, stdout);
  if (!problems) return store_fail(problems.error().message);
  if (problems->count() == 0) return store_done;
  print_problems(*problems, stderr);
  return store_fail(path + " is damaged: what could be read was exported");
}

int import_rooms(const store::StoreOptions& options, const CommandArguments& arguments, base::Log& log) {
  const bool from_file = arguments.words.size() > 1;
  std::FILE* const input = from_file ? std::fopen(arguments.words[1].c_str(), "re") : stdin;
  if (input == nullptr) return store_fail("cannot read " + arguments.words[1]);
  const auto report = import_store(options, input, log);
  if (from_file) std::fclose(input);
  if (!report) return store_fail(report.error().message);
  std::printf("imported %" PRIu64 " messages of %" PRIu64 " rooms; %" PRIu64 " were there already\n",
              report->messages, report->rooms, report->known);
  return store_done;
}

int back_up(const std::string& path, const std::string& to) {
  const auto bytes = store::back_up_store(path, to);
  if (!bytes) return store_fail(bytes.error().message);
  std::printf("%s is a copy of the store, %" PRIu64 " bytes\n", to.c_str(), *bytes);
  return store_done;
}

int compact(const std::string& path) {
  const auto report = store::compact_store(path);
  if (!report) return store_fail(report.error().message);
  std::printf("%" PRIu64 " bytes on the disk, before %" PRIu64 "\n", report->bytes_after,
              report->bytes_before);
  return store_done;
}

int recover(store::StoreOptions options, const std::string& to, base::Log& log) {
  const std::string from = std::exchange(options.path, to);
  const auto report = store::recover_store(from, options, log);
  if (!report) return store_fail(report.error().message);
  print_problems(report->problems, stdout);
  std::printf("%s has %" PRIu64 " rooms and %" PRIu64 " messages, %" PRIu64 " holes\n", to.c_str(),
              report->rooms, report->messages, report->holes);
  return store_done;
}

/// Why the words do not make a command; empty if they do.
std::string usage_problem(const CommandArguments& arguments) {
  constexpr std::array<std::string_view, 7> commands{"stats",  "check",   "export", "import",
                                                     "backup", "compact", "recover"};
  const std::string what = arguments.words.empty() ? "" : arguments.words.front();
  if (std::find(commands.begin(), commands.end(), what) == commands.end())
    return "stats, check, export, import, backup, compact or recover? --help says more";
  const std::size_t words = arguments.words.size() - 1;
  if (what == "backup" || what == "recover") {
    if (words != 1) return what + " takes one directory, a new or empty one";
  } else if (what == "import") {
    if (words > 1) return "import takes one file, or standard input";
  } else if (words > 0) {
    return what + " takes no " + arguments.words[1];
  }
  if (what != "export" && !(arguments.all("--room").empty() && arguments.all("--since").empty()))
    return "--room and --since go with export";
  return {};
}

}  // namespace

int run_store_command(std::span<const std::string_view> arguments, config::Sources sources) {
  const auto read = read_arguments(arguments, store_flags, store_switches);
  if (!read) return store_fail(read.error().message, store_wrong_usage);
  if (read->has("--help") || read->has("-h"))
    return std::fputs(store_help_text().data(), stdout) < 0 ? store_failed : store_done;
  if (const std::string problem = usage_problem(*read); !problem.empty())
    return store_fail(problem, store_wrong_usage);
  const auto options = store_options_of(*read, std::move(sources));
  if (!options) return store_fail(options.error().message, store_wrong_usage);
  ::umask(0077);  // what is written is for its owner
  base::Log log(base::LogLevel::warn, base::LogFormat::text);
  const std::string& what = read->words.front();
  if (what == "stats") return print_stats(options->path);
  if (what == "check") return check(options->path);
  if (what == "export") return export_rooms(options->path, *read);
  if (what == "import") return import_rooms(*options, *read, log);
  if (what == "compact") return compact(options->path);
  if (what == "backup") return back_up(options->path, read->words.back());
  return recover(*options, read->words.back(), log);
}

std::string_view store_help_text() {
  return R"(Usage: roomcast store stats
       roomcast store check
       roomcast store export [--room ROOM [--since CURSOR]]
       roomcast store backup DIR
       roomcast store import [FILE]
       roomcast store compact
       roomcast store recover DIR

The store of durable history, which is named by --path DIR, or by store.path in the
configuration (--config FILE, or the environment). Run it as the user that the server runs as.

While a server uses the store, or not:
  stats     rooms, messages, bytes, and the largest rooms
  check     structure, checksums, and that no message is missing
  export    writes messages to standard output, one JSON object of roomcast.v1 a line
  backup    copies the store to DIR, which is a store then; a new or empty directory
Only while no server uses it:
  import    adds what export has written, from FILE or standard input; makes the store if
            there is none
  compact   gives space that nothing is in back to the disk
  recover   saves what is whole in a damaged store into a new one in DIR, and reports the rest

Exit codes: 0, 1 if the store is damaged or can't be used, 2 for wrong usage.
)";
}

}  // namespace roomcast::app
