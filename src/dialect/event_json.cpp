#include "dialect/event_json.h"

#include <variant>

#include "base/json.h"
#include "dialect/message_json.h"
#include "hub/cursor.h"

namespace roomcast::dialect {

namespace {

void append_text(std::string& out, std::string_view label, std::string_view text) {
  out += label;
  base::append_json_string(out, text);
}

void append_number(std::string& out, std::string_view label, std::uint64_t number) {
  out += label;
  out += std::to_string(number);
}

void append_cursor(std::string& out, std::string_view label, hub::Position position) {
  out += label;
  out += '"' + hub::to_cursor(position) + '"';
}

/// An id stands as the client wrote it.
void append_id(std::string& out, RequestId id) {
  if (id.empty()) return;
  out += R"(,"id":)";
  out += id;
}

void append_member(std::string& out, std::string_view name, std::string_view principal) {
  append_text(out, R"({"name":)", name);
  append_principal_member(out, principal);
  out += '}';
}

/// Writes what comes behind `type`, each member with the comma before it.
struct MemberWriter {
  std::string& out;

  void operator()(const Welcome& welcome) const {
    append_text(out, R"(,"client":)", welcome.client);
    out += R"(,"ping_ms":)" + std::to_string(welcome.ping_ms);
    append_number(out, R"(,"limits":{"message_bytes":)", welcome.message_bytes);
    append_number(out, R"(,"rooms":)", welcome.rooms);
    out += '}';
    append_if_any(R"(,"authenticate_ms":)", welcome.authenticate_ms);
  }
  void operator()(const Subscribed& subscribed) const {
    begin(subscribed.id, subscribed.room);
    append_cursor(out, R"(,"cursor":)", subscribed.cursor);
    if (subscribed.presence) append_presence(*subscribed.presence);
  }
  void operator()(const Ok& done) const {
    append_id(out, done.id);
    if (!done.room.empty()) append_text(out, R"(,"room":)", done.room);
  }
  void operator()(const Published& published) const {
    begin(published.id, published.room);
    append_cursor(out, R"(,"cursor":)", published.cursor);
    append_number(out, R"(,"subscribers":)", published.subscribers);
    if (published.is_duplicate) out += R"(,"duplicate":true)";
    if (published.is_durable) out += R"(,"durable":true)";
  }
  void operator()(const PresenceList& list) const {
    begin(list.id, list.room);
    append_presence(list.presence);
  }
  void operator()(const HistoryReply& page) const {
    begin(page.id, page.room);
    append_cursor(out, R"(,"cursor":)", page.cursor);
    out += R"(,"gap":)";
    if (page.gap) {
      append_cursor(out, R"({"cursor":)", page.gap->cursor);
      append_cursor(out, R"(,"earliest":)", page.gap->earliest);
      out += '}';
    } else {
      out += "null";
    }
    out += R"(,"messages":[)";
    for (const hub::Message& message : page.messages) {
      if (out.back() != '[') out += ',';
      append_message_json(out, page.room, message);
    }
    out += page.more ? R"(],"more":true)" : R"(],"more":false)";
  }
  void operator()(const GapFound& found) const {
    out += ',';
    append_gap_members(out, found);
  }
  void operator()(const MemberJoined& joined) const { change(joined.room, joined.name, joined.principal); }
  void operator()(const MemberLeft& left) const { change(left.room, left.name, left.principal); }
  void operator()(const PresenceCount& counted) const {
    begin({}, counted.room);
    out += ',';
    if (counted.presence.members) return append_presence_members(out, counted.presence);
    append_number(out, R"("count":)", counted.presence.count);
  }
  void operator()(const MessageDeleted& deleted) const { place(deleted.room, deleted.cursor); }
  void operator()(const MessageReplaced& replaced) const {
    out += ',';
    append_message_members(out, replaced.room, *replaced.message);
  }
  void operator()(const RoomCleared& cleared) const { place(cleared.room, cleared.cursor); }
  void operator()(const Pong& /*pong*/) const {}
  void operator()(const Error& refused) const {
    append_id(out, refused.id);
    append_text(out, R"(,"code":)", refused.code);
    append_text(out, R"(,"message":)", refused.message);
    if (refused.retry_ms != 0) append_number(out, R"(,"retry_ms":)", refused.retry_ms);
  }
  void operator()(const Bye& bye) const {
    out += ',';
    append_bye_members(out, bye);
  }
  void operator()(const Authenticated& authenticated) const {
    append_id(out, authenticated.id);
    append_if_any(R"(,"user":)", authenticated.user);
    append_if_any(R"(,"key":)", authenticated.key);
    append_text(out, R"(,"name":)", authenticated.name);
    append_if_any(R"(,"expires_in_ms":)", authenticated.expires_in_ms);
  }
  void operator()(const Expires& expires) const { out += R"(,"in_ms":)" + std::to_string(expires.in_ms); }
  void operator()(const JoinedByServer& joined) const {
    begin({}, joined.room);
    append_cursor(out, R"(,"cursor":)", joined.cursor);
    if (joined.presence) append_presence(*joined.presence);
  }
  void operator()(const LeftByServer& left) const {
    begin({}, left.room);
    append_text(out, R"(,"code":)", left.code);
    append_text(out, R"(,"message":)", left.message);
  }
  void operator()(const Direct& direct) const {
    append_from(out, direct.from);
    append_payload(out, direct.kind, direct.payload);
  }

