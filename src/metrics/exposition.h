#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace roomcast::metrics {

/// The Content-Type of the output of Exposition.
inline constexpr std::string_view exposition_content_type = "text/plain; version=0.0.4; charset=utf-8";

struct Label {
  std::string_view name;   ///< [a-zA-Z_][a-zA-Z0-9_]*, not checked
  std::string_view value;  ///< anything; escaped
};
using Labels = std::initializer_list<Label>;

/// Observations counted in buckets. Views need only be valid for the call.
struct Histogram {
  std::span<const double> bounds;  ///< inclusive upper bounds, ascending, without +Inf
  std::span<const std::uint64_t>
      counts;  ///< of each bucket, not cumulative; one more than bounds, for larger values
  double sum = 0;
};

/// Writes metric families in the Prometheus text format 0.0.4: first `counter`, `gauge` or `histogram` with
/// the name and help text of the family, then its samples. Names follow the conventions of Prometheus: base
/// units, counters end in `_total`. Appends to a string of the caller that must outlive it.
class Exposition {
 public:
  explicit Exposition(std::string& out) : out_(out) {}

  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void histogram(std::string_view name, std::string_view help) { family(name, help, "histogram"); }

  /// A sample of the current counter or gauge.
  template <std::integral Integer>
  void sample(Labels labels, Integer value) {
    sample_text(labels, std::to_string(value));
  }
  void sample(Labels labels, double value);
  /// The buckets, sum and count of a sample of the current histogram.
  void sample(Labels labels, const Histogram& value);

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void sample_text(Labels labels, std::string_view value);
  void head(std::string_view suffix, Labels labels, std::string_view le);

  std::string& out_;
  std::string name_;
};

}  // namespace roomcast::metrics
