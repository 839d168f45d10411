#include "report/by_turns.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <list>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "serve/forked_process.h"

namespace roomcast::bench {

namespace {

/// A measurement as it goes from one process to another of the same program.
struct Flat {
  struct Figure {
    std::array<char, 48> name{};
    double value = 0;
  };
  static constexpr std::size_t max_figures = 16;

  Totals totals;
  std::array<Figure, max_figures> figures;
  std::size_t figure_count = 0;
};

enum class Word : std::uint8_t { resting, done, broken };

struct Message {
  Word word = Word::resting;
  Flat measurement;                   ///< when done
  std::array<char, 200> complaint{};  ///< when broken
};
static_assert(std::is_trivially_copyable_v<Message>);

Flat flatten(const Measurement& run) {
  Flat flat;
  flat.totals = run;
  for (const Measurement::Figure& figure : run.figures) {
    if (flat.figure_count == Flat::max_figures) throw std::logic_error("more figures than a message holds");
    Flat::Figure& to = flat.figures[flat.figure_count++];
    std::snprintf(to.name.data(), to.name.size(), "%s", figure.name.c_str());
    to.value = figure.value;
  }
  return flat;
}

Measurement unflatten(const Flat& flat) {
  Measurement run{flat.totals, {}};
  for (std::size_t i = 0; i < flat.figure_count; ++i)
    run.figures.push_back({flat.figures[i].name.data(), flat.figures[i].value});
  return run;
}

void report(int channel, const Message& message) {
  (void)!send(channel, &message, sizeof message, MSG_NOSIGNAL);
}

void wait_for_turn(int channel) {
  char go = 0;
  if (recv(channel, &go, 1, 0) != 1) _exit(0);  // the parent has ended
}

void take_part(int channel, const RunByTurns& run) {
  wait_for_turn(channel);
  Message last;
  try {
    const Measurement measurement = run([channel] {
      report(channel, {});
      wait_for_turn(channel);
    });
    last.measurement = flatten(measurement);
    last.word = Word::done;
  } catch (const std::exception& error) {
    last.word = Word::broken;
    std::snprintf(last.complaint.data(), last.complaint.size(), "%s", error.what());
  }
  report(channel, last);
}

/// One run and its process.
class Participant {
 public:
  explicit Participant(const RunByTurns& run) : process_([&run](int channel) { take_part(channel, run); }) {}

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Outcome take_outcome() { return std::move(outcome_); }

  /// Lets it go on until it rests or ends.
  void go_on() {
    const char go = 1;
    Message message;
    done_ = send(process_.channel(), &go, 1, MSG_NOSIGNAL) != 1 ||
            recv(process_.channel(), &message, sizeof message, 0) != sizeof message;
    if (done_) {
      outcome_.complaint = "the process of its load has ended";
    } else if (message.word == Word::broken) {
      outcome_.complaint = message.complaint.data();
    } else if (message.word == Word::done) {
      outcome_.measurement = unflatten(message.measurement);
    }
    done_ = done_ || message.word != Word::resting;
  }

 private:
  ForkedProcess process_;
  Outcome outcome_;
  bool done_ = false;
};

}  // namespace

std::vector<Outcome> run_by_turns(const std::vector<RunByTurns>& runs) {
  std::list<Participant> participants;
  std::vector<Participant*> order;
  for (const RunByTurns& run : runs)
    order.push_back(&participants.emplace_back(run));
  const auto done = [](const Participant* participant) { return participant->done(); };
  while (!std::all_of(order.begin(), order.end(), done)) {
    for (Participant* participant : order) {
      if (!participant->done()) participant->go_on();
    }
    std::reverse(order.begin(), order.end());
  }
  std::vector<Outcome> outcomes;
  for (Participant& participant : participants)
    outcomes.push_back(participant.take_outcome());
  return outcomes;
}

}  // namespace roomcast::bench
