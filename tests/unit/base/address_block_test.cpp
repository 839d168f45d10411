#include "base/address_block.h"

#include <doctest/doctest.h>

namespace address_block_test {

using roomcast::base::address_block;

TEST_CASE("address block: IPv6 addresses that share their leading bits are one") {
  CHECK(address_block("2001:db8::7", 64) == "2001:db8::/64");
  CHECK(address_block("2001:db8::ffff:ffff:ffff:ffff", 64) == "2001:db8::/64");
  CHECK(address_block("2001:db8:0:1::7", 64) == "2001:db8:0:1::/64");
  CHECK(address_block("2001:db8:0:1ff::7", 56) == "2001:db8:0:100::/56");
  CHECK(address_block("2001:db8::7", 127) == "2001:db8::6/127");
  CHECK(address_block("::1", 64) == "::/64");
}

TEST_CASE("address block: everything else is left as it is") {
  CHECK(address_block("2001:db8::7", 128) == "2001:db8::7");
  CHECK(address_block("192.0.2.7", 64) == "192.0.2.7");
  CHECK(address_block("::ffff:192.0.2.7", 64) == "::ffff:192.0.2.7");
  CHECK(address_block("unix", 64) == "unix");
  CHECK(address_block("", 64).empty());
  CHECK(address_block("nonsense:", 64) == "nonsense:");
}

}  // namespace address_block_test
