#include "base/address_block.h"

#include <doctest/doctest.h>

namespace address_block_test {

using roomcast::base::address_bits;
using roomcast::base::address_block;
using roomcast::base::AddressBlock;

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

TEST_CASE("address block: a text and back") {
  for (const char* text : {"10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "2001:db8::7", "::/0"}) {
    CAPTURE(text);
    const auto block = AddressBlock::parse(text);
    REQUIRE(block);
    CHECK(block->text() == text);
  }
  CHECK(AddressBlock::parse("::ffff:192.168.0.0/112")->text() == "192.168.0.0/16");
  CHECK(AddressBlock::parse("2001:DB8:0::7")->text() == "2001:db8::7");
}

TEST_CASE("address block: it contains what shares its leading bits") {
  const auto block = AddressBlock::parse("10.1.128.0/17");
  REQUIRE(block);
  CHECK(block->is_ipv4());
  CHECK(block->contains(*address_bits("10.1.255.255")));
  CHECK(block->contains(*address_bits("::ffff:10.1.128.0")));
  CHECK_FALSE(block->contains(*address_bits("10.1.127.255")));
  CHECK_FALSE(AddressBlock::parse("::/0")->contains(*address_bits("10.1.128.0")));
  CHECK_FALSE(AddressBlock::parse("::/0")->is_ipv4());
  CHECK_FALSE(address_bits("unix"));
  CHECK_FALSE(address_bits(""));
}

}  // namespace address_block_test
