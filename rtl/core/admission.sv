// SPDX-License-Identifier: Apache-2.0
// The last word about a frame: forward()'s drop, or the egress port cannot take it (its link or its lock fell while the decision was under way, and the link may be up
// again; queue full), or its room in the egress queue is reserved. One outcome per frame, so every frame is counted exactly once.
//
// Latency 2 cycles, II 1.
// PORTS 1..16; BEATS: room of each egress queue, a power of two.
`default_nettype none

module admission #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8,
  parameter int BEATS = 512
) (
  input  wire logic             clk,
  input  wire logic             rst,

  input  wire logic [PORTS-1:0] port_up_i,
  input  wire logic [PORTS-1:0] port_enable_i,
  input  wire logic [15:0]      port_held_i,   // for customers' frames its link is down

  input  wire logic             valid_i,
  input  wire logic [13:0]      length_i,
  input  wire logic [5:0]       drop_i,
  input  wire logic [3:0]       egress_port_i,
  input  wire logic             queue_i,
  input  wire logic [6:0]       strip_i,
  input  wire logic [6:0]       prepend_i,

  // Room per queue {port, queue}: beats reserved so far, beats sent so far.
  output logic [4:0]               query_o,
  input  wire logic [$clog2(BEATS):0] taken_i,    // of the queue asked for, in the same cycle
  output logic                     reserve_o,
  output logic [$clog2(BEATS):0]   beats_o,       // with reserve_o, of queue query_o

  output logic                  valid_o,
  output logic [5:0]            drop_o,        // 0: goes out
  output logic [$clog2(BEATS):0] length_beats_o,   // of the frame that goes out
  output logic [$clog2(DATA_W/8):0] last_bytes_o,  // in its last beat, 1 to DATA_W / 8
  output logic [3:0]            egress_port_o,
  output logic                  queue_o
);

  localparam int BYTES = DATA_W / 8;
  localparam int BYTES_LOG = $clog2(BYTES);
  localparam int A = $clog2(BEATS);

  logic        valid_q, queue_q;
  logic [5:0]  drop_q;
  logic [13:0] length_q;
  logic [3:0]  port_q;
  always_ff @(posedge clk) begin
    valid_q <= !rst && valid_i;
    if (valid_i) begin
      drop_q <= drop_i;
      queue_q <= queue_i;
      port_q <= egress_port_i;
      length_q <= length_i - 14'(strip_i) + 14'(prepend_i);
    end
  end

  assign beats_o = (A + 1)'((length_q + 14'(BYTES - 1)) >> BYTES_LOG);
  assign query_o = {port_q, queue_q};

  // Bits of ports that the card does not have read as zero: no link.
  logic [15:0] up, enabled;
  assign up = 16'(port_up_i);
  assign enabled = 16'(port_enable_i);

  logic [5:0] drop;
  always_comb begin
    drop = drop_q;
    if (drop_q == 6'd0) begin
      if (!up[port_q] || port_held_i[port_q] && !queue_q) drop = 6'd37;                       // egress_down
      else if (!enabled[port_q]) drop = 6'd38;                                                // egress_locked
      else if ({1'b0, taken_i} + {1'b0, beats_o} > (A + 2)'(BEATS)) drop = 6'd36;             // egress_full
    end
  end
  assign reserve_o = valid_q && drop == 6'd0;

  always_ff @(posedge clk) begin
    valid_o <= !rst && valid_q;
    if (valid_q) begin
      drop_o <= drop;
      last_bytes_o <= {1'b0, length_q[BYTES_LOG-1:0] - 1'b1} + 1'b1;
      length_beats_o <= beats_o;
      egress_port_o <= port_q;
      queue_o <= queue_q;
    end
  end

endmodule

`default_nettype wire
