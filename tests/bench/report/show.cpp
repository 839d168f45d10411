#include "report/show.h"

#include <array>
#include <cstdio>

#include "report/json_text.h"
#include "report/statistics.h"

namespace roomcast::bench {

namespace {

std::string in_unit(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

template <typename Of>
double median_of(const std::vector<Measurement>& runs, Of of) {
  std::vector<double> values;
  for (const Measurement& run : runs)
    values.push_back(static_cast<double>(of(run)));
  return median(values);
}

void line(std::string& text, std::string_view name, const std::string& value) {
  text += "  " + std::string(name) + std::string(name.size() < 24 ? 24 - name.size() : 1, ' ') + value + "\n";
}

std::string milliseconds(const std::vector<Measurement>& runs, double share) {
  return in_unit("%.2f ms", median_of(runs, [share](const Measurement& run) {
                   return static_cast<double>(run.latency.percentile_ns(share)) / 1e6;
                 }));
}

Measurement sum_of(const std::vector<Measurement>& runs) {
  Measurement sum;
  for (const Measurement& run : runs) {
    sum.operations += run.operations;
    sum.expected += run.expected;
    sum.refused += run.refused;
    sum.faults.lost += run.faults.lost;
    sum.faults.repeated += run.faults.repeated;
    sum.faults.unstamped += run.faults.unstamped;
  }
  return sum;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

std::string show_as_text(const Shown& shown, const std::vector<Measurement>& runs) {
  std::string text = std::string(shown.scenario) + " against " + shown.server +
                     (runs.size() > 1 ? ", medians of " + std::to_string(runs.size()) + " runs" : "") + "\n";
  const Measurement& first = runs.front();
  const Measurement sum = sum_of(runs);
  line(text, shown.operation, grouped(sum.operations) + " of " + grouped(sum.expected));
  if (first.server_cpu_ns >= 0) {
    const auto cpu_us = [](const Measurement& run) { return run.cpu_ns_each() / 1e3; };
    line(text, "server CPU each", in_unit("%.3f us", median_of(runs, cpu_us)));
  }
  const auto seconds = [](const Measurement& run) { return static_cast<double>(run.wall_ns) / 1e9; };
  line(text, "took", in_unit("%.2f s", median_of(runs, seconds)));
  if (first.latency.count() > 0) {
    line(text, "latency",
         "p50 " + milliseconds(runs, 0.5) + ", p99 " + milliseconds(runs, 0.99) + ", most " +
             milliseconds(runs, 1));
  }
  for (std::size_t i = 0; i < first.figures.size(); ++i) {
    const auto value = [i](const Measurement& run) {
      return i < run.figures.size() ? run.figures[i].value : 0;
    };
    line(text, first.figures[i].name, in_unit("%.2f", median_of(runs, value)));
  }
  if (!sum.faults.none() || sum.refused > 0) {
    line(text, "FAULTS",
         grouped(sum.faults.lost) + " lost, " + grouped(sum.faults.repeated) + " repeated, " +
             grouped(sum.faults.unstamped) + " strange, " + grouped(sum.refused) +
             " connections refused or cut");
  }
  return text;
}

std::string show_as_json(const Shown& shown, const std::vector<Measurement>& runs) {
  JsonText json;
  json.open_object().member("scenario", shown.scenario).member("server", shown.server).open_array("runs");
  for (const Measurement& run : runs) {
    json.open_object().member("operations", run.operations).member("expected", run.expected);
    if (run.server_cpu_ns >= 0) json.member("server_cpu_ns_each", run.cpu_ns_each());
    json.member("wall_seconds", static_cast<double>(run.wall_ns) / 1e9);
    if (run.latency.count() > 0) {
      json.member("latency_p50_ms", static_cast<double>(run.latency.percentile_ns(0.5)) / 1e6);
      json.member("latency_p99_ms", static_cast<double>(run.latency.percentile_ns(0.99)) / 1e6);
      json.member("latency_max_ms", static_cast<double>(run.latency.max_ns()) / 1e6);
    }
    for (const Measurement::Figure& figure : run.figures)
      json.member(figure.name, figure.value);
    json.member("lost", run.faults.lost).member("repeated", run.faults.repeated);
    json.member("strange", run.faults.unstamped).member("refused", run.refused).close_object();
  }
  return json.close_array().close_object().text() + "\n";
}

}  // namespace roomcast::bench
