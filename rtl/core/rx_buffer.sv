// SPDX-License-Identifier: Apache-2.0
// Store and forward on the ingress side: beats of all ports go to one memory, a ring of BEATS words per port; whole good frames come out
// as one stream, round robin by frame. A bad, short, long or unbuffered frame is undone at its last beat and reported with its reason.
// The host's own frames join the stream here: they have one beat in 16, and what the ports leave.
//
// Latency: last beat in to first beat out 4 cycles when idle. II: one beat per cycle in and out. A frame leaves in consecutive cycles.
// The editor may make a frame up to MAX_GROWTH bytes longer; when that could take one more beat, the stream leaves a gap of one cycle.
// Limits: DATA_W 128, 256 or 512; PORTS 1..16; BEATS a power of two that holds a frame of 9216 bytes.
`default_nettype none

module rx_buffer #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8,
  parameter int BEATS = 512,
  parameter int MAX_GROWTH = 4
) (
  input  wire logic                clk,
  input  wire logic                rst,
  input  wire logic                enable_i,      // frames may leave (tables are ready)

  input  wire logic                rx_tvalid,
  input  wire logic [3:0]          rx_tid,
  input  wire logic [DATA_W-1:0]   rx_tdata,
  input  wire logic [DATA_W/8-1:0] rx_tkeep,
  input  wire logic                rx_tlast,
  input  wire logic                rx_tuser,

  // One pulse per frame that ended: accepted, or dropped with a reason.
  output logic                     end_valid_o,
  output logic                     end_drop_o,
  output logic [3:0]               end_port_o,
  output logic [5:0]               end_reason_o,
  output logic [13:0]              end_bytes_o,   // saturates at 9217

  // A frame of the host (host_inject), or one repeated for it (pdu_repeat): taken whole, its beats read from the next cycle on.
  input  wire logic                host_valid_i,
  input  wire logic [13:0]         host_length_i,
  input  wire logic [1:0]          host_origin_i,
  input  wire logic [3:0]          host_port_i,
  input  wire logic                host_repeated_i,
  output logic                     host_take_o,
  output logic                     host_read_o,
  output logic                     host_read_repeated_o,  // with host_read_o: of a frame that was taken with host_repeated_i
  input  wire logic [DATA_W-1:0]   host_data_i,   // the cycle after host_read_o

  output logic                     sop_o,         // the first beat of a frame; its others follow without a break
  output logic [1:0]               origin_o,      // 0: from a port; else what the host wants
  output logic [3:0]               port_o,
  output logic [13:0]              length_o,      // bytes of the frame, with sop_o
  output logic [DATA_W-1:0]        data_o
);

  localparam int BYTES = DATA_W / 8;
  localparam int BYTES_LOG = $clog2(BYTES);
  localparam int A = $clog2(BEATS);
  localparam int P = PORTS > 1 ? $clog2(PORTS) : 1;
  localparam int MIN_BYTES = 60;
  localparam int MAX_BYTES = 9216;

  if (DATA_W != 128 && DATA_W != 256 && DATA_W != 512) $error("rx_buffer: DATA_W must be 128, 256 or 512");
  if (PORTS < 1 || PORTS > 16) $error("rx_buffer: PORTS must be 1 to 16");
  if ((1 << A) != BEATS || BEATS * BYTES < MAX_BYTES) $error("rx_buffer: BEATS must be a power of two and hold the longest frame");

  // ---- write side

  logic [DATA_W-1:0] beats [0:(BEATS<<P)-1];
  logic [13:0]       lengths [0:(BEATS<<P)-1];  // of whole frames, in the order of their beats

  logic [A:0]  write_q [0:15];    // next beat; undone when the frame is dropped
  logic [A:0]  start_q [0:15];    // first beat of the frame that is coming in
  logic [A:0]  read_q [0:15];
  logic [14:0] bytes_q [0:15];    // of the frame that is coming in, so far
  logic [15:0] lost_q;            // a beat of the frame that is coming in found no room
  logic [A:0]  frame_write_q [0:15];
  logic [A:0]  frame_read_q [0:15];

  // tkeep is contiguous from bit 0, so its number of ones is found by halving.
  logic [BYTES_LOG:0] beat_bytes;
  always_comb begin
    logic [BYTES-1:0] rest;
    rest = rx_tkeep;
    beat_bytes = '0;
    for (int half = BYTES_LOG - 1; half >= 0; half--) begin
      if (rest[(1 << half) - 1]) begin
        beat_bytes = beat_bytes + (BYTES_LOG + 1)'(1 << half);
        rest = rest >> (1 << half);
      end
    end
    beat_bytes = beat_bytes + (BYTES_LOG + 1)'(rest[0]);
  end

  logic [14:0] bytes_now;
  assign bytes_now = bytes_q[rx_tid] + (rx_tlast ? 15'(beat_bytes) : 15'(BYTES));
  logic [A:0] filled;
  assign filled = write_q[rx_tid] - read_q[rx_tid];

  logic accepted, full, lost, too_long, too_short, keep;
  assign accepted = rx_tvalid && {1'b0, rx_tid} < 5'(PORTS);
  assign full = filled == (A + 1)'(BEATS);
  assign lost = full || lost_q[rx_tid];
  assign too_long = bytes_now > 15'(MAX_BYTES);
  assign too_short = bytes_now < 15'(MIN_BYTES);
  assign keep = !rx_tuser && !too_long && !lost && !too_short;

  always_ff @(posedge clk) begin
    if (accepted) begin
      if (!lost && !too_long) beats[{rx_tid[P-1:0], write_q[rx_tid][A-1:0]}] <= rx_tdata;
      if (rx_tlast && keep) lengths[{rx_tid[P-1:0], frame_write_q[rx_tid][A-1:0]}] <= bytes_now[13:0];
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int p = 0; p < 16; p++) begin
        write_q[p] <= '0;
        start_q[p] <= '0;
        bytes_q[p] <= '0;
        frame_write_q[p] <= '0;
      end
      lost_q <= '0;
    end else if (accepted && rx_tlast) begin
      bytes_q[rx_tid] <= '0;
      lost_q[rx_tid] <= 1'b0;
      if (keep) begin
        write_q[rx_tid] <= write_q[rx_tid] + 1'b1;
        start_q[rx_tid] <= write_q[rx_tid] + 1'b1;
        frame_write_q[rx_tid] <= frame_write_q[rx_tid] + 1'b1;
      end else begin
        write_q[rx_tid] <= start_q[rx_tid];
      end
    end else if (accepted) begin
      bytes_q[rx_tid] <= too_long ? 15'(MAX_BYTES + 1) : bytes_now;
      lost_q[rx_tid] <= lost;
      write_q[rx_tid] <= write_q[rx_tid] + 1'b1;  // of a frame that is lost already, whatever it is: it will be undone
    end
  end

  always_ff @(posedge clk) begin
    end_valid_o <= !rst && accepted && rx_tlast;
    end_drop_o <= !keep;
    end_port_o <= rx_tid;
    end_bytes_o <= too_long ? 14'(MAX_BYTES + 1) : bytes_now[13:0];
    if (rx_tuser) end_reason_o <= 6'd32;       // bad_frame
    else if (too_long) end_reason_o <= 6'd34;  // oversize
    else if (lost) end_reason_o <= 6'd35;      // rx_overflow
    else end_reason_o <= 6'd33;                // runt
  end

  // ---- read side: pick a port and fetch its frame's length, then issue one read per cycle

  logic [PORTS-1:0] waiting;
  always_comb begin
    for (int p = 0; p < PORTS; p++) waiting[p] = enable_i && frame_write_q[p] != frame_read_q[p];
  end

  logic       picked_q, any, take;
  logic [3:0] picked_port_q, grant;
  logic [13:0] picked_length_q;
  round_robin #(.N(PORTS)) arbiter (.request_i(waiting), .last_i(picked_port_q), .any_o(any), .grant_o(grant));

  logic [A:0] beats_left_q;   // of the frame under way, behind the beat that is read now
  logic [A:0] cycles_left_q;  // the same and its gap
  logic [3:0] current_q;
  assign take = picked_q && cycles_left_q == '0;

  // The host's turn: a credit of beats that grows by one in 16 cycles; frames that no port's wait for are free.
  logic               turn_host, picked_host_q, current_host_q, issue_host, picked_repeated_q, current_repeated_q;
  logic [1:0]         picked_origin_q;
  logic [3:0]         picked_target_q;
  logic [3:0]         tick_q;
  logic signed [11:0] credit_q;
  assign turn_host = enable_i && host_valid_i && (!any || credit_q >= 0);
  assign host_take_o = turn_host && (!picked_q || take);
  logic signed [11:0] host_beats;
  assign host_beats = 12'((host_length_i + 14'(BYTES - 1)) >> BYTES_LOG);
  always_ff @(posedge clk) begin
    if (rst) begin
      tick_q <= '0;
      credit_q <= '0;
    end else begin
      tick_q <= tick_q + 4'd1;
      if (host_take_o && credit_q >= 0) credit_q <= credit_q - host_beats;
      else if (tick_q == 4'd15 && credit_q < 12'sd16) credit_q <= credit_q + 12'sd1;
    end
  end

  logic [A:0]           last_beat;   // number of the frame's last beat
  logic [BYTES_LOG-1:0] last_byte;   // number of its last byte in that beat
  logic                 gap;
  assign last_beat = (A + 1)'((picked_length_q - 14'd1) >> BYTES_LOG);
  assign last_byte = picked_length_q[BYTES_LOG-1:0] - 1'b1;
  assign gap = {1'b0, last_byte} + (BYTES_LOG + 1)'(MAX_GROWTH) >= (BYTES_LOG + 1)'(BYTES);

  logic       issue;
  logic [3:0] issue_port;
  assign issue = take || beats_left_q != '0;
  assign issue_port = take ? picked_port_q : current_q;
  assign issue_host = take ? picked_host_q : current_host_q;
  assign host_read_o = issue && issue_host;
  assign host_read_repeated_o = take ? picked_repeated_q : current_repeated_q;

  always_ff @(posedge clk) begin
    if (host_take_o) picked_length_q <= host_length_i;
    else if (any && (!picked_q || take)) picked_length_q <= lengths[{grant[P-1:0], frame_read_q[grant][A-1:0]}];
    if (host_take_o) begin
      picked_origin_q <= host_origin_i;
      picked_target_q <= host_port_i;
      picked_repeated_q <= host_repeated_i;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      picked_q <= 1'b0;
      picked_port_q <= 4'd0;
      beats_left_q <= '0;
      cycles_left_q <= '0;
      for (int p = 0; p < 16; p++) begin
        frame_read_q[p] <= '0;
        read_q[p] <= '0;
      end
    end else begin
      if (!picked_q || take) begin
        picked_q <= any || turn_host;
        picked_host_q <= turn_host;
        if (any && !turn_host) begin
          picked_port_q <= grant;
          frame_read_q[grant] <= frame_read_q[grant] + 1'b1;
        end
      end
      if (take) begin
        beats_left_q <= last_beat;
        cycles_left_q <= last_beat + (A + 1)'(gap);
      end else begin
        if (beats_left_q != '0) beats_left_q <= beats_left_q - 1'b1;
        if (cycles_left_q != '0) cycles_left_q <= cycles_left_q - 1'b1;
      end
      if (issue && !issue_host) read_q[issue_port] <= read_q[issue_port] + 1'b1;
    end
    if (take) begin
      current_q <= picked_port_q;
      current_host_q <= picked_host_q;
      current_repeated_q <= picked_repeated_q;
    end
  end

  // Memory output register and one more behind it.
  logic              read_sop_q, read_host_q;
  logic [1:0]        read_origin_q;
  logic [3:0]        read_port_q;
  logic [13:0]       read_length_q;
  logic [DATA_W-1:0] read_data_q;
  always_ff @(posedge clk) begin
    read_sop_q <= !rst && take;
    sop_o <= !rst && read_sop_q;
    if (issue && !issue_host) read_data_q <= beats[{issue_port[P-1:0], read_q[issue_port][A-1:0]}];
    if (issue) read_host_q <= issue_host;
    if (take) begin
      read_origin_q <= picked_host_q ? picked_origin_q : 2'd0;
      read_port_q <= picked_host_q ? picked_target_q : picked_port_q;
      read_length_q <= picked_length_q;
    end
    origin_o <= read_origin_q;
    port_o <= read_port_q;
    length_o <= read_length_q;
    data_o <= read_host_q ? host_data_i : read_data_q;
  end

endmodule

`default_nettype wire
