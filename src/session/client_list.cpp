#include "session/client_list.h"

#include <algorithm>

#include "session/session_table.h"

namespace roomcast::session {

namespace {

constexpr std::uint32_t slots_per_page = 2'048;

bool is_from(const Session& session, const base::AddressBlock& block) {
  const auto bits = base::address_bits(session.address());
  return bits && block.contains(*bits);
}

bool matches(const Session& session, const ClientFilter& filter) {
  return !session.has_begun_to_close() && (!filter.address || is_from(session, *filter.address)) &&
         (!filter.room || session.is_in(*filter.room));
}

ClientPage list_of_user(SessionTable& table, const ClientFilter& filter, std::uint32_t from,
                        std::size_t most) {
  ClientPage page;
  table.for_user(filter.of->kind, filter.of->id, [&](const Session& session) {
    if (session.id().index >= from && matches(session, filter)) page.clients.push_back(session.id());
  });
  const auto by_index = [](base::SlotId a, base::SlotId b) { return a.index < b.index; };
  std::sort(page.clients.begin(), page.clients.end(), by_index);
  if (page.clients.size() <= most) return page;
  page.next = page.clients[most].index;
  page.clients.resize(most);
  return page;
}

}  // namespace

ClientPage list_clients(SessionTable& table, const ClientFilter& filter, std::uint32_t from,
                        std::size_t most) {
  if (filter.of) return list_of_user(table, filter, from, most);
  ClientPage page;
  const std::uint32_t slots = table.slots();
  const std::uint32_t end = from + std::min(slots_per_page, slots - std::min(slots, from));
  std::uint32_t slot = from;
  for (; slot < end && page.clients.size() < most; ++slot) {
    const Session* const session = table.at_slot(slot);
    if (session != nullptr && matches(*session, filter)) page.clients.push_back(session->id());
  }
  if (slot < slots) page.next = slot;
  return page;
}

}  // namespace roomcast::session
