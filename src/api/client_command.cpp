#include "api/client_command.h"

#include <algorithm>
#include <array>

#include "api/operator_call.h"
#include "base/json_object.h"

namespace roomcast::api {

namespace {

constexpr std::array<std::string_view, 4> call_names{"disconnect", "kick", "subscribe", "unsubscribe"};

void append_if_any(std::string& json, std::string_view name, std::string_view value) {
  if (!value.empty()) append_member(json, name, value);
}

}  // namespace

std::string_view ClientCommand::name() const { return call_names.at(static_cast<std::size_t>(call)); }

std::string ClientCommand::target() const {
  if (!client.empty()) return "client:" + client;
  if (!user.empty()) return "user:" + user;
  if (address) return "address:" + address->text();
  return "room:" + room;
}

std::string ClientCommand::to_json() const {
  std::string json = "{";
  append_member(json, "call", name());
  append_if_any(json, "client", client);
  append_if_any(json, "user", user);
  if (address) append_member(json, "address", address->text());
  append_if_any(json, "room", room);
  append_if_any(json, "reason", reason);
  return json + '}';
}

std::optional<ClientCommand> ClientCommand::read(std::string_view json) {
  const auto object = base::read_json_object(json);
  if (!object) return std::nullopt;
  ClientCommand command;
  std::string name;
  std::string address;
  for (const base::JsonObject::Member& member : object->members) {
    std::string* const place = member.name == "call"      ? &name
                               : member.name == "client"  ? &command.client
                               : member.name == "user"    ? &command.user
                               : member.name == "address" ? &address
                               : member.name == "room"    ? &command.room
                               : member.name == "reason"  ? &command.reason
                                                          : nullptr;
    // What is not known may restrict it.
    if (place == nullptr || !member.value.is(base::JsonKind::string)) return std::nullopt;
    member.value.append_text(*place);
  }
  const auto* const found = std::find(call_names.begin(), call_names.end(), name);
  if (found == call_names.end()) return std::nullopt;
  command.call = static_cast<Call>(found - call_names.begin());
  if (!address.empty()) {
    const auto block = base::AddressBlock::parse(address);
    if (!block) return std::nullopt;
    command.address = *block;
  }
  return command;
}

}  // namespace roomcast::api
