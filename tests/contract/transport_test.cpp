// What a session relies on, whatever its transport: one suite over WebSocket, event streams, NDJSON and
// polling.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/polling_transport.h"
#include "unit/transport/http_stream_fixture.h"
#include "unit/transport/websocket_fixture.h"

namespace transport_test {

using namespace roomcast;
using base::CloseReason;
using dialect::PayloadForm;

namespace {

constexpr std::size_t queue_bytes = 100;
constexpr std::int64_t close_timeout_ms = 5'000;

/// Records the events of a transport, and checks that those that may not come from within a call of its own
/// do not.
struct Events final : session::TransportEvents {
  void on_message(PayloadForm /*form*/, std::string_view bytes) override {
    CHECK_FALSE(in_call);
    log += "message:" + std::string(bytes) + " ";
  }
  void on_drained() override {
    CHECK_FALSE(in_call);
    log += "drained ";
  }
  void on_congested() override {
    CHECK_FALSE(in_call);
    ++congested;
  }
  void on_closing(CloseReason reason, std::string_view /*text*/) override {
    log += "closing:" + std::string(base::describe(reason).name) + " ";
    if (last_word) last_word();
  }
  void on_closed(CloseReason reason) override {
    CHECK_FALSE(in_call);
    log += "closed:" + std::string(base::describe(reason).name) + " ";
  }

  std::string log;
  std::function<void()> last_word;
  int congested = 0;
  bool in_call = false;
};

/// A transport and its client. `Base` has a fixture with a MemoryWire.
template <class Base>
struct WireRig : Base {
  WireRig() { this->open(); }
  [[nodiscard]] session::Transport& transport() { return *this->client; }
  void destroy() { this->client.reset(); }
  void set_queue_limit(std::size_t bytes) { this->shared.settings.queue_bytes = bytes; }
  /// The client takes nothing any more.
  void block() { this->wire.set_room(0); }
  void unblock() {
    this->wire.set_room(roomcast::test::MemoryWire::unlimited);
    this->end_turn();
  }
  [[nodiscard]] std::string received() { return this->wire.take_received(); }
  void lose_connection() { this->wire.fail("reset"); }
  [[nodiscard]] std::size_t held_bytes() { return this->admissions.held_bytes(); }
};

struct WebSocketRig : WireRig<transport::test::Fixture> {
  static constexpr bool can_speak = true;
  static constexpr bool can_hand_over = false;
  void say(std::string_view text) { wire.send(transport::test::text_from_peer(text)); }
  void deliver_what_waits() { wire.deliver(); }
  /// Acknowledges the end.
  void say_goodbye() {
    wire.deliver();
    wire.send(
        transport::test::peer::frame(transport::test::peer::fin | transport::test::peer::close, "\x03\xe8"));
    end_turn();
  }
};

enum class Content : bool { events, lines };

template <Content content>
struct StreamBase : transport::test::StreamFixture {
  void open() { open_in(shared_of_content(), chunked); }
  [[nodiscard]] transport::HttpStreamShared& shared_of_content() {
    return content == Content::events ? shared : ndjson_shared;
  }
};

template <Content content>
struct StreamRig : WireRig<StreamBase<content>> {
  static constexpr bool can_speak = false;
  static constexpr bool can_hand_over = false;
  void say(std::string_view /*text*/) {}
  void deliver_what_waits() {}
  void say_goodbye() { this->end_turn(); }
  void set_queue_limit(std::size_t bytes) { this->shared_of_content().settings.queue_bytes = bytes; }
};
using EventStreamRig = StreamRig<Content::events>;
using NdjsonRig = StreamRig<Content::lines>;

/// The client polls at the end of each turn unless it is blocked.
struct PollingRig : transport::test::Fixture {
  static constexpr bool can_speak = true;
  static constexpr bool can_hand_over = true;
  PollingRig() { make(); }
  ~PollingRig() { destroy(); }
  void make() {
    net::Admission admission;
    CHECK(admissions.admit("192.0.2.1", false, admission) == net::ExceededLimit::none);
    test::PollingSettings settings;
    settings.queue_bytes = limit;
    settings.close_timeout_ms = close_timeout_ms;
    polling = std::make_unique<test::PollingTransport>(scheduler, deadlines, settings, records,
                                                       std::move(admission));
    polling->start(seen);
  }
  [[nodiscard]] session::Transport& transport() { return *polling; }
  void destroy() { polling.reset(); }
  void set_queue_limit(std::size_t bytes) {
    limit = bytes;
    destroy();
    make();
  }
  void end_turn() {
    Fixture::end_turn();
    if (is_blocked || !polling) return;
    taken += polling->take();
    Fixture::end_turn();
  }
  void pass(std::int64_t ms) {
    Fixture::pass(ms);
    end_turn();
  }
  void block() { is_blocked = true; }
  void unblock() {
    is_blocked = false;
    end_turn();
  }
  [[nodiscard]] std::string received() { return std::exchange(taken, {}); }
  void lose_connection() { polling->lose(); }
  [[nodiscard]] std::size_t held_bytes() { return admissions.held_bytes(); }
  void say(std::string_view text) { polling->say(text); }
  void deliver_what_waits() {}
  void say_goodbye() { end_turn(); }

