#include "session/session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/digest.h"
#include "hub/cursor.h"
#include "session/credential.h"
#include "session/held_message.h"
#include "session/lifecycle.h"
#include "session/question.h"
#include "session/room_set.h"
#include "session/session_table.h"

namespace roomcast::session {

namespace {

// The requests of a client with more than this on its way wait until that is gone: well below
// limits.queue_bytes, so that a client that asks for much is slowed down instead of closed.
constexpr std::size_t queued_ahead_bytes = 131'072;

constexpr std::int64_t retry_min_ms = 500;
constexpr std::int64_t retry_max_ms = 5'000;
constexpr std::int64_t restart_ms = 1'000;

std::int64_t random_between(std::int64_t min, std::int64_t max) {
  return min + static_cast<std::int64_t>(base::random_u64() % static_cast<std::uint64_t>(max - min + 1));
}

}  // namespace

/// Hands what a message asks for to its session. Made for each message: as a base of Session it would cost a
/// pointer in each.
class Session::Handler final : public dialect::CommandHandler {
 public:
  explicit Handler(Session& session) : session_(session) {}

  void publish(hub::Kind kind, std::string_view payload) override { session_.publish(kind, payload); }
  void run(const dialect::Command& command) override { session_.run(command); }
  void refuse(dialect::RequestId id, const base::Refusal& refusal) override { session_.refuse(id, refusal); }
  void reply(dialect::PayloadForm form, std::string_view bytes) override { session_.reply(form, bytes); }
  void fail(base::CloseReason reason, std::string_view text) override { session_.close(reason, text); }
  void leave() override { session_.close(base::CloseReason::client_closed, {}); }
  void admit(std::string_view name) override { session_.admit(name); }
  void heartbeat_answered() override {
    if (session_.extras_ && session_.extras_->lifecycle) session_.extras_->lifecycle->on_heartbeat_answered();
  }

