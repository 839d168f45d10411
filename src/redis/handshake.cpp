#include "redis/handshake.h"

#include <memory>
#include <utility>
#include <vector>

#include "redis/command.h"

namespace roomcast::redis {

namespace {

constexpr std::size_t said_bytes = 200;  // of what a server says

std::string text_of(const Value* value) {
  return value == nullptr ? std::string() : std::string(value->text);
}

}  // namespace

class Handshake::Step final : public Request {
 public:
  Step(Handshake& owner, Command command) : owner_(&owner), command_(command) { place() = this; }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  ~Step() override { leave(); }

  void on_reply(const Value& reply) override {
    Handshake* owner = owner_;
    leave();
    if (owner != nullptr) owner->on_answer(command_, reply);
  }
  void on_lost() override { leave(); }
  void forget_owner() { owner_ = nullptr; }

 private:
  [[nodiscard]] Step*& place() { return owner_->steps_[static_cast<std::size_t>(command_)]; }
  void leave() {
    if (owner_ == nullptr) return;
    place() = nullptr;
    owner_ = nullptr;
  }

  Handshake* owner_;  // null once it is gone, or has been told
  Command command_;
};

Handshake::Handshake(Link& link, const Options& options, Listener& listener)
    : listener_(listener),
      user_(options.user.empty() ? "default" : options.user),
      has_credentials_(!options.user.empty() || !options.password.empty()),
      database_(options.database),
      is_for_sentinel_(options.is_for_sentinel) {
  std::vector<std::string_view> words{"HELLO", "3"};
  if (has_credentials_) words.insert(words.end(), {"AUTH", user_, options.password});
  if (!options.client_name.empty()) words.insert(words.end(), {"SETNAME", options.client_name});
  std::string bytes;
  append_command(bytes, words);
  send(link, Command::hello, std::move(bytes));
  if (is_for_sentinel_) return;
  if (database_ != 0) {
    bytes.clear();
    CommandWriter(bytes, 2).add("SELECT").add(std::uint64_t{database_});
    send(link, Command::select, std::move(bytes));
  }
  bytes.clear();
  append_command(bytes, {"INFO"});
  send(link, Command::info, std::move(bytes));
}

Handshake::~Handshake() {
  for (Step* step : steps_) {
    if (step != nullptr) step->forget_owner();
  }
}

void Handshake::send(Link& link, Command command, std::string&& bytes) {
  link.send(std::move(bytes), std::make_unique<Step>(*this, command));
}

void Handshake::on_answer(Command command, const Value& reply) {
  // The first error is the cause of those behind it.
  if (has_finished_) return;
  if (reply.is_error()) return finish(base::Error{explain(command, reply)});
  if (command == Command::hello) {
    const Value* protocol = reply.find("proto");
    if (protocol == nullptr || protocol->integer != 3) {
      return finish(base::Error{"the server does not speak RESP3: it answers HELLO with something else"});
    }
    info_.product = text_of(reply.find("server"));
    info_.version = text_of(reply.find("version"));
    info_.is_sentinel = text_of(reply.find("mode")) == "sentinel";
    if (const Value* id = reply.find("id")) info_.client_id = id->integer;
    if (is_for_sentinel_) finish(std::move(info_));
  } else if (command == Command::info) {
    read_info(reply.text, info_);
    finish(std::move(info_));
  }
}

std::string Handshake::explain(Command command, const Value& error) const {
  constexpr std::array<std::string_view, 3> names{"HELLO", "SELECT", "INFO"};
  const auto index = static_cast<std::size_t>(command);
  const std::string_view code = error.error_code();
  const std::string said = "(" + std::string(error.text.substr(0, said_bytes)) + ")";
  if (code == "NOAUTH") {
    return "the server wants a user or password: set redis.password_file, and redis.user if it is not the "
           "default user " +
           said;
  }
  if (code == "WRONGPASS") {
    return "the server does not let user \"" + user_ +
           "\" in: redis.user or what is in redis.password_file is wrong, or that user is off " + said;
  }
  if (code == "NOPERM") {
    constexpr std::array<std::string_view, 3> rights{"+hello", "+select", "+info"};
    return "user \"" + user_ + "\" (redis.user) may not run " + std::string(names[index]) +
           ": its ACL needs " + std::string(rights[index]) + ' ' + said;
  }
  if (command == Command::hello && (code == "NOPROTO" || error.text.starts_with("ERR unknown command"))) {
    return "the server does not speak RESP3: Redis 6.2 or newer, or Valkey, is needed " + said;
  }
  if (command == Command::select) {
    return "the server has no database " + std::to_string(database_) + ", which redis.urls names " + said;
  }
  return "the server refuses " + std::string(names[index]) + ' ' + said;
}

void Handshake::finish(base::Result<ServerInfo>&& outcome) {
  has_finished_ = true;
  listener_.on_handshake(std::move(outcome));
}

}  // namespace roomcast::redis
