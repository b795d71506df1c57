// SPDX-License-Identifier: Apache-2.0
// S-tag push and pop of hls/kernels/vlan.h as a hardware engineer would write it. Latency 1 cycle, II 1.
`default_nettype none

module vlan (
  input  wire logic          clk,
  input  wire logic          rst,
  input  wire logic          in_valid,
  input  wire logic [1023:0] in_header,      // byte i at [8 * i +: 8]
  input  wire logic          in_push,
  input  wire logic [15:0]   in_s_tpid,
  input  wire logic [11:0]   in_s_vid,
  input  wire logic [2:0]    in_pcp_untagged,
  output logic               out_valid,
  output logic [6:0]         out_edit_strip,
  output logic [6:0]         out_edit_prepend,
  output logic [511:0]       out_edit_data
);

  wire [15:0] type_or_tpid = {in_header[8*12 +: 8], in_header[8*13 +: 8]};
  wire        has_tag = type_or_tpid == 16'h8100 || type_or_tpid == 16'h88a8 || type_or_tpid == in_s_tpid;
  wire [3:0]  priority_bits = has_tag ? in_header[8*14+4 +: 4] : {in_pcp_untagged, 1'b0};
  wire [15:0] tci = {priority_bits, in_s_vid};

  always_ff @(posedge clk) begin
    out_valid <= rst ? 1'b0 : in_valid;
    out_edit_strip <= in_push ? 7'd12 : 7'd16;
    out_edit_prepend <= in_push ? 7'd16 : 7'd12;
    out_edit_data <= {384'd0, tci[7:0], tci[15:8], in_s_tpid[7:0], in_s_tpid[15:8], in_header[95:0]};
  end

endmodule

`default_nettype wire
