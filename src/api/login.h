#pragma once

#include <memory>
#include <string_view>

#include "auth/accounts.h"
#include "base/clock.h"
#include "base/slot_map.h"
#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::api {

/// Signing in and out with a user and a password (auth::Accounts). A page learns by `GET /api/login` whether
/// that is possible and who is signed in; `POST` with `{"user","password"}`, as JSON or a form, answers with
/// a cookie. `POST /api/refresh` renews the cookie, `POST /api/logout` ends it.
///
/// None of these identifies its client by anything but that cookie, so that one that has expired is no
/// obstacle. Pages of other sites may use them only where they may send cookies.
class Login final : public part::Part, private http::ClientWatch {
 public:
  /// All outlive it.
  Login(auth::Accounts& accounts, http::DeferredResponses& responses)
      : accounts_(accounts),
        responses_(responses),
        look_(*this),
        sign_in_(*this),
        refresh_(*this),
        sign_out_(*this) {}

  void add_routes(part::Routes& routes) override;
  void collect(metrics::Exposition& out) const override;

 private:
  /// One endpoint, which is a function of Login.
  template <void (Login::*function)(http::Exchange&)>
  class Endpoint final : public http::Handler {
   public:
    explicit Endpoint(Login& login) : login_(login) {}
    void handle(http::Exchange& exchange, std::string_view /*rest*/) override {
      (login_.*function)(exchange);
    }

   private:
    Login& login_;
  };

  void look(http::Exchange& exchange);
  void sign_in(http::Exchange& exchange);
  void refresh(http::Exchange& exchange);
  void sign_out(http::Exchange& exchange);
  /// Answers if the page may not use this, or there are no accounts.
  [[nodiscard]] bool is_refused(http::Exchange& exchange) const;
  [[nodiscard]] http::Response answer(const auth::Accounts::Result& result, bool secure) const;
  void on_client_gone(base::SlotId waiter) override;

  /// A client whose password is being checked.
  struct Waiting {
    base::SlotId exchange;
    base::SlotId check;
    bool secure = false;
  };

  auth::Accounts& accounts_;
  http::DeferredResponses& responses_;
  base::SlotMap<Waiting> waiting_;
  Endpoint<&Login::look> look_;
  Endpoint<&Login::sign_in> sign_in_;
  Endpoint<&Login::refresh> refresh_;
  Endpoint<&Login::sign_out> sign_out_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_login(const part::Context& context);

}  // namespace roomcast::api
