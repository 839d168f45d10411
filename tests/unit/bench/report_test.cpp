#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "report/json_text.h"
#include "report/matrix.h"
#include "report/show.h"
#include "report/statistics.h"
#include "report/tables.h"

namespace report_test {

using namespace roomcast::bench;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

RowResult two_rounds() {
  RowResult result;
  result.row.name = "a row";
  result.row.base = Base::send;
  result.row.values = {{"us each", 1.05, nullptr}};
  result.figures[Server::floor] = {{3.0, 4.0}};
  result.figures[Server::roomcast] = {{3.3, 4.2}};
  result.figures[Server::nchan] = {{missing, missing}};
  result.base = {{3.0, 4.0}};
  return result;
}

}  // namespace

TEST_CASE("the median is the middle one, the mean of two, and knows nothing of rounds that failed") {
  CHECK(median({5, 1, 3}) == 3);
  CHECK(median({4, 1, 3, 2}) == 2.5);
  CHECK(median({missing, 7, missing}) == 7);
  CHECK(std::isnan(median({})));
}

TEST_CASE("a ratio is taken within its round, and its median over the rounds") {
  const RowResult result = two_rounds();
  CHECK(result.median_ratio(Server::roomcast, 0) == doctest::Approx((1.1 + 1.05) / 2));
  CHECK(std::isnan(result.median_ratio(Server::nchan, 0)));
  CHECK(std::isnan(result.median_ratio(Server::ws, 0)));
}

TEST_CASE("numbers are grouped by thousands") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1234567) == "1,234,567");
}

TEST_CASE("a table names goal and ratio, and leaves a dash for who did not take part") {
  const std::string text = tables_as_markdown({two_rounds()}, 2);
  CHECK(text.find("| a row, us each | 3.50 (send) | 3.75 | **1.07 ×** | 1.05 × | – | – |\n") !=
        std::string::npos);
  CHECK(text.find("Medians of 2 rounds, roomcast") != std::string::npos);
}

TEST_CASE("what was not whole is said below the table") {
  RowResult result = two_rounds();
  result.remarks = {"nchan: 9 of 10, 1 lost, 0 connections refused or cut"};
  CHECK(tables_as_markdown({result}, 2).find("- a row: nchan: 9 of 10, 1 lost") != std::string::npos);
}

TEST_CASE("JSON quotes what needs it and has null for what could not be measured") {
  JsonText json;
  json.open_object().member("a", "x\"\\\n").member("b", missing).open_array("c").element(1.5).close_array();
  CHECK(json.close_object().text() == R"({"a":"x\"\\ ","b":null,"c":[1.500]})");
}

TEST_CASE("a run with faults says so, one without does not") {
  Measurement run;
  run.operations = 999;
  run.expected = 1000;
  run.server_cpu_ns = 999'000;
  run.faults.lost = 1;
  const Shown shown{"fanout", "deliveries", "roomcast"};
  const std::string text = show_as_text(shown, {run});
  CHECK(text.find("999 of 1,000") != std::string::npos);
  CHECK(text.find("1.000 us") != std::string::npos);
  CHECK(text.find("1 lost, 0 repeated") != std::string::npos);
  run.faults.lost = 0;
  run.operations = 1000;
  CHECK(show_as_text(shown, {run}).find("FAULTS") == std::string::npos);
  CHECK(show_as_json(shown, {run}).find(R"("operations":1000,"expected":1000)") != std::string::npos);
}

TEST_CASE("the tables go between the marks of a file, and nowhere else") {
  const std::string path = "/tmp/roomcast-bench-report-test.md";
  std::ofstream(path) << "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n";
  put_into_file(path, "new");
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  CHECK(content.str() == "before\n<!-- bench:begin -->\n\nnew\n<!-- bench:end -->\nafter\n");
  CHECK_THROWS_WITH_AS(
      put_into_file(path, "new", "attack"),
      (path + " cannot be read, or lacks the lines <!-- attack:begin --> and <!-- attack:end -->").c_str(),
      std::runtime_error);
  std::ofstream(path) << "no marks\n";
  CHECK_THROWS_AS(put_into_file(path, "new"), std::runtime_error);
  std::remove(path.c_str());
}

}  // namespace report_test
