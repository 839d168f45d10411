#include "app/redis_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "redis/command.h"
#include "redis/link.h"

namespace roomcast::app {

namespace {

// Beyond what a connection takes by its own deadlines, which say better what is wrong.
constexpr std::int64_t margin_ms = 2'000;
constexpr std::size_t kept_pushes = 64;

RedisReply kept(const redis::Value& value) {
  RedisReply reply{value.type, value.integer, std::string(value.text), {}};
  reply.items.reserve(value.items.size());
  for (const redis::Value& item : value.items)
    reply.items.push_back(kept(item));
  return reply;
}

RedisReply lost(const std::string& why) {
  return {redis::Value::Type::error, 0, why.empty() ? "LOST there is no answer" : "LOST " + why, {}};
}

}  // namespace

/// Keeps the answer in the caller's variables, which wait for it.
class RedisClient::Answer final : public redis::Request {
 public:
  Answer(RedisReply& reply, bool& has_come) : reply_(reply), has_come_(has_come) {}

  void on_reply(const redis::Value& reply) override {
    reply_ = kept(reply);
    has_come_ = true;
  }
  void on_lost() override {
    reply_ = lost({});
    has_come_ = true;
  }

 private:
  RedisReply& reply_;
  bool& has_come_;
};

RedisClient::RedisClient(RedisClientLoop& loop, redis::Connection::Options options)
    : loop_(loop),
      connect_ms_(options.connect_ms),
      reply_ms_(options.limits.reply_ms),
      connection_({loop.dialer, &loop.tls, &loop.tls_context, loop.loop, loop.turn, loop.deadlines},
                  std::move(options), *this) {}

base::Result<redis::ServerInfo> RedisClient::connect() {
  connection_.start();
  const bool is_in_time = loop_.run_until([this] { return is_over_ || is_up(); }, connect_ms_ + margin_ms);
  if (is_up()) return server_;
  return base::Error{is_in_time ? why_ : "no connection in time"};
}

RedisReply RedisClient::ask(std::span<const std::string_view> words) {
  if (!is_up()) return lost(why_);
  RedisReply reply;
  bool has_come = false;
  std::string command;
  redis::append_command(command, words);
  connection_.link().send(std::move(command), std::make_unique<Answer>(reply, has_come));
  return await(reply, has_come);
}

RedisReply RedisClient::subscribe(std::string_view command, std::string_view channel) {
  if (!is_up()) return lost(why_);
  RedisReply reply;
  bool has_come = false;
  const std::array<std::string_view, 1> channels{channel};
  connection_.link().send_subscription(command, channels, std::make_unique<Answer>(reply, has_come));
  return await(reply, has_come);
}

/// The link has a deadline for each answer: one of the two comes before this function returns.
RedisReply RedisClient::await(const RedisReply& answer, const bool& has_come) {
  while (!loop_.run_until([&has_come] { return has_come; }, reply_ms_ + margin_ms))
    connection_.restart("the server has not answered in time");
  return answer.type == redis::Value::Type::error && answer.text == lost({}).text ? lost(why_) : answer;
}

RedisReply RedisClient::next_message(std::string_view channel, std::int64_t limit_ms) {
  RedisReply found;
  constexpr std::size_t message_items = 3;  // kind, channel, bytes
  loop_.run_until(
      [&] {
        for (RedisReply& push : std::exchange(pushes_, {})) {
          const bool is_it = push.items.size() == message_items &&
                             push.items.front().text.ends_with("message") && push.items[1].text == channel;
          if (is_it) found = std::move(push.items[2]);
        }
        return found.type != redis::Value::Type::null || !is_up();
      },
      limit_ms);
  return found;
}

void RedisClient::on_connected(redis::Connection& /*connection*/, const redis::ServerInfo& server) {
  server_ = server;
}

void RedisClient::on_disconnected(redis::Connection& /*connection*/, std::string_view why) {
  if (!is_over_) why_ = why;  // what comes after the first is a consequence
  is_over_ = true;
}

void RedisClient::on_push(redis::Connection& /*connection*/, const redis::Value& value) {
  if (pushes_.size() < kept_pushes) pushes_.push_back(kept(value));
}

}  // namespace roomcast::app
