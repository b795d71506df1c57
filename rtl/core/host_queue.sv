// SPDX-License-Identifier: Apache-2.0
// Frames that wait for the host: a queue per class in one memory, in each an equal share of room per port, so that no port's flood, and no
// slow host, takes the room of another port or class. A frame without room in its share, or of a class that is closed, is refused whole.
//
// Latency: a frame is at the front of an empty queue the cycle after its last beat. II: one beat per cycle in and out.
// Limits: DATA_W 128, 256 or 512; PORTS 1..16; a share holds a frame of 9216 bytes.
`default_nettype none

module host_queue #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8,
  parameter int SHARE_BYTES = 16384
) (
  input  wire logic              clk,
  input  wire logic              rst,

  input  wire logic [3:0]        open_i,            // classes that take frames
  input  wire logic [3:0]        begin_i,           // pulse: a class that is closed will open; what it lost is forgotten

  // A frame may come: its first beat; the others follow without a break.
  input  wire logic              valid_i,
  input  wire logic              allowed_i,         // else it counts as lost
  input  wire logic [1:0]        class_i,
  input  wire logic [3:0]        share_i,
  input  wire logic [13:0]       length_i,
  input  wire logic [127:0]      about_i,           // goes with the frame
  input  wire logic [DATA_W-1:0] data_i,
  output logic                   refused_o,         // in the same cycle: allowed, and no room
  output logic                   writing_o,         // a frame comes in
  output logic [3:0]             coming_o,          // of a class that may be closed: a frame that was taken is not all in

  // The front of each queue.
  output logic [3:0]             waiting_o,
  input  wire logic [1:0]        select_i,          // the class that is read
  output logic [13:0]            length_o,          // of its front frame, and what goes with it; a cycle after select_i or pop_i
  output logic [127:0]           about_o,
  output logic [31:0]            lost_o,            // frames lost between the one before and this one
  input  wire logic              read_i,            // the next beat of the front frame; on data_o from the next cycle on
  output logic [DATA_W-1:0]      data_o,
  input  wire logic              pop_i              // the front frame is done with, all read or not
);

  localparam int BYTES = DATA_W / 8;
  localparam int LOG = $clog2(BYTES);
  localparam int SHARE = SHARE_BYTES / BYTES;       // beats
  localparam int P = PORTS > 1 ? $clog2(PORTS) : 1;
  localparam int A = $clog2(SHARE) + P;             // of a queue
  localparam int S = $clog2(SHARE) + 1;

  if (SHARE_BYTES < 9216 || (1 << $clog2(SHARE_BYTES)) != SHARE_BYTES) $error("host_queue: a share must be a power of two and hold the longest frame");

  logic [DATA_W-1:0] beats [0:(4<<A)-1];
  logic [177:0]      frames [0:(4<<A)-1];           // {lost, share, length, about}, in the order of their beats

  logic [A-1:0] write_q [0:3];                      // next beat
  logic [A-1:0] read_q [0:3];                       // first beat of the front frame
  logic [A-1:0] frame_write_q [0:3];
  logic [A-1:0] frame_read_q [0:3];
  logic [A:0]   held_q [0:3];                       // frames
  logic [S-1:0] taken_q [0:63];                     // beats, by {class, share}
  logic [31:0]  lost_q [0:3];

  function automatic logic [S-1:0] beats_of(input logic [13:0] bytes);
    beats_of = S'((bytes + 14'(BYTES - 1)) >> LOG);
  endfunction

  // ---- in

  // There are as many shares as the memory has room for: a number that no port has (a link's, or of a port that is not there) stands for the
  // port with the same low bits.
  logic [3:0]   share_in;
  assign share_in = 4'(share_i[P-1:0]);
  wire unused = &{1'b0, share_i};

  logic [S-1:0] needed;
  logic         room, take;
  assign needed = beats_of(length_i);
  assign room = open_i[class_i] && {1'b0, taken_q[{class_i, share_in}]} + {1'b0, needed} <= (S + 1)'(SHARE);
  assign take = valid_i && allowed_i && room;
  assign refused_o = valid_i && allowed_i && !room;

  logic [S-1:0]   left_q;                           // beats of the frame that comes, behind this one
  logic [1:0]     class_q;
  logic [177:0]   frame_q;
  logic           writing, last;
  logic [1:0]     to;
  logic [177:0]   frame;
  assign writing_o = writing;
  assign coming_o = {3'd0, left_q != '0} << class_q;
  assign writing = take || left_q != '0;
  assign to = take ? class_i : class_q;
  assign last = take ? needed == S'(1) : left_q == S'(1);
  assign frame = take ? {lost_q[class_i], share_in, length_i, about_i} : frame_q;
  always_ff @(posedge clk) begin
    if (writing) beats[{to, write_q[to]}] <= data_i;
    if (writing && last) frames[{to, frame_write_q[to]}] <= frame;
    if (take) begin
      class_q <= class_i;
      frame_q <= frame;
    end
    if (rst) left_q <= '0;
    else if (take) left_q <= needed - 1'b1;
    else if (left_q != '0) left_q <= left_q - 1'b1;
  end

  // ---- out

  logic [A-1:0]   at_q;                             // beats read of the front frame
  logic [3:0]     share;
  logic [S-1:0]   popped;
  logic [A-1:0]   front;
  assign popped = beats_of(length_o);
  assign front = frame_read_q[select_i] + A'(pop_i);
  always_ff @(posedge clk) begin
    {lost_o, share, length_o, about_o} <= frames[{select_i, front}];
    if (read_i) data_o <= beats[{select_i, read_q[select_i] + at_q}];
    if (rst || pop_i) at_q <= '0;
    else if (read_i) at_q <= at_q + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int c = 0; c < 4; c++) begin
        write_q[c] <= '0;
        read_q[c] <= '0;
        frame_write_q[c] <= '0;
        frame_read_q[c] <= '0;
        held_q[c] <= '0;
        lost_q[c] <= '0;
      end
      for (int s = 0; s < 64; s++) taken_q[s] <= '0;
    end else begin
      if (writing) write_q[to] <= write_q[to] + 1'b1;
      if (writing && last) frame_write_q[to] <= frame_write_q[to] + 1'b1;
      if (pop_i) begin
        read_q[select_i] <= read_q[select_i] + A'(popped);
        frame_read_q[select_i] <= frame_read_q[select_i] + 1'b1;
      end
      for (int c = 0; c < 4; c++)
        held_q[c] <= held_q[c] + (A + 1)'(writing && last && to == c[1:0]) - (A + 1)'(pop_i && select_i == c[1:0]);
      if (take && pop_i && {class_i, share_in} == {select_i, share}) begin
        taken_q[{class_i, share_in}] <= taken_q[{class_i, share_in}] + needed - popped;
      end else begin
        if (take) taken_q[{class_i, share_in}] <= taken_q[{class_i, share_in}] + needed;
        if (pop_i) taken_q[{select_i, share}] <= taken_q[{select_i, share}] - popped;
      end
      if (valid_i) lost_q[class_i] <= take ? '0 : lost_q[class_i] + 32'd1;
      for (int c = 0; c < 4; c++) if (begin_i[c]) lost_q[c] <= '0;
    end
  end

  always_comb begin
    for (int c = 0; c < 4; c++) waiting_o[c] = held_q[c] != '0;
  end

endmodule

`default_nettype wire
