#include "metrics/exposition.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace exposition_test {

using roomcast::metrics::Exposition;
using roomcast::metrics::Histogram;

TEST_CASE("counters and gauges are written with help, type and samples") {
  std::string out = "# before\n";
  Exposition exposition(out);
  exposition.counter("roomcast_messages_received_total", "Messages received from clients.");
  exposition.sample({}, std::uint64_t{12});
  exposition.gauge("roomcast_connections", "Open connections.");
  exposition.sample({{"transport", "websocket"}}, std::uint64_t{3});
  exposition.sample({{"transport", "http"}, {"tls", "yes"}}, 0);
  CHECK(out ==
        "# before\n"
        "# HELP roomcast_messages_received_total Messages received from clients.\n"
        "# TYPE roomcast_messages_received_total counter\n"
        "roomcast_messages_received_total 12\n"
        "# HELP roomcast_connections Open connections.\n"
        "# TYPE roomcast_connections gauge\n"
        "roomcast_connections{transport=\"websocket\"} 3\n"
        "roomcast_connections{transport=\"http\",tls=\"yes\"} 0\n");
}

TEST_CASE("a histogram is written as cumulative buckets, sum and count") {
  constexpr std::array<double, 3> bounds{0.001, 0.25, 10};
  constexpr std::array<std::uint64_t, 4> counts{2, 2, 0, 1};
  std::string out;
  Exposition exposition(out);
  exposition.histogram("roomcast_turn_seconds", "How long a turn of the event loop took.");
  exposition.sample({{"loop", "main"}}, Histogram{bounds, counts, 11.253});
  CHECK(out ==
        "# HELP roomcast_turn_seconds How long a turn of the event loop took.\n"
        "# TYPE roomcast_turn_seconds histogram\n"
        "roomcast_turn_seconds_bucket{loop=\"main\",le=\"0.001\"} 2\n"
        "roomcast_turn_seconds_bucket{loop=\"main\",le=\"0.25\"} 4\n"
        "roomcast_turn_seconds_bucket{loop=\"main\",le=\"10\"} 4\n"
        "roomcast_turn_seconds_bucket{loop=\"main\",le=\"+Inf\"} 5\n"
        "roomcast_turn_seconds_sum{loop=\"main\"} 11.253\n"
        "roomcast_turn_seconds_count{loop=\"main\"} 5\n");
}

TEST_CASE("a histogram without labels or observations is whole all the same") {
  constexpr std::array<double, 1> bounds{1};
  std::string out;
  Exposition exposition(out);
  exposition.histogram("h", "H.");
  exposition.sample({}, Histogram{bounds, std::array<std::uint64_t, 2>{}, 0});
  CHECK(out ==
        "# HELP h H.\n# TYPE h histogram\n"
        "h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n");
}

TEST_CASE("backslash, line feed and, in a label, the quote are escaped") {
  std::string out;
  Exposition exposition(out);
  exposition.gauge("g", "A \\ and a \n and a \".");
  exposition.sample({{"path", "c:\\\n\"x\""}}, 1);
  CHECK(out ==
        "# HELP g A \\\\ and a \\n and a \".\n# TYPE g gauge\n"
        "g{path=\"c:\\\\\\n\\\"x\\\"\"} 1\n");
}

TEST_CASE("every number has a form that Prometheus reads") {
  std::string out;
  Exposition exposition(out);
  exposition.gauge("g", "G.");
  out.clear();
  exposition.sample({}, std::numeric_limits<std::uint64_t>::max());
  exposition.sample({}, -5);
  exposition.sample({}, 0.1);
  exposition.sample({}, 1e300);
  exposition.sample({}, std::numeric_limits<double>::infinity());
  exposition.sample({}, -std::numeric_limits<double>::infinity());
  exposition.sample({}, std::numeric_limits<double>::quiet_NaN());
  CHECK(out == "g 18446744073709551615\ng -5\ng 0.1\ng 1e+300\ng +Inf\ng -Inf\ng NaN\n");
}

}  // namespace exposition_test
