#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::test {

/// One event as an EventSource dispatches it.
struct SseEvent {
  std::string type = "message";
  std::string data;
  std::string id;  ///< the last event ID at that time
  friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

/// Reads an event stream by the letter of WHATWG HTML section 9.2.6, written without a look at what writes
/// it.
struct SseReader {
  std::vector<SseEvent> events;
  std::optional<std::string> retry;
  std::size_t comments = 0;

  explicit SseReader(std::string_view stream) {
    if (stream.starts_with("\xEF\xBB\xBF")) stream.remove_prefix(3);
    while (const auto line = take_line(stream))
      on_line(*line);
  }

 private:
  /// A line without its end; nothing if there is none with an end.
  static std::optional<std::string_view> take_line(std::string_view& stream) {
    const auto* const end =
        std::find_if(stream.begin(), stream.end(), [](char c) { return c == '\r' || c == '\n'; });
    if (end == stream.end()) return std::nullopt;
    const std::string_view line = stream.substr(0, static_cast<std::size_t>(end - stream.begin()));
    stream.remove_prefix(line.size());
    stream.remove_prefix(stream.starts_with("\r\n") ? 2 : 1);
    return line;
  }

  void on_line(std::string_view line) {
    if (line.empty()) return dispatch();
    const std::size_t colon = line.find(':');
    if (colon == 0) {
      ++comments;
      return;
    }
    if (colon == std::string_view::npos) return on_field(line, {});
    std::string_view value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    on_field(line.substr(0, colon), value);
  }

  void on_field(std::string_view name, std::string_view value) {
    if (name == "event") type_ = value;
    if (name == "data") data_.append(value).append("\n");
    if (name == "id" && value.find('\0') == std::string_view::npos) id_ = value;
    if (name == "retry" &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
      retry = std::string(value);
  }

  void dispatch() {
    if (!data_.empty()) {
      data_.pop_back();
      events.push_back({type_.empty() ? "message" : type_, data_, id_});
    }
    data_.clear();
    type_.clear();
  }

  std::string type_;
  std::string data_;
  std::string id_;
};

}  // namespace roomcast::test
