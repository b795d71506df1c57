// SPDX-License-Identifier: Apache-2.0
// One table: a lookup port for the pipeline, and host access while traffic flows. Entries are read and written whole, so a lookup sees
// the entry before or after a write and nothing between. Counts the valid entries (bit 0). Clears itself after reset.
//
// Latency: lookup 2 cycles (address register, output register), II 1. A host access takes 3 cycles, one at a time. Clearing takes
// 2^KEY_W cycles.
`default_nettype none

module table_ram #(
  parameter int KEY_W = 12,
  parameter int ENTRY_W = 32
) (
  input  wire logic               clk,
  input  wire logic               rst,
  output logic                    ready_o,       // cleared

  input  wire logic               req_valid_i,
  input  wire logic [KEY_W-1:0]   key_i,
  output logic [ENTRY_W-1:0]      resp_o,

  input  wire logic               host_start_i,  // pulse; only when host_busy_o is low
  input  wire logic               host_write_i,
  input  wire logic [KEY_W-1:0]   host_index_i,
  input  wire logic [ENTRY_W-1:0] host_data_i,
  output logic                    host_busy_o,
  output logic [ENTRY_W-1:0]      host_data_o,   // what was read, or what stood there before the write
  output logic [KEY_W:0]          used_o         // valid entries
);

  logic [ENTRY_W-1:0] entries [0:(1<<KEY_W)-1];

  logic [KEY_W-1:0] key_q;
  always_ff @(posedge clk) begin
    if (req_valid_i) key_q <= key_i;
    resp_o <= entries[key_q];
  end

  // Host port: address, read, then write.
  logic               clearing_q, reading_q, fetched_q, write_q;
  logic [KEY_W-1:0]   index_q;
  logic [ENTRY_W-1:0] data_q;
  logic               store;
  assign store = clearing_q || (fetched_q && write_q);

  always_ff @(posedge clk) begin
    if (store) entries[index_q] <= clearing_q ? '0 : data_q;
    if (reading_q) host_data_o <= entries[index_q];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      clearing_q <= 1'b1;
      index_q <= '0;
      reading_q <= 1'b0;
      fetched_q <= 1'b0;
      used_o <= '0;
    end else if (clearing_q) begin
      index_q <= index_q + 1'b1;
      clearing_q <= index_q != {KEY_W{1'b1}};
    end else begin
      if (host_start_i) index_q <= host_index_i;
      reading_q <= host_start_i;
      fetched_q <= reading_q;
      if (fetched_q && write_q) begin
        used_o <= used_o + (KEY_W + 1)'(data_q[0]) - (KEY_W + 1)'(host_data_o[0]);
      end
    end
    if (host_start_i) begin
      write_q <= host_write_i;
      data_q <= host_data_i;
    end
  end

  assign ready_o = !clearing_q;
  assign host_busy_o = clearing_q || reading_q || fetched_q;

endmodule

`default_nettype wire
