#pragma once

#include <cstddef>
#include <string_view>

namespace roomcast::bench {

/// A line without its end, or an event, at the front of bytes.
struct TextItem {
  std::size_t used = 0;   ///< of the bytes given; 0 while it is not whole
  bool is_event = false;  ///< an event that a page would hear as `message`; never for a line
  std::string_view
      text;  ///< within the bytes: the line, or the event's data up to the end of their first line
};

/// The line at the front of `bytes`, which ends in LF or CR LF; what NDJSON consists of.
[[nodiscard]] TextItem take_line(std::string_view bytes);

/// The event at the front of `bytes` (WHATWG EventSource, section 9.2), up to and with its empty line.
/// Comments and `retry` alone are no event. Lines end in LF or CR LF, not in a bare CR.
[[nodiscard]] TextItem take_event(std::string_view bytes);

/// Whether `envelope`, an object of `roomcast.v1`, is of `type`, which has to be its first member.
[[nodiscard]] bool is_of_type(std::string_view envelope, std::string_view type);

}  // namespace roomcast::bench
