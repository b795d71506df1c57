// SPDX-License-Identifier: Apache-2.0
// The memories of the ports' modules (SFF-8472), which the board keeps: a register read of theirs is asked of it and answered.
//
// The board shows an answer (module_ack_i, with module_error_i when it has none) while module_req_o is high, which then falls for at least a
// cycle. A request that falls unanswered is withdrawn: the board forgets it. A module is slow and a read of the host's bus must not be, so a
// board reads modules ahead and answers from its copy.
//
// Latency: the board's, plus none; at most LIMIT cycles, then the answer is an error, as at once where no module is plugged.
`default_nettype none

module module_window #(
  parameter int PORTS = 8,
  parameter int LIMIT = 4096
) (
  input  wire logic             clk,
  input  wire logic             rst,

  input  wire logic [PORTS-1:0] present_i,
  input  wire logic             req_i,             // held until ack_o
  input  wire logic [12:0]      address_i,         // port, byte of its 512
  output logic                  ack_o,
  output logic                  error_o,
  output logic [31:0]           data_o,

  output logic                  module_req_o,
  output logic [12:0]           module_address_o,  // a multiple of 4
  input  wire logic             module_ack_i,
  input  wire logic             module_error_i,
  input  wire logic [31:0]      module_data_i      // the byte with the lowest address in bits 7:0
);

  localparam int WAIT_W = $clog2(LIMIT);

  logic [15:0]       present;
  logic              plugged, late;
  logic [WAIT_W-1:0] waited_q;
  assign present = 16'(present_i);
  assign plugged = present[address_i[12:9]];
  assign late = waited_q == WAIT_W'(LIMIT - 1);
  assign module_req_o = req_i && plugged;
  assign module_address_o = {address_i[12:2], 2'b00};
  assign ack_o = req_i && (!plugged || module_ack_i || late);
  assign error_o = !plugged || !module_ack_i || module_error_i;
  assign data_o = error_o ? 32'd0 : module_data_i;
  wire unused = &{1'b0, address_i[1:0]};  // the register block refuses what is no whole word

  always_ff @(posedge clk) begin
    if (rst || !module_req_o || ack_o) waited_q <= '0;
    else waited_q <= waited_q + WAIT_W'(1);
  end

endmodule

`default_nettype wire
