#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/refusal.h"
#include "base/result.h"
#include "http/exchange.h"
#include "http/message.h"
#include "part/command_bus.h"
#include "service/checks.h"

namespace roomcast::api {

/// A handler that is a member function of the part that adds its route, for parts with several.
template <class Owner>
class Endpoint final : public http::Handler {
 public:
  using Run = void (Owner::*)(http::Exchange& exchange, std::string_view rest);
  Endpoint(Owner& owner, Run run) : owner_(owner), run_(run) {}
  void handle(http::Exchange& exchange, std::string_view rest) override { (owner_.*run_)(exchange, rest); }

 private:
  Owner& owner_;
  Run run_;
};

/// The arguments of a call: the members of a JSON body, or query parameters. Each reader checks the form of
/// one; the first thing that is wrong is kept in `problem` and names it.
class Arguments {
 public:
  static constexpr std::size_t body_bytes_max = 16'384;
  static constexpr std::size_t text_bytes_max = 200;

  /// The body must be a JSON object with members among `names`, each at most once; null counts as absent.
  static Arguments of_body(const http::Request& request, std::initializer_list<std::string_view> names);
  /// Query parameters that are not among `names` are ignored.
  static Arguments of_query(const http::Request& request, std::initializer_list<std::string_view> names);

  /// Text of 1 to `bytes_max` bytes without control characters; nothing if it is absent.
  std::optional<std::string> text(std::string_view name, std::size_t bytes_max = text_bytes_max);
  /// The same, and its absence is wrong; then empty.
  std::string required(std::string_view name);
  /// A whole number from 0 on.
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t max);
  [[nodiscard]] bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  /// Notes that the arguments are wrong, unless something else was before.
  void refuse(base::Refusal refusal) {
    if (!problem_) problem_ = std::move(refusal);
  }
  /// Why the call can't be made as it is, if so.
  [[nodiscard]] const std::optional<base::Refusal>& problem() const { return problem_; }

 private:
  struct Value {
    std::string text;
    bool is_number;
  };
  void read(std::string_view body, std::initializer_list<std::string_view> names);

  std::map<std::string, Value, std::less<>> values_;
  bool of_query_ = false;
  std::optional<base::Refusal> problem_;
};

/// How many elements a list has: `limit` of the arguments, 1 to 1,000, else 100.
[[nodiscard]] std::size_t limit_of(Arguments& arguments);

/// The client that makes the call; a view into the exchange.
[[nodiscard]] service::Caller caller_of(http::Exchange& exchange);

/// 200 with `json`, not to be stored.
[[nodiscard]] http::Response json_answer(std::string json);
/// The answer that says why not, not to be stored.
[[nodiscard]] http::Response refusal_answer(const base::Refusal& refusal);

/// Appends `,"name":"value"`, or without the comma behind a `{`.
void append_member(std::string& json, std::string_view name, std::string_view value);
void append_member(std::string& json, std::string_view name, std::uint64_t value);
/// Appends `"nodes"` and `"silent_nodes"`: how many of the servers that share their rooms have done it, and
/// how many that were sent it have not said so.
void append_nodes(std::string& json, const part::CommandBus::Outcome& outcome);
/// Appends the end of a list that has `"next"`: where to go on, as text, or null.
void append_next(std::string& json, const std::optional<std::string>& next);

/// Writes lines about what operators change: who, from which address, which call, on what, and the outcome.
class Audit {
 public:
  explicit Audit(base::Log& log) : log_(log) {}
  /// `outcome`: "ok", or the code of a refusal. `call`: "ban". What has been done is recorded however many
  /// lines there are; refusals are limited as other lines are.
  void note(const service::Caller& caller, std::string_view call, std::string_view target,
            const std::optional<base::Refusal>& refusal = std::nullopt, std::string_view reason = {}) const;

 private:
  base::Log& log_;
};

}  // namespace roomcast::api
