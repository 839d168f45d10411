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
  Exposition exposition;
  exposition.counter("roomcast_messages_received_total", "Messages received from clients.");
  exposition.sample({}, std::uint64_t{12});
  exposition.gauge("roomcast_connections", "Open connections.");
  exposition.sample({{"transport", "websocket"}}, std::uint64_t{3});
  exposition.sample({{"transport", "http"}, {"tls", "yes"}}, 0);
  CHECK(exposition.text() ==
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
  Exposition exposition;
  exposition.histogram("roomcast_turn_seconds", "How long a turn of the event loop took.");
  exposition.sample({{"loop", "main"}}, Histogram{bounds, counts, 11.253});
  CHECK(exposition.text() ==
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
  Exposition exposition;
  exposition.histogram("h", "H.");
  exposition.sample({}, Histogram{bounds, std::array<std::uint64_t, 2>{}, 0});
  CHECK(exposition.text() ==
        "# HELP h H.\n# TYPE h histogram\n"
        "h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n");
}

TEST_CASE("backslash, line feed and, in a label, the quote are escaped") {
  Exposition exposition;
  exposition.gauge("g", "A \\ and a \n and a \".");
  exposition.sample({{"path", "c:\\\n\"x\""}}, 1);
  CHECK(exposition.text() ==
        "# HELP g A \\\\ and a \\n and a \".\n# TYPE g gauge\n"
        "g{path=\"c:\\\\\\n\\\"x\\\"\"} 1\n");
}

TEST_CASE("every number has a form that Prometheus reads") {
  Exposition exposition;
  exposition.gauge("g", "G.");
  exposition.sample({}, std::numeric_limits<std::uint64_t>::max());
  exposition.sample({}, -5);
  exposition.sample({}, 0.1);
  exposition.sample({}, 1e300);
  exposition.sample({}, std::numeric_limits<double>::infinity());
  exposition.sample({}, -std::numeric_limits<double>::infinity());
  exposition.sample({}, std::numeric_limits<double>::quiet_NaN());
  CHECK(exposition.text() ==
        "# HELP g G.\n# TYPE g gauge\n"
        "g 18446744073709551615\ng -5\ng 0.1\ng 1e+300\ng +Inf\ng -Inf\ng NaN\n");
}

TEST_CASE("a family that is begun again is continued at its first place") {
  Exposition exposition;
  exposition.gauge("roomcast_connections", "Open connections.");
  exposition.sample({{"transport", "http"}}, 1);
  exposition.counter("other_total", "Other.");
  exposition.sample({}, 2);
  exposition.gauge("roomcast_connections", "Open connections.");
  exposition.sample({{"transport", "poll"}}, 3);
  CHECK(exposition.text() ==
        "# HELP roomcast_connections Open connections.\n"
        "# TYPE roomcast_connections gauge\n"
        "roomcast_connections{transport=\"http\"} 1\n"
        "roomcast_connections{transport=\"poll\"} 3\n"
        "# HELP other_total Other.\n"
        "# TYPE other_total counter\n"
        "other_total 2\n");
}

TEST_CASE("what is added to samples with the same labels of one family is summed up") {
  Exposition exposition;
  exposition.gauge("queued", "Q.");
  exposition.add({}, 4);
  exposition.add({{"transport", "http"}}, 7);
  exposition.gauge("other", "O.");
  exposition.add({}, 1);
  exposition.gauge("queued", "Q.");
  exposition.add({}, 5);
  exposition.add({{"transport", "http"}}, -2);
  CHECK(exposition.text() ==
        "# HELP queued Q.\n# TYPE queued gauge\nqueued 9\nqueued{transport=\"http\"} 5\n"
        "# HELP other O.\n# TYPE other gauge\nother 1\n");
}

}  // namespace exposition_test
