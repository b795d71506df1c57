// SPDX-License-Identifier: Apache-2.0
// Sends each port's last PDU again while its host is away (docs/host-path.md, 7), as a frame of the host for that port.
//
// Arming takes frame and times over at once, so what is in use is never half of one and half of another; a frame that
// is on its way goes out as it was. A refresh counts for an armed port only: what the link's fall has ended it does
// not bring back. stop_i is before arm_i, arm_i before refresh_i. Arming is ignored with a length or an interval out of
// range, or without link.
//
// Between its due times it only compares: nothing is looked at until the earliest of them has come, so the clock may
// stand still until alarm_us_o, and time may jump by any amount. A time that goes back ends all repetitions.
//
// Latency: a due time to valid_o at most PORTS + 4 cycles, while no other port's frame waits; take_i to the next port's
// valid_o as much behind its last beat. II: one frame at a time.
// Limits: DATA_W 128, 256 or 512; PORTS 1..16; frames of 60 to 128 bytes; interval_i at least 1; one port is told
// something in a cycle.
`default_nettype none

module pdu_repeat #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8
) (
  input  wire logic                clk,
  input  wire logic                rst,
  input  wire logic [63:0]         now_us,
  input  wire logic [15:0]         port_up_i,     // a fall disarms; ports that are not there have no link

  input  wire logic [1023:0]       frame_i,       // with arm_i, as all of these
  input  wire logic [7:0]          bytes_i,
  input  wire logic [31:0]         wait_i,        // us from arming, or the last refresh, to the first repetition
  input  wire logic [31:0]         interval_i,    // us from one to the next
  input  wire logic [31:0]         lifetime_i,    // us from arming, or the last refresh; then it disarms itself
  input  wire logic [15:0]         arm_i,
  input  wire logic [15:0]         refresh_i,
  input  wire logic [15:0]         stop_i,
  output logic [15:0]              armed_o,
  output logic [16*32-1:0]         sent_o,        // frames taken, modulo 2^32

  output logic                     valid_o,       // a frame for port_o waits; it may be withdrawn
  output logic [13:0]              length_o,
  output logic [3:0]               port_o,
  input  wire logic                take_i,        // it goes: its beats are read in the cycles behind
  input  wire logic                read_i,
  output logic [DATA_W-1:0]        data_o,        // the cycle after read_i

  output logic                     busy_o,        // something is due or under way
  output logic                     alarm_o,       // it is not, but will be
  output logic [63:0]              alarm_us_o     // then
);

  localparam int BYTES = DATA_W / 8;
  localparam int BYTES_LOG = $clog2(BYTES);
  localparam int MIN_BYTES = 60;
  localparam int MAX_BYTES = 128;
  localparam logic [3:0] LAST = 4'(PORTS - 1);

  if (DATA_W != 128 && DATA_W != 256 && DATA_W != 512) $error("pdu_repeat: DATA_W must be 128, 256 or 512");
  if (PORTS < 1 || PORTS > 16) $error("pdu_repeat: PORTS must be 1 to 16");

  // ---- of each port; times count from the last refresh, so neither a carry nor a jump of now_us matters

  logic [1023:0]       frames [0:15];
  logic [7:0]          bytes_q [0:15];
  logic [31:0]         wait_q [0:15];
  logic [31:0]         interval_q [0:15];
  logic [31:0]         lifetime_q [0:15];
  logic [63:0]         refreshed_q [0:15];
  logic [32:0]         next_q [0:15];     // the next repetition; sums of two times
  logic [16*32-1:0]    count_q;
  logic [15:0]         armed_q;
  assign armed_o = armed_q;
  assign sent_o = count_q;

  // ---- what the host says

  logic [15:0]      told_ports, arm_mask, expire_mask, fallen;
  logic [3:0]       told_port;
  logic             told, arms, refreshes, lapsed;
  logic [63:0]      told_age;
  assign told_ports = arm_i | refresh_i | stop_i;
  assign told = told_ports != '0;
  always_comb begin
    told_port = 4'd0;
    for (int p = 0; p < 16; p++) begin
      if (told_ports[p]) told_port = 4'(p);
    end
  end
  assign told_age = now_us - refreshed_q[told_port];
  assign lapsed = told_age > {32'd0, lifetime_q[told_port]};  // though no one has noticed yet
  assign arms = (arm_i & ~stop_i & port_up_i) != '0 && bytes_i >= 8'(MIN_BYTES) && bytes_i <= 8'(MAX_BYTES) && interval_i != 32'd0;
  assign refreshes = !arms && (refresh_i & ~stop_i & armed_q) != '0 && !lapsed;
  assign arm_mask = arms ? arm_i : '0;
  assign fallen = armed_q & ~port_up_i;

  // ---- looking: all ports once, beginning behind the one that had its turn

  localparam logic [2:0] SLEEP = 3'd0;
  localparam logic [2:0] LOOK = 3'd1;
  localparam logic [2:0] LOAD = 3'd2;
  localparam logic [2:0] OFFER = 3'd3;
  localparam logic [2:0] READ = 3'd4;
  logic [2:0]  state_q;
  logic [3:0]  at_q, first_q, looked_q;
  logic [63:0] base_q;              // when the look began
  logic [32:0] left_q;              // from then to the earliest deadline
  logic        any_q;               // there is one
  logic        woken, changed;
  assign changed = told || fallen != '0;
  assign woken = armed_q != '0 && now_us - base_q >= {31'd0, left_q};

  logic [63:0] age;
  logic [32:0] deadline, left;
  logic        look_late, look_due, look_last;
  assign age = base_q - refreshed_q[at_q];
  assign look_late = age > {32'd0, lifetime_q[at_q]};
  assign look_due = age[32:0] >= next_q[at_q];
  assign deadline = next_q[at_q] <= {1'b0, lifetime_q[at_q]} ? next_q[at_q] : {1'b0, lifetime_q[at_q]} + 33'd1;
  assign left = deadline - age[32:0];
  assign look_last = looked_q == LAST;

  // ---- offering: now_us is looked at once more, because the stream may have been full for long

  logic [1023:0] out_q;
  logic [7:0]    out_bytes_q;
  logic [4:0]    beats_q;
  logic [63:0]   age_now;
  logic [32:0]   age_q, after;
  logic          late_q;
  assign age_now = now_us - refreshed_q[at_q];
  assign valid_o = state_q == OFFER && !late_q;
  assign length_o = 14'(out_bytes_q);
  assign port_o = at_q;
  // Of several due times that have passed one is made good, not all.
  assign after = next_q[at_q] + {1'b0, interval_q[at_q]} > age_q ? next_q[at_q] + {1'b0, interval_q[at_q]}
                                                                 : age_q + {1'b0, interval_q[at_q]};

  always_comb begin
    expire_mask = '0;
    if (state_q == LOOK && look_late) expire_mask[at_q] = 1'b1;
  end

  assign busy_o = state_q != SLEEP || changed || woken;
  assign alarm_o = state_q == SLEEP && any_q;
  assign alarm_us_o = base_q + {31'd0, left_q};

  always_ff @(posedge clk) begin
    if (arms) begin
      frames[told_port] <= frame_i;
      bytes_q[told_port] <= bytes_i;
      wait_q[told_port] <= wait_i;
      interval_q[told_port] <= interval_i;
      lifetime_q[told_port] <= lifetime_i;
    end
    if (take_i) next_q[at_q] <= after;
    // Also in the cycle in which the frame is taken: the host has sent one behind it.
    if (arms || refreshes) begin
      refreshed_q[told_port] <= now_us;
      next_q[told_port] <= {1'b0, arms ? wait_i : wait_q[told_port]};
    end
    age_q <= age_now[32:0];
    late_q <= age_now > {32'd0, lifetime_q[at_q]};
    if (state_q == LOAD) begin
      out_q <= frames[at_q];
      out_bytes_q <= bytes_q[at_q];
    end else if (read_i) begin
      data_o <= out_q[DATA_W-1:0];
      out_q <= out_q >> DATA_W;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) armed_q <= '0;
    else armed_q <= (armed_q & ~expire_mask | arm_mask) & ~stop_i & port_up_i;
  end

  always_ff @(posedge clk) begin
    if (rst) count_q <= '0;
    else if (take_i) count_q[at_q*32 +: 32] <= count_q[at_q*32 +: 32] + 32'd1;
  end

  // A look begins anew whenever something has changed: what it found may be wrong.
  logic       looks;
  logic [3:0] follower;
  assign follower = at_q == LAST ? 4'd0 : at_q + 4'd1;
  always_comb begin
    case (state_q)
      SLEEP:   looks = changed || woken;
      LOOK:    looks = changed;
      LOAD:    looks = changed;
      OFFER:   looks = !take_i && (changed || late_q);
      default: looks = read_i && beats_q == 5'd1;  // READ
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state_q <= SLEEP;
      any_q <= 1'b0;
    end else if (looks) begin
      state_q <= LOOK;
      at_q <= first_q;
      any_q <= 1'b0;
    end else begin
      case (state_q)
        LOOK: begin
          if (armed_q[at_q] && !look_late && look_due) begin
            state_q <= LOAD;
          end else begin
            if (look_last) state_q <= SLEEP;
            at_q <= follower;
            if (armed_q[at_q] && !look_late) any_q <= 1'b1;
          end
        end
        LOAD: state_q <= OFFER;
        OFFER: if (take_i) state_q <= READ;
        default: ;
      endcase
    end
    if (rst) first_q <= '0;
    else if (take_i) first_q <= follower;
    if (looks) begin
      base_q <= now_us;
      looked_q <= '0;
      left_q <= '1;
    end else if (state_q == LOOK) begin
      looked_q <= looked_q + 4'd1;
      if (armed_q[at_q] && !look_late && left < left_q) left_q <= left;
    end
    if (state_q == OFFER) beats_q <= 5'((out_bytes_q + 8'(BYTES - 1)) >> BYTES_LOG);
    else if (read_i) beats_q <= beats_q - 5'd1;
  end

endmodule

`default_nettype wire
