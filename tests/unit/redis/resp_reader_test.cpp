#include "redis/resp_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

using namespace roomcast;
using namespace std::string_literals;
using redis::RespReader;
using redis::Value;

namespace resp_reader_test {

/// A value in one line, with its types.
std::string show(const Value& value) {
  const auto list = [&](std::string_view open, std::string_view close) {
    std::string out(open);
    for (const Value& item : value.items)
      out += (out.size() > open.size() ? " " : "") + show(item);
    return out.append(close);
  };
  const std::string text(value.text);
  switch (value.type) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return value.integer != 0 ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.integer);
    case Value::Type::number:
      return "number " + text;
    case Value::Type::text:
      return "'" + text + "'";
    case Value::Type::error:
      return "error '" + text + "'";
    case Value::Type::array:
      return list("[", "]");
    case Value::Type::set:
      return list("~[", "]");
    case Value::Type::map:
      return list("{", "}");
    case Value::Type::push:
      return list(">[", "]");
  }
  return "?";
}

struct Outcome {
  std::vector<std::string> values;
  std::string error;
};

Outcome read(std::string_view bytes, std::size_t piece, const RespReader::Limits& limits = {}) {
  RespReader reader(limits);
  Outcome outcome;
  while (!bytes.empty()) {
    // A copy, so that the reader can't rely on the caller's bytes.
    reader.add(std::string(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (const Value* value = reader.next())
      outcome.values.push_back(show(*value));
  }
  outcome.error = reader.error();
  return outcome;
}

/// Reads `bytes` whole and cut at every place, byte by byte too; the same must come of it.
std::vector<std::string> values_of(std::string_view bytes) {
  const Outcome whole = read(bytes, bytes.size());
  CHECK(whole.error.empty());
  CHECK(read(bytes, 1).values == whole.values);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    RespReader reader;
    std::vector<std::string> values;
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
      reader.add(part);
      while (const Value* value = reader.next())
        values.push_back(show(*value));
    }
    CHECK(values == whole.values);
  }
  return whole.values;
}

std::string only(std::string_view bytes) {
  const auto values = values_of(bytes);
  REQUIRE(values.size() == 1);
  return values[0];
}

/// Why `bytes` are refused, after no value; that they are does not depend on how they are cut.
std::string error_of(std::string_view bytes, const RespReader::Limits& limits = {}) {
  const Outcome whole = read(bytes, bytes.size(), limits);
  CHECK(whole.values.empty());
  for (std::size_t piece = 1; piece < std::min<std::size_t>(bytes.size(), 40); ++piece) {
    const Outcome cut = read(bytes, piece, limits);
    CHECK(cut.values.empty());
    CHECK_FALSE(cut.error.empty());
  }
  return whole.error;
}

