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

/// Header fields in order of arrival (RFC 9110 section 5). Names are compared without case. The text of all
/// fields is in one string of less than 4 GiB; views of it are valid until the next change.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  /// The fields of one name.
  struct Found {
    std::string_view first;  ///< the value of the first field; empty if there is none
    std::size_t count = 0;
  };

  /// Copies `text`, which contains that many fields, for add_from.
  void hold(std::string_view text, std::size_t fields);
  /// Adds a field whose name and value are views of `text`, the argument of hold(); they refer to its copy.
  void add_from(std::string_view text, std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  /// Replaces all fields of that name by this one. `value` must not be a view of this object.
  void set(std::string_view name, std::string_view value);
  /// The value of the first field of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const {
    const Found found = find(name);
    return found.count == 0 ? std::nullopt : std::optional(found.first);
  }
  /// The first field of that name, and the number of such fields.
  [[nodiscard]] Found find(std::string_view name) const { return may_have(name) ? find_all(name) : Found{}; }
  /// All fields of that name as one list, joined with ", " (RFC 9110 section 5.3); empty if there is none.
  [[nodiscard]] std::string joined(std::string_view name) const;
  /// Whether the combined comma-separated list of that name contains `token`, compared without case.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
  [[nodiscard]] std::size_t count(std::string_view name) const { return find(name).count; }
  [[nodiscard]] std::size_t size() const { return extents_.size(); }
  [[nodiscard]] bool empty() const { return extents_.empty(); }
  /// Memory allocated by this object.
  [[nodiscard]] std::size_t held_bytes() const {
    return text_.capacity() + extents_.capacity() * sizeof(Extent);
  }
  /// `index` must be below size().
  [[nodiscard]] Field field(std::size_t index) const;

 private:
  struct Extent {
    std::uint32_t name;
    std::uint32_t name_bytes;
    std::uint32_t value;
    std::uint32_t value_bytes;
  };

  /// One of 64 bits for each name. Most fields that are looked up are absent, and for a literal name the
  /// compiler computes the bit.
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
  std::uint64_t names_ = 0;  // bits of the names added since hold()
};

enum class Method : std::uint8_t { get, head, post, put, delete_, options, patch, other };

/// The method's name on the wire; "other" for Method::other.
[[nodiscard]] std::string_view to_string(Method method);
/// The method of that name; names are case-sensitive (RFC 9110 section 9.1).
[[nodiscard]] Method method_from(std::string_view name);

/// The client of a request, after applying the rules for trusted proxies.
struct Client {
  std::string address;  ///< numeric client address, or "unix"
  /// The connection of the client is encrypted (TLS here, or X-Forwarded-Proto of a trusted proxy).
  bool secure = false;
  bool is_forwarded = false;  ///< the request came through a trusted proxy
  bool on_loopback = false;   ///< the listener listens on loopback addresses only
  /// The proxy speaks HTTP, so that it can set and remove header fields. One that sends a PROXY protocol
  /// header passes on what the client has sent.
  bool is_by_http_proxy = false;
};

/// A complete request (RFC 9110, RFC 9112): head and body, already checked against limits and for ambiguity.
struct Request {
  Method method = Method::other;
  int minor_version = 1;         ///< HTTP/1.x
  std::string_view method_text;  ///< static
  std::string path;  ///< raw path of the target, still percent-encoded, beginning with '/'; "*" for OPTIONS *
  std::string query;  ///< raw, without '?'
  Headers headers;
  std::string body;
  Client client;

  /// The value of the first query parameter `name`, percent-decoded once, '+' as space; nothing if it is
  /// absent or badly encoded.
  [[nodiscard]] std::optional<std::string> query_parameter(std::string_view name) const;
};

/// A complete response. Content-Length, Date, X-Content-Type-Options and Connection are added when it is
/// written.
struct Response {
  int status = 200;
  Headers headers;
  base::Bytes body;
  /// Content before and after `body`, if that is shared with other responses and must not be copied.
  base::Bytes before_body;
  base::Bytes behind_body;
  bool close = false;                            ///< close the connection after this response
  bool is_temporary = false;                     ///< an error: the same request may succeed later
  std::optional<base::Refusal::Code> refusal{};  ///< an error: why

  /// The size of the complete content.
  [[nodiscard]] std::size_t content_bytes() const {
    return before_body.size() + body.size() + behind_body.size();
  }

  /// `body` with its Content-Type.
  static Response of(int status, std::string_view content_type, std::string_view body);
  /// `{"error":{"code","message"}}` as application/json, with the status of the table of refusals, and
  /// Retry-After if that has one.
  [[gnu::cold]] static Response error(const base::Refusal& refusal);
};

/// The reason phrase of RFC 9110 section 15 for `status`; "Unknown" if there is none.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace roomcast::http
