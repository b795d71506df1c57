// SPDX-License-Identifier: Apache-2.0
// Commands of the table access registers: one entry written or read per command, then the index moves on if asked to.
//
// Latency: a command takes 4 cycles. One at a time: a command while busy is ignored and marked as an error.
`default_nettype none

module table_host (
  input  wire logic        clk,
  input  wire logic        rst,

  input  wire logic        write_i,       // command pulses
  input  wire logic        read_i,
  input  wire logic        increment_i,   // level, with the pulse
  input  wire logic        forget_i,      // pulse: refused_o falls

  input  wire logic [31:0] index_i,
  input  wire logic [31:0] capacity_i,    // of the selected table; 0: there is no such table

  output logic             start_o,       // to the tables
  output logic             start_write_o,
  input  wire logic        tables_busy_i,

  output logic             busy_o,
  output logic             error_o,       // the last command was refused; stays until the next
  output logic             refused_o,     // some command was refused; stays until it is told to forget
  output logic             load_data_o,   // pulse: a read's data are there
  output logic             load_index_o   // pulse: the index moves on by one
);

  logic command, legal, running_q, write_q, increment_q;
  assign command = write_i || read_i;
  assign legal = index_i < capacity_i && !busy_o && !(write_i && read_i);
  assign start_o = command && legal;
  assign start_write_o = write_i;
  assign busy_o = tables_busy_i || running_q;

  logic finished;
  assign finished = running_q && !tables_busy_i;
  assign load_data_o = finished && !write_q;
  assign load_index_o = finished && increment_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      running_q <= 1'b0;
      error_o <= 1'b0;
      refused_o <= 1'b0;
    end else begin
      if (start_o) running_q <= 1'b1;
      else if (finished) running_q <= 1'b0;
      if (command) error_o <= !legal;
      if (command && !legal) refused_o <= 1'b1;
      else if (forget_i) refused_o <= 1'b0;
    end
    if (start_o) begin
      write_q <= write_i;
      increment_q <= increment_i;
    end
  end

endmodule

`default_nettype wire
