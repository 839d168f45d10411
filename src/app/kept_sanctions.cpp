#include "app/kept_sanctions.h"

#include <cstdint>
#include <string>
#include <utility>

#include "access/sanction_text.h"

namespace roomcast::app {

namespace {

constexpr std::string_view name_front = "sanction/";

std::string value_name(const access::Sanction& sanction) {
  return std::string(name_front) + access::name_in_store(sanction);
}

}  // namespace

KeptSanctions::KeptSanctions(store::Store& store, access::Sanctions& sanctions, const base::Clock& clock,
                             base::Log& log)
    : store_(store), sanctions_(sanctions) {
  restore(clock, log);
  sanctions_.set_keeper(this);
  store_.set_value_listener(this);
}

KeptSanctions::~KeptSanctions() {
  sanctions_.set_keeper(nullptr);
  store_.set_value_listener(nullptr);
}

void KeptSanctions::restore(const base::Clock& clock, base::Log& log) {
  const std::int64_t now_s = clock.wall_ms() / 1'000;
  for (const store::Archive::Value& value : store_.values()) {
    if (!value.name.starts_with(name_front)) continue;
    auto kept = access::read_sanction(value.value);
    std::string problem;
    if (!kept) {
      problem = kept.error().message;
    } else if (value_name(kept->sanction) != value.name) {
      problem = "is not the one that its name says";
    } else if (kept->sanction.until_s != 0 && kept->sanction.until_s <= now_s) {
      // With no space for that it is found again at the next start.
      (void)put(kept->sanction, {});
    } else if (!sanctions_.restore(kept->id, std::move(kept->sanction))) {
      problem = "has the id of another";
    }
    if (!problem.empty())
      log.error("a ban, mute or revocation in the store is not in force",
                {base::LogField::whole("value", value.value), {"problem", problem}});
  }
}

bool KeptSanctions::keep(access::Sanctions::Id id, const access::Sanction& sanction) {
  return put(sanction, access::to_text(id, sanction));
}

bool KeptSanctions::drop(const access::Sanction& like) { return put(like, {}); }

bool KeptSanctions::put(const access::Sanction& sanction, std::string_view value) {
  if (!store_.put_value(value_name(sanction), value)) return false;
  last_change_ = store_.batch_number();
  return true;
}

void KeptSanctions::on_values_committed(store::RoomStore::BatchNumber upto) {
  if (listener_ != nullptr) listener_->on_kept(upto);
}

}  // namespace roomcast::app
