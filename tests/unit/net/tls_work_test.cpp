// How much input of a TLS peer is handled at a time, and how much input without data it may send.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/admission_record.h"
#include "net/tls_context.h"
#include "net/tls_shared.h"
#include "net/tls_stream.h"
#include "support/certificates.h"
#include "support/fake_clock.h"
#include "support/fake_scheduler.h"
#include "support/memory_stream.h"
#include "support/tls_client.h"

namespace roomcast::net::tls_work_test {

namespace {

// A record of one byte costs 1,024 units; the allowance of a read is 40,960, that of deferred input 131,072.
constexpr std::size_t records_at_once = 40;
constexpr std::size_t records_later = 128;
constexpr std::size_t max_idle = TlsStream::max_idle_records;

struct Owner final : ByteStream::Events {
  std::vector<std::string> reads;
  std::vector<std::size_t> held;
  std::string why;
  int ends = 0;
  int writables = 0;
  ByteStream* stream = nullptr;
  bool pauses = false;

  void on_bytes(std::span<char> bytes) override {
    reads.emplace_back(bytes.data(), bytes.size());
    if (pauses) stream->pause_reading();
  }
  void on_end() override { ++ends; }
  void on_writable() override { ++writables; }
  void on_held() override { held.push_back(stream->held_bytes()); }
  void on_error(std::string_view reason) override { why = reason; }

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const std::string& read : reads)
      sum += read.size();
    return sum;
  }
};

std::shared_ptr<const TlsContext> make_context() {
  const test::TemporaryDirectory directory;
  return *TlsContext::load({test::make_certificate(directory, "localhost", "DNS:localhost")});
}

/// A TLS stream over memory, and its client. What the client sends is delivered in one read.
struct Pair {
  explicit Pair(int version = TLS1_3_VERSION)
      : client({}, {.most_version = version}), up(BIO_new(BIO_s_mem())), down(BIO_new(BIO_s_mem())) {
    BIO_set_mem_eof_return(down, -1);
    SSL_set_bio(client.native(), down, up);
    owner.stream = stream.get();
    stream->set_events(owner);
  }
  ~Pair() { stream.reset(); }

  [[nodiscard]] std::string said() const {
    std::string bytes(1'048'576, '\0');
    const int count = BIO_read(up, bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  void deliver() { wire.send(said()); }
  void take_answer() {
    const std::string answer = wire.take_received();
    if (!answer.empty()) BIO_write(down, answer.data(), static_cast<int>(answer.size()));
  }
  void run_out() {
    while (scheduler.deferred() > 0)
      scheduler.flush_deferred();
  }
  void shake_hands() {
    while (!client.handshake() && !client.broken()) {
      deliver();
      run_out();
      take_answer();
    }
    deliver();
    run_out();
    REQUIRE(shared.stats().handshakes_ok == 1);
    REQUIRE(owner.why.empty());
  }
  void say_in_records(std::string_view text) {
    for (const char byte : text)
      REQUIRE(client.send({&byte, 1}) == 1);
  }
  void update_key() {
    REQUIRE(SSL_key_update(client.native(), SSL_KEY_UPDATE_REQUESTED) == 1);
    REQUIRE(SSL_do_handshake(client.native()) == 1);
  }
  void update_keys(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i)
      update_key();
  }

  test::FakeScheduler scheduler;
  test::FakeClock clock;
  base::Deadlines deadlines{clock, 1};
  TlsShared shared{scheduler, deadlines};
  TlsWrapper wrapper{shared, make_context()};
  test::MemoryWire wire;
  Owner owner;
  std::unique_ptr<ByteStream> stream = wrapper.wrap(wire.make_stream(), "");
  test::TlsClient client;
  BIO* up;    // of the client
  BIO* down;  // of the client
};

std::string letters(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += static_cast<char>('a' + i % 26);
  return text;
}

}  // namespace

TEST_CASE("tls work: all records of a read that fit the allowance are handed over at once") {
  Pair pair;
  pair.shake_hands();
  const std::string text = letters(records_at_once);
  pair.say_in_records(text);
  pair.deliver();
  CHECK(pair.owner.reads == std::vector<std::string>{text});
  CHECK(pair.scheduler.deferred() == 0);
  CHECK_FALSE(pair.wire.is_paused());
  CHECK(pair.stream->held_bytes() == 0);
}

