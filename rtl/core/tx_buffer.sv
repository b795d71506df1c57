// SPDX-License-Identifier: Apache-2.0
// Egress queues: two rings of beats per port, control (1) before normal (0), switched between frames only. Room is reserved per frame
// before its first beat (admission), so a frame once begun is never cut. Sending starts with a frame's first beat: its others follow in
// consecutive cycles and one beat per cycle leaves at most, so it never runs dry.
//
// Latency: beat in to beat out 3 cycles when idle. II: one beat per cycle in and out. After tx_tready[p] falls at most 2 beats for p follow.
// Limits: PORTS 1..16; BEATS a power of two that holds a frame of 9216 bytes plus growth.
`default_nettype none

module tx_buffer #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8,
  parameter int BEATS = 512
) (
  input  wire logic                       clk,
  input  wire logic                       rst,

  // Room: beats taken of queue {port, queue} in the same cycle; beats to take from it.
  input  wire logic [4:0]                 query_i,
  output logic [$clog2(BEATS):0]          taken_o,
  input  wire logic                       reserve_i,
  input  wire logic [$clog2(BEATS):0]     beats_i,

  input  wire logic                       valid_i,
  input  wire logic                       last_i,
  input  wire logic [3:0]                 port_i,
  input  wire logic                       queue_i,
  input  wire logic [$clog2(DATA_W/8):0]  bytes_i,
  input  wire logic [DATA_W-1:0]          data_i,

  output logic                            tx_tvalid,
  output logic [3:0]                      tx_tdest,
  output logic [DATA_W-1:0]               tx_tdata,
  output logic [DATA_W/8-1:0]             tx_tkeep,
  output logic                            tx_tlast,
  input  wire logic [PORTS-1:0]           tx_tready,

  // One pulse per frame whose last beat is out.
  output logic                            end_valid_o,
  output logic [3:0]                      end_port_o,
  output logic [13:0]                     end_bytes_o
);

  localparam int LOG = $clog2(DATA_W / 8);
  localparam int A = $clog2(BEATS);
  localparam int P = PORTS > 1 ? $clog2(PORTS) : 1;
  localparam int WORD_W = DATA_W + LOG + 1;

  if ((1 << A) != BEATS || BEATS * DATA_W / 8 < 9216 + 64) $error("tx_buffer: BEATS must be a power of two and hold the longest frame");

  logic [WORD_W-1:0] words [0:(2*BEATS<<P)-1];   // {bytes, data}
  logic              lasts [0:(2*BEATS<<P)-1];   // read in the cycle of the grant, so in distributed memory

  logic [A:0] reserve_q [0:31];
  logic [A:0] write_q [0:31];
  logic [A:0] read_q [0:31];

  assign taken_o = reserve_q[query_i] - read_q[query_i];

  logic [4:0] in_queue;
  assign in_queue = {port_i, queue_i};
  always_ff @(posedge clk) begin
    if (valid_i) begin
      words[{in_queue[P:0], write_q[in_queue][A-1:0]}] <= {bytes_i, data_i};
      lasts[{in_queue[P:0], write_q[in_queue][A-1:0]}] <= last_i;
    end
  end

  // Who may send: a port that is ready, with a beat in the queue of its frame under way, or in any queue between frames.
  logic [15:0]      middle_q;   // port is inside a frame,
  logic [15:0]      sending_q;  // of this queue
  logic [15:0]      normal, control, chosen;
  logic [PORTS-1:0] waiting;
  always_comb begin
    normal = '0;
    control = '0;
    for (int p = 0; p < PORTS; p++) begin
      normal[p] = write_q[2*p] != read_q[2*p];
      control[p] = write_q[2*p+1] != read_q[2*p+1];
    end
  end
  assign chosen = (middle_q & sending_q) | (~middle_q & control);
  assign waiting = PORTS'((chosen & control) | (~chosen & normal)) & tx_tready;

  logic       any, last;
  logic [3:0] grant, granted_q;
  logic [4:0] out_queue;
  round_robin #(.N(PORTS)) scheduler (.request_i(waiting), .last_i(granted_q), .any_o(any), .grant_o(grant));
  assign out_queue = {grant, chosen[grant]};
  assign last = lasts[{out_queue[P:0], read_q[out_queue][A-1:0]}];

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int q = 0; q < 32; q++) begin
        reserve_q[q] <= '0;
        write_q[q] <= '0;
        read_q[q] <= '0;
      end
      middle_q <= '0;
      granted_q <= 4'd0;
    end else begin
      if (reserve_i) reserve_q[query_i] <= reserve_q[query_i] + beats_i;
      if (valid_i) write_q[in_queue] <= write_q[in_queue] + 1'b1;
      if (any) begin
        read_q[out_queue] <= read_q[out_queue] + 1'b1;
        middle_q[grant] <= !last;
        granted_q <= grant;
      end
    end
    if (any) sending_q[grant] <= chosen[grant];
  end

  // Memory output register and one more.
  logic              out_valid_q, out_last_q;
  logic [3:0]        out_port_q;
  logic [WORD_W-1:0] out_word_q;
  always_ff @(posedge clk) begin
    out_valid_q <= !rst && any;
    tx_tvalid <= !rst && out_valid_q;
    if (any) begin
      out_word_q <= words[{out_queue[P:0], read_q[out_queue][A-1:0]}];
      out_port_q <= grant;
      out_last_q <= last;
    end
    if (out_valid_q) begin
      tx_tdata <= out_word_q[DATA_W-1:0];
      tx_tkeep <= ~({DATA_W/8{1'b1}} << out_word_q[WORD_W-1:DATA_W]);
      tx_tdest <= out_port_q;
      tx_tlast <= out_last_q;
    end
  end

  // Bytes of the frame that each port is sending.
  logic [13:0] sum_q [0:15];
  logic [13:0] sum;
  assign sum = sum_q[out_port_q] + 14'(out_word_q[WORD_W-1:DATA_W]);
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int p = 0; p < 16; p++) sum_q[p] <= '0;
    end else if (out_valid_q) begin
      sum_q[out_port_q] <= out_last_q ? '0 : sum;
    end
    end_valid_o <= !rst && out_valid_q && out_last_q;
    end_port_o <= out_port_q;
    end_bytes_o <= sum;
  end

endmodule

`default_nettype wire
