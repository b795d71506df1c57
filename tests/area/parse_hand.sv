// SPDX-License-Identifier: Apache-2.0
// The parser of hls/kernels/parse.h as a hardware engineer would write it: which words are TPIDs, then what follows from
// it. Latency 2 cycles, II 1.
`default_nettype none

module parse_frame (
  input  wire logic          clk,
  input  wire logic          rst,
  input  wire logic          in_valid,
  input  wire logic [1023:0] in_header,    // byte i at [8 * i +: 8]
  input  wire logic [15:0]   in_s_tpid,
  output logic               out_valid,
  output logic [47:0]        out_destination,
  output logic [1:0]         out_tags,
  output logic [15:0]        out_tag_0_tpid,
  output logic [2:0]         out_tag_0_pcp,
  output logic               out_tag_0_dei,
  output logic [11:0]        out_tag_0_vid,
  output logic [15:0]        out_tag_1_tpid,
  output logic [2:0]         out_tag_1_pcp,
  output logic               out_tag_1_dei,
  output logic [11:0]        out_tag_1_vid,
  output logic [15:0]        out_tag_2_tpid,
  output logic [2:0]         out_tag_2_pcp,
  output logic               out_tag_2_dei,
  output logic [11:0]        out_tag_2_vid,
  output logic [15:0]        out_ethertype
);

  // Network order: word i of the tags and types is bytes 12 + 2i (high) and 13 + 2i.
  wire [111:0] word;  // word i at [16 * i +: 16]
  for (genvar i = 0; i < 7; i++) begin : words
    assign word[16 * i +: 16] = {in_header[8 * (12 + 2 * i) +: 8], in_header[8 * (13 + 2 * i) +: 8]};
  end

  function automatic is_tpid(input [15:0] w, input [15:0] s_tpid);
    is_tpid = w == 16'h8100 || w == 16'h88a8 || w == s_tpid;
  endfunction

  logic        valid_q;
  logic [2:0]  tagged_q;  // of the first, second, third word alone
  logic [111:0] word_q;
  logic [47:0] destination_q;
  wire         second = tagged_q[0] && tagged_q[1];
  wire [1:0]   tags = {second, tagged_q[0] && (!tagged_q[1] || tagged_q[2])};

  always_ff @(posedge clk) begin
    valid_q <= rst ? 1'b0 : in_valid;
    out_valid <= rst ? 1'b0 : valid_q;
    word_q <= word;
    tagged_q <= {is_tpid(word[79:64], in_s_tpid), is_tpid(word[47:32], in_s_tpid), is_tpid(word[15:0], in_s_tpid)};
    destination_q <= {in_header[7:0], in_header[15:8], in_header[23:16], in_header[31:24], in_header[39:32], in_header[47:40]};
    out_destination <= destination_q;
    out_tags <= tags;
    out_tag_0_tpid <= word_q[15:0];
    {out_tag_0_pcp, out_tag_0_dei, out_tag_0_vid} <= word_q[31:16];
    out_tag_1_tpid <= word_q[47:32];
    {out_tag_1_pcp, out_tag_1_dei, out_tag_1_vid} <= word_q[63:48];
    out_tag_2_tpid <= word_q[79:64];
    {out_tag_2_pcp, out_tag_2_dei, out_tag_2_vid} <= word_q[95:80];
    case (tags)
      2'd0: out_ethertype <= word_q[15:0];
      2'd1: out_ethertype <= word_q[47:32];
      2'd2: out_ethertype <= word_q[79:64];
      default: out_ethertype <= word_q[111:96];
    endcase
  end

endmodule

`default_nettype wire
