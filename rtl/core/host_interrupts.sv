// SPDX-License-Identifier: Apache-2.0
// When the host is interrupted (docs/host-path.md, 4): vector r for ring r, once it is armed and has completions that the host has not seen, as
// soon as there are enough of them or the oldest is old enough; vector 8 for ports that changed and rings that stopped. Firing disarms.
//
// Latency: a cause to irq_valid_o at most 10 cycles, one vector is looked at per cycle.
`default_nettype none

module host_interrupts #(
  parameter int PORTS = 8
) (
  input  wire logic             clk,
  input  wire logic             rst,
  input  wire logic [31:0]      now_us,         // its low bits

  input  wire logic             done_i,          // ring_i has one more completion: index_i moves on in the next cycle
  input  wire logic             stopped_i,       // ring_i has stopped with an error
  input  wire logic [2:0]       ring_i,
  input  wire logic [8*16-1:0]  index_i,
  input  wire logic [8*16-1:0]  seen_i,
  input  wire logic [7:0]       enable_i,        // rings; a disabled one is not armed
  input  wire logic [7:0]       arm_i,
  input  wire logic [8*16-1:0]  frames_i,
  input  wire logic [8*16-1:0]  us_i,

  input  wire logic [4*PORTS-1:0] port_state_i,  // four bits of every port; each change is an event of its port
  input  wire logic [15:0]      clear_links_i,
  input  wire logic [7:0]       clear_rings_i,
  input  wire logic             arm_events_i,
  output logic [15:0]           links_o,         // ports that have changed
  output logic [7:0]            rings_o,         // that have stopped

  output logic                  irq_valid_o,
  output logic [3:0]            irq_vector_o,
  input  wire logic             irq_ready_i,
  output logic                  busy_o
);

  // ---- rings

  logic [7:0]  armed_q, late_q, unseen;          // late: completions were there when the host armed
  logic [31:0] oldest_q [0:7];                   // card time of the first that is not seen
  logic [3:0]  scan_q;
  logic [2:0]  at;
  logic [15:0] count;
  logic        fires;
  assign at = scan_q[2:0];
  assign count = index_i[at*16 +: 16] - seen_i[at*16 +: 16];
  always_comb begin
    for (int r = 0; r < 8; r++) unseen[r] = index_i[r*16 +: 16] != seen_i[r*16 +: 16];
  end
  assign fires = armed_q[at] && unseen[at] &&
                 (late_q[at] || count >= frames_i[at*16 +: 16] || now_us - oldest_q[at] >= {16'd0, us_i[at*16 +: 16]});

  // ---- events

  logic [4*PORTS-1:0] state_q;
  logic [15:0] changed, links_q;
  logic [7:0]  rings_q;
  logic        events_armed_q, known_q;
  always_comb begin
    changed = '0;
    for (int b = 0; b < 4 * PORTS; b++) changed[b % PORTS] = changed[b % PORTS] || state_q[b] != port_state_i[b];
  end
  assign links_o = links_q;
  assign rings_o = rings_q;

  assign busy_o = irq_valid_o || (armed_q & unseen) != '0 || events_armed_q && {links_q, rings_q} != '0 || changed != '0;

  always_ff @(posedge clk) begin
    if (rst) begin
      armed_q <= '0;
      late_q <= '0;
      links_q <= '0;
      rings_q <= '0;
      events_armed_q <= 1'b0;
      known_q <= 1'b0;
      irq_valid_o <= 1'b0;
      scan_q <= '0;
    end else begin
      known_q <= 1'b1;
      links_q <= (links_q & ~clear_links_i) | (known_q ? changed : '0);
      rings_q <= rings_q & ~clear_rings_i;
      if (stopped_i) rings_q[ring_i] <= 1'b1;
      if (irq_ready_i) irq_valid_o <= 1'b0;
      if (!irq_valid_o) begin
        scan_q <= scan_q == 4'd8 ? '0 : scan_q + 4'd1;
        irq_vector_o <= scan_q;
        if (scan_q == 4'd8) begin
          irq_valid_o <= events_armed_q && {links_q, rings_q} != '0;
          if ({links_q, rings_q} != '0) events_armed_q <= 1'b0;
        end else if (fires) begin
          irq_valid_o <= 1'b1;
        end
      end
      armed_q <= armed_q & enable_i;
      for (int r = 0; r < 8; r++) begin
        if (arm_i[r] && enable_i[r]) armed_q[r] <= 1'b1;
        if (arm_i[r]) late_q[r] <= unseen[r];
      end
      // Also what is armed again in this cycle: seen_i is new already, so this interrupt tells of what that asked for.
      if (!irq_valid_o && fires && scan_q != 4'd8) armed_q[at] <= 1'b0;
      if (arm_events_i) events_armed_q <= 1'b1;
    end
    state_q <= port_state_i;
    if (done_i && !unseen[ring_i]) oldest_q[ring_i] <= now_us;
  end

endmodule

`default_nettype wire
