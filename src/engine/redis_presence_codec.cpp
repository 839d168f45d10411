#include "engine/redis_presence_codec.h"

#include <algorithm>
#include <charconv>

#include "hub/cursor.h"

namespace roomcast::engine {

namespace {

constexpr std::uint8_t presence_format = 1;
constexpr std::size_t node_digits = 16;
constexpr unsigned byte_bits = 8;

class PresenceWriter {
 public:
  template <class Number>
  PresenceWriter& add(Number number) {
    for (std::size_t i = 0; i < sizeof(Number); ++i)
      bytes_ += static_cast<char>(static_cast<std::uint64_t>(number) >> (byte_bits * i) & 0xFFU);
    return *this;
  }
  PresenceWriter& add_text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  PresenceWriter& add_names(const std::vector<hub::Author>& names) {
    add(static_cast<std::uint32_t>(names.size()));
    for (const hub::Author& author : names) {
      add(static_cast<std::uint16_t>(author.name().size()));
      add(static_cast<std::uint8_t>(author.principal().size()));
      add_text(author.name()).add_text(author.principal());
    }
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads until something is missing; then `is_whole` stays false.
class PresenceReader {
 public:
  explicit PresenceReader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    const std::string_view bytes = text(sizeof(Number));
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- != 0;)
      value = value << byte_bits | static_cast<unsigned char>(bytes[i]);
    return static_cast<Number>(value);
  }
  std::string_view text(std::size_t bytes) {
    if (bytes > rest_.size()) is_short_ = true;
    if (is_short_) return {};
    const std::string_view found = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return found;
  }
  std::vector<hub::Author> names() {
    std::vector<hub::Author> found;
    const auto count = number<std::uint32_t>();
    // Not more than there is space for, nor than anybody sends.
    if (count > hub::NodeMembers::names_max) is_short_ = true;
    for (std::uint32_t i = 0; i < count && !is_short_; ++i) {
      const auto name_bytes = number<std::uint16_t>();
      const auto principal_bytes = number<std::uint8_t>();
      const std::string_view name = text(name_bytes);
      const std::string_view principal = text(principal_bytes);
      if (is_short_ || (name.empty() && principal.empty())) break;
      found.push_back(principal.empty() ? hub::Author(name) : hub::Author(name, principal));
    }
    if (found.size() != count) is_short_ = true;
    return found;
  }
  [[nodiscard]] bool is_whole() const { return !is_short_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_short_ = false;
};

bool are_in_order(const std::vector<hub::Author>& names) {
  return std::adjacent_find(names.begin(), names.end(), [](const hub::Author& a, const hub::Author& b) {
           return !hub::ByMember()(a, b);
         }) == names.end();
}

}  // namespace

std::string encode(const RedisPresenceField& field) {
  PresenceWriter writer;
  writer.add(presence_format).add(field.version);
  writer.add(static_cast<std::uint32_t>(field.members.named));
  writer.add(static_cast<std::uint32_t>(field.members.nameless));
  return writer.add_names(field.members.names).take();
}

std::optional<RedisPresenceField> read_redis_presence_field(std::string_view bytes) {
  PresenceReader reader(bytes);
  if (reader.number<std::uint8_t>() != presence_format) return std::nullopt;
  RedisPresenceField field;
  field.version = reader.number<std::uint64_t>();
  field.members.named = reader.number<std::uint32_t>();
  field.members.nameless = reader.number<std::uint32_t>();
  field.members.names = reader.names();
  if (!reader.is_whole() || !are_in_order(field.members.names)) return std::nullopt;
  return field;
}

std::string encode(const RedisPresenceNews& news) {
  PresenceWriter writer;
  writer.add_text(redis_presence_prefix).add(presence_format).add(static_cast<std::uint8_t>(news.what));
  writer.add(news.node).add(news.before).add(news.version);
  writer.add(static_cast<std::uint32_t>(news.named)).add(static_cast<std::uint32_t>(news.nameless));
  return writer.add_names(news.joined).add_names(news.left).take();
}

std::optional<RedisPresenceNews> read_redis_presence_news(std::string_view bytes) {
  if (!bytes.starts_with(redis_presence_prefix)) return std::nullopt;
  PresenceReader reader(bytes.substr(redis_presence_prefix.size()));
  if (reader.number<std::uint8_t>() != presence_format) return std::nullopt;
  const auto kind = reader.number<std::uint8_t>();
  if (kind < 1 || kind > 3) return std::nullopt;
  RedisPresenceNews news;
  news.what = static_cast<RedisPresenceNews::What>(kind);
  news.node = reader.number<std::uint64_t>();
  news.before = reader.number<std::uint64_t>();
  news.version = reader.number<std::uint64_t>();
  news.named = reader.number<std::uint32_t>();
  news.nameless = reader.number<std::uint32_t>();
  news.joined = reader.names();
  news.left = reader.names();
  if (!reader.is_whole() || !are_in_order(news.joined) || !are_in_order(news.left)) return std::nullopt;
  return news;
}

void find_changes(const std::vector<hub::Author>& before, const std::vector<hub::Author>& after,
                  RedisPresenceNews& news) {
  constexpr hub::ByMember precedes;
  auto old = before.begin();
  for (const hub::Author& author : after) {
    for (; old != before.end() && precedes(*old, author); ++old)
      news.left.push_back(*old);
    const bool was_there = old != before.end() && !precedes(author, *old);
    if (!was_there || !(*old == author)) news.joined.push_back(author);
    if (was_there) ++old;
  }
  news.left.insert(news.left.end(), old, before.end());
}

std::string redis_node_name(std::uint64_t node) { return hub::to_cursor({node, 0}).substr(0, node_digits); }

std::optional<std::uint64_t> read_redis_node_name(std::string_view name) {
  constexpr int hexadecimal_base = 16;
  std::uint64_t node = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), node, hexadecimal_base);
  if (name.size() != node_digits || error != std::errc() || end != name.data() + name.size())
    return std::nullopt;
  return node;
}

}  // namespace roomcast::engine
