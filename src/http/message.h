#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/refusal.h"

namespace roomcast::http {

/// Header fields in the order they came (RFC 9110 section 5). Names compare without case. The text of all of
/// them lies in one string, less than 4 GiB: views into it hold until the next change.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  /// All fields of a name.
  struct Found {
    std::string_view first;  ///< the value of the first one; empty if there is none
    std::size_t count = 0;
  };

  /// Copies `text`, in which that many fields lie, for add_from.
  void hold(std::string_view text, std::size_t fields);
  /// Adds a field whose name and value lie in `text`, the one that hold() was given, and so in its copy.
  void add_from(std::string_view text, std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  /// Replaces every field of that name by this one. `value` is none of this object's own.
  void set(std::string_view name, std::string_view value);
  /// The only or first field of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const {
    const Found found = find(name);
    return found.count == 0 ? std::nullopt : std::optional(found.first);
  }
  /// The first field of that name, and how many there are.
  [[nodiscard]] Found find(std::string_view name) const { return may_have(name) ? find_all(name) : Found{}; }
  /// All fields of that name as one list, joined with ", " (RFC 9110 section 5.3); empty if there is none.
  [[nodiscard]] std::string joined(std::string_view name) const;
  /// Whether the comma-separated list of all fields of that name holds `token`, compared without case.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
  [[nodiscard]] std::size_t count(std::string_view name) const { return find(name).count; }
  [[nodiscard]] std::size_t size() const { return extents_.size(); }
  [[nodiscard]] bool empty() const { return extents_.empty(); }
  /// Bytes of memory behind this object.
  [[nodiscard]] std::size_t held_bytes() const {
    return text_.capacity() + extents_.capacity() * sizeof(Extent);
  }
  /// `index` is below size().
  [[nodiscard]] Field field(std::size_t index) const;

 private:
  struct Extent {
    std::uint32_t name;
    std::uint32_t name_bytes;
    std::uint32_t value;
    std::uint32_t value_bytes;
  };

  /// One of 64 bits for each name. Most fields that a server asks for are not there, and where the name is a
  /// literal the compiler knows its bit.
  [[nodiscard]] static constexpr std::uint64_t bit_of(std::string_view name) {
    const auto first_in_lower_case = name.empty() ? 0U : static_cast<unsigned char>(name.front()) | 0x20U;
    return std::uint64_t{1} << ((first_in_lower_case + name.size()) % 64);
  }
  [[nodiscard]] bool may_have(std::string_view name) const { return (names_ & bit_of(name)) != 0; }
  [[nodiscard]] Found find_all(std::string_view name) const;
  void add_extent(std::size_t name, std::size_t name_bytes, std::size_t value, std::size_t value_bytes);
  [[nodiscard]] std::string_view name_of(const Extent& extent) const;
  [[nodiscard]] std::string_view value_of(const Extent& extent) const;
  [[nodiscard]] bool is_named(const Extent& extent, std::string_view name) const;

  std::string text_;
  std::vector<Extent> extents_;
  std::uint64_t names_ = 0;  // those that have been added since hold(), by their bits
};

enum class Method : std::uint8_t { get, head, post, put, delete_, options, patch, other };

/// The method's name on the wire; "other" for Method::other.
[[nodiscard]] std::string_view to_string(Method method);
/// Method names are compared with case (RFC 9110 section 9.1).
[[nodiscard]] Method method_from(std::string_view name);

/// Who asks, after the rules for trusted proxies have been applied.
struct Client {
  std::string address;  ///< numeric client address, or "unix"
  bool secure =
      false;  ///< the client's own leg is encrypted (TLS here, or X-Forwarded-Proto of a trusted proxy)
  bool is_forwarded = false;  ///< a trusted proxy has passed the request on
  bool on_loopback = false;   ///< the listener that took the connection listens on loopback addresses only
};

/// One whole request (RFC 9110, RFC 9112): head and body, already checked against limits and for ambiguity.
struct Request {
  Method method = Method::other;
  int minor_version = 1;         ///< HTTP/1.x
  std::string_view method_text;  ///< static
  std::string path;  ///< raw path of the target, still percent-encoded, beginning with '/'; "*" for OPTIONS *
  std::string query;  ///< raw, without '?'
  Headers headers;
  std::string body;
  Client client;

  /// The value of the first query parameter `name`, percent-decoded once, '+' as space; nothing if absent or
  /// its encoding is broken.
  [[nodiscard]] std::optional<std::string> query_parameter(std::string_view name) const;
};

/// One whole response. Content-Length, Date, X-Content-Type-Options and Connection are added on the way out.
struct Response {
  int status = 200;
  Headers headers;
  base::Bytes body;
  /// Content before and behind `body`, where that is shared with other answers and must not be copied.
  base::Bytes before_body;
  base::Bytes behind_body;
  bool close = false;         ///< close the connection after this answer
  bool is_temporary = false;  ///< an error: the same request may succeed later

  /// Of the whole content.
  [[nodiscard]] std::size_t content_bytes() const {
    return before_body.size() + body.size() + behind_body.size();
  }

  /// `body` with its Content-Type.
  static Response of(int status, std::string_view content_type, std::string_view body);
  /// `{"error":{"code","message"}}` as application/json, with the status of the table of refusals, and
  /// Retry-After where that says when to come back.
  [[gnu::cold]] static Response error(const base::Refusal& refusal);
};

/// The reason phrase of RFC 9110 section 15 for `status`; "Unknown" if there is none.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace roomcast::http
