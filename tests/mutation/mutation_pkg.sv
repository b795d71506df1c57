// SPDX-License-Identifier: Apache-2.0
// The number of the mutant that is alive; what mutated RTL compares with. Simulation only.
package mutation_pkg;
  import "DPI-C" function int poplink_mutant();
  int selected = poplink_mutant();
endpackage
