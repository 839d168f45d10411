#include <doctest/doctest.h>

#include <string_view>
#include <vector>

#include "support/redis_link_rig.h"

using namespace roomcast;

namespace link_subscription_test {

using Log = test::LinkLog;
using Rig = test::LinkRig;

TEST_CASE("a subscription is answered with the last of its pushes, which are all told to the owner") {
  Rig rig;
  const std::vector<std::string_view> channels{"one", "two"};
  rig.send("a");
  rig.link->send_subscription("SSUBSCRIBE", channels, rig.request("sub"));
  rig.send("b");
  rig.scheduler.flush();
  CHECK(rig.wire.received() ==
        Rig::command("a") + "*3\r\n$10\r\nSSUBSCRIBE\r\n$3\r\none\r\n$3\r\ntwo\r\n" + Rig::command("b"));
  // Nothing is confirmed before it is its turn.
  rig.wire.send(">2\r\n+ssubscribe\r\n+early\r\n+1\r\n");
  rig.wire.send(">2\r\n+ssubscribe\r\n+one\r\n>2\r\n+smessage\r\n+x\r\n>2\r\n+subscribe\r\n+other\r\n");
  CHECK(rig.take_log() == Log{"push early", "a=1", "push one", "push x", "push other"});
  rig.wire.send(">2\r\n+ssubscribe\r\n+two\r\n+2\r\n");
  CHECK(rig.take_log() == Log{"push two", "sub=", "b=2"});
}

TEST_CASE("a subscription that is refused is told so, and the answers behind it go where they belong") {
  Rig rig;
  const std::vector<std::string_view> channels{"one"};
  rig.link->send_subscription("SUBSCRIBE", channels, rig.request("sub"));
  rig.send("b");
  rig.link->send_subscription("SUBSCRIBE", channels, nullptr);
  rig.send("c");
  rig.wire.send("-NOPERM no\r\n+2\r\n-NOPERM no\r\n+3\r\n");
  CHECK(rig.take_log() == Log{"sub=NOPERM no", "b=2", "c=3"});
  rig.link->send_subscription("SUBSCRIBE", channels, rig.request("sub"));
  rig.wire.send("+OK\r\n");
  CHECK(rig.log ==
        Log{"sub lost", "down: the server answered a subscription with something else than a push"});
}

}  // namespace link_subscription_test
