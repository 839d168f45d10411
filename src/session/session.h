#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/close_reason.h"
#include "base/refusal.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "dialect/dialect.h"
#include "hub/membership.h"
#include "hub/subscriber.h"
#include "service/rooms.h"
#include "session/transport.h"
#include "session/wire_encoder.h"

namespace roomcast::session {

class Credential;
class DirectMessage;
class SessionTable;
struct DetachLimits;

/// The parameters of a session.
struct Options {
  std::string_view room{};   ///< the room the connection is for, a valid name; empty: none
  std::string_view name{};   ///< that the client asks for (see service::author_of); may be empty
  bool own_messages = true;  ///< deliver the client's own messages to it as well
  hub::Interest interest{};  ///< since, history and presence
  bool two_way = false;      ///< it can send requests: it gets a welcome
  /// How long its conversation may take to admit it, or the client to authenticate where its dialect has no
  /// conversation; it has joined nothing before. 0: it is admitted already.
  std::int64_t admission_ms = 0;
  access::Identity identity{};
  bool own_asked = false;  ///< the client has asked for `own_messages`: no rule of a room changes it
};

class RoomSet;

/// One client's state machine: opening → open → closing → ended. Neutral to transport and dialect: it joins
/// rooms, turns commands into hub calls and deliveries into queued wire bytes. The end is a state, not a
/// delete: closing leaves the rooms, the table hands it to Scheduler::free_later, the turn frees it.
///
/// While it is opening it has joined nothing, and only the conversation of its dialect answers, or nothing
/// but authenticate and ping is done; most sessions begin open.
class Session final : public base::Disposable, public hub::Subscriber, public TransportEvents {
 public:
  Session(SessionTable& table, std::unique_ptr<Transport> transport, const WireEncoder& encoder);
  ~Session() override;

  /// Joins the room and begins to read. Once, right after construction.
  void open(base::SlotId id, const Options& options);
  /// Begins the end (see Transport::close). Idempotent.
  void close(base::CloseReason reason, std::string_view text);
  /// The same where closing is the only way to report a refusal.
  void close(const base::Refusal& refusal);
  [[nodiscard]] bool is_open() const { return state_ == State::open; }
  [[nodiscard]] bool has_begun_to_close() const { return state_ >= State::closing; }

  [[nodiscard]] Transport& transport() { return *transport_; }
  [[nodiscard]] const Transport& transport() const { return *transport_; }
  [[nodiscard]] SessionTable& table() { return table_; }

  // --- What others ask about it, in session_server.cpp ---

  [[nodiscard]] base::SlotId id() const { return id_; }
  [[nodiscard]] access::Identity identity() const;
  [[nodiscard]] std::string_view address() const { return transport_->peer_address(); }
  [[nodiscard]] std::string_view dialect_name() const { return encoder_->dialect().name(); }
  /// Who others see: of an identified client, and of one that has given a name.
  [[nodiscard]] hub::Author author() const;
  [[nodiscard]] std::uint32_t opened_s() const { return opened_s_; }  ///< monotonic
  /// The rooms that it is in, that of the connection first. The views live until it leaves them.
  [[nodiscard]] std::vector<std::string_view> room_names() const;
  [[nodiscard]] bool is_in(std::string_view room) const;
  [[nodiscard]] bool is_in_rooms() const;

  // --- What the server does with it unasked, in session_server.cpp. Not from within a call of the hub ---

  /// Leaves the rooms that its identity may not be in (any more), and closes it where the client could not be
  /// told of that otherwise.
  void reconsider_rights();
  /// Joins `room` as if the client had asked for it, with its rights and within its limits. Returns why not:
  /// only clients that can have several rooms can be joined to one.
  [[nodiscard]] std::optional<base::Refusal> subscribe_from_server(std::string_view room);
  /// Leaves `room`, and tells the client why; closes it with `why` if it has no words for that. False if it
  /// is not in the room.
  bool unsubscribe_from_server(std::string_view room, const base::Refusal& why);
  /// Sends it a message that is in no room. False if it can't be sent one.
  bool send_direct(DirectMessage& message);
  /// See SessionTable::watch_expiries.
  void recheck_expiry();
  /// Its identity runs out in so many milliseconds.
  void announce_expiry(std::int64_t left_ms);

  // --- Its own business ---

