#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "contract/stream_links.h"
#include "net/io_buffers.h"

namespace roomcast::test {

namespace {

/// Whether reads and writes are shortened in this run.
bool is_chaotic() { return net::Chaos().is_on(); }

/// More bytes than any socket takes at once.
std::size_t bulk_bytes() { return is_chaotic() ? 50'000 : 3'000'000; }

constexpr int many_steps = 200'000;

/// Records what a stream reports, and checks that it never does so within a call from outside.
struct Recorder final : net::ByteStream::Events {
  std::string bytes;
  int ends = 0;
  int errors = 0;
  int writables = 0;
  int events = 0;
  bool in_call = false;
  bool over = false;  // no event may follow
  std::string why;

  void note() {
    ++events;
    CHECK_FALSE(in_call);
    CHECK_FALSE(over);
  }
  void on_bytes(std::span<char> received) override {
    note();
    CHECK_FALSE(received.empty());
    bytes.append(received.data(), received.size());
    std::fill(received.begin(), received.end(), '?');  // the buffer may be modified until the call returns
  }
  void on_end() override {
    note();
    ++ends;
  }
  void on_writable() override {
    note();
    ++writables;
  }
  void on_error(std::string_view reason) override {
    note();
    ++errors;
    why = reason;
    over = true;
  }

  template <class Call>
  auto calling(const Call& call) {
    in_call = true;
    struct Out {
      bool& flag;
      ~Out() { flag = false; }
    } out{in_call};
    return call();
  }
};

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

template <class Link, class Done>
bool step_until(Link& link, const Done& done) {
  for (int i = 0; i < many_steps; ++i) {
    if (done()) return true;
    link.step();
  }
  return done();
}

/// Writes until the stream takes no more; returns the number of bytes taken.
template <class Link>
std::size_t fill_up(Link& link, Recorder& recorder) {
  const std::string chunk(100'000, 'x');
  const std::string_view piece = chunk;
  std::size_t taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t sent = recorder.calling([&] { return link.near->write({&piece, 1}); });
    taken += sent;
    if (sent < piece.size()) break;
  }
  return taken;
}

/// Sends data in both directions, so that handshakes are complete.
template <class Link>
void warm_up(Link& link, Recorder& recorder) {
  recorder.calling([&] { link.near->set_events(recorder); });
  std::size_t sent = 0;
  CAPTURE(recorder.why);
  REQUIRE(step_until(link, [&] {
    if (sent == 0) sent = link.send("!");
    return recorder.bytes == "!";
  }));
  recorder.bytes.clear();
  const std::string_view piece = "!";
  // A TLS stream may still have its tickets to send.
  REQUIRE(step_until(link, [&] {
    return recorder.calling([&] { return link.near->write({&piece, 1}); }) == 1;
  }));
  std::string got;
  REQUIRE(step_until(link, [&] {
    got += link.receive();
    return got == "!";
  }));
}

}  // namespace

#define FOR_EVERY_STREAM MemoryLink, TcpLink, UnixLink, Tls13Link, Tls12Link, Tls13ClientLink, Tls12ClientLink

TEST_CASE_TEMPLATE("stream: bytes arrive whole and in order, both ways at once, in pieces of any size", Link,
                   FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  const std::string up = random_bytes(bulk_bytes(), 1);
  const std::string down = random_bytes(bulk_bytes(), 2);
  std::mt19937 random(3);
  std::size_t sent_up = 0;
  std::size_t sent_down = 0;
  std::string received;
  bool may_write = true;
  int writables = 0;
  const bool whole = step_until(link, [&] {
    sent_up += link.send(std::string_view(up).substr(sent_up, 1 + random() % 50'000));
    may_write = may_write || recorder.writables > writables;
    if (may_write && sent_down < down.size()) {
      std::vector<std::string_view> pieces;
      std::size_t at = sent_down;
      for (std::size_t n = random() % 200; n > 0; --n) {
        pieces.push_back(std::string_view(down).substr(at, random() % (n % 16 == 0 ? 30'000U : 300U)));
        at += pieces.back().size();
      }
      writables = recorder.writables;
      const std::size_t taken = recorder.calling([&] { return link.near->write(pieces); });
      REQUIRE(taken <= at - sent_down);
      may_write = taken == at - sent_down;
      sent_down += taken;
    }
    received += link.receive();
    return received.size() == down.size() && recorder.bytes.size() == up.size();
  });
  CHECK(whole);
  CHECK((recorder.bytes == up));
  CHECK((received == down));
  CHECK(recorder.errors == 0);
  CHECK(recorder.ends == 0);
}

TEST_CASE_TEMPLATE(
    "stream: write takes less when the peer does not read, and on_writable follows when it does", Link,
    FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  std::size_t taken = fill_up(link, recorder);
  int before = recorder.writables;
  // Shortened writes never fill the buffers of a socket.
  if (!is_chaotic()) {
    for (int i = 0; i < 50; ++i)
      link.step();  // data that moves between buffers by itself
    for (int quiet = 0; quiet < 20;) {
      const std::size_t more = fill_up(link, recorder);
      taken += more;
      quiet = more == 0 ? quiet + 1 : 0;
      link.step();
    }
    before = recorder.writables;
    for (int i = 0; i < 20; ++i)
      link.step();
    CHECK(recorder.writables == before);
  }
  std::size_t received = 0;
  CHECK(step_until(link, [&] {
    received += link.receive().size();
    return received == taken && recorder.writables > before;
  }));
  CHECK(recorder.errors == 0);
}

TEST_CASE_TEMPLATE("stream: nothing arrives while reading is paused, and everything after", Link,
                   FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  recorder.calling([&] { link.near->pause_reading(); });
  const std::string sent = random_bytes(20'000, 4);
  std::size_t done = link.send(sent);
  for (int i = 0; i < 20; ++i)
    link.step();
  CHECK(recorder.bytes.empty());
  recorder.calling([&] { link.near->resume_reading(); });
  CHECK(step_until(link, [&] {
    done += link.send(std::string_view(sent).substr(done));
    return recorder.bytes.size() == sent.size();
  }));
  CHECK((recorder.bytes == sent));
}

TEST_CASE_TEMPLATE("stream: pausing from within on_bytes holds the rest back until resumed", Link,
                   FOR_EVERY_STREAM) {
  struct Sipper final : net::ByteStream::Events {
    net::ByteStream* stream = nullptr;
    std::string bytes;
    int ends = 0;
    bool may = false;
    void on_bytes(std::span<char> received) override {
      CHECK(may);
      may = false;
      bytes.append(received.data(), received.size());
      stream->pause_reading();
    }
    void on_end() override { ++ends; }
    void on_writable() override {}
    void on_error(std::string_view /*why*/) override { CHECK(false); }
  };
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  Sipper sipper;
  sipper.stream = link.near.get();
  sipper.may = true;
  link.near->set_events(sipper);
  const std::string sent = random_bytes(50'000, 5);
  std::size_t done = 0;
  CHECK(step_until(link, [&] {
    if (done < sent.size()) {
      done += link.send(std::string_view(sent).substr(done, 9'000));
      if (done == sent.size()) link.finish();
    }
    if (!sipper.may) {
      sipper.may = true;
      link.near->resume_reading();
    }
    return sipper.ends == 1;
  }));
  CHECK((sipper.bytes == sent));
}

TEST_CASE_TEMPLATE(
    "stream: after the peer's end writing still works, and the end is reported once, after all bytes", Link,
    FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  REQUIRE(link.send("last words") == 10);
  link.finish();
  REQUIRE(step_until(link, [&] { return recorder.ends > 0; }));
  CHECK(recorder.bytes == "last words");
  for (int i = 0; i < 20; ++i)
    link.step();
  CHECK(recorder.ends == 1);
  const std::string_view answer = "the answer";
  std::size_t taken = 0;
  std::string received;
  CHECK(step_until(link, [&] {
    if (taken < answer.size()) {
      const std::string_view rest = answer.substr(taken);
      taken += recorder.calling([&] { return link.near->write({&rest, 1}); });
    }
    received += link.receive();
    return received == answer;
  }));
  CHECK(recorder.errors == 0);
}

TEST_CASE_TEMPLATE("stream: after our own end the peer sees it and reading still works", Link,
                   FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  recorder.calling([&] { link.near->shutdown(); });
  CHECK(step_until(link, [&] { return link.far_ended(); }));
  REQUIRE(link.send("still here") == 10);
  CHECK(step_until(link, [&] { return recorder.bytes == "still here"; }));
  link.finish();
  CHECK(step_until(link, [&] { return recorder.ends == 1; }));
  CHECK(recorder.errors == 0);
}

TEST_CASE_TEMPLATE("stream: ended unwatched, it reports nothing any more, and the peer loses nothing", Link,
                   FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  const std::string_view piece = "the last";
  std::size_t taken = 0;
  REQUIRE(step_until(link, [&] {
    const std::string_view rest = piece.substr(taken);
    taken += recorder.calling([&] { return link.near->write({&rest, 1}); });
    return taken == piece.size();
  }));
  if (!recorder.calling([&] { return link.near->shutdown_unwatched(); })) {
    // Then it goes on like any other.
    recorder.calling([&] { link.near->shutdown(); });
    REQUIRE(link.send("still here") == 10);
    CHECK(step_until(link, [&] { return recorder.bytes == "still here"; }));
    return;
  }
  recorder.over = true;
  REQUIRE(link.send("still here") == 10);
  link.finish();
  for (int i = 0; i < 100; ++i)
    link.step();
  std::string got;
  CHECK(step_until(link, [&] {
    got += link.receive();
    return got == piece && link.far_ended();
  }));
}

TEST_CASE_TEMPLATE("stream: a reset is reported once, as the last call, and write takes nothing after it",
                   Link, FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  link.reset();
  const std::string_view piece = "anybody there?";
  // A Unix socket has no reset: the end is seen first, and the error by writing.
  CHECK(step_until(link, [&] {
    if (recorder.ends > 0) (void)recorder.calling([&] { return link.near->write({&piece, 1}); });
    return recorder.errors > 0;
  }));
  CHECK_FALSE(recorder.why.empty());
  CHECK(link.near->write({&piece, 1}) == 0);
  link.near->pause_reading();
  link.near->resume_reading();
  for (int i = 0; i < 20; ++i)
    link.step();
  CHECK(recorder.errors == 1);
}

TEST_CASE_TEMPLATE("stream: an error met by write comes later, not from within", Link, FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  recorder.calling([&] { link.near->pause_reading(); });
  link.reset();
  const std::string_view piece = "anybody there?";
  CHECK(step_until(link, [&] {
    (void)recorder.calling([&] { return link.near->write({&piece, 1}); });
    return recorder.errors > 0;
  }));
  CHECK(recorder.errors == 1);
}

TEST_CASE_TEMPLATE("stream: a new listener takes over from within on_bytes, and nothing is lost", Link,
                   FOR_EVERY_STREAM) {
  struct HandsOver final : net::ByteStream::Events {
    net::ByteStream* stream = nullptr;
    Recorder* next = nullptr;
    void on_bytes(std::span<char> received) override {
      next->bytes.append(received.data(), received.size());
      next->calling([&] { stream->set_events(*next); });
    }
    void on_end() override { CHECK(false); }
    void on_writable() override { CHECK(false); }
    void on_error(std::string_view /*why*/) override { CHECK(false); }
  };
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  HandsOver first;
  first.stream = link.near.get();
  first.next = &recorder;
  link.near->set_events(first);
  const std::string sent = random_bytes(50'000, 6);
  std::size_t done = 0;
  CHECK(step_until(link, [&] {
    done += link.send(std::string_view(sent).substr(done, 7'000));
    return recorder.bytes.size() == sent.size();
  }));
  CHECK((recorder.bytes == sent));
}

TEST_CASE_TEMPLATE("stream: writing back what on_bytes hands over, from within it, is sound", Link,
                   FOR_EVERY_STREAM) {
  struct Echo final : net::ByteStream::Events {
    net::ByteStream* stream = nullptr;
    std::string owed;
    void on_bytes(std::span<char> received) override {
      const std::string_view bytes(received.data(), received.size());
      const std::size_t taken = owed.empty() ? stream->write({&bytes, 1}) : 0;
      owed.append(bytes.substr(taken));
    }
    void on_writable() override {
      const std::string_view bytes = owed;
      owed.erase(0, stream->write({&bytes, 1}));
    }
    void on_end() override { CHECK(false); }
    void on_error(std::string_view /*why*/) override { CHECK(false); }
  };
  Link link;
  Recorder recorder;
  warm_up(link, recorder);
  Echo echo;
  echo.stream = link.near.get();
  link.near->set_events(echo);
  const std::string sent = random_bytes(bulk_bytes() / 10, 7);
  std::size_t done = 0;
  std::string received;
  CHECK(step_until(link, [&] {
    done += link.send(std::string_view(sent).substr(done, 20'000));
    received += link.receive();
    return received.size() == sent.size();
  }));
  CHECK((received == sent));
}

TEST_CASE_TEMPLATE("stream: destroying it in any state ends all events", Link, FOR_EVERY_STREAM) {
  Link link;
  Recorder recorder;
  SUBCASE("before anybody listens") {}
  SUBCASE("while the handshake goes on") {
    link.near->set_events(recorder);
    link.step();
  }
  SUBCASE("while reading") { warm_up(link, recorder); }
  SUBCASE("while paused") {
    warm_up(link, recorder);
    link.near->pause_reading();
    (void)link.send("late");
    link.step();
  }
  SUBCASE("while a write is blocked") {
    warm_up(link, recorder);
    (void)fill_up(link, recorder);
  }
  SUBCASE("right after a read was resumed") {
    warm_up(link, recorder);
    link.near->pause_reading();
    (void)link.send("late");
    link.near->resume_reading();
  }
  SUBCASE("after the peer's end") {
    warm_up(link, recorder);
    link.finish();
    CHECK(step_until(link, [&] { return recorder.ends == 1; }));
  }
  SUBCASE("after our own end") {
    warm_up(link, recorder);
    link.near->shutdown();
  }
  SUBCASE("while an error is still to be told") {
    warm_up(link, recorder);
    link.near->pause_reading();
    link.reset();
    const std::string_view piece = "anybody there?";
    for (int i = 0; i < 5; ++i)
      (void)link.near->write({&piece, 1});
  }
  recorder.over = true;
  link.near.reset();
  (void)link.send("unread");
  for (int i = 0; i < 20; ++i)
    link.step();
}

}  // namespace roomcast::test
