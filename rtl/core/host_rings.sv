// SPDX-License-Identifier: Apache-2.0
// Descriptor rings in host memory (docs/host-path.md): RX rings 0..3 empty the queues of their classes, TX rings 4..7 fill the pipeline. One
// bus master serves the rings in turn, a frame at a time: descriptors (four at once), the frame, its completion. A ring whose
// descriptors or completions the bus refuses stops; the others go on. Frames of a ring that does not run are discarded and counted: a ring
// starts when none of its class is in the queue or half in it, and knows of none that was lost before.
//
// Latency and II: per frame the beats of the frame, one write response per burst, one for the completion, and a read of descriptors for every
// fourth frame.
// Limits: DATA_W 128, 256 or 512; one read and one write outstanding, INCR bursts of whole beats that never cross 4 KiB.
`default_nettype none

module host_rings #(
  parameter int DATA_W = 512
) (
  input  wire logic                clk,
  input  wire logic                rst,
  input  wire logic [63:0]         now_us,

  // By ring.
  input  wire logic [7:0]          enable_i,
  input  wire logic [8*32-1:0]     descriptors_low_i,  // bus addresses
  input  wire logic [8*32-1:0]     descriptors_high_i,
  input  wire logic [8*32-1:0]     completions_low_i,
  input  wire logic [8*32-1:0]     completions_high_i,
  input  wire logic [8*4-1:0]      log_entries_i,  // 2..15
  input  wire logic [8*16-1:0]     tail_i,
  output logic [7:0]               running_o,
  output logic [8*2-1:0]           error_o,        // 0 none, 1 tail, 2 descriptors, 3 completions
  output logic [8*16-1:0]          index_o,        // completed
  output logic [8*32-1:0]          lost_o,
  output logic                     done_o,         // pulse: a completion of ring ring_o is written, and index_o moves on
  output logic                     stopped_o,      // pulse: ring ring_o has stopped with an error
  output logic [2:0]               ring_o,

  // The queues (host_queue).
  output logic [3:0]               open_o,
  output logic [3:0]               begin_o,        // pulse: the class's ring starts; what was lost before is nobody's
  input  wire logic [3:0]          waiting_i,
  input  wire logic [3:0]          coming_i,       // a frame is half in the queue
  output logic [1:0]               select_o,
  input  wire logic [13:0]         length_i,
  input  wire logic [127:0]        about_i,        // {0, learned, decided us, egress port, hash, service, service valid, copy, reason, port}
  input  wire logic [31:0]         lost_before_i,
  output logic                     read_o,
  input  wire logic [DATA_W-1:0]   data_i,
  output logic                     pop_o,

  // The way into the pipeline (host_inject).
  input  wire logic                room_i,
  output logic                     write_o,
  output logic [DATA_W-1:0]        data_o,
  output logic                     commit_o,
  output logic                     undo_o,
  output logic [13:0]              length_o,
  output logic [1:0]               origin_o,
  output logic [3:0]               port_o,

  // A TX frame is taken, or refused: pulse with ring_o and length_o.
  output logic                     sent_o,
  output logic                     refused_o,

  output logic [63:0]              m_axi_awaddr,
  output logic [7:0]               m_axi_awlen,
  output logic                     m_axi_awvalid,
  input  wire logic                m_axi_awready,
  output logic [DATA_W-1:0]        m_axi_wdata,
  output logic [DATA_W/8-1:0]      m_axi_wstrb,
  output logic                     m_axi_wlast,
  output logic                     m_axi_wvalid,
  input  wire logic                m_axi_wready,
  input  wire logic                m_axi_bvalid,
  input  wire logic [1:0]          m_axi_bresp,
  output logic                     m_axi_bready,
  output logic [63:0]              m_axi_araddr,
  output logic [7:0]               m_axi_arlen,
  output logic                     m_axi_arvalid,
  input  wire logic                m_axi_arready,
  input  wire logic                m_axi_rvalid,
  input  wire logic [DATA_W-1:0]   m_axi_rdata,
  input  wire logic [1:0]          m_axi_rresp,
  input  wire logic                m_axi_rlast,
  output logic                     m_axi_rready,

  output logic                     busy_o
);

  localparam int BYTES = DATA_W / 8;
  localparam int LOG = $clog2(BYTES);
  localparam int LINE_BEATS = 64 / BYTES;            // of four descriptors
  localparam int COMPLETION_BEATS = BYTES >= 32 ? 1 : 2;
  localparam logic [1:0] BAD_TAIL = 2'd1, BAD_DESCRIPTORS = 2'd2, BAD_COMPLETIONS = 2'd3;

  localparam logic [3:0] IDLE = 4'd0, ACT = 4'd1, FETCH = 4'd2, FETCHED = 4'd3, DECODE = 4'd4, WRITE = 4'd5, WRITING = 4'd6, WRITTEN = 4'd7,
                         READ = 4'd8, READING = 4'd9, COMPLETE = 4'd10, COMPLETING = 4'd11, COMPLETED = 4'd12, DISCARD = 4'd13;

  // ---- rings

  logic [7:0]   running_q, stopped_q;
  logic [8*2-1:0]  error_q;
  logic [8*16-1:0] index_q;
  logic [3:0]   log_q [0:7];        // of its entries, since it runs
  logic [8*32-1:0] lost_q;
  logic [511:0] line_q [0:7];       // the descriptors at index_q / 4 * 4
  logic [15:0]  line_end_q [0:7];   // the first behind those that are in line_q
  logic [3:0]   state_q;
  logic [2:0]   ring_q;
  assign ring_o = ring_q;
  assign running_o = running_q;
  assign open_o = running_q[3:0] & enable_i[3:0];
  assign select_o = ring_q[1:0];
  assign error_o = error_q;
  assign index_o = index_q;
  assign lost_o = lost_q;

  // What a ring wants: to change its state, to be rid of frames, or to move one.
  logic [7:0] changes, posted, discards, works;
  always_comb begin
    for (int r = 0; r < 8; r++) begin
      changes[r] = enable_i[r] ? !running_q[r] && !stopped_q[r] : running_q[r] || stopped_q[r];
      posted[r] = tail_i[r*16 +: 16] != index_q[r*16 +: 16];
    end
    discards = {4'd0, waiting_i & ~running_q[3:0]};
    works = running_q & posted & {{4{room_i}}, waiting_i};
  end
  logic       any;
  logic [3:0] grant;
  round_robin #(.N(8)) turn (.request_i(changes | discards | works), .last_i({1'b0, ring_q}), .any_o(any), .grant_o(grant));

  // ---- of the ring that has its turn

  logic         rx;
  logic [15:0]  index, pending, mask, in_line, line_left;
  logic [63:0]  descriptors, completions;
  assign rx = !ring_q[2];
  assign index = index_q[ring_q*16 +: 16];
  assign pending = tail_i[ring_q*16 +: 16] - index;
  assign mask = ~(16'hFFFF << log_q[ring_q]);
  assign descriptors = {descriptors_high_i[ring_q*32 +: 32], descriptors_low_i[ring_q*32 +: 32]};
  assign completions = {completions_high_i[ring_q*32 +: 32], completions_low_i[ring_q*32 +: 32]};
  assign in_line = 16'd4 - {14'd0, index[1:0]};
  assign line_left = pending < in_line ? pending : in_line;

  logic [127:0] descriptor;
  logic [15:0]  bytes;
  logic         bad;
  assign descriptor = line_q[ring_q][index[1:0]*128 +: 128];
  assign bytes = descriptor[79:64];
  assign bad = descriptor[5:0] != 6'd0 ||
               (rx ? bytes < 16'd64 || bytes[5:0] != 6'd0
                   : bytes < 16'd60 || bytes > 16'd9216 || descriptor[87:80] == 8'd0 || descriptor[87:82] != 6'd0 || descriptor[95:92] != 4'd0);
  wire unused = &{1'b0, about_i[127:126], descriptor[127:96], grant[3]};

  // The transfer under way.
  logic [63:0]      address_q;
  logic [13:0]      moved_q;        // bytes to move
  logic [9:0]       left_q;         // beats, of the bursts not yet begun
  logic [8:0]       burst_left_q;   // beats of this burst behind the one that is shown
  logic             bad_q, refused_q, truncated_q;
  logic [511:0]     fetched_q;
  logic [15:0]      fetch_end_q;
  logic [LOG:0]     last_bytes;     // of the frame's last beat
  assign last_bytes = {1'b0, moved_q[LOG-1:0] - 1'b1} + 1'b1;

  logic [9:0] to_boundary, burst;   // beats
  assign to_boundary = 10'(13'h1000 >> LOG) - 10'(address_q[11:0] >> LOG);
  assign burst = left_q < to_boundary ? left_q : to_boundary;

  // ---- completion

  logic [255:0]      completion;
  logic              phase;
  logic [7:0]        status;
  assign phase = ((index >> log_q[ring_q]) & 16'd1) == 16'd0;
  assign status = {4'd0, bad_q, refused_q, truncated_q && !bad_q, phase};
  assign completion = {status, 6'd0, ring_q[1:0], index,
                       rx && !bad_q ? lost_before_i : 32'd0,
                       rx && !bad_q ? about_i[124:61] : now_us,
                       rx && !bad_q ? {16'd0, 6'd0, about_i[125], about_i[11], 4'd0, about_i[60:57], about_i[56:25],
                                       about_i[12], 3'd0, about_i[24:13], 2'd0, about_i[10:5], 3'd0, about_i[4:0],
                                       2'd0, length_i, 2'd0, refused_q ? 14'd0 : moved_q}
                                    : 128'd0};
  logic              second_q;      // of the two beats of a completion on a narrow bus
  logic [DATA_W-1:0] completion_beat;
  logic [BYTES-1:0]  completion_strobe;
  if (BYTES == 64) begin : wide
    assign completion_beat = {2{completion}};
    assign completion_strobe = index[0] ? 64'hFFFF_FFFF_0000_0000 : 64'h0000_0000_FFFF_FFFF;
  end else if (BYTES == 32) begin : middle
    assign completion_beat = completion;
    assign completion_strobe = '1;
  end else begin : narrow
    assign completion_beat = second_q ? completion[255:128] : completion[127:0];
    assign completion_strobe = '1;
  end

  // ---- the bus

  assign m_axi_awvalid = state_q == WRITE || state_q == COMPLETE;
  assign m_axi_awaddr = state_q == WRITE ? address_q : completions + {43'd0, index & mask, 5'd0};
  assign m_axi_awlen = state_q == WRITE ? 8'(burst - 10'd1) : 8'(COMPLETION_BEATS - 1);
  assign m_axi_wvalid = state_q == WRITING || state_q == COMPLETING;
  assign m_axi_wdata = state_q == WRITING ? data_i : completion_beat;
  assign m_axi_wlast = state_q == WRITING ? burst_left_q == 9'd0 : COMPLETION_BEATS == 1 || second_q;
  assign m_axi_wstrb = state_q == COMPLETING ? completion_strobe
                                             : burst_left_q == 9'd0 && left_q == 10'd0 ? ~({BYTES{1'b1}} << last_bytes) : '1;
  assign m_axi_bready = state_q == WRITTEN || state_q == COMPLETED;
  assign m_axi_arvalid = state_q == FETCH || state_q == READ;
  assign m_axi_araddr = state_q == FETCH ? descriptors + {44'd0, index & mask & 16'hFFFC, 4'd0} : address_q;
  assign m_axi_arlen = state_q == FETCH ? 8'(LINE_BEATS - 1) : 8'(burst - 10'd1);
  assign m_axi_rready = state_q == FETCHED || state_q == READING;

  assign read_o = state_q == WRITE && m_axi_awready || state_q == WRITING && m_axi_wready && burst_left_q != 9'd0;
  assign write_o = state_q == READING && m_axi_rvalid;
  assign data_o = m_axi_rdata;
  assign length_o = moved_q;
  assign origin_o = descriptor[81:80];
  assign port_o = descriptor[91:88];

  // A TX frame ends with its last beat, one cycle before its completion begins.
  logic read_all, frame_ends;
  assign read_all = state_q == READING && m_axi_rvalid && m_axi_rlast && left_q == 10'd0;
  assign frame_ends = state_q == COMPLETED && m_axi_bvalid;
  always_ff @(posedge clk) begin
    commit_o <= !rst && read_all && !refused_q && m_axi_rresp == 2'b00;
    undo_o <= !rst && read_all && (refused_q || m_axi_rresp != 2'b00);
  end
  assign sent_o = commit_o;
  assign refused_o = undo_o || state_q == COMPLETE && m_axi_awready && bad_q && !rx;

  assign pop_o = frame_ends && rx && !bad_q || state_q == DISCARD;
  assign done_o = frame_ends && m_axi_bresp == 2'b00;
  logic starts, tail_stops, fetch_stops, completion_stops;
  assign starts = state_q == ACT && enable_i[ring_q] && !running_q[ring_q] && !stopped_q[ring_q] &&
                  !(rx && (waiting_i[ring_q[1:0]] || coming_i[ring_q[1:0]]));
  assign begin_o = {3'd0, starts && rx} << ring_q[1:0];
  assign tail_stops = state_q == ACT && running_q[ring_q] && enable_i[ring_q] && pending > mask + 16'd1;
  assign fetch_stops = state_q == FETCHED && m_axi_rvalid && m_axi_rlast && (refused_q || m_axi_rresp != 2'b00);
  assign completion_stops = frame_ends && m_axi_bresp != 2'b00;
  assign stopped_o = tail_stops || fetch_stops || completion_stops;
  assign busy_o = state_q != IDLE || any;

  always_ff @(posedge clk) begin
    if (rst) begin
      state_q <= IDLE;
      ring_q <= 3'd7;
      running_q <= '0;
      stopped_q <= '0;
      error_q <= '0;
      index_q <= '0;
      lost_q <= '0;
      for (int r = 0; r < 8; r++) line_end_q[r] <= '0;
    end else begin
      case (state_q)
        IDLE: if (any) begin
          ring_q <= grant[2:0];
          state_q <= ACT;
        end
        ACT: begin
          refused_q <= 1'b0;
          bad_q <= 1'b0;
          truncated_q <= 1'b0;
          second_q <= 1'b0;
          state_q <= IDLE;
          if (!enable_i[ring_q] && (running_q[ring_q] || stopped_q[ring_q])) begin
            running_q[ring_q] <= 1'b0;
            stopped_q[ring_q] <= 1'b0;
            error_q[ring_q*2 +: 2] <= 2'd0;
          end else if (!running_q[ring_q] && rx && waiting_i[ring_q[1:0]]) begin
            state_q <= DISCARD;
          end else if (starts) begin
            running_q[ring_q] <= 1'b1;
            log_q[ring_q] <= log_entries_i[ring_q*4 +: 4];
            index_q[ring_q*16 +: 16] <= '0;
            line_end_q[ring_q] <= '0;
          end else if (!tail_stops && works[ring_q]) begin
            state_q <= index == line_end_q[ring_q] ? FETCH : DECODE;
          end
        end
        FETCH: if (m_axi_arready) begin
          fetch_end_q <= index + line_left;  // what is posted later may be read too early
          state_q <= FETCHED;
        end
        FETCHED: if (m_axi_rvalid) begin
          fetched_q <= 512'({m_axi_rdata, fetched_q} >> DATA_W);
          if (m_axi_rresp != 2'b00) refused_q <= 1'b1;
          if (m_axi_rlast) begin
            line_q[ring_q] <= 512'({m_axi_rdata, fetched_q} >> DATA_W);
            line_end_q[ring_q] <= fetch_end_q;
            state_q <= fetch_stops ? IDLE : DECODE;
          end
        end
        DECODE: begin
          address_q <= descriptor[63:0];
          bad_q <= bad;
          truncated_q <= rx && {2'd0, length_i} > bytes;
          moved_q <= rx && {2'd0, length_i} <= bytes ? length_i : bytes[13:0];
          left_q <= 10'(((rx && {2'd0, length_i} <= bytes ? length_i : bytes[13:0]) + 14'(BYTES - 1)) >> LOG);
          state_q <= bad ? COMPLETE : rx ? WRITE : READ;
        end
        WRITE: if (m_axi_awready) begin
          burst_left_q <= 9'(burst - 10'd1);
          left_q <= left_q - burst;
          address_q <= address_q + 64'({burst, {LOG{1'b0}}});
          state_q <= WRITING;
        end
        WRITING: if (m_axi_wready) begin
          burst_left_q <= burst_left_q - 9'd1;
          if (burst_left_q == 9'd0) state_q <= WRITTEN;
        end
        WRITTEN: if (m_axi_bvalid) begin
          if (m_axi_bresp != 2'b00) refused_q <= 1'b1;
          state_q <= left_q == 10'd0 ? COMPLETE : WRITE;
        end
        READ: if (m_axi_arready) begin
          left_q <= left_q - burst;
          address_q <= address_q + 64'({burst, {LOG{1'b0}}});
          state_q <= READING;
        end
        READING: if (m_axi_rvalid) begin
          if (m_axi_rresp != 2'b00) refused_q <= 1'b1;
          if (m_axi_rlast) state_q <= left_q == 10'd0 ? COMPLETE : READ;
        end
        COMPLETE: if (m_axi_awready) state_q <= COMPLETING;
        COMPLETING: if (m_axi_wready) begin
          second_q <= 1'b1;
          if (COMPLETION_BEATS == 1 || second_q) state_q <= COMPLETED;
        end
        COMPLETED: if (m_axi_bvalid) begin
          if (!completion_stops) index_q[ring_q*16 +: 16] <= index + 16'd1;
          if (rx && !bad_q && (refused_q || completion_stops)) lost_q[ring_q*32 +: 32] <= lost_q[ring_q*32 +: 32] + 32'd1;
          state_q <= IDLE;
        end
        default: begin  // DISCARD
          lost_q[ring_q*32 +: 32] <= lost_q[ring_q*32 +: 32] + 32'd1;
          state_q <= IDLE;
        end
      endcase
      if (stopped_o) begin
        running_q[ring_q] <= 1'b0;
        stopped_q[ring_q] <= 1'b1;
        error_q[ring_q*2 +: 2] <= tail_stops ? BAD_TAIL : fetch_stops ? BAD_DESCRIPTORS : BAD_COMPLETIONS;
      end
    end
  end

endmodule

`default_nettype wire
