#include "config/certificate.h"

#include <string>

namespace roomcast::config {

std::optional<Mistake> read_certificate(const Table& table, Certificate& certificate) {
  for (const Table::Item& item : table.items) {
    if (item.key != "certificate" && item.key != "key") {
      return Mistake{"expected the keys certificate and key, found " + describe(item.key), item.place};
    }
    const auto* path = std::get_if<std::string>(&item.value);
    if (path == nullptr || !is_clean(*path)) {
      return Mistake{item.key + ": expected the path of a PEM file, found " + describe(to_value(item.value)),
                     item.place};
    }
    (item.key == "key" ? certificate.key : certificate.certificate) = *path;
  }
  if (!certificate.certificate.empty() && !certificate.key.empty()) return std::nullopt;
  return Mistake{"expected both certificate and key in every element, found one without " +
                     std::string(certificate.key.empty() ? "key" : "certificate"),
                 table.place};
}

}  // namespace roomcast::config
