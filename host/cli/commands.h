// SPDX-License-Identifier: Apache-2.0
// What the verbs of `poplink` do. Each returns the program's exit code and throws UsageError, ConfigError or
// DriverError.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "open_card.h"

namespace poplink::host {

inline constexpr int kExitDone = 0;
inline constexpr int kExitUsage = 1;   ///< the command line is wrong
inline constexpr int kExitConfig = 2;  ///< a file is wrong; nothing was changed
inline constexpr int kExitCard = 3;    ///< the card cannot be reached, or refused something

/// Something on the command line is wrong.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ApplyOptions {
  std::string region;
  std::string node;
  bool dry_run = false;
  std::string image;     ///< write the tables to this file instead of a card
  bool lacp_up = false;  ///< in it, all ports of LAGs are in service
  bool json = false;
};

int apply(const ApplyOptions& options);

struct ShowOptions {
  std::string noun;  ///< service, port, counter, ecmp, table, lag or event
  std::string node;
  std::string table;  ///< of noun table: only this one
  bool json = false;
  bool follow = false;  ///< of noun event: also those that come, until a signal
};

int show(const ShowOptions& options);

struct CardOptions {
  std::string verb;  ///< list, info or regs
  CardChoice choice;
  std::vector<std::string> registers;  ///< of verb regs: NAME or NAME=VALUE; none: all are shown
  bool json = false;
};

int card(const CardOptions& options);

struct CaptureOptions {
  CardChoice choice;
  std::vector<unsigned> ports;        ///< ingress; none: all
  std::vector<std::string> outcomes;  ///< drop reasons, "dropped", "forwarded" or "all"
  std::optional<unsigned> service;
  bool new_addresses = false;  ///< also forwarded frames whose source address is new on its port
  std::string filter;          ///< as tcpdump's
  std::string file;            ///< pcapng; "-": standard output; empty: lines of text
  std::uint64_t count = 0;     ///< frames; 0: no limit
  unsigned seconds = 0;        ///< 0: no limit
  bool poll = false;           ///< without interrupts
};

/// Shows frames of a card and why they did not go on, until a signal or a limit.
int capture(const CaptureOptions& options);

struct TapOptions {
  CardChoice choice;
  unsigned port = 0;
  std::string interface;
  bool poll = false;  ///< without interrupts
};

/// A port of the card as a network interface of this host, until a signal.
int tap(const TapOptions& options);

}  // namespace poplink::host
