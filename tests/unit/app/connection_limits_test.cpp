#include "app/connection_limits.h"

#include <doctest/doctest.h>

namespace connection_limits_test {

using namespace roomcast;

TEST_CASE("connection limits: where descriptors are plenty what is configured counts") {
  config::Config config;
  config.limits.connections = 1'000;
  app::ConnectionLimits limits = app::connection_limits(config, 1'080);
  CHECK(limits.admission.connections == 1'000);
  CHECK(limits.admission.connections_per_address == 250);
  CHECK(limits.admission.reserve > 0);
  CHECK(limits.admission.refusals > limits.admission.refusals_per_address);
  CHECK(limits.admission.operations == 0);
  CHECK_FALSE(limits.short_of_descriptors);
  config.limits.connections_per_address = 7;
  config.admin_listen = {"127.0.0.1:0"};
  limits = app::connection_limits(config, UINT64_MAX);
  CHECK(limits.admission.connections_per_address == 7);
  CHECK(limits.admission.operations == 64);
}

TEST_CASE("connection limits: where they are not, less some that are kept back") {
  config::Config config;
  config.limits.connections = 1'000;
  const app::ConnectionLimits limits = app::connection_limits(config, 1'079);
  CHECK(limits.admission.connections == 999);
  CHECK(limits.admission.connections_per_address == 249);
  CHECK(limits.short_of_descriptors);
  config.admin_listen = {"127.0.0.1:0"};
  CHECK(app::connection_limits(config, 1'079).admission.connections == 935);
  CHECK(app::connection_limits(config, 40).admission.connections == 30);
  CHECK(app::connection_limits(config, 1).admission.connections == 1);
  CHECK(app::connection_limits(config, 0).admission.connections_per_address == 1);
}

}  // namespace connection_limits_test