TEST_CASE("tls work: a full read of the largest records is handed over at once") {
  Pair pair;
  pair.shake_hands();
  constexpr std::size_t size = 16'000;
  for (int i = 0; i < 4; ++i)
    REQUIRE(pair.client.send(letters(size)) == size);
  pair.deliver();
  CHECK(pair.owner.reads.size() == 1);
  CHECK(pair.owner.bytes() == 4 * size);
  CHECK(pair.scheduler.deferred() == 0);
}

TEST_CASE("tls work: one record more than the allowance is kept and waits for its turn") {
  Pair pair;
  pair.shake_hands();
  const std::string text = letters(records_at_once + 1);
  pair.say_in_records(text);
  pair.deliver();
  CHECK(pair.owner.reads == std::vector<std::string>{text.substr(0, records_at_once)});
  CHECK(pair.scheduler.deferred() == 1);
  CHECK(pair.wire.is_paused());
  pair.scheduler.flush_deferred();
  CHECK(pair.owner.reads.back() == text.substr(records_at_once));
  CHECK(pair.scheduler.deferred() == 0);
  CHECK_FALSE(pair.wire.is_paused());
}

TEST_CASE("tls work: kept input is handled in steps, each delivered once, and is reported as memory") {
  Pair pair;
  pair.shake_hands();
  const std::string text = letters(1'000);
  pair.say_in_records(text);
  pair.deliver();
  CHECK(pair.owner.held.size() == 1);
  CHECK(pair.owner.held.back() >= (text.size() - records_at_once) * 22);
  pair.scheduler.flush_deferred();
  CHECK(pair.owner.reads.size() == 2);
  CHECK(pair.owner.bytes() == records_at_once + records_later);
  pair.run_out();
  CHECK(pair.owner.reads.size() == 1 + (text.size() - records_at_once + records_later - 1) / records_later);
  std::string received;
  for (const std::string& read : pair.owner.reads)
    received += read;
  CHECK(received == text);
  CHECK(pair.owner.held.back() < AdmissionRecord::least_bytes);
  CHECK(pair.stream->held_bytes() == 0);
}

TEST_CASE("tls work: a client that used up an allowance comes after others for a second or two") {
  Pair pair;
  pair.shake_hands();
  pair.say_in_records(letters(records_at_once + 1));
  pair.deliver();
  pair.run_out();
  pair.owner.reads.clear();
  pair.say_in_records("x");
  pair.deliver();
  CHECK(pair.owner.reads.empty());
  pair.run_out();
  CHECK(pair.owner.reads == std::vector<std::string>{"x"});
  pair.clock.advance(3'000);
  pair.say_in_records("y");
  pair.deliver();
  CHECK(pair.owner.reads.back() == "y");
}

TEST_CASE("tls work: nothing that is kept is handed over while reading is paused") {
  Pair pair;
  pair.shake_hands();
  pair.owner.pauses = true;
  pair.say_in_records(letters(records_at_once + 1));
  pair.client.finish();
  pair.deliver();
  pair.run_out();
  CHECK(pair.owner.reads.size() == 1);
  CHECK(pair.wire.is_paused());
  pair.owner.pauses = false;
  pair.stream->resume_reading();
  pair.run_out();
  CHECK(pair.owner.bytes() == records_at_once + 1);
  CHECK(pair.owner.ends == 1);
}

TEST_CASE("tls work: the end behind the last data waits for a pause to be over") {
  Pair pair;
  pair.shake_hands();
  pair.owner.pauses = true;
  pair.say_in_records("bye");
  pair.client.finish();
  pair.deliver();
  CHECK(pair.owner.reads == std::vector<std::string>{"bye"});
  CHECK(pair.owner.ends == 0);
  pair.stream->resume_reading();
  pair.scheduler.flush();
  CHECK(pair.owner.ends == 1);
}

TEST_CASE("tls work: what came before a broken record is handed over") {
  Pair pair;
  pair.shake_hands();
  pair.say_in_records("last words");
  pair.wire.send(pair.said() + std::string("\x17\x03\x03\x00\x20 this is not what it claims to be ..", 37));
  CHECK(pair.owner.reads == std::vector<std::string>{"last words"});
  CHECK(pair.owner.why.find("TLS failed: ") == 0);
}

TEST_CASE("tls work: a record that the stream below takes in pieces arrives whole, and before the next one") {
  Pair pair;
  pair.shake_hands();
  pair.take_answer();
  pair.wire.set_room(10);
  const std::string_view first = "first";
  const std::string_view second = "second";
  CHECK(pair.stream->write({&first, 1}) == first.size());
  const std::size_t unsent = pair.stream->buffered_bytes();
  CHECK(unsent > 0);
  CHECK(pair.stream->write({&second, 1}) == 0);
  pair.wire.set_room(7);
  CHECK(pair.stream->buffered_bytes() == unsent - 7);
  CHECK(pair.owner.writables == 0);
  CHECK(pair.stream->write({&second, 1}) == 0);
  pair.wire.set_room(test::MemoryWire::unlimited);
  CHECK(pair.stream->buffered_bytes() == 0);
  CHECK(pair.owner.writables == 1);
  CHECK(pair.stream->write({&second, 1}) == second.size());
  pair.take_answer();
  CHECK(pair.client.receive() == first);
  CHECK(pair.client.receive() == second);
}

TEST_CASE("tls work: a client that asks for answers of TLS itself and reads none of them is closed") {
  Pair pair;
  pair.shake_hands();
  pair.wire.set_room(0);
  std::size_t most_unsent = 0;
  for (int round = 0; round < 1'000 && pair.owner.why.empty(); ++round) {
    pair.update_keys(max_idle);
    pair.say_in_records("x");
    pair.deliver();
    pair.run_out();
    most_unsent = std::max(most_unsent, pair.stream->buffered_bytes());
    pair.scheduler.flush();
  }
  CHECK(pair.owner.why == "the peer does not read what it asks for");
  CHECK(most_unsent > 131'072);
  CHECK(most_unsent < 140'000);
}

TEST_CASE("tls work: key updates are done two at a time, and four when they were deferred") {
  Pair pair;
  pair.shake_hands();
  pair.update_keys(10);
  pair.say_in_records("x");
  pair.deliver();
  for (int i = 0; i < 3; ++i) {
    CHECK(pair.owner.reads.empty());
    CHECK(pair.scheduler.deferred() == 1);
    pair.scheduler.flush_deferred();
  }
  CHECK(pair.owner.reads == std::vector<std::string>{"x"});
  CHECK(pair.scheduler.deferred() == 0);
  // Each is answered with a record of 27 bytes; a step sends them together.
  CHECK(pair.wire.received().size() >= 9 * 27);
}

TEST_CASE("tls work: so many key updates between data are taken, and one more is not") {
  for (const bool at_once : {true, false}) {
    CAPTURE(at_once);
    Pair pair;
    pair.shake_hands();
    const auto update_keys = [&](std::size_t times) {
      for (std::size_t i = 0; i < times; ++i) {
        pair.update_key();
        if (at_once) continue;
        pair.deliver();
        pair.run_out();
      }
    };
    for (int round = 0; round < 3; ++round) {
      update_keys(max_idle);
      pair.say_in_records("x");
      pair.deliver();
      pair.run_out();
    }
    CHECK(pair.owner.bytes() == 3);
    CHECK(pair.owner.why.empty());
    update_keys(max_idle + 1);
    pair.say_in_records("x");
    pair.deliver();
    pair.run_out();
    CHECK(pair.owner.bytes() == 3);
    CHECK(pair.owner.why == "more than 32 TLS records without data in a row");
  }
}

TEST_CASE("tls work: data whose record arrives in two pieces counts as data") {
  Pair pair;
  pair.shake_hands();
  pair.update_keys(max_idle);
  pair.deliver();
  pair.run_out();
  pair.say_in_records("x");
  const std::string record = pair.said();
  pair.wire.send(record.substr(0, 10));
  pair.run_out();
  pair.wire.send(record.substr(10));
  pair.run_out();
  CHECK(pair.owner.bytes() == 1);
  CHECK(pair.owner.why.empty());
}

TEST_CASE("tls work: a handshake step takes so many records and one more is refused") {
  for (const std::size_t records : {max_idle, max_idle + 1}) {
    CAPTURE(records);
    Pair pair;
    (void)pair.client.handshake();
    const std::string hello = pair.said().substr(5);
    std::string cut;
    const auto add_record = [&cut](std::string_view part) {
      cut += {'\x16', '\x03', '\x01', static_cast<char>(part.size() / 256),
              static_cast<char>(part.size() % 256)};
      cut += part;
    };
    for (std::size_t i = 0; i + 1 < records; ++i)
      add_record(std::string_view(hello).substr(i, 1));
    add_record(std::string_view(hello).substr(records - 1));
    pair.wire.send(cut);
    pair.run_out();
    pair.take_answer();
    const bool is_taken = records == max_idle;
    CHECK(pair.client.handshake() == is_taken);
    CHECK(pair.owner.why ==
          (is_taken ? "" : "TLS handshake failed: more than 32 TLS records without data in a row"));
  }
}

}  // namespace roomcast::net::tls_work_test
