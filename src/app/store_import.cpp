#include "app/store_import.h"

#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "dialect/labels_json.h"
#include "hub/cursor.h"
#include "hub/message.h"
#include "hub/room_name.h"
#include "store/store_writer.h"

namespace roomcast::app {

namespace {

using Problem = std::optional<std::string>;

constexpr std::size_t import_line_max = std::size_t{256} << 20U;
constexpr std::uint64_t import_offset_max = std::uint64_t{1} << 53U;
constexpr std::uint64_t import_time_max = 253'402'300'799'999;  // the end of the year 9999
constexpr std::size_t author_bytes_max = 1'000;

/// Reads lines of a bounded length.
class ImportLines {
 public:
  explicit ImportLines(std::FILE* input) : input_(input), chunk_(std::size_t{64} << 10U, '\0') {}

  /// The next line without its end; nothing at the end of the input, or after an error.
  std::optional<std::string_view> next() {
    line_.clear();
    while (line_.size() <= import_line_max) {
      if (rest_.empty() && !fill()) break;
      const std::size_t end = rest_.find('\n');
      line_.append(rest_.substr(0, end));
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      if (end != std::string_view::npos) return line_;
    }
    if (line_.empty() || is_too_long()) return std::nullopt;
    return line_;
  }
  [[nodiscard]] bool is_too_long() const { return line_.size() > import_line_max; }
  [[nodiscard]] bool has_failed() const { return std::ferror(input_) != 0; }

 private:
  bool fill() {
    const std::size_t size = std::fread(chunk_.data(), 1, chunk_.size(), input_);
    rest_ = std::string_view(chunk_).substr(0, size);
    return size > 0;
  }

  std::FILE* input_;
  std::string chunk_;
  std::string_view rest_;
  std::string line_;
};

/// One line of the input, with what all types have.
class ImportLine {
 public:
  [[nodiscard]] Problem read(std::string_view line) {
    if (!base::is_valid_utf8(line) || !base::is_valid_json(line)) return "it is not JSON in UTF-8";
    base::JsonMembers members{base::JsonValue(line)};
    while (const std::optional<base::JsonMember> member = members.next())
      members_.push_back(*member);
    type_ = text("type").value_or("");
    const std::optional<std::string> room = text("room");
    if (!room) return "room is missing";
    if (const auto valid = hub::check_room_name(*room); !valid) return "room: " + valid.error().message;
    room_ = *room;
    const std::optional<hub::Position> cursor = position("cursor");
    if (!cursor) return "cursor is missing, or is not one";
    cursor_ = *cursor;
    return std::nullopt;
  }

  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] const std::string& room() const { return room_; }
  [[nodiscard]] const hub::Position& cursor() const { return cursor_; }

