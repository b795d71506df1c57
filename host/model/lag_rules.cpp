// SPDX-License-Identifier: Apache-2.0
#include "lag_rules.h"

#include <algorithm>

namespace poplink::host {

namespace {

bool overlap(const std::vector<PortId>& a, const std::vector<PortId>& b) {
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

class LagRules {
 public:
  LagRules(const Region& region, const Site& site, Problems& problems)
      : region_(region), site_(site), problems_(problems) {}

  void run() {
    for (const Lag& lag : site_.lags) {
      checkPorts(lag);
      if (!add(lag)) problems_.add(lag.place, toString(lag.ports) + " of '" + site_.name + "' are a LAG already");
    }
    forSides([&](const Attachment& side) {
      if (side.ports.size() > 1) add({side.ports_place, side.link(), side.ports, region_.lacp});
    });
    forSides([&](const Attachment& side) {
      if (side.ports.size() == 1) checkAlone(side);
    });
    for (const Lag& lag : lags_) {
      checkAlike(lag);
      checkCounts(lag);
    }
  }

 private:
  template <class Act>
  void forSides(Act act) {
    for (const Service& service : region_.services) {
      for (const Attachment* side : {&service.pop, &service.dc})
        if (side->site == site_.name) act(*side);
    }
  }

  /// False: it is there already.
  bool add(const Lag& lag) {
    for (const Lag& other : lags_) {
      if (other.ports == lag.ports) return false;
      if (!overlap(other.ports, lag.ports)) continue;
      problems_.add(lag.place, toString(lag.ports) + ": the LAG of " + toString(other.ports) + " of '" + site_.name +
                                   "' has some of them; two LAGs have no port in common");
      return true;
    }
    lags_.push_back(lag);
    return true;
  }

  void checkAlone(const Attachment& side) {
    for (const Lag& lag : lags_) {
      if (lag.ports != side.ports && overlap(lag.ports, side.ports)) {
        problems_.add(side.ports_place, toString(side.ports) + " of '" + site_.name + "' is a member of the LAG of " +
                                            toString(lag.ports) + ": a service takes the whole LAG");
      }
    }
  }

  void checkPorts(const Lag& lag) {
    for (const PortId id : lag.ports) {
      const Port* port = site_.port(id);
      if (port == nullptr)
        problems_.add(lag.place, "site '" + site_.name + "' has no port " + std::to_string(id.value));
      else if (port->use == Use::backbone)
        problems_.add(lag.place,
                      "port " + std::to_string(id.value) + " is used as backbone: a LAG is of customers' ports");
    }
  }

  /// A flow may take any port of a LAG: all must be as fast, and read its tags alike.
  void checkAlike(const Lag& lag) {
    const Port* first = site_.port(lag.link);
    if (first == nullptr) return;
    for (const PortId id : lag.ports) {
      const Port* port = site_.port(id);
      if (port == nullptr) continue;
      const std::string both = toString({first->id, port->id}) + " of a LAG have different ";
      if (port->gigabits != first->gigabits) problems_.add(lag.place, both + "speeds");
      if (port->s_tpid != first->s_tpid) problems_.add(lag.place, both + "S-TPIDs");
    }
  }

  void checkCounts(const Lag& lag) {
    const auto check = [&](const char* key, unsigned wanted) {
      if (wanted <= lag.ports.size()) return;
      problems_.add(lag.place,
                    std::string(key) + " is " + std::to_string(wanted) + ", the LAG has only " + toString(lag.ports));
    };
    check("min_links", lag.lacp.min_links);
    if (lag.lacp.min_links_up) check("min_links_up", *lag.lacp.min_links_up);
  }

  const Region& region_;
  const Site& site_;
  Problems& problems_;
  std::vector<Lag> lags_;
};

}  // namespace

void validateLags(const Region& region, Problems& problems) {
  for (const Site& site : region.sites) LagRules(region, site, problems).run();
}

}  // namespace poplink::host
