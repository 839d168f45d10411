#include "app/page.h"

#include <utility>

#include "http/static_files.h"
#include "transport/negotiation.h"

namespace roomcast::app {

Page::Page(std::string root, base::Log& log)
    : root_(std::move(root)), log_(log), files_({}, transport::accepts_gzip) {
  if (root_.empty()) files_.replace(http::FileSet::from_embedded(http::web_assets()));
}

std::optional<base::Error> Page::load(const config::Config& /*config*/) {
  if (root_.empty()) return std::nullopt;
  auto files = http::FileSet::from_directory(root_);
  if (!files) return files.error();
  for (const std::string& skipped : files->skipped)
    log_.warn("web.root: left out", {base::LogField::whole("what", skipped)});
  files->add_client_module(http::web_assets());
  files_.replace(std::move(*files));
  return std::nullopt;
}

std::unique_ptr<part::Part> make_page(const part::Context& context) {
  return std::make_unique<Page>(context.config.web.root, context.log);
}

}  // namespace roomcast::app
