// SPDX-License-Identifier: Apache-2.0
// A flip-flop as a wire: the function of a pipeline, without its time.
(* techmap_celltype = "$dff" *)
module wire_for_dff (CLK, D, Q);
  parameter WIDTH = 0;
  parameter CLK_POLARITY = 0;
  input CLK;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  assign Q = D;
endmodule
