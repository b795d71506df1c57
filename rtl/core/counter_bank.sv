// SPDX-License-Identifier: Apache-2.0
// A memory of counter pairs, events and bytes, 64 bits each. An event adds (1, bytes) to its pair; equal indices back to back are exact.
// A host read waits for a cycle without an event. Clears itself after reset.
//
// Latency: an event is in the memory after 3 cycles; II 1. Clearing takes 2^INDEX_W cycles.
`default_nettype none

module counter_bank #(
  parameter int INDEX_W = 4
) (
  input  wire logic               clk,
  input  wire logic               rst,
  output logic                    ready_o,        // cleared

  input  wire logic               event_valid_i,
  input  wire logic [INDEX_W-1:0] event_index_i,
  input  wire logic [13:0]        event_bytes_i,

  input  wire logic               read_i,         // held until read_done_o
  input  wire logic [INDEX_W-1:0] read_index_i,
  output logic                    read_done_o,    // one pulse, with the data
  output logic [63:0]             read_events_o,
  output logic [63:0]             read_bytes_o
);

  logic [127:0] pairs [0:(1<<INDEX_W)-1];

  // Stage 1: address. Stage 2: the pair, newest copy. Stage 3: written.
  logic               clearing_q;
  logic [INDEX_W-1:0] clear_index_q;
  logic               add1_q, add2_q, add3_q, add4_q, read1_q, read2_q;
  logic [INDEX_W-1:0] index1_q, index2_q, index3_q, index4_q;
  logic [13:0]        bytes1_q, bytes2_q;
  logic [127:0]       fetched_q, sum3_q, sum4_q;
  logic               start_read;
  assign start_read = read_i && !event_valid_i && !read1_q && !read2_q && !read_done_o;

  // Writes under way are newer than what the memory gave.
  logic [127:0] newest, sum;
  always_comb begin
    newest = fetched_q;
    if (add4_q && index4_q == index2_q) newest = sum4_q;
    if (add3_q && index3_q == index2_q) newest = sum3_q;
    sum = {newest[127:64] + 64'd1, newest[63:0] + 64'(bytes2_q)};
  end

  always_ff @(posedge clk) begin
    if (clearing_q) pairs[clear_index_q] <= '0;
    else if (add3_q) pairs[index3_q] <= sum3_q;
    fetched_q <= pairs[index1_q];
  end

  always_ff @(posedge clk) begin
    add1_q <= !rst && event_valid_i;
    add2_q <= !rst && add1_q;
    add3_q <= !rst && add2_q;
    add4_q <= !rst && add3_q;
    read1_q <= !rst && start_read;
    read2_q <= !rst && read1_q;
    read_done_o <= !rst && read2_q;
    index1_q <= event_valid_i ? event_index_i : read_index_i;
    bytes1_q <= event_bytes_i;
    index2_q <= index1_q;
    bytes2_q <= bytes1_q;
    if (add2_q) begin
      index3_q <= index2_q;
      sum3_q <= sum;
    end
    if (add3_q) begin
      index4_q <= index3_q;
      sum4_q <= sum3_q;
    end
    if (read2_q) {read_events_o, read_bytes_o} <= newest;
    if (rst) begin
      clearing_q <= 1'b1;
      clear_index_q <= '0;
    end else if (clearing_q) begin
      clear_index_q <= clear_index_q + 1'b1;
      clearing_q <= clear_index_q != {INDEX_W{1'b1}};
    end
  end

  assign ready_o = !clearing_q;

endmodule

`default_nettype wire
