// SPDX-License-Identifier: Apache-2.0
// Tells when a source address is new on its port: not the one that its slot saw last, or not seen for an age of 2^28 us (268 s). The slot is a
// hash of port and address; two that share one are new whenever they alternate, and none that is new is ever missed.
//
// Latency: a frame to new_o 3 cycles, II 1. Clears itself after reset in 2^SLOT_W cycles.
// Limits: 16 ports. SLOT_W 12 to 16.
`default_nettype none

module address_learner #(
  parameter int SLOT_W = 14
) (
  input  wire logic        clk,
  input  wire logic        rst,
  output logic             ready_o,
  input  wire logic [63:0] now_us,

  input  wire logic        valid_i,
  input  wire logic [3:0]  port_i,
  input  wire logic [47:0] source_i,
  output logic             new_o
);

  localparam int AGE_LOG = 28;
  localparam int AGE_W = 24;
  localparam int SEEN_W = AGE_W + 4 + 48;

  if (SLOT_W < 12 || SLOT_W > 16) $error("address_learner: SLOT_W must be 12 to 16");

  logic [63:0]       name;
  logic [SLOT_W-1:0] slot;
  logic [SEEN_W-1:0] seen;
  assign name = {12'd0, port_i, source_i};
  assign slot = SLOT_W'(name) ^ SLOT_W'(name >> SLOT_W) ^ SLOT_W'(name >> (2 * SLOT_W)) ^ SLOT_W'(name >> (3 * SLOT_W));
  assign seen = {now_us[AGE_LOG +: AGE_W], port_i, source_i};

  logic              host_busy;
  logic [SEEN_W:0]   previous, entry, host_data;
  logic [SEEN_W-1:0] made;
  wire unused = &{1'b0, host_busy, entry, host_data, now_us[63:AGE_LOG+AGE_W], now_us[AGE_LOG-1:0]};
  update_ram #(.KEY_W(SLOT_W), .ENTRY_W(SEEN_W + 1), .ARGS_W(SEEN_W)) slots (
    .clk(clk), .rst(rst), .ready_o(ready_o),
    .req_valid_i(valid_i), .index_i(slot), .args_i(seen), .resp_o(previous),
    .body_entry_o(entry), .body_args_o(made), .body_next_i({1'b1, made}),
    .host_start_i(1'b0), .host_write_i(1'b0), .host_index_i('0), .host_data_i('0), .host_busy_o(host_busy), .host_data_o(host_data));

  logic [2:0]          valid_q;
  logic [3*SEEN_W-1:0] seen_q;  // of the last three frames, oldest highest
  always_ff @(posedge clk) begin
    valid_q <= rst ? '0 : {valid_q[1:0], valid_i};
    seen_q <= {seen_q[2*SEEN_W-1:0], seen};
  end
  assign new_o = valid_q[2] && previous != {1'b1, seen_q[2*SEEN_W +: SEEN_W]};

endmodule

`default_nettype wire
