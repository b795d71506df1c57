// SPDX-License-Identifier: Apache-2.0
// The tables as an MRT file (RFC 6396, TABLE_DUMP_V2), in slices. Each path as its peer sent it: Adj-RIB-In.
#pragma once

#include <string>
#include <vector>

#include "report_time.h"
#include "table_walk.h"

namespace poplink::host::bgp {

class MrtDump {
 public:
  /// The peers are those of now; routes of peers that come later are not in the dump.
  MrtDump(const Speaker& speaker, const ReportTime& time);

  /// Appends some of the file, at least its head at first. False: that was the last of it.
  bool next(const Speaker& speaker, const ReportTime& time, std::vector<std::uint8_t>& to);

  std::uint32_t prefixes() const { return prefixes_; }
  std::uint64_t paths() const { return paths_; }
  /// Paths that the format has no room for.
  std::uint64_t leftOut() const { return left_out_; }

 private:
  void putHead(const Speaker& speaker, const ReportTime& time);
  template <class Prefix>
  void put(const Speaker& speaker, PrefixId id, const ReportTime& time, std::vector<std::uint8_t>& to);

  std::vector<std::string> peers_;  ///< names, by PeerIndex, which is the index in the file; empty: none has it
  std::vector<std::uint8_t> head_;
  TableWalk walk_{std::nullopt};
  std::uint32_t prefixes_ = 0;
  std::uint64_t paths_ = 0, left_out_ = 0;
};

}  // namespace poplink::host::bgp
