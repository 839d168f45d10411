#include "attack/swarm.h"

#include <algorithm>
#include <utility>

#include "load/clock.h"

namespace roomcast::bench {

namespace {

constexpr std::int64_t pause_ns = 100 * ms_ns;
constexpr std::int64_t look_interval_ns = 50 * ms_ns;
/// What one member may read, and write, before others have their turn.
constexpr std::size_t turn_bytes = std::size_t{256} << 10;
constexpr std::size_t incoming_bytes = std::size_t{64} << 10;

/// Counts status lines in a stream of answers, however it is cut into reads: nothing else that a server sends
/// to these attackers has "HTTP/1.1 " in it.
class StatusCounter {
 public:
  void take(std::string_view bytes, SwarmTally& tally) {
    constexpr std::string_view mark = "HTTP/1.1 ";
    while (!bytes.empty()) {
      if (matched_ == mark.size()) {
        ++tally.answers;
        ++answers_;
        if (bytes.front() >= '4') ++tally.refused;
        if (first_digit_ == 0) first_digit_ = bytes.front();
        matched_ = 0;
      }
      if (matched_ == 0) bytes.remove_prefix(std::min(bytes.find(mark.front()), bytes.size()));
      while (!bytes.empty() && matched_ < mark.size()) {
        if (bytes.front() != mark[matched_]) {
          matched_ = 0;
          // The mark's first letter begins it anew; no other part of it does.
          if (bytes.front() != mark.front()) break;
        }
        ++matched_;
        bytes.remove_prefix(1);
      }
    }
  }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  /// Of the first status; 0 while there is none.
  [[nodiscard]] char first_digit() const { return first_digit_; }

 private:
  std::size_t matched_ = 0;
  std::uint64_t answers_ = 0;
  char first_digit_ = 0;
};

}  // namespace

class Swarm::Member final : public Pollable {
 public:
  explicit Member(Swarm& swarm) : swarm_(swarm) {}

  void start();
  void on_ready(std::uint32_t events) override;
  void go_on_eagerly() {
    is_eager_ = false;
    go_on();
  }
  /// Reads and writes what goes, at most `turn_bytes` of each.
  void go_on();
  void leave(bool was_cut);
  [[nodiscard]] bool has_lived(std::int64_t ns, std::int64_t now) const {
    return state_ == State::open && now - opened_ns_ >= ns;
  }

 private:
  enum class State { idle, connecting, opening, open };

  void begin_to_speak();
  void now_open();
  [[nodiscard]] bool read();
  [[nodiscard]] bool write();
  /// Lays the next burst out; false when there is none for now.
  [[nodiscard]] bool take_next();
  void be_eager();

