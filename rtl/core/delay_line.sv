// SPDX-License-Identifier: Apache-2.0
// Delays a word by DEPTH cycles in a circular memory. Latency DEPTH (at least 2), II 1. Contents have no reset: carry a valid bit beside it.
`default_nettype none

module delay_line #(
  parameter int W = 512,
  parameter int DEPTH = 8
) (
  input  wire logic         clk,
  input  wire logic         rst,
  input  wire logic [W-1:0] data_i,
  output logic [W-1:0]      data_o
);

  if (DEPTH < 2) $error("delay_line: DEPTH must be at least 2");

  localparam int WORDS = DEPTH - 1;
  localparam int A = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam logic [A-1:0] LAST = A'(WORDS - 1);

  logic [W-1:0] words [0:WORDS-1];
  logic [A-1:0] at_q;

  always_ff @(posedge clk) begin
    data_o <= words[at_q];
    words[at_q] <= data_i;
    at_q <= rst || at_q == LAST ? '0 : at_q + 1'b1;
  end

endmodule

`default_nettype wire
