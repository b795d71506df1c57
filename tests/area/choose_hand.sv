// SPDX-License-Identifier: Apache-2.0
// choose() of hls/kernels/ecmp.h as a hardware engineer would write it: live members, then the nearest one from the
// start, then which of them. Latency 3 cycles, II 1.
`default_nettype none

module choose_member (
  input  wire logic        clk,
  input  wire logic        rst,
  input  wire logic        in_valid,
  input  wire logic [15:0] in_live,
  input  wire logic        in_there,
  input  wire logic [3:0]  in_first,
  input  wire logic [3:0]  in_second,
  input  wire logic [3:0]  in_third,
  input  wire logic [3:0]  in_start,
  output logic             out_valid,
  output logic             out_found,
  output logic [3:0]       out_member
);

  logic        valid1, valid2, found1, found2, named_lives1, named_lives2;
  logic [3:0]  named1, named2, start1, start2, steps2;
  logic [15:0] turned1;
  wire [31:0]  twice = {in_live, in_live} >> in_start;
  wire         first_lives = in_live[in_first], second_lives = in_live[in_second], third_lives = in_live[in_third];

  logic [3:0] steps;  // to the first live member
  always_comb begin
    casez (turned1[14:0])
      15'b??????????????1: steps = 4'd0;
      15'b?????????????10: steps = 4'd1;
      15'b????????????100: steps = 4'd2;
      15'b???????????1000: steps = 4'd3;
      15'b??????????10000: steps = 4'd4;
      15'b?????????100000: steps = 4'd5;
      15'b????????1000000: steps = 4'd6;
      15'b???????10000000: steps = 4'd7;
      15'b??????100000000: steps = 4'd8;
      15'b?????1000000000: steps = 4'd9;
      15'b????10000000000: steps = 4'd10;
      15'b???100000000000: steps = 4'd11;
      15'b??1000000000000: steps = 4'd12;
      15'b?10000000000000: steps = 4'd13;
      15'b100000000000000: steps = 4'd14;
      default: steps = 4'd15;
    endcase
  end

  always_ff @(posedge clk) begin
    valid1 <= rst ? 1'b0 : in_valid;
    valid2 <= rst ? 1'b0 : valid1;
    out_valid <= rst ? 1'b0 : valid2;
    {found1, found2, out_found} <= {in_live != 16'd0, found1, found2};
    turned1 <= twice[15:0];
    named_lives1 <= in_there && (first_lives || second_lives || third_lives);
    named1 <= first_lives ? in_first : second_lives ? in_second : in_third;
    start1 <= in_start;
    {named_lives2, named2, start2} <= {named_lives1, named1, start1};
    steps2 <= steps;
    out_member <= named_lives2 ? named2 : start2 + steps2;
  end

endmodule

`default_nettype wire
