// SPDX-License-Identifier: Apache-2.0
// Which frames go to the host: those that forward() keeps for it, and copies of others: that `capture` asks for, or whose source address is
// new on its port. All pass the policers of their class. The frame's beats, as received, come out beside the verdict.
//
// Latency: admission's outcome to verdict punt_pkg::LATENCY + 4 cycles. II: a frame per cycle; never stalls.
// DATA_W 128, 256 or 512; AHEAD: beats that the stream is ahead of forward()'s decision.
`default_nettype none

module host_punt #(
  parameter int DATA_W = 512,
  parameter int AHEAD = 2
) (
  input  wire logic              clk,
  input  wire logic              rst,
  output logic                   ready_o,           // policers are cleared
  input  wire logic [63:0]       now_us,

  // Of admission, and the stream as forward_stage gives it.
  input  wire logic              valid_i,
  input  wire logic [5:0]        drop_i,            // 0: it goes on
  input  wire logic              punt_i,
  input  wire logic [1:0]        host_class_i,
  input  wire logic [3:0]        port_i,
  input  wire logic              of_host_i,         // the host sent it
  input  wire logic [13:0]       length_i,
  input  wire logic              service_valid_i,
  input  wire logic [11:0]       service_i,
  input  wire logic [31:0]       hash_i,
  input  wire logic [3:0]        egress_port_i,
  input  wire logic [47:0]       source_i,          // address, first byte lowest
  input  wire logic [DATA_W-1:0] data_i,

  input  wire logic [15:0]       learn_ports_i,
  input  wire logic              capture_enable_i,
  input  wire logic [16:0]       capture_ports_i,    // bit 16: the host's own frames
  input  wire logic [63:0]       capture_outcomes_i, // bit 0: forwarded; else drop reasons
  input  wire logic              capture_by_service_i,
  input  wire logic [11:0]       capture_service_i,

  input  wire logic [127:0]      service_interval_i, // by class, 32 bits each
  input  wire logic [127:0]      service_tolerance_i,
  input  wire logic [127:0]      port_interval_i,
  input  wire logic [127:0]      port_tolerance_i,

  output logic                   valid_o,            // a verdict about a frame; its first beat is on data_o
  output logic [1:0]             fate_o,             // 0: may go, 1: policed by service, 2: policed by port
  output logic [1:0]             host_class_o,
  output logic [4:0]             port_o,             // 16: the host
  output logic [3:0]             share_o,            // whose share of the queue it takes
  output logic [13:0]            length_o,
  output logic [5:0]             reason_o,
  output logic                   copy_o,             // of a capture
  output logic                   learned_o,          // a new source address
  output logic                   service_valid_o,
  output logic [11:0]            service_o,
  output logic [31:0]            hash_o,
  output logic [3:0]             egress_port_o,
  output logic [63:0]            decided_us_o,
  output logic [DATA_W-1:0]      data_o,
  output logic                   busy_o
);

  localparam int LATENCY = punt_pkg::LATENCY;
  localparam int LEARN = 3;                       // latency of address_learner
  localparam int TOTAL = LATENCY + LEARN + 1;
  localparam int BEHIND = TOTAL + AHEAD + 2;      // a frame's first beat is AHEAD + 2 cycles ahead of admission

  logic captured;
  assign captured = capture_enable_i && (of_host_i ? capture_ports_i[16] : capture_ports_i[{1'b0, port_i}]) &&
                    capture_outcomes_i[drop_i] &&
                    (!capture_by_service_i || service_valid_i && service_i == capture_service_i);

  logic learns, learned, learner_ready;
  assign learns = valid_i && drop_i == 6'd0 && service_valid_i && !of_host_i && learn_ports_i[port_i];
  address_learner learner (
    .clk(clk), .rst(rst), .ready_o(learner_ready), .now_us(now_us),
    .valid_i(learns), .port_i(port_i), .source_i(source_i), .new_o(learned));

  // Wanted for what is known at once, then also for being new.
  logic [LEARN-1:0] known_q;
  logic             wanted_q, service_valid_q, service_valid;
  logic [1:0]       class_q, class_then;
  logic [4:0]       port_q, port_then;
  logic [11:0]      service_q, service_then;
  delay_line #(.W(2 + 5 + 1 + 12), .DEPTH(LEARN)) until_known (
    .clk(clk), .rst(rst),
    .data_i({punt_i ? host_class_i : 2'd3, of_host_i ? 5'd16 : {1'b0, port_i}, service_valid_i, service_i}),
    .data_o({class_then, port_then, service_valid, service_then}));
  always_ff @(posedge clk) begin
    known_q <= rst ? '0 : {known_q[LEARN-2:0], valid_i && (punt_i || captured)};
    wanted_q <= !rst && (known_q[LEARN-1] || learned);
    class_q <= class_then;
    port_q <= port_then;
    service_valid_q <= service_valid;
    service_q <= service_then;
  end

  logic                                  service_req_valid, port_req_valid, service_ready, port_ready;
  logic [punt_pkg::SERVICE_BUCKET_KEY_W-1:0]   service_index;
  logic [punt_pkg::SERVICE_BUCKET_ARGS_W-1:0]  service_args, service_body_args;
  logic [punt_pkg::SERVICE_BUCKET_ENTRY_W-1:0] service_resp, service_entry, service_next;
  logic [punt_pkg::PORT_BUCKET_KEY_W-1:0]      port_index;
  logic [punt_pkg::PORT_BUCKET_ARGS_W-1:0]     port_args, port_body_args;
  logic [punt_pkg::PORT_BUCKET_ENTRY_W-1:0]    port_resp, port_entry, port_next;
  punt police (
    .clk(clk), .rst(rst), .in_valid(wanted_q), .in_host_class(class_q), .in_port(port_q), .in_service_valid(service_valid_q),
    .in_service(service_q), .in_now_us(now_us[35:0]), .in_service_interval(service_interval_i), .in_service_tolerance(service_tolerance_i),
    .in_port_interval(port_interval_i), .in_port_tolerance(port_tolerance_i),
    .up_service_bucket_req_valid(service_req_valid), .up_service_bucket_index(service_index), .up_service_bucket_args(service_args),
    .up_service_bucket_resp(service_resp),
    .up_port_bucket_req_valid(port_req_valid), .up_port_bucket_index(port_index), .up_port_bucket_args(port_args),
    .up_port_bucket_resp(port_resp),
    .out_valid(valid_o), .out_fate(fate_o));

  logic                                        service_host_busy, port_host_busy;
  logic [punt_pkg::SERVICE_BUCKET_ENTRY_W-1:0] service_host_data;
  logic [punt_pkg::PORT_BUCKET_ENTRY_W-1:0]    port_host_data;
  wire unused = &{1'b0, service_host_busy, port_host_busy, service_host_data, port_host_data};
  punt_service_bucket_update service_body (.in_entry(service_entry), .in_args(service_body_args), .out_next(service_next));
  update_ram #(.KEY_W(punt_pkg::SERVICE_BUCKET_KEY_W), .ENTRY_W(punt_pkg::SERVICE_BUCKET_ENTRY_W), .ARGS_W(punt_pkg::SERVICE_BUCKET_ARGS_W))
    service_buckets (
      .clk(clk), .rst(rst), .ready_o(service_ready),
      .req_valid_i(service_req_valid), .index_i(service_index), .args_i(service_args), .resp_o(service_resp),
      .body_entry_o(service_entry), .body_args_o(service_body_args), .body_next_i(service_next),
      .host_start_i(1'b0), .host_write_i(1'b0), .host_index_i('0), .host_data_i('0), .host_busy_o(service_host_busy),
      .host_data_o(service_host_data));
  punt_port_bucket_update port_body (.in_entry(port_entry), .in_args(port_body_args), .out_next(port_next));
  update_ram #(.KEY_W(punt_pkg::PORT_BUCKET_KEY_W), .ENTRY_W(punt_pkg::PORT_BUCKET_ENTRY_W), .ARGS_W(punt_pkg::PORT_BUCKET_ARGS_W))
    port_buckets (
      .clk(clk), .rst(rst), .ready_o(port_ready),
      .req_valid_i(port_req_valid), .index_i(port_index), .args_i(port_args), .resp_o(port_resp),
      .body_entry_o(port_entry), .body_args_o(port_body_args), .body_next_i(port_next),
      .host_start_i(1'b0), .host_write_i(1'b0), .host_index_i('0), .host_data_i('0), .host_busy_o(port_host_busy),
      .host_data_o(port_host_data));
  assign ready_o = service_ready && port_ready && learner_ready;

  // What belongs to the frame, and the frame, wait for the verdict.
  delay_line #(.W(2 + 5 + 4 + 14 + 6 + 1 + 1 + 12 + 32 + 4 + 64), .DEPTH(TOTAL)) meta (
    .clk(clk), .rst(rst),
    .data_i({punt_i ? host_class_i : 2'd3, of_host_i ? 5'd16 : {1'b0, port_i}, port_i, length_i, drop_i, captured && !punt_i, service_valid_i, service_i,
             hash_i, egress_port_i, now_us}),
    .data_o({host_class_o, port_o, share_o, length_o, reason_o, copy_o, service_valid_o, service_o, hash_o, egress_port_o, decided_us_o}));
  delay_line #(.W(1), .DEPTH(LATENCY + 1)) newness (.clk(clk), .rst(rst), .data_i(learned), .data_o(learned_o));
  delay_line #(.W(DATA_W), .DEPTH(BEHIND)) body (.clk(clk), .rst(rst), .data_i(data_i), .data_o(data_o));

  // From a frame's outcome to its verdict.
  localparam int LEFT_W = $clog2(TOTAL + 1);
  logic [LEFT_W-1:0] left_q;
  always_ff @(posedge clk) begin
    if (rst) left_q <= '0;
    else if (valid_i && (punt_i || captured) || learns) left_q <= LEFT_W'(TOTAL);
    else if (left_q != '0) left_q <= left_q - 1'b1;
  end
  assign busy_o = left_q != '0;

endmodule

`default_nettype wire
