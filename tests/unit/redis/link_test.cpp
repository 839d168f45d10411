#include "redis/link.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/redis_link_rig.h"

using namespace roomcast;

namespace link_test {

using Log = test::LinkLog;
using Rig = test::LinkRig;

TEST_CASE("commands of a turn are one write, and their answers come in order with pushes between") {
  Rig rig;
  rig.send("a");
  rig.send("b");
  rig.link->send(Rig::command("nobody waits"), nullptr);
  rig.send("c");
  CHECK(rig.wire.received().empty());
  CHECK(rig.link->under_way() == 4);
  rig.scheduler.flush();
  CHECK(rig.wire.writes() == 1);
  CHECK(rig.wire.received() ==
        Rig::command("a") + Rig::command("b") + Rig::command("nobody waits") + Rig::command("c"));

  rig.wire.send("+1\r\n>2\r\n+message\r\n+x\r\n-ERR 2\r\n+3\r\n>2\r\n+message\r\n+y\r\n$1\r\n");
  CHECK(rig.take_log() == Log{"a=1", "push x", "b=ERR 2", "push y"});
  CHECK(rig.link->under_way() == 1);
  rig.wire.send("4\r\n");
  CHECK(rig.take_log() == Log{"c=4"});
  CHECK(rig.link->under_way() == 0);
}

TEST_CASE("what a connection does not take at once is written when it can take more, nothing twice") {
  Rig rig;
  std::string all;
  rig.wire.set_room(5);
  for (int i = 0; i < 3; ++i) {
    // One that stands for itself, and some that are put together with others.
    for (const std::size_t size : {std::size_t{20'000}, std::size_t{10}, std::size_t{3'000}}) {
      std::string command = Rig::command(std::string(size, static_cast<char>('a' + i)));
      all += command;
      rig.link->send(std::move(command), nullptr);
    }
    rig.scheduler.flush();
  }
  CHECK(rig.wire.received() == all.substr(0, 5));
  CHECK(rig.link->held_bytes() >= all.size() - 5);
  for (std::size_t room = 1; rig.wire.received().size() < all.size(); room = room * 3 + 1) {
    rig.wire.set_room(room);
    rig.scheduler.flush();
  }
  CHECK(rig.wire.received() == all);
  CHECK(rig.link->held_bytes() < 10'000);
  rig.wire.set_room(test::MemoryWire::unlimited);
  rig.send("after");
  rig.scheduler.flush();
  CHECK(rig.wire.received() == all + Rig::command("after"));
}

TEST_CASE("a request may send more commands when it is answered") {
  Rig rig;
  rig.send("a").and_then = [&] { rig.send("c"); };
  rig.send("b");
  rig.scheduler.flush();
  rig.wire.send("+1\r\n+2\r\n");
  rig.scheduler.flush();
  CHECK(rig.wire.received() == Rig::command("a") + Rig::command("b") + Rig::command("c"));
  rig.wire.send("+3\r\n");
  CHECK(rig.log == Log{"a=1", "b=2", "c=3"});
}

TEST_CASE("what was under way is lost in order, each once, and then the link is down") {
  const auto fall = [](const std::function<void(Rig&)>& cause) {
    Rig rig;
    rig.send("a");
    rig.send("b");
    rig.link->send(Rig::command("null"), nullptr);
    rig.send("c");
    rig.scheduler.flush();
    rig.wire.send("+1\r\n");
    cause(rig);
    rig.wire.fail("again");
    CHECK(rig.link->is_down());
    CHECK(rig.link->under_way() == 0);
    CHECK_FALSE(rig.link->has_space_for(1));
    // The connection goes at the end of the turn, though the link is still there.
    rig.scheduler.flush();
    CHECK_FALSE(rig.wire.is_open());
    rig.pass(10'000);
    return rig.log;
  };
  CHECK(fall([](Rig& rig) { rig.wire.end(); }) ==
        Log{"a=1", "b lost", "c lost", "down: the server closed the connection"});
  CHECK(fall([](Rig& rig) { rig.wire.fail("connection reset"); }) ==
        Log{"a=1", "b lost", "c lost", "down: connection reset"});
  CHECK(fall([](Rig& rig) { rig.wire.send("oops\r\n"); }) ==
        Log{"a=1", "b lost", "c lost", "down: not RESP: no type that is known: \"oops\\r\\n\""});
  // The values before it count, those behind it do not.
  CHECK(fall([](Rig& rig) { rig.wire.send("+2\r\n?+3\r\n"); }) ==
        Log{"a=1", "b=2", "c lost", "down: not RESP: no type that is known: \"?+3\\r\\n\""});
}

TEST_CASE("an answer that nobody waits for ends the link, in the words of the server") {
  Rig rig;
  rig.wire.send("-ERR max number of clients reached\r\n");
  CHECK(rig.log == Log{"down: the server sent an answer to no command: ERR max number of clients reached"});
}

TEST_CASE("a command for a link that is down is lost at once") {
  Rig rig;
  rig.wire.end();
  rig.take_log();
  rig.send("late");
  rig.link->send(Rig::command("null"), nullptr);
  CHECK(rig.log == Log{"late lost"});
  rig.scheduler.flush();
  CHECK(rig.wire.received().empty());
}

TEST_CASE("a command that is sent while others are being lost is lost after them") {
  Rig rig;
  rig.send("a").and_then = [&] { rig.send("again"); };
  rig.send("b");
  rig.wire.end();
  CHECK(rig.log == Log{"a lost", "b lost", "again lost", "down: the server closed the connection"});
}

TEST_CASE("the oldest command without an answer ends the link in time") {
  Rig rig({.reply_ms = 3'000});
  rig.send("a");
  rig.scheduler.flush();
  rig.pass(2'000);
  rig.send("b");
  rig.wire.send("+1\r\n");
  // The deadline of a is not that of b.
  rig.pass(2'900);
  CHECK(rig.take_log() == Log{"a=1"});
  rig.pass(200);
  CHECK(rig.take_log() == Log{"b lost", "down: the server has not answered for 3000 ms"});
}

TEST_CASE("without a command under way nothing is late") {
  Rig rig({.reply_ms = 3'000});
  rig.send("a");
  rig.scheduler.flush();
  rig.wire.send("+1\r\n");
  rig.pass(20'000);
  CHECK_FALSE(rig.link->is_down());
  // And the next one has all of its time.
  rig.send("b");
  rig.pass(2'990);
  CHECK_FALSE(rig.link->is_down());
  rig.pass(20);
  CHECK(rig.link->is_down());
}

TEST_CASE("a link tells whether there is space for more, and has space again with the answers") {
  Rig rig({.requests = 3, .bytes = 100});
  CHECK(rig.link->has_space_for(1'000'000));
  rig.link->send(std::string(60, 'x'), nullptr);
  CHECK(rig.link->has_space_for(40));
  CHECK_FALSE(rig.link->has_space_for(41));
  rig.link->send(std::string(10, 'x'), nullptr);
  rig.link->send(std::string(10, 'x'), nullptr);
  CHECK_FALSE(rig.link->has_space_for(1));
  rig.scheduler.flush();
  rig.wire.send("+1\r\n");
  CHECK(rig.link->has_space_for(80));
  CHECK_FALSE(rig.link->has_space_for(81));
}

TEST_CASE("what comes in one piece is handled in parts, and nothing is read from the connection meanwhile") {
  Rig rig;
  std::string pushes;
  for (int i = 0; i < 1'000; ++i)
    pushes += ">2\r\n+m\r\n+x\r\n";
  rig.wire.send(pushes);
  const std::size_t first = rig.log.size();
  CHECK(first > 10);
  CHECK(first < 200);
  CHECK(rig.wire.is_paused());
  rig.scheduler.flush_deferred();
  CHECK(rig.log.size() > first);
  CHECK(rig.log.size() < 1'000);
  while (rig.scheduler.deferred() > 0)
    rig.scheduler.flush_deferred();
  CHECK(rig.log.size() == 1'000);
  CHECK_FALSE(rig.wire.is_paused());
}

TEST_CASE("a paused link tells nothing, reads nothing, and is not late") {
  Rig rig({.reply_ms = 3'000});
  rig.send("a");
  rig.scheduler.flush();
  rig.on_next_push = [&] { rig.link->pause_reading(); };
  rig.wire.send(">2\r\n+m\r\n+x\r\n>2\r\n+m\r\n+y\r\n+1\r\n");
  CHECK(rig.take_log() == Log{"push x"});
  CHECK(rig.wire.is_paused());
  rig.pass(10'000);
  rig.scheduler.flush_deferred();
  CHECK(rig.log.empty());

  rig.link->resume_reading();
  // Not within the call.
  CHECK(rig.log.empty());
  rig.scheduler.flush_deferred();
  CHECK(rig.take_log() == Log{"push y", "a=1"});
  CHECK_FALSE(rig.wire.is_paused());

  // One that waited through the pause has its time once more.
  rig.send("b");
  rig.link->pause_reading();
  rig.pass(2'990);
  rig.link->resume_reading();
  rig.pass(2'990);
  CHECK_FALSE(rig.link->is_down());
  rig.pass(20);
  CHECK(rig.link->is_down());
}

TEST_CASE("a link that is dropped within a call tells nobody anything more") {
  Rig rig;
  const auto drop = [&] {
    rig.link->close();
    rig.scheduler.free_later(std::move(rig.link));
  };
  struct Nothing final : base::SlicedWork {
    bool do_slice() override { return false; }
  } nothing;

  SUBCASE("when a command is answered") {
    rig.send("a").and_then = drop;
    rig.send("b");
    rig.wire.send("+1\r\n>2\r\n+m\r\n+x\r\n+2\r\n");
    CHECK(rig.log == Log{"a=1"});
  }
  SUBCASE("when a push arrives") {
    rig.send("a");
    rig.on_next_push = drop;
    rig.wire.send(">2\r\n+m\r\n+x\r\n+1\r\n");
    CHECK(rig.log == Log{"push x"});
  }
  SUBCASE("when a command is lost") {
    rig.send("a").and_then = drop;
    rig.send("b");
    rig.wire.end();
    CHECK(rig.log == Log{"a lost"});
  }
  SUBCASE("when it is down") {
    rig.on_down = drop;
    rig.wire.end();
    CHECK(rig.log == Log{"down: the server closed the connection"});
  }
  SUBCASE("when a subscription is confirmed") {
    const std::vector<std::string_view> channels{"one"};
    auto request = rig.request("sub");
    request->and_then = drop;
    rig.link->send_subscription("SUBSCRIBE", channels, std::move(request));
    rig.wire.send(">2\r\n+subscribe\r\n+one\r\n>2\r\n+m\r\n+x\r\n");
    CHECK(rig.log == Log{"push one", "sub="});
  }
  rig.log.clear();
  rig.scheduler.run_turn(nothing);
  CHECK_FALSE(rig.wire.is_open());
  rig.pass(10'000);
  CHECK(rig.log.empty());
}

TEST_CASE("destroying a link closes its connection and frees its requests without a call") {
  Rig rig;
  bool is_freed = false;
  rig.send("a").at_end = [&] { is_freed = true; };
  rig.link.reset();
  CHECK(is_freed);
  CHECK_FALSE(rig.wire.is_open());
  rig.scheduler.flush();
  rig.scheduler.flush_deferred();
  rig.pass(10'000);
  CHECK(rig.log.empty());
}

TEST_CASE("a reply past the limit ends the link, with the limit") {
  Rig rig({.reply = {.value_bytes = 1'000}});
  rig.send("a");
  rig.wire.send("$2000\r\n");
  CHECK(rig.log == Log{"a lost", "down: a reply is larger than 1000 bytes"});
}

}  // namespace link_test
