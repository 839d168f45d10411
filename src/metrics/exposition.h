#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// Collects metric families and writes them in the Prometheus text format 0.0.4: first `counter`, `gauge` or
/// `histogram` with the name and help text of the family, then its samples. Names follow the conventions of
/// Prometheus: base units, counters end in `_total`.
///
/// A family may get its samples from several places: beginning it again continues it. Families are written in
/// the order in which they were begun first, samples in the order in which they were added.
class Exposition {
 public:
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
  /// Adds `value` to the sample with the same labels that was begun by `add`, or begins it: for samples that
  /// are sums over several parts.
  void add(Labels labels, std::int64_t value);

  /// A family of one sample without labels.
  template <class Number>
  void single_counter(std::string_view name, std::string_view help, Number value) {
    counter(name, help);
    sample({}, value);
  }
  template <class Number>
  void single_gauge(std::string_view name, std::string_view help, Number value) {
    gauge(name, help);
    sample({}, value);
  }

  /// Everything that has been collected.
  [[nodiscard]] std::string text() const;

 private:
  struct Sample {
    std::string text;                 // whole lines; of a sum the series alone
    std::optional<std::int64_t> sum;  // begun by `add`
  };
  struct Family {
    std::string name;
    std::string head;  // its HELP and TYPE lines
    std::vector<Sample> samples;
  };

  void family(std::string_view name, std::string_view help, std::string_view type);
  void sample_text(Labels labels, std::string_view value);
  /// Appends name and labels, and a space.
  void append_series(std::string& out, std::string_view suffix, Labels labels, std::string_view le) const;
  [[nodiscard]] Family& current() { return families_[current_]; }

  std::vector<Family> families_;
  std::size_t current_ = 0;  // in families_: the one begun last
};

}  // namespace roomcast::metrics
