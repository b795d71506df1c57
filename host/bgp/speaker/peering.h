// SPDX-License-Identifier: Apache-2.0
// All that a speaker knows of one peer.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "../fsm/graceful_restart.h"
#include "../fsm/prefix_limit.h"
#include "../fsm/session.h"
#include "../wire/message.h"
#include "exporter.h"
#include "importer.h"
#include "news_limit.h"
#include "outbox.h"
#include "speaker_settings.h"

namespace poplink::host::bgp {

struct PeerCounters {
  std::array<std::uint64_t, 6> received{}, sent{};  ///< messages, by MessageType
  std::uint64_t octets_received = 0, octets_sent = 0;
  std::array<std::uint64_t, 4> findings{};  ///< UPDATEs in error, by ErrorAction (RFC 7606)
  std::uint64_t too_long = 0;               ///< attributes that fit into no message, so their routes are not told
  std::uint64_t unknown_refreshes = 0;
  std::uint64_t transitions = 0;  ///< of the state
};

/// The last word of a session that has ended, whoever said it.
struct LastNotification {
  Notification notification;
  bool sent = false;  ///< by us
  TimePoint at;
};

/// Why a session or attempt ended.
struct LastError {
  std::string why;
  TimePoint at;
};

/// One TCP connection.
struct Line {
  PeerIndex peer = kNoPeer;
  Endpoint local, remote;
  Outbox outbox;
  std::vector<std::uint8_t> partial;  ///< a message that has not come whole yet
  bool dirty = false;                 ///< there is something new in `outbox`
  /// Where the last request for a family's routes ends, in all that is ever sent.
  std::map<Family, std::uint64_t> asked;
};

/// Routes of one family.
struct PeerFamily {
  std::optional<PrefixLimit> limit;
  /// Routes of an earlier session that are still in the table, being removed: the limit does not count them.
  std::uint32_t forgotten = 0;
  bool end_of_rib = false;  ///< the peer has said that it has told everything
};

struct Peering {
  Peering(PeerIndex number, const PeerSettings& wanted, const SessionSettings& session_settings, const Random& random)
      : index(number), settings(wanted), machine(session_settings, random) {}

  PeerIndex index;
  PeerSettings settings;
  Peer machine;
  StaleRoutes stale;
  bool configured = true;  ///< otherwise it goes when its routes are gone
  /// What the operator has said meanwhile; until new settings come.
  std::optional<bool> shutdown_by_operator{};

  std::optional<ConnectionId> session{};  ///< that is Established
  Negotiated negotiated{};                ///< of it, or of the last one
  UpdateContext context{};
  Endpoint local{}, remote{};
  ImportRules import{};
  ExportRules exports{};
  std::map<Family, PeerFamily> families{};

  /// It shall have no session.
  bool isShutDown() const { return shutdown_by_operator.value_or(settings.shutdown); }

  PeerCounters counters{};
  TimePoint since{};                      ///< in the state it is in
  std::optional<LastError> last_error{};  ///< nullopt: no session or attempt has ended
  std::optional<LastNotification> last_notification{};
  std::string shutdown_text{};  ///< what the peer said when it ended it
  std::string last_finding{};   ///< of RFC 7606
  NewsLimit told{};
};

}  // namespace poplink::host::bgp
