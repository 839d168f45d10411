#include "app/sanction_change.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "access/sanction_text.h"
#include "base/json_object.h"

namespace roomcast::app {

namespace {

constexpr std::array<std::string_view, 3> change_names{"put", "lift", "keep"};

}  // namespace

std::string to_text(const SanctionChange& change) {
  std::string text = R"({"do":")";
  text.append(change_names.at(static_cast<std::size_t>(change.what))).append("\"");
  if (change.what == SanctionChange::What::keep) text.append(R"(,"of":)").append(std::to_string(change.of));
  // One that is not there yet gets the offset of this message for an id.
  const access::Sanctions::Id id = std::max<access::Sanctions::Id>(change.id, 1);
  return text.append(R"(,"sanction":)").append(access::to_text(id, change.sanction)).append("}");
}

base::Result<SanctionChange> read_sanction_change(std::string_view text) {
  const auto object = base::read_json_object(text);
  if (!object) return object.error();
  SanctionChange change;
  const auto what = object->find("do");
  const auto* const found = std::find_if(change_names.begin(), change_names.end(),
                                         [&](std::string_view name) { return what && what->equals(name); });
  if (found == change_names.end()) return base::Error{"is no change of sanctions that is known here"};
  change.what = static_cast<SanctionChange::What>(found - change_names.begin());
  if (change.what == SanctionChange::What::keep) {
    const auto of = object->find("of");
    const auto offset = of ? of->to_unsigned(std::numeric_limits<std::uint64_t>::max()) : std::nullopt;
    if (!offset) return base::Error{"does not say what is kept"};
    change.of = *offset;
  }
  const auto sanction = object->find("sanction");
  auto read = access::read_sanction(sanction ? sanction->raw() : std::string_view{});
  if (!read) return read.error();
  change.id = read->id;
  change.sanction = std::move(read->sanction);
  return change;
}

}  // namespace roomcast::app
