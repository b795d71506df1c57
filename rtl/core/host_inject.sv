// SPDX-License-Identifier: Apache-2.0
// The host's own frames on their way into the pipeline: whole frames, each with what is to become of it. A frame that the bus broke off is
// undone.
//
// Latency: commit to valid 1 cycle, read_i to data_o 1 cycle. II: one beat per cycle in and out.
// Limits: DATA_W 128, 256 or 512; BEATS a power of two that holds two frames of 9216 bytes.
`default_nettype none

module host_inject #(
  parameter int DATA_W = 512,
  parameter int BEATS = 512
) (
  input  wire logic              clk,
  input  wire logic              rst,

  output logic                   room_o,          // for the longest frame
  input  wire logic              write_i,         // a beat
  input  wire logic [DATA_W-1:0] data_i,
  input  wire logic              commit_i,        // the frame whose beats were written is whole
  input  wire logic              undo_i,          // it is not
  input  wire logic [13:0]       length_i,        // with commit_i
  input  wire logic [1:0]        origin_i,
  input  wire logic [3:0]        port_i,

  output logic                   valid_o,         // a frame waits
  output logic [13:0]            length_o,
  output logic [1:0]             origin_o,
  output logic [3:0]             port_o,
  input  wire logic              take_i,          // it goes: its beats are read in the cycles behind
  input  wire logic              read_i,
  output logic [DATA_W-1:0]      data_o
);

  localparam int BYTES = DATA_W / 8;
  localparam int A = $clog2(BEATS);
  localparam int LONGEST = (9216 + BYTES - 1) / BYTES;
  localparam int FRAMES_LOG = 5;

  if ((1 << A) != BEATS || BEATS < 2 * LONGEST) $error("host_inject: BEATS must be a power of two and hold two of the longest frames");

  logic [DATA_W-1:0] beats [0:BEATS-1];
  logic [19:0]       frames [0:(1<<FRAMES_LOG)-1];
  logic [A:0]        write_q, start_q, read_q;
  logic [FRAMES_LOG:0] frame_write_q, frame_read_q, held;
  assign held = frame_write_q - frame_read_q;
  logic [A:0] filled;
  assign filled = start_q - read_q;
  assign room_o = filled <= (A + 1)'(BEATS - LONGEST) && !held[FRAMES_LOG];

  always_ff @(posedge clk) begin
    if (write_i) beats[write_q[A-1:0]] <= data_i;
    if (commit_i) frames[frame_write_q[FRAMES_LOG-1:0]] <= {port_i, origin_i, length_i};
    if (read_i) data_o <= beats[read_q[A-1:0]];
    if (rst) begin
      write_q <= '0;
      start_q <= '0;
      read_q <= '0;
      frame_write_q <= '0;
      frame_read_q <= '0;
    end else begin
      if (undo_i) write_q <= start_q;
      else if (write_i) write_q <= write_q + 1'b1;
      if (commit_i) begin
        start_q <= write_q;
        frame_write_q <= frame_write_q + 1'b1;
      end
      if (take_i) frame_read_q <= frame_read_q + 1'b1;
      if (read_i) read_q <= read_q + 1'b1;
    end
  end

  // The front frame, from a register like that of any other memory; valid once the register shows it.
  logic [FRAMES_LOG-1:0] front;
  assign front = frame_read_q[FRAMES_LOG-1:0] + FRAMES_LOG'(take_i);
  always_ff @(posedge clk) begin
    {port_o, origin_o, length_o} <= frames[front];
    valid_o <= !rst && (take_i ? held > (FRAMES_LOG + 1)'(1) : held != '0);
  end

endmodule

`default_nettype wire
