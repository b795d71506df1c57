// SPDX-License-Identifier: Apache-2.0
// Holds a port back whose link has fallen, until the host releases it: a port of a LAG carries no customer's frame before LACP has come into
// sync again, however short the fall was and whether the host has seen it or not. A release counts while the link is up.
//
// Latency: a fall to held_o 1 cycle, in which the link itself is down; II 1.
`default_nettype none

module port_hold (
  input  wire logic        clk,
  input  wire logic [15:0] port_up_i,
  input  wire logic [15:0] hold_i,      // ports that are to be held, none from reset on; the others never are
  input  wire logic [15:0] release_i,
  output logic [15:0]      held_o
);

  always_ff @(posedge clk) held_o <= hold_i & (~port_up_i | held_o & ~release_i);

endmodule

`default_nettype wire