 private:
  Session& session_;
};

Session::Session(SessionTable& table, std::unique_ptr<Transport> transport, const WireEncoder& encoder)
    : table_(table), transport_(std::move(transport)), encoder_(&encoder) {}

Session::~Session() = default;

void Session::open(base::SlotId id, const Options& options) {
  id_ = id;
  opened_s_ = table_.monotonic_seconds();
  own_messages_ = options.own_messages;
  own_asked_ = options.own_asked;
  two_way_ = options.two_way;
  const bool is_opening = options.admission_ms > 0;
  if (!options.identity.is_anonymous()) set_identity(options.identity);
  set_author(options.name);
  prepare_lifecycle(options);
  std::optional<base::Refusal> refusal;
  if (!is_opening) refusal = join_home(options.room, options.interest);
  transport_->start(*this);
  if (refusal) return close(*refusal);
  if (conversation() != nullptr) {
    start_conversation();
  } else if (is_opening) {
    return welcome(options.admission_ms);
  }
  if (!is_opening) welcome();
}

std::optional<base::Refusal> Session::join_home(std::string_view room, const hub::Interest& interest) {
  if (room.empty()) return std::nullopt;
  apply_echo(room);
  return table_.service().join(caller(), room, *this, interest, home_);
}

void Session::apply_echo(std::string_view room) {
  if (own_asked_ || table_.service().echoes(room)) return;
  own_messages_ = false;
  own_by_room_ = true;
}

void Session::start_conversation() {
  Handler handler(*this);
  conversation()->start(handler);
}

Session::Extras& Session::extras() {
  if (!extras_) {
    auto made = std::make_unique<Extras>();
    made->author = author();
    extras_ = std::move(made);
  }
  return *extras_;
}

hub::Source Session::source() {
  if (source_ == 0) source_ = hub::source_of(transport_->peer_address());
  return source_;
}

void Session::welcome(std::optional<std::int64_t> authenticate_ms) {
  if (!takes_requests()) return;
  const SessionSettings& settings = table_.settings();
  // It identifies the client to others, so it must not be guessable.
  const std::string client =
      base::sha256_hex(std::to_string(base::random_u64()) + ' ' + std::to_string(base::random_u64()))
          .substr(0, 32);
  send_event(dialect::Welcome{client, settings.ping_ms, table_.service().limits().message_bytes,
                              settings.rooms_per_connection, authenticate_ms});
}

void Session::close(base::CloseReason reason, std::string_view text) {
  if (!has_begun_to_close()) transport_->close(reason, text);
}

void Session::close(const base::Refusal& refusal) {
  if (!has_begun_to_close()) table_.service().note(refusal.code, transport_->peer_address(), identity());
  close(base::describe(refusal.code).close, refusal.message);
}

/// Has its pages come as the client takes them.
void Session::await_pages(hub::Membership& membership) {
  transport_->notify_when_drained();
  if (rooms() == nullptr) return;
  // One room at a time, as fast as the client takes it.
  membership.hold_replay();
  rooms()->add_replay(membership);
}

void Session::on_behind(hub::Membership& membership) { await_pages(membership); }

void Session::on_refused(hub::Membership& membership, const hub::Refusal& refusal) {
  const std::string_view room = membership.room_name();
  RoomSet::Subscription* const asked =
      &membership == my_place() || rooms() == nullptr ? nullptr : rooms()->find(room);
  // A subscription that has been acknowledged is not ended silently: the client reconnects with its cursor.
  const bool is_at_its_end = extras_ && extras_->awaited;
  if (asked == nullptr || asked->is_confirmed || is_at_its_end) return close(refusal);
  const RoomSet::Subscription left = rooms()->take(room);
  refuse(left.reply_to.view(), refusal);
}

void Session::on_joined(hub::Membership& membership, const hub::Joined& joined) {
  await_pages(membership);
  const bool is_confirmed = confirm(membership, joined);
  if (joined.gap) on_gap(membership, *joined.gap);
  // A client that watches presence starts with the members of the room, also where there is no ok to carry
  // them.
  if (is_confirmed || state_ != State::open || !membership.watches_presence()) return;
  send_event(dialect::PresenceCount{membership.room_name(), table_.service().presence(membership)});
}

void Session::on_gap(hub::Membership& membership, const hub::Gap& gap) {
  if (send_event(dialect::GapFound{membership.room_name(), gap}, gap.cursor)) return;
  // A client never misses messages unnoticed: where a gap cannot be expressed the connection is closed.
  close(base::CloseReason::gap,
        "messages are missing; the earliest cursor is " + hub::to_cursor(gap.earliest));
}

void Session::for_each_further_membership(const std::function<void(hub::Membership&)>& visit) {
  if (rooms() != nullptr) rooms()->for_each(visit);
}

void Session::on_congested() {
  if (state_ != State::open || holds_up_) return;
  holds_up_ = true;
  for_each_membership([](hub::Membership& membership) { membership.hold_up(); });
  transport_->notify_when_drained();
}

void Session::stop_holding_up() {
  if (!holds_up_) return;
  holds_up_ = false;
  for_each_membership([](hub::Membership& membership) { membership.let_go(); });
}

bool Session::awaits_own_messages() {
  if (state_ != State::open || (!own_messages_ && !own_by_room_) || source_ == 0) return false;
  const auto has_got = [](const auto& awaited) { return awaited.first->has_got(awaited.second); };
  if (!extras_ || !extras_->awaited) {
    Awaited awaited;
    for_each_membership([&](const hub::Membership& membership) {
      awaited.emplace_back(&membership, membership.room_top().offset);
    });
    if (std::all_of(awaited.begin(), awaited.end(), has_got)) return false;
    extras().awaited = std::make_unique<Awaited>(std::move(awaited));
  }
  Awaited& awaited = *extras_->awaited;
  awaited.erase(std::remove_if(awaited.begin(), awaited.end(), has_got), awaited.end());
  return !awaited.empty();
}

std::size_t Session::held_bytes() const {
  // A membership, and the room that it may keep alive alone.
  constexpr std::size_t per_room = 1'536;
  std::size_t bytes = credential_ ? credential_->held_bytes() : 0;
  if (!extras_) return bytes;
  if (extras_->rooms) bytes += extras_->rooms->size() * per_room;
  if (extras_->held) bytes += extras_->held->payload.held_bytes();
  if (extras_->lifecycle && extras_->lifecycle->conversation() != nullptr)
    bytes += extras_->lifecycle->conversation()->held_bytes();
  return bytes;
}

std::uint16_t Session::close_code(base::CloseReason reason) const {
  return encoder_->dialect().close_code(reason);
}

void Session::on_drained() {
  if (has_begun_to_close()) return;
  stop_holding_up();
  if (two_way_ && may_read()) transport_->resume();
  hub::Membership* const next = rooms() != nullptr ? rooms()->next_replay() : my_place();
  if (next == nullptr || !next->is_catching_up()) return;
  transport_->notify_when_drained();
  next->continue_replay();
}

void Session::on_message(dialect::PayloadForm form, std::string_view bytes) {
  if (has_begun_to_close()) return;
  Handler handler(*this);
  if (!extras_ || !extras_->lifecycle) return encoder_->dialect().decode(form, bytes, handler);
  extras_->lifecycle->on_message();
  if (auto* const with_state = conversation()) {
    with_state->decode(form, bytes, handler);
  } else {
    encoder_->dialect().decode(form, bytes, handler);
  }
}

void Session::on_closing(base::CloseReason reason, std::string_view text) {
  const base::CloseReasonInfo& info = base::describe(reason);
  const std::uint16_t code = close_code(reason);
  const bool is_ours = reason != base::CloseReason::client_closed && code != 0;
  // What a person has to know of it, also where the wire has no close frame.
  const bool is_personal =
      reason == base::CloseReason::unauthorized || reason == base::CloseReason::forbidden;
  if (is_ours)
    send_event(dialect::Bye{code, info.name, retry_ms(reason), is_personal ? text : std::string_view{}});
  state_ = State::closing;
  end_credential();
  if (extras_ && extras_->lifecycle) extras_->lifecycle->stop();
  if (extras_ && extras_->held) extras_->held->stop();
  leave_rooms();
}

void Session::on_closed(base::CloseReason reason) {
  if (state_ == State::ended) return;
  if (!has_begun_to_close()) end_credential();
  state_ = State::ended;
  leave_rooms();
  const hub::Author called = author();
  const std::string principal = credential_ ? identity().principal() : std::string();
  Ended ended{encoder_->dialect().name(), {}, called.name(), principal, opened_s_, reason,
              transport_->traffic()};
  if (const auto* const left_room = std::get_if<std::string>(&home_)) ended.room = *left_room;
  if (extras_ && extras_->lifecycle) {
    extras_->lifecycle->stop();
    ended.traffic += extras_->lifecycle->former_traffic();
  }
  if (extras_ && extras_->held) extras_->held->stop();
  table_.on_session_closed(id_, *transport_, ended);
}

void Session::leave_rooms() {
  if (hub::Membership* const home = my_place()) {
    std::string room(home->room_name());
    home_ = std::move(room);
  }
  if (!extras_) return;
  extras_->rooms.reset();
  extras_->question.reset();
  extras_->awaited.reset();
}

std::optional<std::int64_t> Session::retry_ms(base::CloseReason reason) const {
  if (!base::describe(reason).retry) return std::nullopt;
  if (reason != base::CloseReason::server_shutdown) return random_between(retry_min_ms, retry_max_ms);
  return random_between(0, table_.settings().drain_ms + restart_ms);
}

void Session::run(const dialect::Command& command) {
  if (state_ == State::opening && !may_run_early(command)) return;
  if (state_ != State::opening) need_rooms();
  std::visit([this](const auto& request) { run(request); }, command);
  wait_if_much_is_queued();
}

void Session::wait_if_much_is_queued() {
  if (transport_->queued_bytes() > queued_ahead_bytes) wait_until_drained();
}

void Session::wait_until_drained() {
  transport_->pause();
  transport_->notify_when_drained();
}

void Session::refuse(dialect::RequestId id, const base::Refusal& refusal) {
  table_.service().note(refusal.code, transport_->peer_address(), identity());
  const dialect::Error error{id, base::describe(refusal.code).name, refusal.message, refusal.retry_ms};
  if (!send_event(error)) return close(base::CloseReason::policy_violation, refusal.message);
  wait_if_much_is_queued();
}

void Session::reply(dialect::PayloadForm form, std::string_view bytes) {
  std::string wire;
  encoder_->framing().frame({form, bytes, {}, std::nullopt, true}, wire);
  transport_->send(base::Bytes::copy_of(wire));
  wait_if_much_is_queued();
}

bool Session::send_event(const dialect::Event& event, const std::optional<hub::Position>& cursor) {
  std::string wire;
  if (!encoder_->encode_event(event, cursor, conversation(), wire)) return false;
  transport_->send(base::Bytes::copy_of(wire));
  return true;
}

hub::SubscriberId Session::subscriber_id() const {
  return (static_cast<hub::SubscriberId>(id_.generation) << 32U) | id_.index;
}

}  // namespace roomcast::session
