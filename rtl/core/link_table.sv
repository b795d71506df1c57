// SPDX-License-Identifier: Apache-2.0
// Which ports make up each link, and which of them can carry a frame now. A port that loses its link, is locked, or held back, is gone from the
// next answers, whatever the host does. The host reads back what it wrote; lookups see only live ports.
//
// An entry is {ports, valid}. A port in no link is no link's. Between a port's fall and an answer without it: 2 cycles.
// Latency: lookups 1 cycle, II 1. A host access takes 2 cycles, one at a time. No entry is valid after reset.
// Limits: 16 links, 16 ports.
`default_nettype none

module link_table (
  input  wire logic        clk,
  input  wire logic        rst,
  output logic             ready_o,

  input  wire logic [15:0] port_live_i,   // up, enabled and not held

  input  wire logic [3:0]  key_i,         // lookup_link: a link
  output logic [16:0]      resp_o,
  input  wire logic [15:0] live_key_i,    // lookup_live: links
  output logic [15:0]      live_resp_o,   // those with a live port

  input  wire logic        host_start_i,  // pulse; only when host_busy_o is low
  input  wire logic        host_write_i,
  input  wire logic [3:0]  host_index_i,
  input  wire logic [16:0] host_data_i,
  output logic             host_busy_o,
  output logic [16:0]      host_data_o,
  output logic [4:0]       used_o         // valid entries
);

  logic [16*16-1:0] ports_q, live;
  logic [15:0]      valid_q, port_live_q, link_live;

  always_comb begin
    for (int l = 0; l < 16; l++) begin
      live[16 * l +: 16] = valid_q[l] ? ports_q[16 * l +: 16] & port_live_q : '0;
      link_live[l] = live[16 * l +: 16] != '0;
    end
  end

  always_ff @(posedge clk) begin
    port_live_q <= rst ? '0 : port_live_i;
    resp_o <= {live[16 * key_i +: 16], valid_q[key_i]};
    live_resp_o <= live_key_i & link_live;
  end

  always_ff @(posedge clk) begin
    host_busy_o <= !rst && host_start_i;
    if (rst) begin
      valid_q <= '0;
      ports_q <= '0;
      used_o <= '0;
    end else if (host_start_i && host_write_i) begin
      valid_q[host_index_i] <= host_data_i[0];
      ports_q[16 * host_index_i +: 16] <= host_data_i[16:1];
      used_o <= used_o + 5'(host_data_i[0]) - 5'(valid_q[host_index_i]);
    end
    host_data_o <= {ports_q[16 * host_index_i +: 16], valid_q[host_index_i]};
  end

  assign ready_o = 1'b1;

endmodule

`default_nettype wire