  /// Goes on over `next`, to which it moves what is queued and not sent, in order. The client has seen `next`
  /// before or is about to; the old transport ends without notice. False, and nothing has changed, if the end
  /// has begun or the transport there is cannot be replaced (Transport::hand_over, Framing::unframe).
  bool replace_transport(std::unique_ptr<Transport>& next);
  /// Goes on without a connection, within `limits`, until the next replace_transport. False as there.
  bool detach_transport(const DetachLimits& limits);
  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& membership, const hub::Gap& gap) override;
  void on_behind(hub::Membership& membership) override;
  void on_refused(hub::Membership& membership, const hub::Refusal& refusal) override;
  void deliver(hub::Batch& batch, std::size_t from) override;
  void on_presence(hub::Membership& membership, hub::PresenceUpdate& news) override;
  void on_amendment(hub::AmendmentUpdate& update) override;
  void prefetch() const override;
  void on_message(dialect::PayloadForm form, std::string_view bytes) override;
  void on_drained() override;
  void on_congested() override;
  [[nodiscard]] bool awaits_own_messages() override;
  [[nodiscard]] std::size_t held_bytes() const override;
  [[nodiscard]] std::uint16_t close_code(base::CloseReason reason) const override;
  void on_closing(base::CloseReason reason, std::string_view text) override;
  void on_closed(base::CloseReason reason) override;

 private:
  enum class State : std::uint8_t { opening, open, closing, ended };
  static constexpr std::string_view not_admitted = "the client has not been admitted yet";
  class Handler;
  class Lifecycle;
  class Question;
  struct HeldMessage;
  using Awaited = std::vector<std::pair<const hub::Membership*, std::uint64_t>>;
  /// What most sessions do not need.
  struct Extras {
    hub::Author author;
    std::unique_ptr<RoomSet> rooms;
    std::unique_ptr<Question> question;  // that waits for its answer; nothing more is read before it
    /// Once the client has closed its side: the memberships whose messages it still gets, up to which offset.
    std::unique_ptr<Awaited> awaited;
    std::unique_ptr<Lifecycle> lifecycle;
    std::unique_ptr<HeldMessage> held;  // once a message was held back
  };

  // What a message asks for.
  void publish(hub::Kind kind, std::string_view payload);
  void publish(hub::Membership& home, service::Publication publication);
  /// For a publisher that can't be told to wait: keeps the message and reads no more until it may be
  /// published.
  void hold_back(hub::Kind kind, std::string_view payload, const base::Refusal& refusal);
  void publish_held();
  void run(const dialect::Command& command);
  /// Sends the error for the request `id`, which may be empty: the one place that makes an event of a
  /// refusal.
  void refuse(dialect::RequestId id, const base::Refusal& refusal);
  void reply(dialect::PayloadForm form, std::string_view bytes);

  void admit(std::string_view name);

  // Requests, in session_*.cpp.
  void run(const dialect::Subscribe& request);
  void run(const dialect::Unsubscribe& request);
  void run(const dialect::Publish& request);
  void run(const dialect::AskPresence& request);
  void run(const dialect::AskHistory& request);
  void run(const dialect::Ping& request);
  void run(const dialect::Authenticate& request);
  void on_authenticated(dialect::RequestId id, const base::Result<access::Identity, base::Refusal>& shown);
  void postpone(std::unique_ptr<Question> question);
  void answer_question();
  void answer_presence(dialect::RequestId id, std::string_view room);
  void on_history(const hub::HistoryResult& result);
  void on_presence_known(const hub::HistoryResult& result);
  void end_question();
  void on_published(dialect::RequestId id, std::string_view room, const hub::PublishResult& result);
  /// Says ok where it is wanted; whether it was.
  bool confirm(hub::Membership& membership, const hub::Joined& joined);
  /// The room that a request is for; nothing, and the client has got an error, if it is for none.
  std::optional<std::string_view> room_for(dialect::RequestId id,
                                           const std::optional<std::string_view>& room);

