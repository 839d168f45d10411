// The fields of rooms: what this server writes, and what it reads of the others.
#include <algorithm>
#include <utility>

#include "engine/redis_presence.h"

namespace roomcast::engine {

namespace {

using NewsKind = RedisPresenceNews::What;

// Of what is written at once: about half a millisecond.
constexpr std::size_t names_per_slice = 4'096;

}  // namespace

// --- This server's ---

void RedisPresence::announce(std::string_view name, hub::NodeMembers&& members) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_open) return;
  room->wanted = std::move(members);
  need_write(*room);
}

void RedisPresence::need_write(Room& room) {
  if (!room.base::Linked<RedisPresenceToWrite>::is_linked()) to_write_.push_back(room);
  wake();
}

/// Writes the fields of some rooms. True if there was one.
bool RedisPresence::write_some() {
  bool has_written = false;
  std::size_t names = 0;
  for (std::size_t i = 0; i < rooms_per_slice && names < names_per_slice && !to_write_.empty(); ++i) {
    Room& room = *to_write_.front();
    if (room.write != 0 || !can_call(room)) {
      to_write_.push_back(room);
      continue;
    }
    room.base::Linked<RedisPresenceToWrite>::unlink();
    names += room.written.names.size() + (room.wanted ? room.wanted->names.size() : 0);
    write(room);
    has_written = true;
  }
  return has_written;
}

void RedisPresence::write(Room& room) {
  const std::uint64_t connection = partitions_.at(room.partition).connections;
  hub::NodeMembers next = room.wanted ? std::move(*room.wanted) : room.written;
  room.wanted.reset();
  const bool has_numbers = next.named != room.written.named || next.nameless != room.written.nameless;
  const bool is_known = room.version != 0 && !room.is_uncertain && room.connection == connection;
  RedisPresenceNews news{.node = node_,
                         .before = room.version,
                         .version = room.version,
                         .named = next.named,
                         .nameless = next.nameless};
  if (is_known && !room.written.empty() && next.lists_names() && room.written.lists_names()) {
    news.what = NewsKind::changed;
    find_changes(room.written.names, next.names, news);
  } else {
    news.joined = next.names;
  }
  const bool is_news = !is_known || has_numbers || !news.left.empty() ||
                       (news.what == NewsKind::changed && !news.joined.empty());
  const bool is_nothing = next.empty() && room.written.empty() && !room.is_uncertain;
  if (is_nothing || (!is_news && !room.is_to_refresh)) return erase_if_idle(room);
  room.is_to_refresh = false;
  if (is_news) news.version = ++last_version_;
  room.writing_version = news.version;
  room.writing_connection = connection;
  RedisPresenceCall what{RedisPresenceCall::What::announce, std::string(room.name), node_name_};
  if (!next.empty()) what.value = encode(RedisPresenceField{news.version, next});
  if (is_news) what.news = encode(news);
  room.writing = std::move(next);
  ++stats_.announced;
  room.write = call(what, {RedisPresenceCall::What::announce, &room, {}});
}

void RedisPresence::on_written(Room& room, bool is_done) {
  room.write = 0;
  room.is_uncertain = !is_done;
  if (is_done) {
    room.written = std::exchange(room.writing, {});
    room.version = room.writing_version;
    room.connection = room.writing_connection;
  } else {
    room.not_before_ms = parts_.clock.monotonic_ms() + retry_ms;
    if (!room.wanted) room.wanted = std::exchange(room.writing, {});
  }
  if (room.wanted || room.connection != partitions_.at(room.partition).connections) need_write(room);
  if (!room.base::Linked<RedisPresenceToWrite>::is_linked()) erase_if_idle(room);
}

/// Has some rooms written that may have been lost with a connection.
void RedisPresence::rewrite_some() {
  rewrites_ = std::min(rewrites_, all_.size());
  for (std::size_t i = 0; i < rooms_per_slice && rewrites_ != 0; ++i) {
    Room& room = *all_[--rewrites_];
    const bool is_old = room.connection != partitions_.at(room.partition).connections;
    if (is_old && (!room.written.empty() || room.is_uncertain)) need_write(room);
  }
}

/// Has so many rooms written once more that all are within refresh_ms.
void RedisPresence::refresh_some() {
  if (all_.empty()) return;
  const std::size_t count = all_.size() * static_cast<std::size_t>(tick_ms) / refresh_ms + 1;
  for (std::size_t i = 0; i < count; ++i) {
    refresh_ = refresh_ == 0 ? all_.size() : std::min(refresh_, all_.size());
    Room& room = *all_[--refresh_];
    if (room.written.empty()) continue;
    room.is_to_refresh = true;
    need_write(room);
  }
}

// --- The others' ---

void RedisPresence::on_room_subscribed(std::string_view name) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_open) return;
  need_read(*room, 0);
  // Before the engine asks where the log stands, so that the members are known when the room is open.
  read_some();
}

/// Reads the field of one server; 0: of all.
void RedisPresence::need_read(Room& room, std::uint64_t node) {
  if (room.base::Linked<RedisPresenceToRead>::is_linked()) {
    if (room.to_read != node) room.to_read = 0;
    return;
  }
  room.to_read = node;
  to_read_.push_back(room);
  wake();
}