  test::RecordFraming records;
  std::size_t limit = queue_bytes;
  std::unique_ptr<test::PollingTransport> polling;
  std::string taken;
  bool is_blocked = false;
};

/// A transport that has been started, with the events recorded here.
template <class Rig>
struct Started : Rig {
  Started() { start(); }
  void start() {
    call([&] { this->transport().start(events); });
    this->end_turn();
    (void)this->received();
  }
  template <class Call>
  void call(const Call& make_call) {
    events.in_call = true;
    make_call();
    events.in_call = false;
  }
  void send(std::string_view bytes) {
    call([&] { this->transport().send(base::Bytes::copy_of(bytes)); });
  }
  void notify_when_drained() {
    call([&] { this->transport().notify_when_drained(); });
  }
  void close(CloseReason reason) {
    call([&] { this->transport().close(reason, {}); });
  }
  /// What has happened since the last time.
  std::string happened() { return std::exchange(events.log, {}); }
  Events events;
};

/// Without spaces and what the wire adds to them.
bool is_in_order(std::string_view whole, std::string_view first, std::string_view second) {
  const std::size_t at = whole.find(first);
  return at != std::string_view::npos && whole.find(second, at + first.size()) != std::string_view::npos;
}

}  // namespace

#define EACH_TRANSPORT(name) \
  TEST_CASE_TEMPLATE("transports: " name, Rig, WebSocketRig, EventStreamRig, NdjsonRig, PollingRig)

EACH_TRANSPORT("what is sent arrives once, in order, however slowly it is taken") {
  Started<Rig> t;
  t.set_queue_limit(1'000'000);
  t.start();
  std::string sent;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = std::to_string(i) + std::string(static_cast<std::size_t>(i * 7 % 400), '.');
    t.send(bytes);
    sent += bytes;
    if (i % 40 == 0) t.block();
    if (i % 50 == 0) t.unblock();
    if (i % 3 == 0) t.end_turn();
  }
  t.unblock();
  t.end_turn();
  CHECK(t.received() == sent);
  CHECK(t.transport().queued_bytes() == 0);
  CHECK(t.transport().traffic().bytes_out >= sent.size());
}

EACH_TRANSPORT("nothing leaves before the end of the turn") {
  Started<Rig> t;
  t.send("later");
  CHECK(t.received().empty());
  CHECK(t.transport().queued_bytes() == 5);
  t.end_turn();
  CHECK(t.received() == "later");
}

EACH_TRANSPORT("that nothing is queued is reported once for each time it is asked for") {
  Started<Rig> t;
  t.end_turn();
  CHECK(t.happened().empty());
  SUBCASE("with nothing queued, at the end of the turn") {
    t.notify_when_drained();
    t.notify_when_drained();
    CHECK(t.happened().empty());
    t.end_turn();
    t.end_turn();
    CHECK(t.happened() == "drained ");
  }
  SUBCASE("with something queued, when that is gone") {
    t.block();
    t.send("waits");
    t.notify_when_drained();
    t.end_turn();
    CHECK(t.happened().empty());
    t.unblock();
    t.end_turn();
    CHECK(t.happened() == "drained ");
    t.send("more");
    t.end_turn();
    CHECK(t.happened().empty());
  }
}

EACH_TRANSPORT("exactly the queue limit may wait; one byte more closes a slow consumer") {
  Started<Rig> t;
  t.block();
  const std::string waiting(queue_bytes, '#');
  t.send(waiting);
  t.end_turn();
  CHECK(t.happened().empty());
  CHECK(t.events.congested > 0);
  SUBCASE("the limit") {
    t.unblock();
    CHECK(t.received() == waiting);
    CHECK(t.happened().empty());
  }
  SUBCASE("one more") {
    t.send("#");
    t.end_turn();
    CHECK(t.events.log.rfind("closing:slow_consumer ", 0) == 0);
    // What was queued is dropped.
    t.unblock();
    CHECK(t.received().find('#') == std::string::npos);
    t.pass(close_timeout_ms);
    t.end_turn();
    CHECK(t.happened() == "closing:slow_consumer closed:slow_consumer ");
  }
}

EACH_TRANSPORT("an end is announced first, once, and a last word arrives behind what is queued") {
  Started<Rig> t;
  t.send("queued");
  t.events.last_word = [&] { t.transport().send(base::Bytes::copy_of("last word")); };
  t.close(CloseReason::server_shutdown);
  CHECK(t.happened() == "closing:server_shutdown ");
  t.close(CloseReason::policy_violation);
  t.send("too late");
  t.end_turn();
  const std::string received = t.received();
  CHECK(is_in_order(received, "queued", "last word"));
  CHECK(received.find("too late") == std::string::npos);
  t.say_goodbye();
  CHECK(t.happened() == "closed:server_shutdown ");
  t.pass(10 * close_timeout_ms);
  CHECK(t.happened().empty());
}

