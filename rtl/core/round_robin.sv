// SPDX-License-Identifier: Apache-2.0
// Round robin: the first requester behind `last_i`, wrapping. Combinational.
// N: number of requesters, 1..16.
`default_nettype none

module round_robin #(
  parameter int N = 8
) (
  input  wire logic [N-1:0] request_i,
  input  wire logic [3:0]   last_i,   // who was granted before
  output logic              any_o,
  output logic [3:0]        grant_o   // meaningful with any_o
);

  logic [3:0] first_behind;
  logic [3:0] first;
  logic       found_behind;

  always_comb begin
    first_behind = 4'd0;
    first = 4'd0;
    found_behind = 1'b0;
    for (int i = N - 1; i >= 0; i--) begin
      if (request_i[i]) begin
        first = i[3:0];
        if (i[3:0] > last_i) begin
          first_behind = i[3:0];
          found_behind = 1'b1;
        end
      end
    end
  end

  assign any_o = request_i != '0;
  assign grant_o = found_behind ? first_behind : first;

endmodule

`default_nettype wire
