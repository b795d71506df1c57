// SPDX-License-Identifier: Apache-2.0
#include "bgp_streams.h"

#include "../api/pump.h"
#include "../bgp/report/mrt_dump.h"
#include "../bgp/report/table_walk.h"
#include "draft_file.h"

namespace poplink::host {

namespace {

using api::Json;
using api::Pumped;
using api::Stream;

// Of one slice, about a millisecond.
constexpr std::size_t kLooked = 1024;  // prefixes
constexpr std::size_t kRecords = 64;

/// Puts what `report.operator()<Prefix>(id)` makes of each prefix of the table, where that is not null.
template <class Report>
api::Answer walkAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, std::optional<bgp::Family> family,
                       Report report) {
  api::Answer answer;
  answer.stream = [&context, &speaker, family, report](const std::shared_ptr<Stream>& stream) {
    api::pump(context, stream, [&speaker, report, walk = bgp::TableWalk(family)](Stream& to) mutable {
      if (speaker.stopped()) return Pumped::cut;
      std::size_t records = 0;
      walk.slice(speaker, kLooked, [&]<class Prefix>(bgp::PrefixId id) {
        const Json record = report.template operator()<Prefix>(id);
        if (record.is_null()) return true;
        to.put(record);
        return ++records < kRecords && to.waiting() < api::kPumpBytes;
      });
      return walk.done() ? Pumped::all : Pumped::more;
    });
  };
  return answer;
}

}  // namespace

bgp::ReportTime reportTime() {
  return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

api::Answer routesAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, const RoutesAsked& asked) {
  bgp::RouteFilter filter = asked.filter;
  if (!asked.prefix || asked.longer) {
    filter.within = asked.prefix;
    std::optional<bgp::Family> family = asked.family;
    if (asked.prefix)
      family = std::holds_alternative<bgp::Prefix4>(*asked.prefix) ? bgp::kIpv4Unicast : bgp::kIpv6Unicast;
    return walkAnswer(context, speaker, family, [&speaker, filter]<class Prefix>(bgp::PrefixId id) {
      return bgp::reportRoute<Prefix>(speaker, id, filter, reportTime());
    });
  }
  api::Answer answer;
  answer.stream = [&context, &speaker, prefix = *asked.prefix, filter](const std::shared_ptr<Stream>& stream) {
    api::pump(context, stream, [&speaker, prefix, filter](Stream& to) {
      std::visit(
          [&]<class Prefix>(const Prefix& exactly) {
            const bgp::PrefixId id = speaker.table<Prefix>().find(exactly);
            if (id == bgp::kNoPrefix) return;
            const Json route = bgp::reportRoute<Prefix>(speaker, id, filter, reportTime());
            if (!route.is_null()) to.put(route);
          },
          prefix);
      return Pumped::all;
    });
  };
  return answer;
}

api::Answer advertisedAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, const std::string& peer,
                             std::optional<bgp::Family> family) {
  return walkAnswer(context, speaker, family, [&speaker, peer]<class Prefix>(bgp::PrefixId id) {
    const bgp::Peering* peering = speaker.peering(peer);
    return peering == nullptr ? Json() : bgp::reportAdvertised<Prefix>(speaker, *peering, id);
  });
}

/// Of dumps: the group may read them.
constexpr mode_t kDumpMode = 0640;

api::Answer dumpAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, const std::string& file) {
  struct Dump {
    Dump(const std::string& path, const bgp::Speaker& of) : file(path, kDumpMode), tables(of, reportTime()) {}
    DraftFile file;
    bgp::MrtDump tables;
    std::vector<std::uint8_t> octets;
  };
  std::shared_ptr<Dump> dump;
  try {
    dump = std::make_shared<Dump>(file, speaker);
  } catch (const std::system_error& error) {
    throw api::Refused(api::Status::bad_request, error.what(), "file");
  }
  api::Answer answer;
  answer.stream = [&context, &speaker, file, dump](const std::shared_ptr<Stream>& stream) {
    api::pump(context, stream, [&speaker, file, dump](Stream& to) {
      if (speaker.stopped()) return Pumped::cut;
      try {
        dump->octets.clear();
        const bool more = dump->tables.next(speaker, reportTime(), dump->octets);
        dump->file.write(dump->octets);
        if (more) return Pumped::more;
        dump->file.finish();
        to.put({{"file", file},
                {"prefixes", dump->tables.prefixes()},
                {"paths", dump->tables.paths()},
                {"left_out", dump->tables.leftOut()}});
      } catch (const std::system_error& error) {
        to.put({{"error", {{"message", error.what()}, {"field", "file"}}}});
      }
      return Pumped::all;
    });
  };
  return answer;
}

}  // namespace poplink::host
