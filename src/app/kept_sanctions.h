#pragma once

#include "access/sanctions.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

namespace roomcast::app {

/// Keeps bans, mutes and revocations in the store, each as a value with a name of its own. At the start it
/// puts back those that are still in force.
class KeptSanctions final : public access::Sanctions::Keeper, private store::Store::ValueListener {
 public:
  /// All outlive it. A value that cannot be read stays in the store, is not in force, and is logged.
  KeptSanctions(store::Store& store, access::Sanctions& sanctions, const base::Clock& clock, base::Log& log);
  KeptSanctions(const KeptSanctions&) = delete;
  KeptSanctions& operator=(const KeptSanctions&) = delete;
  ~KeptSanctions();

  [[nodiscard]] bool keep(access::Sanctions::Id id, const access::Sanction& sanction) override;
  [[nodiscard]] bool drop(const access::Sanction& like) override;
  [[nodiscard]] Change last_change() const override { return last_change_; }
  void set_listener(Listener& listener) override { listener_ = &listener; }

 private:
  void on_values_committed(store::RoomStore::BatchNumber upto) override;
  /// Puts back what the store has from before.
  void restore(const base::Clock& clock, base::Log& log);
  [[nodiscard]] bool put(const access::Sanction& sanction, std::string_view value);

  store::Store& store_;
  access::Sanctions& sanctions_;
  Listener* listener_ = nullptr;
  Change last_change_ = 0;  // the number of the batch that it is in
};

}  // namespace roomcast::app
