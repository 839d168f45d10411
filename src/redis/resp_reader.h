#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "redis/value.h"

namespace roomcast::redis {

/// Reads what a server sends: RESP3 (and so RESP2), https://github.com/redis/redis-specifications. Sans-I/O:
/// bytes in, values out. However the bytes are cut, each is looked at a bounded number of times. What is not
/// RESP, or is past a limit, ends the reading for good. Memory is only ever taken for what has arrived, never
/// for what is announced, and nothing is allocated for each value.
///
/// Streamed strings and aggregates (`$?`, `*?`) are refused: no server sends them. Attributes (`|`) are read
/// and left out.
class RespReader {
 public:
  struct Limits {
    std::size_t value_bytes = std::size_t{16} << 20U;  ///< of one reply or push, as sent
    std::size_t depth = 8;                             ///< of aggregates in one another
    /// Values of one reply together, at any depth, those of attributes too.
    std::size_t items = 262'144;
  };

  RespReader() : RespReader(Limits()) {}
  explicit RespReader(const Limits& limits) : limits_(limits) {}
  RespReader(const RespReader&) = delete;
  RespReader& operator=(const RespReader&) = delete;

  /// Appends what has arrived. What `next` has returned before is not valid any more.
  void add(std::string_view bytes);
  /// The next reply or push, valid until the next call of either; null if it is not all there, or reading has
  /// ended. A push has at least one item.
  [[nodiscard]] const Value* next();
  /// The size as sent of the value that `next` has returned last.
  [[nodiscard]] std::size_t value_bytes() const { return returned_bytes_; }
  /// Why reading has ended: names the limit, or shows what was found; empty if it has not.
  [[nodiscard]] std::string_view error() const { return error_; }
  /// Whether bytes are held that belong to values which `next` has not returned.
  [[nodiscard]] bool has_rest() const { return start_ + returned_bytes_ < bytes_.size(); }
  /// Memory that it holds.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  /// A value as it was found, in the order of sending: an aggregate stands before its items. Attributes are
  /// not among them.
  struct Token {
    Value::Type type;
    std::int64_t integer;
    std::size_t begin;  // of the text, from start_
    std::size_t size;   // of the text; of an aggregate: its items
  };
  /// An aggregate whose items have not all arrived.
  struct Open {
    std::size_t items_left;
    bool is_attribute;
  };
  enum class Step : std::uint8_t { need_more, more, complete };

  // resp_reader_scan.cpp: finds the end of a value, and what it consists of.
  [[nodiscard]] bool scan();
  [[nodiscard]] Step scan_body();
  [[nodiscard]] Step scan_line();
  [[nodiscard]] Step take_line(char kind, std::string_view text);
  [[nodiscard]] Step begin_body(char kind, std::string_view length);
  [[nodiscard]] Step begin_aggregate(char kind, std::string_view count);
  [[nodiscard]] Step add_token(Value::Type type, std::string_view text, std::int64_t integer = 0);
  [[nodiscard]] Step close_item();
  Step fail(std::string why);
  Step refuse(std::string_view what);
  Step fail_too_large();

  void drop_returned();
  void build(Value& value);
  [[nodiscard]] std::string_view unread() const { return std::string_view(bytes_).substr(start_); }

  Limits limits_;
  std::string error_;
  std::string bytes_;
  // The value that is being read begins here; all other positions count from it.
  std::size_t start_ = 0;
  std::size_t at_ = 0;        // up to where it has been read
  std::size_t searched_ = 0;  // no end of the line that begins at at_ is before this
  // The string being awaited; body_end_ is behind its CRLF, 0 if there is none.
  std::size_t body_begin_ = 0;
  std::size_t body_end_ = 0;
  char body_kind_ = 0;
  std::size_t items_ = 0;  // values that aggregates have announced so far
  std::size_t open_attributes_ = 0;
  std::vector<Open> open_;
  std::vector<Token> tokens_;
  // What was returned; only grows, so that its values need no initialisation each time.
  std::vector<Value> values_;
  std::size_t returned_bytes_ = 0;
  std::size_t built_tokens_ = 0;  // while values are built
  std::size_t built_values_ = 0;
};

}  // namespace roomcast::redis
