#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "access/control.h"
#include "api/kept_answers.h"
#include "api/operator_call.h"
#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "http/exchange.h"
#include "part/context.h"
#include "part/shared_sanctions.h"
#include "service/rooms.h"
#include "session/session_table.h"

namespace roomcast::api {

/// For operators: bans (`/api/bans`), mutes (`/api/mutes`) and revocations of tokens (`/api/revoke`). POST
/// makes one, in the place of one that there is for the same, DELETE lifts one, GET lists them in pages.
///
/// A ban or mute in one room needs `moderate` there; everywhere, or in rooms by pattern, `admin`; so do
/// revocations and the lists.
///
/// Those who are connected are closed or leave the rooms that they are banned from, and polls that wait are
/// answered. Where sanctions are kept over a restart, the answer says that this one is. Where servers share
/// their rooms they have the same sanctions, and each does this with its own clients.
class Sanctions final : public http::Handler,
                        public part::Part,
                        private part::SharedSanctions::Listener,
                        private base::Deadline::Listener {
 public:
  /// All outlive the part.
  explicit Sanctions(const part::Context& context);

  void add_routes(part::Routes& routes) override;
  void apply(const config::Config& config) override;
  void collect(metrics::Exposition& out) const override;

  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  void add(http::Exchange& exchange);
  void lift(http::Exchange& exchange);
  void list(http::Exchange& exchange);
  void add_shared(http::Exchange& exchange, const access::Sanction& made);
  void lift_shared(http::Exchange& exchange, const access::Sanction& like);
  void on_sanction(const access::Sanction& sanction) override;
  void on_all_sanctions() override;
  void enforce_on(session::Session& session);
  [[nodiscard]] std::optional<base::Refusal> check(const service::Caller& caller,
                                                   const access::Sanction& sanction) const;
  /// Lifts it; or why not.
  [[nodiscard]] std::optional<base::Refusal> remove(const access::Sanction& sanction);
  /// Closes those who are connected, or has them leave rooms, as the new one demands.
  void enforce(const access::Sanction& sanction);
  void on_deadline() override;
  void watch_time();

  access::Sanctions& sanctions_;
  service::Rooms& rooms_;
  session::SessionTable& sessions_;
  const part::Parts& parts_;
  http::DeferredResponses& responses_;
  part::SharedSanctions* const shared_;  // null: they are of this server alone
  const base::Clock& clock_;
  Audit audit_;
  KeptAnswers answers_;
  base::Deadline next_end_;  // when to look for those whose time is over
};

[[nodiscard]] std::unique_ptr<part::Part> make_sanctions(const part::Context& context);

}  // namespace roomcast::api