 private:
  void append_if_any(std::string_view label, const std::optional<std::int64_t>& number) const {
    if (number) out.append(label).append(std::to_string(*number));
  }
  void append_if_any(std::string_view label, std::string_view text) const {
    if (!text.empty()) append_text(out, label, text);
  }
  void begin(RequestId id, std::string_view room) const {
    append_id(out, id);
    append_text(out, R"(,"room":)", room);
  }
  void place(std::string_view room, const hub::Position& cursor) const {
    out += ',';
    append_place_members(out, room, cursor);
  }
  void change(std::string_view room, std::string_view name, std::string_view principal) const {
    begin({}, room);
    out += R"(,"member":)";
    append_member(out, name, principal);
  }
  void append_presence(const hub::PresenceSnapshot& presence) const {
    out += R"(,"presence":{)";
    append_presence_members(out, presence);
    out += '}';
  }
};

}  // namespace

void append_place_members(std::string& out, std::string_view room, const hub::Position& cursor) {
  append_text(out, R"("room":)", room);
  append_cursor(out, R"(,"cursor":)", cursor);
}

void append_gap_members(std::string& out, const GapFound& found) {
  append_place_members(out, found.room, found.gap.cursor);
  append_cursor(out, R"(,"earliest":)", found.gap.earliest);
}

void append_bye_members(std::string& out, const Bye& bye) {
  out += R"("code":)" + std::to_string(bye.code);
  out += R"(,"reason":)";
  base::append_json_string(out, bye.reason);
  if (bye.retry_ms) out += R"(,"retry_ms":)" + std::to_string(*bye.retry_ms);
  if (!bye.message.empty()) append_text(out, R"(,"message":)", bye.message);
}

void append_presence_members(std::string& out, const hub::PresenceSnapshot& presence) {
  append_number(out, R"("count":)", presence.count);
  if (presence.members) {
    out += R"(,"members":[)";
    for (const hub::Author& member : *presence.members) {
      if (out.back() != '[') out += ',';
      append_member(out, member.name(), member.principal());
    }
    out += ']';
  }
  append_number(out, R"(,"anonymous":)", presence.anonymous);
}

void append_event_json(std::string& out, const Event& event) {
  append_text(out, R"({"type":)", name_of(event));
  std::visit(MemberWriter{out}, event);
  out += '}';
}

}  // namespace roomcast::dialect
