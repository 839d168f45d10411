#include "bit_flips/judge.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <string_view>
#include <vector>

#include "store/record.h"
#include "store/startup.h"

namespace roomcast::flips {

namespace {

constexpr std::size_t page_messages = 100;

class Judge {
 public:
  explicit Judge(const Content& content) : content_(content), now_{content.time_ms, true} {}

  Verdict run(const std::string& directory) {
    base::Log log(base::LogLevel::error, base::LogFormat::text);
    base::Result<store::StoreFiles> files = store::open_files(options_of(directory), content_.time_ms, log);
    if (!files) return {Outcome::refused};
    look_at_rooms(files->reader);
    const auto segment = files->tail->cut();
    if (segment != nullptr) {
      if (files->archive.fold(*segment, rules_, now_)) {
        files->tail->release_cut();
        look_at_rooms(files->reader);
      } else {
        note(Outcome::error, "");
      }
    }
    return verdict_;
  }

 private:
  void note(Outcome outcome, const std::string& what) {
    if (outcome > verdict_.outcome) verdict_ = {outcome, what};
  }

  void look_at_rooms(store::ArchiveReader& reader) {
    for (const auto& [name, room] : content_.rooms) {
      const auto loaded = reader.load(name, rules_, now_, content_.time_ms);
      if (!loaded) {
        note(Outcome::error, "");
      } else if (loaded->extent.epoch != room.epoch) {
        // Every cursor gets a gap. What the room has instead must be nothing: it would be read with any
        // epoch.
        note(Outcome::told, "");
        if (loaded->extent.is_written) look_at_room(reader, name, room, loaded->extent);
      } else {
        look_at_room(reader, name, room, loaded->extent);
      }
    }
  }

  void look_at_room(store::ArchiveReader& reader, const std::string& name, const ExpectedRoom& room,
                    const store::RoomExtent& extent) {
    std::vector<hub::Hole> holes = extent.holes;
    std::uint64_t floor = extent.floor;
    std::vector<bool> is_there(room.messages.size() + 1, false);
    for (std::uint64_t after = extent.floor;;) {
      const auto page =
          reader.read(extent.id, name, after, page_messages, std::size_t{128} << 10U, rules_, now_);
      if (!page) return note(Outcome::error, "");
      holes.insert(holes.end(), page->page.holes.begin(), page->page.holes.end());
      floor = std::max(floor, page->page.floor);
      const std::uint64_t last = look_at_page(name, room, page->page.records, is_there, after);
      if (last == after) break;
      after = last;
    }
    look_for_missing(name, room, extent, is_there, holes, floor);
  }

  /// The offset of the last message.
  std::uint64_t look_at_page(const std::string& name, const ExpectedRoom& room, std::string_view records,
                             std::vector<bool>& is_there, std::uint64_t after) {
    store::RecordReader reader(records);
    while (const std::optional<store::Record> record = reader.next()) {
      const std::string place = name + " " + std::to_string(record->offset);
      const auto expected = room.messages.find(record->offset);
      if (record->offset <= after) note(Outcome::wrong, place + " is out of order");
      after = std::max(after, record->offset);
      if (expected == room.messages.end()) {
        note(Outcome::wrong, place + " was never written");
        continue;
      }
      if (record->body != expected->second.body) note(Outcome::wrong, place + " has another body");
      if (record->number != expected->second.time_ms) note(Outcome::wrong, place + " has another time");
      is_there[record->offset] = true;
    }
    if (reader.is_damaged()) note(Outcome::wrong, name + " has a page with a record that is damaged");
    return after;
  }

  void look_for_missing(const std::string& name, const ExpectedRoom& room, const store::RoomExtent& extent,
                        const std::vector<bool>& is_there, const std::vector<hub::Hole>& holes,
                        std::uint64_t floor) {
    // A page that begins later than was asked for tells of a gap, too: see hub::RoomLog::take_page_read.
    const auto last = std::find(is_there.rbegin(), is_there.rend(), true);
    const auto end = static_cast<std::uint64_t>(is_there.rend() - last);
    const auto is_told = [&](std::uint64_t offset) {
      return extent.epoch != room.epoch || offset <= floor || offset < end ||
             std::any_of(holes.begin(), holes.end(), [offset](const hub::Hole& hole) {
               return hole.first <= offset && offset <= hole.last;
             });
    };
    for (const auto& [offset, expected] : room.messages) {
      if (is_there[offset]) continue;
      const std::string place = name + " " + std::to_string(offset);
      if (is_told(offset)) {
        note(Outcome::told, "");
      } else if (expected.batch == content_.last_batch) {
        note(Outcome::last_commit, place);
      } else {
        note(Outcome::silent, place + " is missing, top " + std::to_string(extent.top) + " of " +
                                  std::to_string(room.messages.size()));
      }
    }
  }

  const Content& content_;
  store::AgeTime now_;
  hub::RoomRules rules_ = generous_rules();
  Verdict verdict_;
};

/// What the other process has written, up to its end.
std::string read_all(int from) {
  std::string text;
  std::array<char, 512> part{};
  for (ssize_t got = 0; (got = ::read(from, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  return text;
}

}  // namespace

const char* name_of(Outcome outcome) {
  constexpr std::array<const char*, outcomes> names{"no effect",   "refused",     "error",
                                                    "gap told",    "last commit", "silent loss",
                                                    "wrong bytes", "hang",        "crash"};
  return names[static_cast<std::size_t>(outcome)];
}

Verdict judge(const std::string& directory, const Content& content) { return Judge(content).run(directory); }

Verdict judge_apart(const std::string& directory, const Content& content, unsigned limit_seconds) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return {Outcome::crash, "no pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[0]);
    ::alarm(limit_seconds);
    const Verdict verdict = judge(directory, content);
    const std::string text = static_cast<char>(verdict.outcome) + verdict.what;
    const bool is_written = ::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(is_written ? 0 : 1);
  }
  ::close(pipe[1]);
  const std::string text = child < 0 ? "" : read_all(pipe[0]);
  ::close(pipe[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return {Outcome::crash, "no process"};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return {Outcome::hang, "took too long"};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text.empty())
    return {Outcome::crash, "ended with status " + std::to_string(status)};
  return {static_cast<Outcome>(text[0]), text.substr(1)};
}

}  // namespace roomcast::flips
