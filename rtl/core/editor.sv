// SPDX-License-Identifier: Apache-2.0
// Applies an edit to a frame: removes `strip` bytes from its start and puts `prepend` bytes of data before the rest, all in one pass over
// the stream. The frame's beats come in without a break, ahead of the edit: beat k in cycle (edit) - Q_MAX - 2 + k, Q_MAX being the whole
// words in 127 bytes.
//
// Latency: edit in to first beat out 1 cycle. II 1 beat. A frame may follow the one before as soon as that one's last beat is out; the
// stream's gaps see to that for edits that add at most MAX_GROWTH bytes (rx_buffer). overrun_o tells of one that came too early.
// Limits: strip 0..127, prepend 0..64, at least one byte goes out.
`default_nettype none

module editor #(
  parameter int DATA_W = 512,
  parameter int BEATS_W = 10          // width of a count of beats
) (
  input  wire logic               clk,
  input  wire logic               rst,

  input  wire logic [DATA_W-1:0]  data_i,

  input  wire logic               start_i,       // an edit for a frame that goes out
  input  wire logic [6:0]         strip_i,
  input  wire logic [6:0]         prepend_i,
  input  wire logic [511:0]       edit_data_i,
  input  wire logic [BEATS_W-1:0] beats_i,       // that go out
  input  wire logic [$clog2(DATA_W/8):0] last_bytes_i,  // in the last of them
  input  wire logic [3:0]         port_i,
  input  wire logic               queue_i,

  output logic                    valid_o,
  output logic                    last_o,
  output logic [3:0]              port_o,
  output logic                    queue_o,
  output logic [$clog2(DATA_W/8):0] bytes_o,     // in this beat
  output logic [DATA_W-1:0]       data_o,
  output logic                    overrun_o      // pulse: a frame started over one that had beats left
);

  localparam int BYTES = DATA_W / 8;
  localparam int LOG = $clog2(BYTES);
  localparam int Q_MIN = -(64 / BYTES);           // whole beats that the frame moves: back for a prepend,
  localparam int Q_MAX = 127 / BYTES;             // forward for a strip
  localparam int WORDS = Q_MAX - Q_MIN + 2;
  // The last WORDS beats of the stream, newest in word 0. In the cycle of the first beat out, word Q_MAX + 1 is the frame's first beat.
  logic [DATA_W*WORDS-1:0] words_q;
  always_ff @(posedge clk) words_q <= {words_q[DATA_W*(WORDS-1)-1:0], data_i};

  // The edit, from its start to the frame's last beat.
  logic signed [8:0]  shift_q;
  logic [6:0]         ahead_q;       // prepended bytes that are still to come
  logic [511:0]       edit_data_q;   // they, the next one lowest
  logic [BEATS_W-1:0] left_q;        // beats behind this one
  logic [LOG:0]       last_bytes_q;
  logic [3:0]         port_q;
  logic               queue_q;

  logic               active, last;
  logic signed [8:0]  shift;
  logic [6:0]         ahead;
  logic [511:0]       edit_data;
  logic [LOG:0]       last_bytes;
  assign active = start_i || left_q != '0;
  assign last = start_i ? beats_i == BEATS_W'(1) : left_q == BEATS_W'(1);
  assign shift = start_i ? $signed({2'b00, strip_i}) - $signed({2'b00, prepend_i}) : shift_q;
  assign ahead = start_i ? prepend_i : ahead_q;
  assign edit_data = start_i ? edit_data_i : edit_data_q;
  assign last_bytes = start_i ? last_bytes_i : last_bytes_q;

  // Byte j out is byte j + shift of the frame: whole words of the shift choose a pair, the rest moves within it.
  logic signed [8-LOG:0]   whole;
  logic [2*DATA_W-1:0]     pair, in_order;
  logic [DATA_W-1:0]       moved;
  assign whole = shift[8:LOG];
  always_comb begin
    pair = words_q[2*DATA_W-1:0];  // whole == Q_MAX
    for (int q = Q_MIN; q < Q_MAX; q++) begin
      if (whole == (9 - LOG)'(q)) pair = words_q[(Q_MAX - q) * DATA_W +: 2*DATA_W];
    end
  end
  assign in_order = {pair[DATA_W-1:0], pair[2*DATA_W-1:DATA_W]};  // the older word has the frame's earlier bytes
  assign moved = DATA_W'(in_order >> {shift[LOG-1:0], 3'b000});

  logic [DATA_W-1:0] ahead_mask;
  assign ahead_mask = ahead >= 7'(BYTES) ? '1 : ~({DATA_W{1'b1}} << {ahead[LOG-1:0], 3'b000});

  always_ff @(posedge clk) begin
    valid_o <= !rst && active;
    overrun_o <= !rst && start_i && left_q != '0;
    if (rst) left_q <= '0;
    else if (start_i) left_q <= beats_i - 1'b1;
    else if (left_q != '0) left_q <= left_q - 1'b1;
    if (start_i) begin
      shift_q <= shift;
      last_bytes_q <= last_bytes;
      port_q <= port_i;
      queue_q <= queue_i;
    end
    if (active) begin
      ahead_q <= ahead >= 7'(BYTES) ? ahead - 7'(BYTES) : '0;
      edit_data_q <= edit_data >> DATA_W;
      last_o <= last;
      port_o <= start_i ? port_i : port_q;
      queue_o <= start_i ? queue_i : queue_q;
      bytes_o <= last ? last_bytes : (LOG + 1)'(BYTES);
      data_o <= (moved & ~ahead_mask) | (edit_data[DATA_W-1:0] & ahead_mask);
    end
  end

endmodule

`default_nettype wire
