// Calls about who is in a room, which belong to no term.
#include <memory>
#include <optional>
#include <utility>

#include "engine/redis_primary.h"

namespace roomcast::engine {

class RedisPrimary::PresenceAnswer final : public redis::Request {
 public:
  PresenceAnswer(RedisPrimary& primary, RedisPartition partition, RedisCallId call)
      : primary_(primary), partition_(partition), call_(call) {}
  void on_reply(const redis::Value& reply) override { primary_.on_presence_answer(partition_, call_, reply); }
  void on_lost() override {
    primary_.listener_->on_call_presence(
        call_, RedisFault{RedisFault::Code::lost, "the connection ended before the answer", 0});
  }

 private:
  RedisPrimary& primary_;
  RedisPartition partition_;
  RedisCallId call_;
};

void RedisPrimary::presence(RedisCallId call, const RedisPresenceCall& what) {
  const std::string& sha1 = sha1s_.at(static_cast<std::size_t>(what.script()));
  commands_.link().send(what.command(options_.prefix, sha1, options_.is_sharded ? "SPUBLISH" : "PUBLISH"),
                        std::make_unique<PresenceAnswer>(*this, what.partition(), call));
}

/// What could not be done is the caller's to repeat.
void RedisPrimary::on_presence_answer(RedisPartition partition, RedisCallId call, const redis::Value& reply) {
  base::Result<RedisPresenceAnswer, RedisFault> outcome = read_presence_answer(reply);
  const std::optional<RedisFault> fault = outcome ? std::nullopt : std::optional(outcome.error());
  listener_->on_call_presence(call, std::move(outcome));
  if (!fault) return;
  if (fault->code == RedisFault::Code::no_script) load_scripts();
  if (fault->code == RedisFault::Code::not_primary) on_not_primary(partition, fault->message);
}

}  // namespace roomcast::engine