TEST_CASE("every type of RESP3 and RESP2 is read") {
  CHECK(only("+OK\r\n") == "'OK'");
  CHECK(only("+\r\n") == "''");
  CHECK(only("-ERR no\r\n") == "error 'ERR no'");
  CHECK(only(":0\r\n") == "0");
  CHECK(only(":-9223372036854775808\r\n") == "-9223372036854775808");
  CHECK(only(":+9223372036854775807\r\n") == "9223372036854775807");
  CHECK(only(":007\r\n") == "7");
  CHECK(only("$5\r\na\r\nb\n\r\n") == "'a\r\nb\n'");
  CHECK(only("$0\r\n\r\n") == "''");
  CHECK(only("$0003\r\nabc\r\n") == "'abc'");
  CHECK(only("$-1\r\n") == "null");
  CHECK(only("*-1\r\n") == "null");
  CHECK(only("_\r\n") == "null");
  CHECK(only("#t\r\n") == "true");
  CHECK(only("#f\r\n") == "false");
  for (const std::string number :
       {"3.25", "-1", "+1.5", "10", "1e300", "-1.5E-9", "inf", "-inf", "nan", "1e999"})
    CHECK(only("," + number + "\r\n") == "number " + number);
  CHECK(only("(-3492890328409238509324850943850943825024385\r\n") ==
        "'-3492890328409238509324850943850943825024385'");
  CHECK(only("!8\r\nERR a\r\nb\r\n") == "error 'ERR a\r\nb'");
  CHECK(only("=7\r\ntxt:abc\r\n") == "'abc'");
  CHECK(only("*0\r\n") == "[]");
  CHECK(only("*3\r\n:1\r\n$1\r\na\r\n_\r\n") == "[1 'a' null]");
  CHECK(only("~2\r\n:1\r\n:2\r\n") == "~[1 2]");
  CHECK(only("%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n") == "{'a' 1 'b' [2]}");
  CHECK(only(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n") == ">['message' 'c' 'hi']");
}

TEST_CASE("aggregates are read in one another, each with its own items") {
  CHECK(only("*4\r\n*2\r\n:1\r\n*1\r\n:2\r\n:3\r\n*0\r\n%1\r\n*1\r\n:4\r\n~0\r\n") ==
        "[[1 [2]] 3 [] {[4] ~[]}]");
}

TEST_CASE("values are read one after the other, pushes between replies") {
  CHECK(values_of("+a\r\n>2\r\n+x\r\n:1\r\n$1\r\nb\r\n*1\r\n+c\r\n+d\r\n") ==
        std::vector<std::string>{"'a'", ">['x' 1]", "'b'", "['c']", "'d'"});
}

TEST_CASE("attributes are left out wherever they stand") {
  CHECK(values_of("|1\r\n+k\r\n*2\r\n:1\r\n:2\r\n+a\r\n|0\r\n+b\r\n") ==
        std::vector<std::string>{"'a'", "'b'"});
  CHECK(only("*2\r\n|1\r\n+k\r\n|1\r\n+deep\r\n:1\r\n:2\r\n:3\r\n:4\r\n") == "[3 4]");
  // The last item of the array has one, and it is not taken for the last item.
  CHECK(values_of("*1\r\n|1\r\n+k\r\n:1\r\n:2\r\n:3\r\n") == std::vector<std::string>{"[2]", "3"});
}

TEST_CASE("a value is found by its key, an error by its code") {
  RespReader reader;
  reader.add("%3\r\n:1\r\n:2\r\n$1\r\na\r\n:3\r\n+b\r\n-LATE by 5\r\n");
  const Value* map = reader.next();
  REQUIRE(map != nullptr);
  REQUIRE(map->find("a") != nullptr);
  CHECK(map->find("a")->integer == 3);
  CHECK(map->find("1") == nullptr);
  CHECK(map->find("c") == nullptr);
  CHECK(map->find("b")->error_code() == "LATE");
  CHECK(map->find("a")->error_code().empty());
  CHECK(map->find("a")->find("a") == nullptr);
}

TEST_CASE("what is not RESP is refused, with its first bytes") {
  CHECK(error_of("HTTP/1.1 400 Bad Request\r\n") ==
        "not RESP: no type that is known: \"HTTP/1.1 400 Bad Request\\r\\n\"");
  CHECK(error_of("\x15\x03\x01\xff\"\\" + std::string(50, 'x')) ==
        "not RESP: no type that is known: \"\\x15\\x03\\x01\\xff\\\"\\\\" + std::string(34, 'x') + "\"...");
  CHECK(error_of("\r\n").find("no type") != std::string::npos);
  CHECK(error_of("\0"s).find("\\x00") != std::string::npos);
}

TEST_CASE("values that are not well-formed are refused") {
  for (const std::string bytes :
       {":\r\n",        ":1a\r\n",      ": 1\r\n", ":--1\r\n",  ":+-1\r\n",      ":9223372036854775808\r\n",
        "#x\r\n",       "#\r\n",        "_1\r\n",  ",\r\n",     ",1.2.3\r\n",    ",+\r\n",
        "(1.5\r\n",     "(\r\n",        "(-\r\n",  "+a\rb\r\n", "+a\nb\r\n",     "-a\n\r\n",
        "$\r\n",        "$-2\r\n",      "$+5\r\n", "$ 5\r\n",   "$5 \r\n",       "$-0\r\n",
        "$1\r\nab\r\n", "$1\r\na\rb",   "*-2\r\n", "*+1\r\n",   "*1x\r\n",       "%-1\r\n",
        "~-1\r\n",      ">-1\r\n",      ">0\r\n",  "!-1\r\n",   "=3\r\nabc\r\n", "=5\r\ntxtab\r\n",
        "=-1\r\n",      "*1\r\n>1\r\n", "|-1\r\n", "$0x5\r\n",  "*1\r\n.\r\n"}) {
    CAPTURE(bytes);
    CHECK(error_of(bytes).starts_with("not RESP: "));
  }
}

TEST_CASE("streamed values are refused with words") {
  for (const std::string bytes : {"$?\r\n", "*?\r\n", "%?\r\n", "~?\r\n", ">?\r\n", ";4\r\n", ".\r\n"}) {
    CAPTURE(bytes);
    CHECK(error_of(bytes).find("streamed") != std::string::npos);
  }
}

TEST_CASE("a limit holds what reaches it, and refuses one more") {
  // 5 bytes of line, 100 of text, 2 of end.
  const std::string string = "$100\r\n" + std::string(100, 'x') + "\r\n";
  const std::string line = "+" + std::string(105, 'x') + "\r\n";
  const std::string list = "*36\r\n" + [] {
    std::string items;
    for (int i = 0; i < 34; ++i)
      items += "_\r\n";
    return items;
  }() + "\r\n";
  REQUIRE(string.size() == 108);
  REQUIRE(line.size() == 108);
  for (const auto& bytes : {string, line}) {
    CHECK(read(bytes, bytes.size(), {.value_bytes = 108}).values.size() == 1);
    CHECK(read(bytes, 1, {.value_bytes = 108}).values.size() == 1);
    // Those before do not count.
    CHECK(read(bytes + bytes + bytes, 7, {.value_bytes = 108}).values.size() == 3);
    CHECK(error_of(bytes, {.value_bytes = 107}) == "a reply is larger than 107 bytes");
  }
  CHECK(error_of("*2\r\n" + line, {.value_bytes = 111}) == "a reply is larger than 111 bytes");
  // It is not waited for: the announcement is enough.
  CHECK(error_of("$9999999999999\r\n") == "a reply is larger than 16777216 bytes");
  CHECK(error_of("$18446744073709551615\r\n") == "a reply is larger than 16777216 bytes");
  CHECK(error_of("$18446744073709551616\r\n").find("no length") != std::string::npos);

  CHECK(read("*2\r\n*1\r\n*0\r\n:1\r\n", 99, {.depth = 3}).values.size() == 1);
  CHECK(error_of("*2\r\n*1\r\n*0\r\n:1\r\n", {.depth = 2}) == "a reply is nested deeper than 2 levels");
  CHECK(error_of("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n").find("deeper than 8") !=
        std::string::npos);

  CHECK(read("*2\r\n:1\r\n%1\r\n:1\r\n:2\r\n", 99, {.items = 4}).values.size() == 1);
  CHECK(error_of("*2\r\n:1\r\n%1\r\n:1\r\n:2\r\n", {.items = 3}) == "a reply has more than 3 values in it");
  CHECK(error_of("*262145\r\n").find("more than 262144") != std::string::npos);
  CHECK(error_of("%131073\r\n").find("more than 262144") != std::string::npos);
  CHECK(error_of("%9223372036854775808\r\n").find("more than 262144") != std::string::npos);
  // Each reply counts for itself.
  CHECK(read("*2\r\n:1\r\n:2\r\n*2\r\n:1\r\n:2\r\n", 99, {.items = 2}).values.size() == 2);
}

TEST_CASE("a line without an end is refused once it is longer than a number, or a value") {
  CHECK(error_of("$" + std::string(100, '0')).find("does not end") != std::string::npos);
  CHECK(error_of("$" + std::string(100, '0') + "5\r\n").find("does not end") != std::string::npos);
  CHECK(error_of("+" + std::string(100, 'a'), {.value_bytes = 100}) == "a reply is larger than 100 bytes");
}

TEST_CASE("nothing is allocated for what is only announced") {
  RespReader reader;
  reader.add("*262000\r\n$16000000\r\nabc");
  CHECK(reader.next() == nullptr);
  CHECK(reader.error().empty());
  CHECK(reader.held_bytes() < 2'000);
}

TEST_CASE("nothing is read after an error, and no memory is kept") {
  RespReader reader;
  reader.add("+a\r\n" + std::string(100'000, '?') + "+b\r\n");
  REQUIRE(reader.next() != nullptr);
  CHECK(reader.next() == nullptr);
  const std::string error(reader.error());
  CHECK_FALSE(error.empty());
  reader.add("+c\r\n");
  CHECK(reader.next() == nullptr);
  CHECK(reader.error() == error);
  CHECK(reader.held_bytes() < 2'000);
}

TEST_CASE("the memory of a large reply is given back with it") {
  RespReader reader;
  std::string items;
  for (int i = 0; i < 20'000; ++i)
    items += ":1\r\n";
  reader.add("*20000\r\n" + items + "$1000000\r\n" + std::string(1'000'000, 'x') + "\r\n");
  CHECK(reader.next() != nullptr);
  CHECK(reader.value_bytes() == items.size() + 8);
  CHECK(reader.has_rest());
  CHECK(reader.next() != nullptr);
  CHECK_FALSE(reader.has_rest());
  CHECK(reader.held_bytes() > 1'000'000);
  CHECK(reader.next() == nullptr);
  CHECK(reader.held_bytes() < 20'000);
}

TEST_CASE("the memory of values that were returned is used again, though some bytes are always left") {
  RespReader reader;
  const std::string message = ">2\r\n+a\r\n$1000\r\n" + std::string(1'000, 'x') + "\r\n";
  reader.add(message.substr(0, 10));
  std::size_t read = 0;
  for (int i = 0; i < 1'000; ++i) {
    reader.add(message.substr(10));
    reader.add(message.substr(0, 10));
    while (reader.next() != nullptr)
      ++read;
  }
  CHECK(read == 1'000);
  CHECK(reader.held_bytes() < 10'000);
}

/// CPU time of `work` in nanoseconds, the least of three times.
std::int64_t least_cpu_ns(const std::function<void()>& work) {
  const auto now_ns = [] {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  };
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 3; ++i) {
    const std::int64_t begin = now_ns();
    work();
    least = std::min(least, now_ns() - begin);
  }
  return least;
}

/// Reads `bytes` in pieces of one byte, at most one value for each.
std::size_t read_bytewise(RespReader& reader, std::string_view bytes) {
  std::size_t values = 0;
  for (const char& byte : bytes) {
    reader.add({&byte, 1});
    if (reader.next() != nullptr) ++values;
  }
  return values;
}

TEST_CASE("four times the bytes are four times the work, however they are cut") {
  const auto strings = [](std::size_t count) {
    std::string items;
    for (std::size_t i = 0; i < count; ++i)
      items += "$4\r\nabcd\r\n";
    return items;
  };
  const auto list = [&](std::size_t count) {
    const std::string bytes = "*" + std::to_string(count) + "\r\n" + strings(count);
    RespReader reader;
    CHECK(read_bytewise(reader, bytes) == 1);
  };
  const auto line = [](std::size_t size) {
    RespReader reader({.value_bytes = size + 3});
    CHECK(read_bytewise(reader, "+" + std::string(size, 'a') + "\r\n") == 1);
  };
  // Everything is there, and is taken out while little arrives.
  const auto backlog = [&](std::size_t count) {
    RespReader reader;
    reader.add(strings(count));
    CHECK(read_bytewise(reader, std::string(count / 2, '+')) == count / 2);
  };
  // Quadratic work would be sixteen times as much.
  CHECK(least_cpu_ns([&] { list(40'000); }) < 8 * least_cpu_ns([&] { list(10'000); }));
  CHECK(least_cpu_ns([&] { line(400'000); }) < 8 * least_cpu_ns([&] { line(100'000); }));
  CHECK(least_cpu_ns([&] { backlog(160'000); }) < 8 * least_cpu_ns([&] { backlog(40'000); }));
}

TEST_CASE("an array of 100,000 strings that arrives byte by byte is read in one pass") {
  std::string bytes = "*100000\r\n";
  for (int i = 0; i < 100'000; ++i)
    bytes += "$4\r\nabcd\r\n";
  RespReader reader;
  CHECK(read_bytewise(reader, bytes) == 1);
}

}  // namespace resp_reader_test