  /// In the room of the connection; null if it is in none.
  [[nodiscard]] hub::Membership* my_place() { return std::get_if<hub::Membership>(&home_); }
  [[nodiscard]] service::Caller caller() const {
    return {author(), identity(), source_, transport_->peer_address(), subscriber_id()};
  }
  /// The same for publishing, which needs its source.
  [[nodiscard]] service::Caller publisher() {
    (void)source();
    return caller();
  }
  /// Decides who others see by the identity and `name`, which may be empty.
  void set_author(std::string_view name);
  /// Null before the first request, and once it has left.
  [[nodiscard]] RoomSet* rooms() { return extras_ ? extras_->rooms.get() : nullptr; }
  [[nodiscard]] const RoomSet* rooms() const { return extras_ ? extras_->rooms.get() : nullptr; }
  /// Makes it if there is none.
  RoomSet& need_rooms();
  [[nodiscard]] Extras& extras();
  /// Sends what was queued in the wire form of `framing`.
  void send_again(const std::vector<base::Bytes>& unsent, const Framing& framing);
  /// Lets its rooms go on that it has held up.
  void stop_holding_up();
  void deliver_from_others(hub::Batch& batch, std::size_t from);
  /// Sends the messages [from, to) of the batch, of which there may be nothing left.
  void send_part(hub::Batch& batch, std::size_t from, std::size_t to);
  void leave_rooms();
  /// Nobody finds it by its identity, which does not run out, from here on.
  void end_credential();
  /// Whether a client that is not admitted yet may ask for this; otherwise it has been refused.
  [[nodiscard]] bool may_run_early(const dialect::Command& command);
  /// Takes over what the room says about messages of the client's own, unless the client has.
  void apply_echo(std::string_view room);
  /// Whether nothing has to be answered, or to have its place, before the client's next request.
  [[nodiscard]] bool may_read() const {
    return !publish_waits_ && !authenticates_ && !(extras_ && extras_->question);
  }
  /// Whether what the client asks for is answered, rather than read from its messages.
  [[nodiscard]] bool takes_requests() const { return two_way_ && encoder_->dialect().has_envelope(); }
  /// Whether the client has words for another token before its own runs out.
  [[nodiscard]] bool can_refresh() const;
  /// Takes over who the client is.
  void set_identity(const access::Identity& identity);
  /// Why a client can't become `next`, if so.
  [[nodiscard]] std::optional<base::Refusal> check_change(const access::Identity& next) const;
  [[nodiscard]] std::optional<base::Refusal> check_subscribe(std::string_view room);
  /// Leaves the room of the connection, which goes on.
  void leave_home();
  /// Forgets a membership that is about to go.
  void forget(const hub::Membership& membership);
  /// Leaves a room that it is in and says so to the client, or closes it. `room` may be a view of the room.
  void leave_room(std::string_view room, const base::Refusal& why);
  [[nodiscard]] hub::Source source();
  /// Makes what only some dialects and sessions have.
  void prepare_lifecycle(const Options& options);
  void start_conversation();
  /// Joins the room of the connection, if it has one. Returns why that is refused.
  [[nodiscard]] std::optional<base::Refusal> join_home(std::string_view room, const hub::Interest& interest);
  /// Makes it if there is none.
  [[nodiscard]] Lifecycle& lifecycle();
  /// Drops it if nothing of it is needed any more.
  void shrink_lifecycle();
  /// Ends the opening: joins what the client came for, or closes.
  void admit();
  /// Null for most dialects.
  [[nodiscard]] dialect::Conversation* conversation();
  void welcome(std::optional<std::int64_t> authenticate_ms = std::nullopt);
  void await_pages(hub::Membership& membership);
  /// For publishers that cannot be sent an error: closes the session if the publish fails.
  [[nodiscard]] hub::PublishDone close_if_refused() const;
  /// A message that had to wait (hub::Hub::would_wait) has its place, or never will.
  void on_waited(const hub::PublishResult& result);
  void wait_for_publish();
  void publish_has_waited();
  /// Takes the next request when the client has taken what it is sent.
  void wait_until_drained();
  /// The same if that is much already.
  void wait_if_much_is_queued();
  /// Calls `visit` with each membership.
  template <class Visit>
  void for_each_membership(Visit&& visit) {
    if (hub::Membership* const home = my_place()) visit(*home);
    for_each_further_membership(std::forward<Visit>(visit));
  }
  void for_each_further_membership(const std::function<void(hub::Membership&)>& visit);
  [[nodiscard]] std::optional<std::int64_t> retry_ms(base::CloseReason reason) const;
  /// Says it if dialect and wire together have words for it.
  bool send_event(const dialect::Event& event, const std::optional<hub::Position>& cursor = std::nullopt);
  [[nodiscard]] hub::SubscriberId subscriber_id() const;

  // What a delivery touches stands first and close together: of many sessions, none of it is in the cache.
  SessionTable& table_;
  std::unique_ptr<Transport> transport_;
  const WireEncoder* encoder_;  // of its dialect and the transport's framing
  State state_ = State::open;
  bool own_messages_ : 1 = true;
  bool own_by_room_ : 1 = false;  // own_messages_ is false because of a room: the others are looked up
  bool own_asked_ : 1 = false;
  bool two_way_ : 1 = false;
  bool holds_up_ : 1 = false;               // its rooms, see hub::Membership::hold_up
  bool publish_waits_ : 1 = false;          // for the hub: nothing more is read before it has its place
  bool authenticates_ : 1 = false;          // nothing more is read before it is known who the client is
  hub::Source source_ = 0;                  // once it has published
  std::uint32_t opened_s_ = 0;              // monotonic
  std::unique_ptr<Credential> credential_;  // null: anonymous
  service::HomeRoom home_;                  // the room of the connection; its name at the end, for the log
  std::unique_ptr<Extras> extras_;
  base::SlotId id_;
};

}  // namespace roomcast::session
