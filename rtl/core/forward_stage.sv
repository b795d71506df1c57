// SPDX-License-Identifier: Apache-2.0
// Header window and forward(): collects the first 128 bytes of each frame from the stream and decides about it. The frame's beats leave
// AHEAD cycles before its decision, because the editor needs that many beats of look-ahead.
//
// Latency: first beat in to decision out 128 / (DATA_W / 8) + forward_pkg::LATENCY cycles. II: a frame per cycle; never stalls.
`default_nettype none

module forward_stage #(
  parameter int DATA_W = 512,
  parameter int AHEAD = 2
) (
  input  wire logic              clk,
  input  wire logic              rst,

  input  wire logic              sop_i,            // a frame's first beat
  input  wire logic [1:0]        origin_i,
  input  wire logic [3:0]        port_i,
  input  wire logic [13:0]       length_i,
  input  wire logic [DATA_W-1:0] data_i,

  input  wire logic [31:0]       hash_seed_i,
  input  wire logic              hash_symmetric_i,

  output logic [DATA_W-1:0]      data_o,           // beat k of a frame in cycle (its decision) - AHEAD + k

  output logic                   valid_o,          // a decision
  output logic [1:0]             origin_o,
  output logic [3:0]             port_o,
  output logic [13:0]            length_o,
  output logic [5:0]             drop_o,
  output logic [3:0]             egress_port_o,
  output logic                   queue_o,
  output logic                   punt_o,
  output logic [1:0]             host_class_o,
  output logic                   service_valid_o,
  output logic [11:0]            service_o,
  output logic                   to_backbone_o,
  output logic [9:0]             group_o,
  output logic [3:0]             link_o,
  output logic [11:0]            flow_slot_o,
  output logic [31:0]            hash_o,
  output logic [6:0]             strip_o,
  output logic [6:0]             prepend_o,
  output logic [511:0]           edit_data_o,

  // The lookup ports.
  output logic                                        port_req_valid_o,
  output logic [forward_pkg::PORT_KEY_W-1:0]          port_key_o,
  input  wire logic [forward_pkg::PORT_ENTRY_W-1:0]   port_resp_i,
  output logic                                        attachment_req_valid_o,
  output logic [forward_pkg::ATTACHMENT_KEY_W-1:0]    attachment_key_o,
  input  wire logic [forward_pkg::ATTACHMENT_ENTRY_W-1:0] attachment_resp_i,
  output logic                                        vid_req_valid_o,
  output logic [forward_pkg::VID_KEY_W-1:0]           vid_key_o,
  input  wire logic [forward_pkg::VID_ENTRY_W-1:0]    vid_resp_i,
  output logic                                        service_req_valid_o,
  output logic [forward_pkg::SERVICE_KEY_W-1:0]       service_key_o,
  input  wire logic [forward_pkg::SERVICE_ENTRY_W-1:0] service_resp_i,
  output logic                                        group_req_valid_o,
  output logic [forward_pkg::GROUP_KEY_W-1:0]         group_key_o,
  input  wire logic [forward_pkg::GROUP_ENTRY_W-1:0]  group_resp_i,
  output logic                                        bucket_req_valid_o,
  output logic [forward_pkg::BUCKET_KEY_W-1:0]        bucket_key_o,
  input  wire logic [forward_pkg::BUCKET_ENTRY_W-1:0] bucket_resp_i,
  output logic                                        lag_req_valid_o,
  output logic [forward_pkg::LAG_KEY_W-1:0]           lag_key_o,
  input  wire logic [forward_pkg::LAG_ENTRY_W-1:0]    lag_resp_i,
  output logic [forward_pkg::LINK_KEY_W-1:0]          link_key_o,
  input  wire logic [forward_pkg::LINK_ENTRY_W-1:0]   link_resp_i,
  output logic [forward_pkg::LIVE_KEY_W-1:0]          live_key_o,
  input  wire logic [forward_pkg::LIVE_ENTRY_W-1:0]   live_resp_i
);

  localparam int BYTES = DATA_W / 8;
  localparam int WINDOW = 128 / BYTES;  // beats
  localparam int LATENCY = forward_pkg::LATENCY;

  // A sliding window over the stream: when its oldest beat starts a frame, the window is that frame's header. Beats of later frames behind a
  // short one are bytes past its end.
  logic [DATA_W*WINDOW-1:0] window_q;
  logic [WINDOW-1:0]        starts_q;  // bit 0: newest
  logic [20*WINDOW-1:0]     meta_q;    // {origin, port, length} of the frames that start
  always_ff @(posedge clk) begin
    window_q <= {data_i, window_q[DATA_W*WINDOW-1:DATA_W]};
    starts_q <= rst ? '0 : (starts_q << 1) | WINDOW'(sop_i);
    meta_q <= {origin_i, port_i, length_i, meta_q[20*WINDOW-1:20]};
  end

  delay_line #(.W(DATA_W), .DEPTH(LATENCY - AHEAD)) body (
    .clk(clk), .rst(rst), .data_i(window_q[DATA_W-1:0]), .data_o(data_o));
  delay_line #(.W(20), .DEPTH(LATENCY)) meta (
    .clk(clk), .rst(rst), .data_i(meta_q[19:0]), .data_o({origin_o, port_o, length_o}));

  logic link_req_valid, live_req_valid;  // liveness is answered in every cycle
  wire unused = &{1'b0, link_req_valid, live_req_valid};
  forward pipeline (
    .clk(clk),
    .rst(rst),
    .in_valid(starts_q[WINDOW-1]),
    .in_header(window_q),
    .in_length(meta_q[13:0]),
    .in_port(meta_q[17:14]),
    .in_origin(meta_q[19:18]),
    .in_hash_seed(hash_seed_i),
    .in_hash_symmetric(hash_symmetric_i),
    .lk_port_req_valid(port_req_valid_o),
    .lk_port_key(port_key_o),
    .lk_port_resp(port_resp_i),
    .lk_attachment_req_valid(attachment_req_valid_o),
    .lk_attachment_key(attachment_key_o),
    .lk_attachment_resp(attachment_resp_i),
    .lk_vid_req_valid(vid_req_valid_o),
    .lk_vid_key(vid_key_o),
    .lk_vid_resp(vid_resp_i),
    .lk_service_req_valid(service_req_valid_o),
    .lk_service_key(service_key_o),
    .lk_service_resp(service_resp_i),
    .lk_group_req_valid(group_req_valid_o),
    .lk_group_key(group_key_o),
    .lk_group_resp(group_resp_i),
    .lk_bucket_req_valid(bucket_req_valid_o),
    .lk_bucket_key(bucket_key_o),
    .lk_bucket_resp(bucket_resp_i),
    .lk_lag_req_valid(lag_req_valid_o),
    .lk_lag_key(lag_key_o),
    .lk_lag_resp(lag_resp_i),
    .lk_link_req_valid(link_req_valid),
    .lk_link_key(link_key_o),
    .lk_link_resp(link_resp_i),
    .lk_live_req_valid(live_req_valid),
    .lk_live_key(live_key_o),
    .lk_live_resp(live_resp_i),
    .out_valid(valid_o),
    .out_drop(drop_o),
    .out_egress_port(egress_port_o),
    .out_queue(queue_o),
    .out_punt(punt_o),
    .out_host_class(host_class_o),
    .out_service_valid(service_valid_o),
    .out_service(service_o),
    .out_to_backbone(to_backbone_o),
    .out_group(group_o),
    .out_link(link_o),
    .out_flow_slot(flow_slot_o),
    .out_hash(hash_o),
    .out_edit_strip(strip_o),
    .out_edit_prepend(prepend_o),
    .out_edit_data(edit_data_o));

endmodule

`default_nettype wire
