#include "app/store_export.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include "dialect/event.h"
#include "dialect/event_json.h"
#include "dialect/message_json.h"
#include "store/record.h"

namespace roomcast::app {

namespace {

/// Writes the lines of a scan.
class ExportVisitor final : public store::StoreScan::Visitor {
 public:
  ExportVisitor(const ExportOptions& options, std::FILE* out) : options_(options), out_(out) {}

  void on_room(const store::StoreScan::Room& room) override {
    after_ = room.floor;
    const hub::Position floor{room.epoch, room.floor};
    const hub::Position since = options_.since.value_or(floor);
    const bool is_good = since.epoch == room.epoch && since.offset >= room.floor && since.offset <= room.top;
    if (is_good) after_ = since.offset;
    line(dialect::JoinedByServer{room.name, {room.epoch, after_}, std::nullopt});
    if (!is_good) line(dialect::GapFound{room.name, {floor, floor}});
  }

  void on_message(const store::StoreScan::Room& room, const store::Record& record) override {
    if (record.offset <= after_) return;
    const std::optional<hub::Message> message = store::to_message(record, room.epoch);
    if (!message) return;  // the scan has said so
    if (message->is_removed) {
      dialect::append_event_json(buffer_, dialect::MessageDeleted{room.name, message->position});
      add_member(R"("time":)" + std::to_string(message->time_ms));
    } else {
      dialect::append_message_json(buffer_, room.name, *message);
      const std::string_view payload = message->payload.view();
      const std::size_t begin = payload.find_first_not_of(" \t\r\n");
      if (message->kind == hub::Kind::json && begin != std::string_view::npos && payload[begin] == '"')
        add_member(R"("kind":"json")");
    }
    end_line();
  }

  void on_hole(const store::StoreScan::Room& room, const hub::Hole& hole) override {
    if (hole.last <= after_) return;
    const hub::Position behind{room.epoch, hole.last};
    line(dialect::GapFound{room.name, {behind, behind}});
  }

  /// Whether everything has been written; errno says why not.
  [[nodiscard]] bool finish() {
    write();
    return is_written_ && std::fflush(out_) == 0;
  }

 private:
  void line(const dialect::Event& event) {
    dialect::append_event_json(buffer_, event);
    end_line();
  }
  /// Into the object that has been appended.
  void add_member(std::string_view member) {
    buffer_.back() = ',';
    buffer_.append(member).append(1, '}');
  }
  void end_line() {
    buffer_ += '\n';
    if (buffer_.size() >= std::size_t{64} << 10U) write();
  }
  void write() {
    if (is_written_) is_written_ = std::fwrite(buffer_.data(), 1, buffer_.size(), out_) == buffer_.size();
    buffer_.clear();
  }

  const ExportOptions& options_;
  std::FILE* out_;
  std::string buffer_;
  std::uint64_t after_ = 0;  ///< of the room: what is up to here is not wanted
  bool is_written_ = true;
};

}  // namespace

base::Result<store::ProblemList> export_store(const ExportOptions& options, std::FILE* out) {
  base::Result<std::unique_ptr<store::StoreScan>> scan = store::StoreScan::open({.directory = options.path});
  if (!scan) return std::move(scan.error());
  ExportVisitor visitor(options, out);
  if (!options.room) {
    (*scan)->visit(visitor);
  } else if (!(*scan)->visit(visitor, *options.room)) {
    return base::Error{"the store has no room " + *options.room};
  }
  if (!visitor.finish())
    return base::Error{"cannot write to standard output: " + std::generic_category().message(errno)};
  return (*scan)->problems();
}

}  // namespace roomcast::app
