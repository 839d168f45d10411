#include "hub/remote_members.h"

#include <algorithm>
#include <utility>

#include "hub/presence.h"

namespace roomcast::hub {

namespace {

constexpr ByMember comes_before;

std::vector<Author>::iterator place_of(std::vector<Author>& names, const Author& author) {
  return std::lower_bound(names.begin(), names.end(), author, comes_before);
}

}  // namespace

// --- Other servers ---

void RemoteMembers::take(std::uint64_t id, const NodeChange& change) {
  auto place = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.id == id; });
  if (change.what == NodeChange::What::gone) {
    if (place == nodes_.end() || place->gone_ms) return;
    place->gone_ms = clock_.monotonic_ms();
    return set_due();
  }
  if (place == nodes_.end()) {
    if ((change.named == 0 && change.nameless == 0) || nodes_.size() == nodes_max) return;
    place = nodes_.insert(nodes_.end(), Node{id});
  }
  Node& node = *place;
  node.gone_ms.reset();
  const bool is_all = change.what == NodeChange::What::all;
  const bool lists_names = is_all ? change.joined.size() == change.named : node.members.lists_names();
  // First, so that a room that becomes a crowd does not tell of each name.
  set_numbers(node, change.named, change.nameless, lists_names);
  presence_.look_at_numbers();
  if (is_all) {
    replace_names(node, change.joined);
  } else if (lists_names) {
    change_names(node, change);
  }
  if (lists_names && !node.members.lists_names()) {
    // It does not fit to what was said before: only the number counts.
    set_numbers(node, change.named, change.nameless, false);
    replace_names(node, {});
  }
  if (node.members.empty()) {
    set_numbers(node, 0, 0, true);
    nodes_.erase(place);
  }
  presence_.look_at_numbers();
  set_due();
}

void RemoteMembers::set_numbers(Node& node, std::size_t named, std::size_t nameless, bool lists_names) {
  NodeMembers& members = node.members;
  nameless_ = nameless_ - members.nameless + nameless;
  unlisted_ -= node.unlisted;
  node.unlisted = lists_names ? 0 : named;
  unlisted_ += node.unlisted;
  members.named = named;
  members.nameless = nameless;
}

void RemoteMembers::replace_names(Node& node, const std::vector<Author>& names) {
  std::vector<Author> before = std::exchange(node.members.names, names);
  const auto is_in = [](std::vector<Author>& list, const Author& author) {
    const auto place = place_of(list, author);
    return place != list.end() && *place == author;
  };
  // One that shows another name is listed before it is unlisted, so it never leaves. Those that stay as they
  // are are left alone: another server may have shown a newer name of one.
  for (const Author& author : names) {
    if (!is_in(before, author)) presence_.list_remote(author);
  }
  for (const Author& author : before) {
    if (!is_in(node.members.names, author)) presence_.unlist_remote(author);
  }
}

void RemoteMembers::change_names(Node& node, const NodeChange& change) {
  std::vector<Author>& names = node.members.names;
  for (const Author& author : change.joined) {
    const auto place = place_of(names, author);
    const bool is_known = place != names.end() && !comes_before(author, *place);
    presence_.list_remote(author);
    if (is_known) {
      presence_.unlist_remote(author);
      *place = author;
    } else if (names.size() < NodeMembers::names_max) {
      names.insert(place, author);
    } else {
      presence_.unlist_remote(author);
    }
  }
  for (const Author& author : change.left) {
    const auto place = place_of(names, author);
    if (place == names.end() || comes_before(author, *place)) continue;
    names.erase(place);
    presence_.unlist_remote(author);
  }
}

void RemoteMembers::forget(Node& node) {
  set_numbers(node, 0, 0, true);
  replace_names(node, {});
}

// --- This server ---

void RemoteMembers::note_own_change(bool is_crowd) {
  if (changed_ms_) return;
  changed_ms_ = clock_.monotonic_ms();
  wait_ms_ = is_crowd ? announce_crowd_ms : announce_ms;
  set_due();
}

void RemoteMembers::on_deadline() { presence_.on_remote_deadline(); }

bool RemoteMembers::on_due() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  const std::int64_t gone_before_ms = now_ms - presence_.grace_ms();
  for (Node& node : nodes_) {
    if (node.gone_ms && *node.gone_ms <= gone_before_ms) forget(node);
  }
  nodes_.erase(std::remove_if(nodes_.begin(), nodes_.end(),
                              [](const Node& node) { return node.gone_ms && node.members.empty(); }),
               nodes_.end());
  const bool tells = changed_ms_ && now_ms >= *changed_ms_ + wait_ms_;
  if (tells) changed_ms_.reset();
  set_due();
  return tells;
}

void RemoteMembers::set_due() {
  std::optional<std::int64_t> at_ms;
  const auto note = [&](std::int64_t ms) { at_ms = std::min(at_ms.value_or(ms), ms); };
  if (changed_ms_) note(*changed_ms_ + wait_ms_);
  for (const Node& node : nodes_) {
    if (node.gone_ms) note(*node.gone_ms + presence_.grace_ms());
  }
  if (!at_ms) return due_.clear();
  due_.set_in(std::max<std::int64_t>(*at_ms - clock_.monotonic_ms(), 0));
}

}  // namespace roomcast::hub