bool RedisPresence::read_some() {
  bool has_read = false;
  for (std::size_t i = 0; i < rooms_per_slice && !to_read_.empty(); ++i) {
    Room& room = *to_read_.front();
    if (room.read != 0 || !can_call(room)) {
      to_read_.push_back(room);
      continue;
    }
    room.base::Linked<RedisPresenceToRead>::unlink();
    for (Field& field : room.fields)
      field.is_fresh = false;
    room.reading = room.to_read;
    ++stats_.reads;
    room.read = call({RedisPresenceCall::What::read, std::string(room.name),
                      room.reading == 0 ? std::string() : redis_node_name(room.reading)},
                     {RedisPresenceCall::What::read, &room, {}});
    has_read = true;
  }
  return has_read;
}

void RedisPresence::on_read(Room& room, const base::Result<RedisPresenceAnswer, RedisFault>& outcome) {
  room.read = 0;
  if (!room.is_open) return erase_if_idle(room);
  if (!outcome || outcome->size() % 2 != 0) {
    room.not_before_ms = parts_.clock.monotonic_ms() + retry_ms;
    return need_read(room, room.reading);
  }
  const RedisPresenceAnswer& answer = *outcome;
  for (std::size_t i = 0; i < answer.size(); i += 2)
    take_field(room, answer[i], answer[i + 1]);
  // What has not been found, nor heard of since, is not there any more.
  for (std::size_t at = room.fields.size(); at-- != 0;) {
    const Field field = room.fields[at];
    const bool was_asked = room.reading == 0 || room.reading == field.node;
    if (!field.is_empty && (!was_asked || field.is_fresh)) continue;
    room.fields.erase(room.fields.begin() + static_cast<std::ptrdiff_t>(at));
    if (!field.is_empty) tell_gone(room, field);
  }
}

void RedisPresence::take_field(Room& room, std::string_view name, std::string_view value) {
  const std::optional<std::uint64_t> id = read_redis_node_name(name);
  std::optional<RedisPresenceField> read = read_redis_presence_field(value);
  if (!id || !read) {
    ++stats_.unreadable;
    return;
  }
  if (*id == node_) return;
  const Node* const node = meet(*id);
  Field* const field = find_or_make(room, *id);
  if (node == nullptr || field == nullptr) return;
  field->is_fresh = true;
  if (field->is_told && field->version >= read->version) return;
  field->version = read->version;
  // Nobody is shown of a server that may be gone for long.
  if (!node->is_there) return renew_lease();
  field->is_told = true;
  field->is_empty = read->members.empty();
  events_->on_presence(room.name, *id,
                       {hub::NodeChange::What::all,
                        std::move(read->members.names),
                        {},
                        read->members.named,
                        read->members.nameless});
}

void RedisPresence::on_news(std::string_view name, std::string_view bytes) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_open) return;
  const std::optional<RedisPresenceNews> news = read_redis_presence_news(bytes);
  if (!news) {
    ++stats_.unreadable;
    return need_read(*room, 0);
  }
  const bool is_dropped = news->what == NewsKind::dropped;
  if (news->node == node_) {
    // Somebody has taken this server for gone.
    if (!is_dropped || news->version != room->version) return;
    room->is_uncertain = true;
    return need_write(*room);
  }
  if (!is_dropped) take_news(*room, *news);
}

void RedisPresence::take_news(Room& room, const RedisPresenceNews& news) {
  ++stats_.news;
  hear(news.node);
  Field* const field = find_or_make(room, news.node);
  if (field == nullptr) return;
  field->is_fresh = true;
  if (field->is_told && news.version <= field->version) return;
  const bool follows = news.what == NewsKind::all || (field->is_told && field->version == news.before);
  if (!follows) {
    ++stats_.holes;
    return need_read(room, news.node);
  }
  field->version = news.version;
  field->is_told = true;
  field->is_empty = news.named == 0 && news.nameless == 0;
  const bool is_read = room.read != 0 || room.base::Linked<RedisPresenceToRead>::is_linked();
  if (field->is_empty && !is_read) room.fields.erase(room.fields.begin() + (field - room.fields.data()));
  const auto what = news.what == NewsKind::all ? hub::NodeChange::What::all : hub::NodeChange::What::changed;
  events_->on_presence(room.name, news.node, {what, news.joined, news.left, news.named, news.nameless});
}

/// Null if there are too many.
RedisPresence::Field* RedisPresence::find_or_make(Room& room, std::uint64_t node) {
  const auto found = std::find_if(room.fields.begin(), room.fields.end(),
                                  [&](const Field& field) { return field.node == node; });
  if (found != room.fields.end()) return &*found;
  return room.fields.size() == nodes_max ? nullptr : &room.fields.emplace_back(Field{node});
}

void RedisPresence::tell_gone(const Room& room, const Field& field) {
  if (field.is_told) events_->on_presence(room.name, field.node, {hub::NodeChange::What::gone});
}

}  // namespace roomcast::engine
