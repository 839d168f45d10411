#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "load/http_body.h"
#include "load/link.h"
#include "load/poller.h"
#include "load/stamp.h"
#include "load/target.h"

namespace roomcast::bench {

class Client;
struct ClientShare;
enum class Opcode : std::uint8_t;

/// Why a client is closed.
enum class Ended : std::uint8_t {
  by_us,    ///< hang_up() or cut() was called, or close() and the server has answered it
  refused,  ///< it never got so far as to be open: no connection, another answer than was asked for
  cut,      ///< the server ended it, or broke the protocol, after it had been open
};

/// The events of clients. Each may call anything on the client it is given, and on others.
class ClientEvents {
 public:
  /// The handshake is done (101 or 200): it is in its room. A long-polling client is open when its first,
  /// immediate poll has given it a cursor, so that it misses nothing from here on.
  virtual void on_open(Client& client) = 0;
  /// One message of the room. `stamp` is nothing when it does not carry one.
  virtual void on_message(Client& client, const std::optional<Stamp>& stamp) = 0;
  virtual void on_pong(Client& client) = 0;
  /// It is idle again, and may be opened anew. `was_open`: `on_open` was called before.
  virtual void on_closed(Client& client, Ended ended, bool was_open) = 0;

 protected:
  ~ClientEvents() = default;
};

/// One connection to the target, which speaks WebSocket, or reads a room in one of the other ways. It holds
/// its bytes only while a message has come in part or a write was cut short.
class Client final : public Pollable {
 public:
  enum class State : std::uint8_t { idle, connecting, handshake, open, closing };

  /// To be called once, before anything else. `share` has to outlive the client.
  void belong_to(ClientShare& share, std::uint32_t index);
  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] State state() const { return state_; }
  /// How many segments of this connection the kernel had to send again, a SYN that found the server's backlog
  /// full among them.
  [[nodiscard]] std::uint32_t resent() const { return link_.resent(); }

  /// Starts to connect; the client has to be idle. Throws like `Link::open`.
  void open();

  /// Publishes (on `/echo`: sends), masked; WebSocket only, and only while open. All of `messages` in one
  /// write. What the kernel does not take goes as soon as it does.
  void send(std::string_view message) { send(std::span(&message, 1)); }
  void send(std::span<const std::string_view> messages);
  /// WebSocket only, and only while open; `on_pong` reports the answer.
  void ping();

  /// From now on nothing is read, so that the kernel's buffers fill up; until `resume_reading`.
  void stop_reading();
  void resume_reading();

  /// Ends in order. A WebSocket that is open sends a Close frame; `on_closed` comes when the server has ended
  /// the connection: with `cut` if it has not sent its own Close frame before. All others just end, and
  /// `on_closed` comes before this returns. Nothing while idle or closing.
  void close();
  /// Ends at once and in order, without a close frame. `on_closed` comes before this returns. Nothing while
  /// idle.
  void hang_up();
  /// Ends at once, with a reset. `on_closed` comes before this returns. Nothing while idle.
  void cut();

  void on_ready(std::uint32_t events) override;

 private:
  void go_on_connecting();
  void request();
  void send_control(Opcode opcode, std::string_view payload);
  void write(std::string_view bytes);
  void flush();
  /// The server has ended the connection, or broken it.
  void lose(std::string_view complaint);
  void end(Ended ended);
  void complain(std::string_view complaint);
  [[nodiscard]] bool was_open() const { return state_ == State::open || state_ == State::closing; }

  void read(bool has_hung_up);
  void take_in(std::string_view bytes);
  void take_head(std::string_view bytes);
  void take_body(std::string_view bytes);
  void take_content(std::string_view content);
  /// False when the answer was over with it.
  [[nodiscard]] bool take_poll_part(const HttpBody::Piece& piece);
  [[nodiscard]] std::size_t take_whole(std::string_view bytes);
  [[nodiscard]] std::size_t take_frame(std::string_view bytes);
  [[nodiscard]] std::size_t take_event(std::string_view bytes);
  [[nodiscard]] std::size_t take_line(std::string_view bytes);
  void on_message(const std::optional<Stamp>& stamp);
  void on_compressed(std::string_view payload);
  void on_envelope(std::string_view envelope);
  void on_close_frame(std::string_view payload);
  void on_poll_answer(std::string_view body);

  Link link_;
  ClientShare* share_ = nullptr;
  std::unique_ptr<std::string> partial_;  ///< what has come of something that is not whole yet
  std::unique_ptr<std::string> unsent_;
  std::unique_ptr<std::string> cursor_;  ///< long poll: what it has
  HttpBody body_;
  std::uint32_t index_ = 0;
  State state_ = State::idle;
  bool in_body_ = false;  ///< the head has been read
  bool reading_ = true;
  bool close_answered_ = false;  ///< the server's Close frame has come after ours
  /// Counts its connections, so that code that has called an event can see whether it is still the same one.
  std::uint8_t life_ = 0;
};

}  // namespace roomcast::bench
