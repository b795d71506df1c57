// SPDX-License-Identifier: Apache-2.0
// From what a card's tables hold to what they must: which entries, in which order.
#include <algorithm>
#include <array>
#include <ranges>
#include <set>

#include "tables.h"

namespace poplink::host {

namespace {

// Referred to before referring: a link names ports, a bucket links, a group its buckets, a service its group and link.
// The last two open the way for frames, from the customer and from the backbone; until then no frame has a service. A
// VLAN comes before what its attachment does with all the rest, so that a service may go from the one to the other.
constexpr std::array<const char*, 8> kChildrenFirst = {"port",  "link",    "lag", "bucket",
                                                       "group", "service", "vid", "attachment"};

constexpr unsigned kVidBits = 12;

/// Entries compare by all their fields; one that is not there is zero.
bool same(const driver::Entry& a, const driver::Entry& b) {
  const auto covers = [](const driver::Entry& one, const driver::Entry& other) {
    return std::all_of(one.begin(), one.end(), [&](const auto& field) {
      const auto found = other.find(field.first);
      return field.second == (found == other.end() ? 0 : found->second);
    });
  };
  return covers(a, b) && covers(b, a);
}

/// Buckets come by the hundred; the low bits of an index number those of one group or LAG. 0: of another table.
unsigned massBits(const std::string& table) {
  return table == "bucket" ? kGroupBucketBits : table == "lag" ? kLagBucketBits : 0;
}

/// Writes the steps down, and what the tables hold after each.
class Planner {
 public:
  Planner(const TableImage& current, const TableImage& desired) : now_(current), desired_(desired) {}

  std::vector<Step> run() {
    takeOut();
    findStarting();
    for (const char* table : kChildrenFirst) {
      for (const auto& [index, entry] : entriesOf(desired_, table)) putUnlessStarting(table, index, entry);
    }
    for (const char* table : kChildrenFirst | std::views::reverse) {
      const auto& want = entriesOf(desired_, table);
      removeIf(table, [&](std::uint32_t index, const driver::Entry&) { return want.count(index) == 0; });
    }
    for (const char* table : {"port", "link"}) {
      for (const auto& [index, entry] : entriesOf(desired_, table)) put(table, index, entry);
    }
    return std::move(steps_);
  }

 private:
  void put(const char* table, std::uint32_t index, const driver::Entry& entry) {
    const auto [found, added] = now_[table].try_emplace(index, entry);
    if (!added && same(found->second, entry)) return;
    found->second = entry;
    steps_.push_back({table, index, entry, added ? Step::Kind::add : Step::Kind::change});
  }

  template <class Which>
  void removeIf(const char* table, Which which) {
    std::erase_if(now_[table], [&](const auto& one) {
      if (!which(one.first, one.second)) return false;
      steps_.push_back({table, one.first, {}, Step::Kind::remove});
      return true;
    });
  }

  /// First of all, links lose the ports that leave them. A port that gets another role or another attachment is off in
  /// between, and one that leaves a LAG goes at once: neither side's frames may meet what is still, or already, the
  /// other's.
  void takeOut() {
    const auto& want = entriesOf(desired_, "port");
    std::set<std::uint64_t> used;
    for (const auto& [port, entry] : want) used.insert(entry.at("attachment"));
    std::set<std::uint32_t> leaving;
    for (const auto& [port, entry] : entriesOf(now_, "port")) {
      const auto found = want.find(port);
      const std::uint64_t attachment = entry.at("attachment");
      if (found == want.end()
              ? used.count(attachment) != 0
              : attachment != found->second.at("attachment") || entry.at("role") != found->second.at("role"))
        leaving.insert(port);
    }
    shrinkLinks(leaving);
    removeIf("port", [&](std::uint32_t port, const driver::Entry&) { return leaving.count(port) != 0; });
    clearUnused(std::move(used));
  }

  void shrinkLinks(const std::set<std::uint32_t>& leaving) {
    std::uint64_t stay = ~std::uint64_t{0};
    for (const std::uint32_t port : leaving) stay &= ~(std::uint64_t{1} << port);
    const auto links = entriesOf(now_, "link");  // as it was: put() changes it
    for (const auto& [link, entry] : links) {
      const auto& want = entriesOf(desired_, "link");
      const auto found = want.find(link);
      driver::Entry smaller = entry;
      smaller["ports"] &= found == want.end() ? stay : stay & found->second.at("ports");
      put("link", link, smaller);
    }
  }