EACH_TRANSPORT("an end that the client does not take comes within the close timeout, once") {
  Started<Rig> t;
  t.block();
  t.send("queued");
  t.end_turn();
  t.close(CloseReason::policy_violation);
  t.end_turn();
  CHECK(t.happened() == "closing:policy_violation ");
  t.pass(close_timeout_ms - 100);
  CHECK(t.happened().empty());
  t.pass(200);
  CHECK(t.happened() == "closed:policy_violation ");
  t.pass(10 * close_timeout_ms);
  CHECK(t.happened().empty());
}

EACH_TRANSPORT("a connection that breaks ends once, and what is called after that has no effect") {
  Started<Rig> t;
  t.send("queued");
  t.lose_connection();
  t.end_turn();
  const std::string happened = t.happened();
  CHECK(happened.size() >= 23);
  CHECK(happened.substr(happened.size() - 23) == "closed:connection_lost ");
  CHECK(happened.find("closed") == happened.rfind("closed"));
  t.close(CloseReason::server_shutdown);
  t.send("late");
  t.end_turn();
  t.pass(10 * close_timeout_ms);
  CHECK(t.happened().empty());
}

EACH_TRANSPORT("aborted, it reports nothing any more") {
  Started<Rig> t;
  t.send("queued");
  t.notify_when_drained();
  t.call([&] { t.transport().abort(); });
  t.end_turn();
  t.say("more");
  t.send("late");
  t.pass(60'000);
  CHECK(t.happened().empty());
}

EACH_TRANSPORT("destroyed with something queued, it is not flushed any more") {
  Started<Rig> t;
  t.send("queued");
  t.notify_when_drained();
  t.destroy();
  t.end_turn();
  CHECK(t.happened().empty());
}

EACH_TRANSPORT("paused, it takes no message from the client, and all of them once it is resumed") {
  Started<Rig> t;
  t.say("1");
  CHECK(t.happened() == (Rig::can_speak ? "message:1 " : ""));
  t.call([&] { t.transport().pause(); });
  t.say("2");
  t.send("sent meanwhile");
  t.end_turn();
  t.say("3");
  t.end_turn();
  CHECK(t.happened().empty());
  CHECK(t.received() == "sent meanwhile");
  t.call([&] { t.transport().resume(); });
  t.end_turn();
  t.deliver_what_waits();
  t.end_turn();
  CHECK(t.happened() == (Rig::can_speak ? "message:2 message:3 " : ""));
}

EACH_TRANSPORT("what it holds for a client that does not take it is accounted for, and can be shed") {
  Started<Rig> t;
  t.set_queue_limit(1'000'000);
  t.start();
  t.block();
  t.send(std::string(60'000, 'x'));
  t.end_turn();
  CHECK(t.held_bytes() >= 60'000);
  CHECK(t.held_bytes() < 130'000);
  SUBCASE("until it has gone") {
    t.unblock();
    t.end_turn();
    CHECK(t.held_bytes() == 0);
  }
  SUBCASE("it is shed") {
    CHECK(t.admissions.shed_largest(1).bytes >= 60'000);
    CHECK(t.happened() == "closing:slow_consumer ");
    CHECK(t.transport().queued_bytes() < 1'000);
  }
}

EACH_TRANSPORT("started again, it goes on with other events") {
  Started<Rig> t;
  Events others;
  t.call([&] { t.transport().start(others); });
  t.send("sent");
  t.notify_when_drained();
  t.say("said");
  t.end_turn();
  CHECK(t.received() == "sent");
  CHECK(t.happened().empty());
  CHECK(others.log == (Rig::can_speak ? "message:said drained " : "drained "));
  t.transport().abort();
}

EACH_TRANSPORT("it hands over what is queued, whole and without a word, or nothing") {
  Started<Rig> t;
  t.block();
  t.send("one");
  t.send("two");
  t.notify_when_drained();
  std::vector<base::Bytes> unsent;
  bool is_handed_over = false;
  t.call([&] { is_handed_over = t.transport().hand_over(unsent); });
  CHECK(is_handed_over == Rig::can_hand_over);
  std::string bytes;
  for (const base::Bytes& wire : unsent)
    bytes += wire.view();
  CHECK(bytes == (Rig::can_hand_over ? "onetwo" : ""));
  if (Rig::can_hand_over) {
    t.lose_connection();
    t.unblock();
    t.pass(60'000);
    CHECK(t.happened().empty());
    CHECK(t.received().empty());
  } else {
    t.unblock();
    t.end_turn();
    CHECK(t.happened() == "drained ");
    CHECK(t.received() == "onetwo");
  }
}

EACH_TRANSPORT("once its end has begun it cannot hand over") {
  Started<Rig> t;
  t.send("queued");
  t.close(CloseReason::server_shutdown);
  std::vector<base::Bytes> unsent;
  CHECK_FALSE(t.transport().hand_over(unsent));
  CHECK(unsent.empty());
}

}  // namespace transport_test
