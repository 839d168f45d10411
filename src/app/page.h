#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "config/config.h"
#include "http/static_files.h"
#include "part/context.h"

namespace roomcast::app {

/// What is served where no route matches: the files below web.root and the client module, or the built-in
/// page.
class Page final : public part::Part {
 public:
  /// `log` outlives it. `root`: web.root as of the start.
  Page(std::string root, base::Log& log);

  void add_routes(part::Routes& routes) override { routes.set_fallback(files_); }
  /// Reads the files below web.root anew.
  [[nodiscard]] std::optional<base::Error> load(const config::Config& config) override;
  void apply(const config::Config& config) override { files_.set_policy(config.web.content_security_policy); }

 private:
  std::string root_;
  base::Log& log_;
  http::StaticFiles files_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_page(const part::Context& context);

}  // namespace roomcast::app
