#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"

namespace roomcast::part {

/// Has all servers that share their rooms do what one of them was asked for, each for its own clients. A
/// server that is away does it once it is back, unless that takes longer than commands are kept.
class CommandBus {
 public:
  /// What a command has done with the clients of one server.
  struct Effect {
    std::size_t clients = 0;                 ///< that it concerned
    std::optional<base::Refusal> refusal{};  ///< why it could not be done for one of them, if so
  };
  /// The same of all servers together.
  struct Outcome {
    std::size_t clients = 0;
    std::size_t nodes = 0;         ///< servers that have done it, with this one
    std::size_t silent_nodes = 0;  ///< that were sent it and have not said so within two seconds
    std::optional<base::Refusal> refusal{};
  };
  using Done = std::function<void(const Outcome&)>;

  class Handler {
   public:
    /// `arguments`: a JSON object, as given to `send` by a server that may have another release. Nothing if
    /// it is not understood here.
    virtual std::optional<Effect> on_command(std::string_view arguments) = 0;

   protected:
    ~Handler() = default;
  };

  /// `handler` does the commands of that name, and outlives its last call.
  virtual void add(std::string_view name, Handler& handler) = 0;
  /// `arguments`: a JSON object. `done` is called once, at the end of a turn; with no node and a refusal if
  /// the command could not be sent: then it is done nowhere, unless that is `timed_out`. Keep ids in it, not
  /// pointers.
  virtual void send(std::string_view name, std::string_view arguments, Done done) = 0;
  /// What tells this server apart from the others, until it ends: 16 hexadecimal digits.
  [[nodiscard]] virtual const std::string& node() const = 0;

 protected:
  ~CommandBus() = default;
};

}  // namespace roomcast::part
