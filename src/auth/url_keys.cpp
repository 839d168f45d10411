#include "auth/url_keys.h"

#include <string_view>

namespace roomcast::auth {

namespace {

JwksOptions options_for(const std::string& url) {
  JwksOptions options;
  options.url = url;
  return options;
}

}  // namespace

UrlKeys::UrlKeys(const Parts& parts, const std::string& url, jose::AlgorithmSet algorithms)
    : keys_(parts.client, parts.deadlines, parts.scheduler, parts.log, options_for(url),
            [this, algorithms](std::string_view jwks) {
              auto keys = jose::KeySet::from_jwks(jwks, algorithms, jose::JwksOrigin::url);
              if (keys && changed_) changed_();
              return keys;
            }),
      waiter_(keys_.source(), *this) {
  keys_.source().start();
}

void UrlKeys::refresh(std::function<void()> done) {
  if (!waiter_.is_waiting() && !keys_.source().request_refresh(waiter_)) return done();
  waiting_.push_back(std::move(done));
}

void UrlKeys::on_refreshed() {
  for (const auto& done : std::exchange(waiting_, {}))
    done();
}

}  // namespace roomcast::auth
