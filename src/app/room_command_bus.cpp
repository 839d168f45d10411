#include "app/room_command_bus.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/json_object.h"
#include "hub/internal_rooms.h"

namespace roomcast::app {

namespace {

using base::Refusal;

constexpr std::size_t node_digits = 16;
constexpr std::size_t message_bytes_max = 200;

std::string hexadecimal(std::uint64_t number) {
  std::array<char, node_digits + 1> text{};
  (void)std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return {text.data(), node_digits};
}

bool is_node(std::string_view text) {
  return text.size() == node_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string text_of(const base::JsonObject& object, std::string_view name) {
  std::string text;
  if (const auto value = object.find(name)) value->append_text(text);
  return text;
}

std::optional<std::uint64_t> number_of(const base::JsonObject& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->to_unsigned(std::numeric_limits<std::uint64_t>::max()) : std::nullopt;
}

/// The number of a call, which is never 0; 0 if there is none.
std::uint64_t call_of(const base::JsonObject& object) { return number_of(object, "call").value_or(0); }

std::string answer_text(std::uint64_t call, const part::CommandBus::Effect& effect) {
  std::string json = R"({"call":)" + std::to_string(call) + R"(,"clients":)" + std::to_string(effect.clients);
  if (effect.refusal) {
    json += R"(,"refusal":)";
    base::append_json_string(json, base::describe(effect.refusal->code).name);
    json += R"(,"message":)";
    base::append_json_string(json, effect.refusal->message.view().substr(0, message_bytes_max));
  }
  return json + '}';
}

std::optional<Refusal> refusal_of(const base::JsonObject& answer) {
  const std::string name = text_of(answer, "refusal");
  if (name.empty()) return std::nullopt;
  for (int i = 0; i < static_cast<int>(Refusal::Code::count_); ++i) {
    const auto code = static_cast<Refusal::Code>(i);
    if (base::describe(code).name == name) return Refusal{code, text_of(answer, "message")};
  }
  return base::bad_request(text_of(answer, "message"));
}

hub::Draft draft_of(std::string_view json) { return {hub::Kind::json, base::Bytes::copy_of(json), {}}; }

}  // namespace

RoomCommandBus::RoomCommandBus(const Parts& parts, std::uint64_t node)
    : parts_(parts),
      node_(hexadecimal(node)),
      commands_(parts.room, std::string(hub::commands_room), 0, commands_inbox_),
      answers_(parts.room, std::string(hub::answers_rooms_front) + node_, 0, answers_inbox_),
      next_due_(parts.room.deadlines, *this) {}

void RoomCommandBus::start() {
  answers_.join();
  commands_.join();
}

void RoomCommandBus::add(std::string_view name, Handler& handler) {
  handlers_.insert_or_assign(std::string(name), &handler);
}

// --- Commands ---

void RoomCommandBus::send(std::string_view name, std::string_view arguments, Done done) {
  if (!commands_.has_joined() || !answers_.has_joined()) {
    return refuse(std::move(done),
                  {Refusal::Code::unavailable, "this server has not met the others yet: try again"});
  }
  if (calls_.size() >= calls_max)
    return refuse(std::move(done), {Refusal::Code::overloaded, "too many calls are under way: try again"});
  const std::uint64_t call = ++last_call_;
  calls_.emplace(call, Call{std::move(done), {}, {}});
  std::string json = R"({"node":")" + node_ + R"(","call":)" + std::to_string(call) + R"(,"do":)";
  base::append_json_string(json, name);
  json.append(R"(,"arguments":)").append(arguments).append("}");
  const auto on_sent = [this, call](const hub::PublishResult& result) {
    const auto found = calls_.find(call);
    if (found == calls_.end()) return;
    if (!result) {
      found->second.outcome.refusal = result.error();
      return finish(call);
    }
    // What was sent again after a broken link is answered without their number: all the time is waited then.
    if (result->nodes != 0) {
      found->second.expected = result->nodes;
      if (found->second.outcome.nodes >= result->nodes) return finish(call);
    }
    due_.push_back({parts_.clock.monotonic_ms() + answer_ms, call});
    if (!next_due_.is_set()) next_due_.set_in(answer_ms);
  };
  parts_.room.hub.publish(commands_.name(), draft_of(json), on_sent, hub::Hub::WhenShort::wait);
}

void RoomCommandBus::refuse(Done done, const Refusal& refusal) {
  parts_.room.hub.complete(
      [done = std::move(done)](const hub::PublishResult& result) {
        done(Outcome{0, 0, 0, result.error()});
      },
      refusal);
}

void RoomCommandBus::take_command(const hub::Message& message, bool is_past) {
  const auto command = base::read_json_object(message.payload.view());
  const auto arguments = command ? command->find("arguments") : std::nullopt;
  const std::uint64_t call = command ? call_of(*command) : 0;
  const std::string node = command ? text_of(*command, "node") : std::string();
  if (!arguments || call == 0 || !is_node(node)) {
    return parts_.log.error(
        "a command of another server can't be read",
        {base::LogField::whole("message", message.payload.view().substr(0, message_bytes_max))});
  }
  const std::string name = text_of(*command, "do");
  const auto handler = handlers_.find(name);
  auto effect = handler == handlers_.end() ? std::nullopt : handler->second->on_command(arguments->raw());
  if (!effect) {
    return parts_.log.warn("a command of another server is not known here: has it another version?",
                           {{"command", name}, {"node", node}});
  }
  if (node == node_) return add_effect(call, std::move(*effect));
  // Nobody waits for an answer to what was sent a while ago.
  if (is_past) return;
  const std::string room = std::string(hub::answers_rooms_front) + node;
  parts_.room.hub.publish(room, draft_of(answer_text(call, *effect)), {}, hub::Hub::WhenShort::wait);
}

void RoomCommandBus::Inbox::on_room_gap(const hub::Gap& /*gap*/) {
  owner_.parts_.log.warn(
      "commands of other servers may be missing: this server was away for too long, or Redis has "
      "lost messages");
}

// --- Answers ---

void RoomCommandBus::take_answer(const hub::Message& message, bool /*is_past*/) {
  const auto answer = base::read_json_object(message.payload.view());
  const std::uint64_t call = answer ? call_of(*answer) : 0;
  const auto clients = answer ? number_of(*answer, "clients") : std::nullopt;
  if (call != 0 && clients) add_effect(call, {static_cast<std::size_t>(*clients), refusal_of(*answer)});
}

void RoomCommandBus::add_effect(std::uint64_t call, Effect&& effect) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  Outcome& outcome = found->second.outcome;
  outcome.clients += effect.clients;
  ++outcome.nodes;
  if (!outcome.refusal) outcome.refusal = std::move(effect.refusal);
  if (outcome.nodes >= found->second.expected.value_or(std::numeric_limits<std::size_t>::max())) finish(call);
}

void RoomCommandBus::finish(std::uint64_t call) {
  const auto found = calls_.find(call);
  Call over = std::move(found->second);
  calls_.erase(found);
  over.outcome.silent_nodes =
      over.expected.value_or(0) - std::min(over.expected.value_or(0), over.outcome.nodes);
  over.done(over.outcome);
}

void RoomCommandBus::on_deadline() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  for (; !due_.empty() && (due_.front().at_ms <= now_ms || calls_.count(due_.front().call) == 0);
       due_.pop_front()) {
    if (calls_.count(due_.front().call) != 0) finish(due_.front().call);
  }
  if (!due_.empty()) next_due_.set_in(std::max<std::int64_t>(due_.front().at_ms - now_ms, 1));
}

}  // namespace roomcast::app
