// SPDX-License-Identifier: Apache-2.0
// A kernel as the back end sees it: a netlist with ports and table lookups.
#pragma once

#include <string>
#include <vector>

#include "netlist.h"

namespace hlsc {

struct InputPort {
  std::string path;    ///< struct members joined by '_'
  std::string member;  ///< the same in C++, members joined by '.'
  unsigned width;
  NodeId node;
};

struct OutputPort {
  std::string path;
  std::string member;
  Value value;
};

struct EntryField {
  std::string name;
  unsigned offset;  ///< first bit in the packed entry
  unsigned width;
};

/// Cycles from an update's index to the entry as it was, in rtl/core/update_ram.sv.
inline constexpr unsigned kUpdateLatency = 3;
inline constexpr unsigned kLongestLatency = 64;  ///< of a table, cycles

/// What a kernel asks a table. An update asks too: its key is the index with the arguments above it, its answer the
/// entry as it was before; that the table then changes the entry is the table's affair (Body below).
struct Lookup {
  std::string table;
  unsigned latency;  ///< cycles from key to entry
  Bit request;       ///< whether the kernel looks up at all
  Value key;
  NodeId response;  ///< an input node made after the key's nodes
  std::vector<EntryField> fields;
  unsigned entry_width;
  bool is_update = false;
  unsigned index_width = 0;           ///< of an update
  std::vector<EntryField> arguments;  ///< of an update

  /// Start of the names of its ports.
  std::string port() const { return (is_update ? "up_" : "lk_") + table; }
  Value index() const { return slice(key, 0, is_update ? index_width : static_cast<unsigned>(key.size())); }
  Value packedArguments() const { return slice(key, index_width, static_cast<unsigned>(key.size()) - index_width); }
};

struct Module {
  std::string name;
  Netlist netlist;
  std::vector<InputPort> inputs;
  std::vector<OutputPort> outputs;
  std::vector<Lookup> lookups;
  bool combinational = false;  ///< no clock: what an update makes of an entry, from inputs `entry` and `args` to `next`
};

/// Throws std::logic_error when an invariant of the netlist is broken: operand widths, topological order, references,
/// responses after keys. Run after every pass, so that a broken rewrite stops the compiler instead of becoming RTL.
void verify(const Module& module);

}  // namespace hlsc
