// SPDX-License-Identifier: Apache-2.0
// S-tag push and pop of hls/kernels/vlan.h as a hardware engineer would write it. Latency 1 cycle, II 1.
`default_nettype none

module vlan_hand (
  input  wire logic          clk,
  input  wire logic [1023:0] header,      // byte i at [8 * i +: 8]
  input  wire logic          push,
  input  wire logic [15:0]   s_tpid,
  input  wire logic [11:0]   s_vid,
  input  wire logic [2:0]    pcp_untagged,
  output logic [6:0]         strip,
  output logic [6:0]         prepend,
  output logic [511:0]       data
);

  wire [15:0] type_or_tpid = {header[8*12 +: 8], header[8*13 +: 8]};
  wire        tagged = type_or_tpid == 16'h8100 || type_or_tpid == 16'h88a8 || type_or_tpid == s_tpid;
  wire [3:0]  priority_bits = tagged ? header[8*14+4 +: 4] : {pcp_untagged, 1'b0};
  wire [15:0] tci = {priority_bits, s_vid};

  always_ff @(posedge clk) begin
    strip <= push ? 7'd12 : 7'd16;
    prepend <= push ? 7'd16 : 7'd12;
    data <= {384'd0, tci[7:0], tci[15:8], s_tpid[7:0], s_tpid[15:8], header[95:0]};
  end

endmodule

`default_nettype wire