  /// What still stands under an attachment that no port is on would meet the frames of the port that comes. `unused`:
  /// the attachments that ports will be on.
  void clearUnused(std::set<std::uint64_t> unused) {
    for (const auto& [port, entry] : entriesOf(now_, "port")) unused.erase(entry.at("attachment"));
    const auto clear = [&](const char* table, unsigned bits) {
      const auto& want = entriesOf(desired_, table);
      removeIf(table, [&](std::uint32_t index, const driver::Entry& entry) {
        const auto found = want.find(index);
        return unused.count(index >> bits) != 0 && (found == want.end() || !same(entry, found->second));
      });
    };
    clear("vid", kVidBits);
    clear("attachment", 0);
  }

  /// A port of a LAG that was out and shall take frames again does so when everything else is done: until then its
  /// attachment may have services that it never had a part in.
  void findStarting() {
    const auto& want = entriesOf(desired_, "port");
    for (const auto& [port, entry] : entriesOf(now_, "port")) {
      const auto found = want.find(port);
      if (found != want.end() && entry.at("collecting") == 0 && found->second.at("collecting") != 0)
        starting_ |= std::uint64_t{1} << port;
    }
  }

  void putUnlessStarting(const char* table, std::uint32_t index, driver::Entry entry) {
    const std::string_view name = table;
    if (name == "port" && (starting_ >> index & 1) != 0) return;
    if (name == "link") entry["ports"] &= ~starting_;
    put(table, index, entry);
  }

  TableImage now_;
  const TableImage& desired_;
  std::uint64_t starting_ = 0;  ///< one bit per port
  std::vector<Step> steps_;
};

}  // namespace

const std::map<std::uint32_t, driver::Entry>& entriesOf(const TableImage& image, std::string_view table) {
  static const std::map<std::uint32_t, driver::Entry> kNone;
  const auto found = image.find(table);
  return found == image.end() ? kNone : found->second;
}

std::vector<Step> plan(const TableImage& current, const TableImage& desired) {
  return Planner(current, desired).run();
}

std::vector<std::string> describe(const std::vector<Step>& steps) {
  static constexpr const char* kVerbs[] = {"add", "change", "remove"};
  std::vector<std::string> lines;
  for (std::size_t i = 0, next = 0; i < steps.size(); i = next) {
    const Step& step = steps[i];
    const unsigned bits = massBits(step.table);
    const auto more = [&](const Step& other) {
      return bits != 0 && other.table == step.table && other.kind == step.kind &&
             other.index >> bits == step.index >> bits;
    };
    for (next = i + 1; next < steps.size() && more(steps[next]);) ++next;
    std::string text = std::string(kVerbs[static_cast<int>(step.kind)]) + " " + step.table + " ";
    if (next - i > 1) {
      text += std::to_string(step.index) + " to " + std::to_string(steps[next - 1].index) + ": " +
              std::to_string(next - i) + " entries";
    } else {
      text += std::to_string(step.index);
      const char* separator = ": ";
      for (const auto& [name, value] : step.entry) {
        if (name == "valid") continue;
        text += separator + name + " " + std::to_string(value);
        separator = ", ";
      }
    }
    lines.push_back(std::move(text));
  }
  return lines;
}

void carryOut(const std::vector<Step>& steps, driver::Card& card) {
  for (auto step = steps.begin(); step != steps.end();) {
    const std::string& table = step->table;
    std::vector<std::pair<std::uint32_t, driver::Entry>> entries;
    for (; step != steps.end() && step->table == table; ++step) entries.emplace_back(step->index, step->entry);
    card.writeEntries(table, entries);
  }
}

TableImage readTables(driver::Card& card) {
  TableImage image;
  for (const card_map::Table& table : card_map::kTables) {
    auto entries = card.validEntries(table.name);
    if (!entries.empty()) image.emplace(table.name, std::move(entries));
  }
  return image;
}

}  // namespace poplink::host
