#include "config/service_variables.h"

#include <doctest/doctest.h>

namespace service_variables_test {

using roomcast::config::is_service_variable;

TEST_CASE("service variables: what Kubernetes sets for a Service") {
  CHECK(is_service_variable("ROOMCAST_SERVICE_HOST", "10.96.0.7"));
  CHECK(is_service_variable("ROOMCAST_SERVICE_HOST", "fd00::7"));
  CHECK(is_service_variable("ROOMCAST_SERVICE_PORT", "8080"));
  CHECK(is_service_variable("ROOMCAST_SERVICE_PORT_HTTP_2", "8080"));
  CHECK(is_service_variable("ROOMCAST_PORT", "tcp://10.96.0.7:8080"));
  CHECK(is_service_variable("ROOMCAST_PORT", "tcp://[fd00::7]:8080"));
  CHECK(is_service_variable("ROOMCAST_PORT_8080_TCP", "tcp://10.96.0.7:8080"));
  CHECK(is_service_variable("ROOMCAST_PORT_53_UDP_ADDR", "10.96.0.7"));
  CHECK(is_service_variable("ROOMCAST_PORT_9_SCTP_PROTO", "sctp"));
  CHECK(is_service_variable("ROOMCAST_BLUE_ADMIN_PORT_8080_TCP_PORT", "8080"));
}

TEST_CASE("service variables: and those that something else has set") {
  CHECK_FALSE(is_service_variable("ROOMCAST_PORT", "8080"));
  CHECK_FALSE(is_service_variable("ROOMCAST_PORT", ""));
  CHECK_FALSE(is_service_variable("ROOMCAST_PORT", "http://10.96.0.7:8080"));
  CHECK_FALSE(is_service_variable("ROOMCAST_SERVICE", "x"));
  CHECK_FALSE(is_service_variable("ROOMCAST_HOST", "10.96.0.7"));
  CHECK_FALSE(is_service_variable("ROOMCAST_PORT_TCP", "8080"));
  CHECK_FALSE(is_service_variable("ROOMCAST_PORT_X_TCP", "8080"));
  CHECK_FALSE(is_service_variable("ROOMCAST_8080_TCP", "8080"));
  CHECK_FALSE(is_service_variable("ROOMCAST_PORT_8080_TCP_HOST", "8080"));
  CHECK_FALSE(is_service_variable("_TCP", ""));
}

}  // namespace service_variables_test