  [[nodiscard]] std::optional<base::JsonValue> find(std::string_view name) const {
    for (const base::JsonMember& member : members_) {
      if (member.name.equals(name)) return member.value;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const {
    const std::optional<base::JsonValue> value = find(name);
    if (!value || !value->is(base::JsonKind::string)) return std::nullopt;
    std::string found;
    value->append_text(found);
    return found;
  }
  [[nodiscard]] std::optional<hub::Position> position(std::string_view name) const {
    const std::optional<std::string> found = text(name);
    const std::optional<hub::Position> parsed = found ? hub::parse_cursor(*found) : std::nullopt;
    if (!parsed || parsed->epoch == 0 || parsed->offset > import_offset_max) return std::nullopt;
    return parsed;
  }
  [[nodiscard]] std::optional<std::int64_t> time() const {
    const std::optional<base::JsonValue> value = find("time");
    const auto number = value ? value->to_unsigned(import_time_max) : std::nullopt;
    return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
  }

 private:
  std::vector<base::JsonMember> members_;
  std::string type_;
  std::string room_;
  hub::Position cursor_;
};

Problem read_import_payload(const ImportLine& line, hub::Message& message) {
  if (const std::optional<std::string> encoded = line.text("data_base64")) {
    std::string bytes;
    if (!base::base64_decode(*encoded, bytes)) return "data_base64 is not base64";
    message.kind = hub::Kind::binary;
    message.payload = base::Bytes::copy_of(bytes);
    return std::nullopt;
  }
  const std::optional<base::JsonValue> data = line.find("data");
  if (!data) return "data is missing";
  const bool is_text = data->is(base::JsonKind::string) && line.text("kind") != "json";
  message.kind = is_text ? hub::Kind::text : hub::Kind::json;
  message.payload = base::Bytes::copy_of(is_text ? *line.text("data") : data->raw());
  return std::nullopt;
}

Problem read_import_author(const ImportLine& line, hub::Message& message) {
  const std::string name = line.text("from").value_or("");
  std::string principal;
  for (const std::string_view kind : {"user", "key"}) {
    if (const std::optional<std::string> id = line.text(kind)) principal = std::string(kind) + ":" + *id;
  }
  for (const std::string_view text : {std::string_view(name), std::string_view(principal)}) {
    if (text.size() > author_bytes_max || base::has_control_character(text))
      return "from, user and key have at most 1000 bytes and no control characters";
  }
  message.author = principal.empty() ? hub::Author(name) : hub::Author(name, principal);
  return std::nullopt;
}

/// Takes lines into a store.
class Importer {
 public:
  explicit Importer(store::StoreWriter& writer) : writer_(writer) {}

  [[nodiscard]] Problem take(std::string_view line) {
    ImportLine read;
    if (Problem problem = read.read(line)) return problem;
    const bool is_message = read.type() == "message" || read.type() == "deleted";
    if (!is_message && read.type() != "subscribed" && read.type() != "gap")
      return "its type is not message, deleted, gap or subscribed";
    const hub::Position& cursor = read.cursor();
    if (is_message && cursor.offset == 0) return "cursor is one before the first message";
    base::Result<store::StoreWriter::Room*> room = writer_.find(read.room());
    if (room && *room == nullptr)
      room = writer_.create(read.room(), cursor.epoch, is_message ? cursor.offset - 1 : cursor.offset);
    if (!room) return room.error().message;
    if ((*room)->epoch != cursor.epoch) {
      return "the store has a room " + read.room() +
             " already, of another epoch: " + hub::to_cursor({(*room)->epoch, (*room)->top}) +
             ". Import into an empty store";
    }
    rooms_.insert((*room)->id);
    if (is_message) return take_message(read, **room);
    return take_gap(read, **room);
  }

  [[nodiscard]] ImportReport report() const {
    ImportReport report = report_;
    report.rooms = rooms_.size();
    return report;
  }

 private:
  [[nodiscard]] Problem take_message(const ImportLine& line, store::StoreWriter::Room& room) {
    hub::Message message;
    message.position = line.cursor();
    const std::optional<std::int64_t> time = line.time();
    if (!time) return "time is missing, or is not milliseconds since 1970";
    message.time_ms = *time;
    const bool is_removed = line.type() == "deleted";
    if (!is_removed) {
      if (Problem problem = read_import_payload(line, message)) return problem;
      if (Problem problem = read_import_author(line, message)) return problem;
      auto labels = dialect::read_labels(line.find("event"), line.find("tags"));
      if (!labels) return std::string(labels.error());
      message.labels = std::move(*labels);
    }
    if (message.position.offset <= room.top) {
      // Within an epoch an offset never means two messages.
      ++report_.known;
      return std::nullopt;
    }
    ++report_.messages;
    message.is_removed = is_removed;
    const std::optional<base::Error> error = writer_.add(room, message);
    return error ? Problem(error->message) : std::nullopt;
  }

  /// What comes next in the room is after the cursor, and what is missing before it is a hole.
  [[nodiscard]] Problem take_gap(const ImportLine& line, store::StoreWriter::Room& room) {
    if (line.cursor().offset <= room.top) return std::nullopt;
    const std::optional<base::Error> error = writer_.add_hole(room, line.cursor().offset);
    return error ? Problem(error->message) : std::nullopt;
  }

  store::StoreWriter& writer_;
  std::set<store::RoomId> rooms_;
  ImportReport report_;
};

}  // namespace

base::Result<ImportReport> import_store(const store::StoreOptions& options, std::FILE* input,
                                        base::Log& log) {
  base::Result<std::unique_ptr<store::StoreWriter>> writer = store::StoreWriter::open(options, log);
  if (!writer) return std::move(writer.error());
  Importer importer(**writer);
  ImportLines lines(input);
  std::uint64_t number = 0;
  Problem problem;
  while (const std::optional<std::string_view> line = lines.next()) {
    ++number;
    if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    problem = importer.take(*line);
    if (problem) break;
  }
  if (lines.is_too_long()) {
    ++number;
    problem = "it is longer than 256 MiB";
  }
  if (!problem && lines.has_failed())
    problem = "the rest cannot be read: " + std::generic_category().message(errno);
  const std::optional<base::Error> error = (*writer)->finish();
  if (problem) return base::Error{"line " + std::to_string(number) + ": " + *problem};
  if (error) return *error;
  return importer.report();
}

}  // namespace roomcast::app