  Swarm& swarm_;
  Link link_;
  State state_ = State::idle;
  bool is_under_way_ = false;
  bool is_eager_ = false;
  bool is_queue_sent_ = false;
  std::uint64_t owed_ = 0;  ///< answers, in all
  StatusCounter answers_;
  std::int64_t opened_ns_ = 0;
  std::string_view unsent_;  ///< of the plan's bytes, or of `scratch_`
  std::string scratch_;
};

void Swarm::Member::start() {
  link_.open(swarm_.target_, swarm_.tls_.get());
  swarm_.poller_.watch(link_.descriptor(), *this);
  state_ = State::connecting;
  is_under_way_ = true;
  ++swarm_.under_way_;
}

void Swarm::Member::on_ready(std::uint32_t events) {
  if (state_ == State::idle) return;
  link_.refresh();
  if (state_ == State::connecting) {
    const Moved moved = link_.connect();
    if (moved == Moved::again) return;
    if (moved != Moved::some) return leave(true);
    begin_to_speak();
  }
  // A client that does not read would not notice the end of the connection otherwise.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !swarm_.plan_.reads) return leave(true);
  go_on();
}

void Swarm::Member::begin_to_speak() {
  ++swarm_.tally_.opened;
  state_ = State::opening;
  answers_ = {};
  owed_ = swarm_.plan_.upgrades ? 1 : 0;
  is_queue_sent_ = false;
  unsent_ = swarm_.plan_.opening;
  if (!swarm_.plan_.burst) ++swarm_.tally_.sent;
  if (!swarm_.plan_.upgrades) now_open();
}

void Swarm::Member::now_open() {
  state_ = State::open;
  opened_ns_ = now_ns();
  if (std::exchange(is_under_way_, false)) --swarm_.under_way_;
  if (!swarm_.plan_.reads) swarm_.poller_.hear_reads(link_.descriptor(), *this, false);
}

void Swarm::Member::go_on() {
  if (state_ == State::idle || state_ == State::connecting) return;
  const bool may_read = swarm_.plan_.reads || state_ == State::opening;
  if (may_read && !read()) return leave(true);
  if (state_ == State::idle) return;
  if (!write()) leave(true);
}

bool Swarm::Member::read() {
  for (std::size_t bytes = 0; bytes < turn_bytes;) {
    const Move move = link_.read(swarm_.incoming_);
    if (move.how == Moved::again) return true;
    if (move.how != Moved::some) return false;
    bytes += move.bytes;
    answers_.take({swarm_.incoming_.data(), move.bytes}, swarm_.tally_);
    if (swarm_.plan_.leaves_when_answered) {
      leave(false);
      return true;
    }
    if (state_ == State::opening && answers_.first_digit() != 0) {
      if (answers_.first_digit() != '1') return false;
      now_open();
      if (!swarm_.plan_.reads) return true;
    }
  }
  be_eager();
  return true;
}

bool Swarm::Member::write() {
  for (std::size_t bytes = 0; bytes < turn_bytes;) {
    if (unsent_.empty() && !take_next()) return true;
    const Move move = link_.write(unsent_);
    if (move.how == Moved::again) return true;
    if (move.how != Moved::some) return false;
    unsent_.remove_prefix(move.bytes);
    bytes += move.bytes;
    swarm_.tally_.bytes += move.bytes;
  }
  be_eager();
  return true;
}

bool Swarm::Member::take_next() {
  if (state_ != State::open) return false;
  const SwarmPlan& plan = swarm_.plan_;
  if (!std::exchange(is_queue_sent_, true) && !plan.queue.empty()) {
    unsent_ = plan.queue;
    return true;
  }
  // A burst may take long to make.
  if (!plan.burst || now_ns() >= swarm_.deadline_ns_) return false;
  if (plan.window != 0 && owed_ > answers_.answers() &&
      owed_ - answers_.answers() + plan.answers_to_burst > plan.window) {
    return false;
  }
  owed_ += plan.answers_to_burst;
  scratch_.clear();
  unsent_ = plan.burst(swarm_.tally_.sent++, scratch_);
  return !unsent_.empty();
}

void Swarm::Member::be_eager() {
  if (std::exchange(is_eager_, true)) return;
  swarm_.eager_.push_back(this);
}

void Swarm::Member::leave(bool was_cut) {
  if (state_ == State::idle) return;
  state_ = State::idle;
  link_.reset();
  if (std::exchange(is_under_way_, false)) --swarm_.under_way_;
  if (was_cut) ++swarm_.tally_.cut;
  unsent_ = {};
  if (swarm_.waiting_.empty()) {
    swarm_.start_next_ns_ = std::max(swarm_.start_next_ns_, now_ns() + (was_cut ? pause_ns : 0));
  }
  swarm_.waiting_.push_back(this);
}

Swarm::Swarm(const Target& target, SwarmPlan plan)
    : target_(target), plan_(std::move(plan)), incoming_(incoming_bytes) {
  target_.narrow = plan_.narrow;
  if (target_.tls) tls_ = std::make_unique<TlsClient>(false);
  poller_.make_room_for(plan_.connections);
  for (std::size_t i = 0; i < plan_.connections; ++i) {
    members_.push_back(std::make_unique<Member>(*this));
    waiting_.push_back(members_.back().get());
  }
}

Swarm::~Swarm() = default;

void Swarm::run_for(std::int64_t duration_ns) {
  std::int64_t now = now_ns();
  for (deadline_ns_ = now + duration_ns; now < deadline_ns_; now = now_ns()) {
    start_some();
    end_old(now);
    poller_.turn(eager_.empty() ? next_ns() : now);
    serve_eager();
    // Those that could not be started before, because too many were under way.
    start_some();
  }
}

void Swarm::start_some() {
  // Each may connect once as fast as it goes; those that come back keep to the pace.
  const std::int64_t interval_ns = second_ns / plan_.comes_back_per_second;
  while (!waiting_.empty() && under_way_ < plan_.at_once) {
    const bool is_return = started_ >= plan_.connections;
    const std::int64_t now = now_ns();
    if (is_return) {
      if (start_next_ns_ > now) return;
      // What was not used up in the last 10 ms is lost.
      start_next_ns_ = std::max(start_next_ns_, now - 10 * ms_ns) + interval_ns;
    }
    Member* const member = waiting_.back();
    waiting_.pop_back();
    ++started_;
    member->start();
  }
}

void Swarm::end_old(std::int64_t now) {
  if (plan_.lives_ms == 0 || now < look_next_ns_) return;
  look_next_ns_ = now + look_interval_ns;
  for (const auto& member : members_) {
    if (member->has_lived(plan_.lives_ms * ms_ns, now)) member->leave(false);
  }
}

void Swarm::serve_eager() {
  for (Member* const member : std::exchange(eager_, {})) {
    if (now_ns() < deadline_ns_) member->go_on_eagerly();
  }
}

std::int64_t Swarm::next_ns() const {
  std::int64_t next = deadline_ns_;
  if (plan_.lives_ms != 0) next = std::min(next, look_next_ns_);
  if (!waiting_.empty() && under_way_ < plan_.at_once) next = std::min(next, start_next_ns_);
  return next;
}

}  // namespace roomcast::bench
