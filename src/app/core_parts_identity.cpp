// Who clients are: the keys of tokens, API keys, and what is counted of both.
#include "app/core_parts.h"
#include "metrics/exposition.h"

namespace roomcast::app {

namespace {

class IdentityPart final : public part::Part {
 public:
  IdentityPart(auth::Authenticator& authenticator, const fetch::Client& fetch)
      : authenticator_(authenticator), fetch_(fetch) {}

  [[nodiscard]] std::optional<base::Error> load(const config::Config& config) override {
    return authenticator_.load(config);
  }
  void apply(const config::Config& config) override { authenticator_.apply(config); }

  void collect(metrics::Exposition& out) const override {
    const auth::AuthenticatorStats& stats = authenticator_.stats();
    out.counter("roomcast_identifications_total",
                "Credentials that clients have shown, by outcome; remembered ones are also accepted.");
    out.sample({{"outcome", "accepted"}}, stats.accepted);
    out.sample({{"outcome", "refused"}}, stats.refused);
    out.sample({{"outcome", "remembered"}}, stats.remembered);
    out.single_gauge("roomcast_identifications_waiting", "Tokens that wait to be verified.",
                     authenticator_.waiting());
    out.counter("roomcast_fetches_total", "Requests that the server has made itself, by outcome.");
    const auto& ended = fetch_.stats().ended;
    for (std::size_t i = 0; i < ended.size(); ++i)
      out.sample({{"outcome", fetch::name_of(static_cast<fetch::Outcome>(i))}}, ended.at(i));
  }

 private:
  auth::Authenticator& authenticator_;
  const fetch::Client& fetch_;
};

}  // namespace

std::unique_ptr<part::Part> make_identity(const Core& core) {
  return std::make_unique<IdentityPart>(core.authenticator, core.fetch);
}

}  // namespace roomcast::app
