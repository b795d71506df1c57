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

  logic [N:0]   later;   // bit i: i is behind last_i
  logic [N-1:0] behind, among;
  assign later = {{N{1'b1}}, 1'b0} << last_i;
  assign behind = request_i & later[N-1:0];
  assign among = behind != '0 ? behind : request_i;

  always_comb begin
    grant_o = 4'd0;
    for (int i = N - 1; i >= 0; i--) begin
      if (among[i]) grant_o = i[3:0];
    end
  end
  assign any_o = request_i != '0;
  wire unused = &{1'b0, later[N]};

endmodule

`default_nettype wire
