// SPDX-License-Identifier: Apache-2.0
// How many flows each link carried towards the backbone in the last whole second: linear counting (Whang, Vander-Zanden, Taylor 1990). A
// flow's hash names one of 2^SLOT_W slots of its link, and a second's count is the number of slots that it has touched; software makes
// flows of it. Frames of one flow, also back to back, touch one slot. A second is 2^20 us of card time.
//
// A word of the memory holds one slot of all links, and the whole number of the second that wrote it: in any other second the slots are
// empty. So nothing is ever swept, and no second is taken for an earlier one, however far the time jumps while the clock stands. At the
// first cycle of the next second the running counts become the last second's; after a jump over a second the last one was empty.
//
// Latency: a frame is counted 4 cycles after it is shown, II 1. A read takes 5 cycles, one at a time; its answer is that of the cycle in which
// it was asked. Clears itself after reset in 2^SLOT_W cycles and counts nothing until then.
// Limits: 16 links. Time that steps back into a second that was counted before finds its slots touched and counts too few.
`default_nettype none

module flow_sketch #(
  parameter int SLOT_W = 12
) (
  input  wire logic              clk,
  input  wire logic              rst,
  output logic                   ready_o,   // cleared

  input  wire logic [63:0]       now_us_i,

  input  wire logic              valid_i,   // a frame goes out on a link
  input  wire logic [3:0]        link_i,
  input  wire logic [SLOT_W-1:0] slot_i,

  input  wire logic              req_i,     // held until the acknowledging pulse
  input  wire logic [3:0]        read_link_i,
  output logic                   ack_o,
  output logic [31:0]            data_o     // slots touched in the last whole second, with the acknowledge
);

  localparam int SECOND_W = 44;
  localparam int COUNT_W = SLOT_W + 1;

  // In the memory's last stage: the frame, its word, and the second of each cycle, with or without a frame.
  logic [2:0]          valid_q;
  logic [3:0]          link;
  logic [SECOND_W-1:0] second, of_word;
  logic [15:0]         touched, touched_now;
  assign touched_now = of_word == second ? touched : '0;

  logic                 host_busy;
  logic [SECOND_W+15:0] answer, host_data;
  wire unused = &{1'b0, answer, host_busy, host_data, now_us_i[19:0]};
  update_ram #(.KEY_W(SLOT_W), .ENTRY_W(SECOND_W + 16), .ARGS_W(SECOND_W + 4)) slots (
    .clk(clk), .rst(rst), .ready_o(ready_o),
    .req_valid_i(valid_i), .index_i(slot_i), .args_i({now_us_i[63:20], link_i}), .resp_o(answer),
    .body_entry_o({of_word, touched}), .body_args_o({second, link}), .body_next_i({second, touched_now | (16'd1 << link)}),
    .host_start_i(1'b0), .host_write_i(1'b0), .host_index_i('0), .host_data_i('0), .host_busy_o(host_busy), .host_data_o(host_data));

  logic [SECOND_W-1:0]   second_q;  // that running_q counts
  logic [16*COUNT_W-1:0] running_q, last_q;
  logic                  turn;      // of the second
  logic                  first;     // the frame is the first on its slot in this second
  assign turn = second != second_q;
  assign first = valid_q[2] && !touched_now[link];

  always_ff @(posedge clk) begin
    valid_q <= rst ? '0 : {valid_q[1:0], valid_i && ready_o};
    second_q <= rst ? '0 : second;
    if (rst) begin
      running_q <= '0;
      last_q <= '0;
    end else if (turn || first) begin
      for (int l = 0; l < 16; l++) begin
        running_q[COUNT_W * l +: COUNT_W] <= (turn ? '0 : running_q[COUNT_W * l +: COUNT_W]) + COUNT_W'(first && link == 4'(l));
      end
      if (turn) last_q <= second == second_q + 1'b1 ? running_q : '0;
    end
  end

  // A read waits for the frame and the second that came with it.
  logic [3:0] wait_q;
  always_ff @(posedge clk) begin
    wait_q <= rst || ack_o ? '0 : {wait_q[2:0], req_i};
    ack_o <= !rst && wait_q[3] && !ack_o;
    if (wait_q[3]) begin
      for (int l = 0; l < 16; l++) begin
        if (read_link_i == 4'(l)) data_o <= 32'(last_q[COUNT_W * l +: COUNT_W]);
      end
    end
  end

endmodule

`default_nettype wire
