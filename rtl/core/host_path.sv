// SPDX-License-Identifier: Apache-2.0
// Everything between the pipeline and host memory (docs/host-path.md): frames for the host are chosen and policed, wait in a queue per class,
// and go out by rings; frames of the host come in by rings and wait to be taken into the stream; interrupts tell of both.
//
//     host_punt -> host_queue -> host_rings <-> m_axi      host_rings -> host_inject -> the stream      host_interrupts -> irq
//
// Latency and II: see each part.
// Limits: DATA_W 128, 256 or 512; PORTS 1..16; AHEAD as forward_stage; INJECT_BEATS a power of two that holds two frames of 9216 bytes.
`default_nettype none

module host_path #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8,
  parameter int AHEAD = 2,
  parameter int INJECT_BEATS = 512
) (
  input  wire logic                clk,
  input  wire logic                rst,
  output logic                     ready_o,
  input  wire logic [63:0]         now_us,

  // Outcomes of frames, and the stream they were in (host_punt).
  input  wire logic                valid_i,
  input  wire logic [5:0]          drop_i,
  input  wire logic                punt_i,
  input  wire logic [1:0]          host_class_i,
  input  wire logic [3:0]          port_i,
  input  wire logic                of_host_i,
  input  wire logic [13:0]         length_i,
  input  wire logic                service_valid_i,
  input  wire logic [11:0]         service_i,
  input  wire logic [31:0]         hash_i,
  input  wire logic [3:0]          egress_port_i,
  input  wire logic [47:0]         source_i,
  input  wire logic [DATA_W-1:0]   data_i,
  input  wire logic [15:0]         learn_ports_i,
  input  wire logic                capture_enable_i,
  input  wire logic [16:0]         capture_ports_i,
  input  wire logic [63:0]         capture_outcomes_i,
  input  wire logic                capture_by_service_i,
  input  wire logic [11:0]         capture_service_i,
  input  wire logic [127:0]        service_interval_i,
  input  wire logic [127:0]        service_tolerance_i,
  input  wire logic [127:0]        port_interval_i,
  input  wire logic [127:0]        port_tolerance_i,

  // One pulse per frame for the host: its fate.
  output logic                     punted_o,
  output logic [1:0]               punted_class_o,
  output logic [4:0]               punted_port_o,
  output logic [1:0]               punted_fate_o,  // 0 queued, 1 policed by service, 2 by port, 3 no room
  output logic [13:0]              punted_bytes_o,

  // Frames of the host into the stream (host_inject).
  output logic                     inject_valid_o,
  output logic [13:0]              inject_length_o,
  output logic [1:0]               inject_origin_o,
  output logic [3:0]               inject_port_o,
  input  wire logic                inject_take_i,
  input  wire logic                inject_read_i,
  output logic [DATA_W-1:0]        inject_data_o,

  // One pulse per frame of the host: taken or refused.
  output logic                     sent_o,
  output logic                     refused_o,
  output logic [1:0]               sent_class_o,
  output logic [13:0]              sent_bytes_o,

  // Rings and interrupts, by ring (host_rings, host_interrupts).
  input  wire logic [7:0]          ring_enable_i,
  input  wire logic [8*4-1:0]      ring_log_entries_i,
  input  wire logic [8*32-1:0]     ring_descriptors_low_i,
  input  wire logic [8*32-1:0]     ring_descriptors_high_i,
  input  wire logic [8*32-1:0]     ring_completions_low_i,
  input  wire logic [8*32-1:0]     ring_completions_high_i,
  input  wire logic [8*16-1:0]     ring_tail_i,
  output logic [7:0]               ring_running_o,
  output logic [8*2-1:0]           ring_error_o,
  output logic [8*16-1:0]          ring_index_o,
  output logic [8*32-1:0]          ring_lost_o,
  input  wire logic [8*16-1:0]     ring_seen_i,
  input  wire logic [7:0]          ring_arm_i,
  input  wire logic [8*16-1:0]     ring_frames_i,
  input  wire logic [8*16-1:0]     ring_us_i,
  input  wire logic [4*PORTS-1:0]  port_state_i,
  input  wire logic [15:0]         clear_links_i,
  input  wire logic [7:0]          clear_rings_i,
  input  wire logic                arm_events_i,
  output logic [15:0]              event_links_o,
  output logic [7:0]               event_rings_o,

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
  output logic                     irq_valid,
  output logic [3:0]               irq_vector,
  input  wire logic                irq_ready,

  output logic                     busy_o
);

  logic              p_valid, p_copy, p_learned, p_service_valid, p_busy, p_no_room;
  logic [1:0]        p_fate, p_class;
  logic [4:0]        p_port;
  logic [3:0]        p_share, p_egress_port;
  logic [13:0]       p_length;
  logic [5:0]        p_reason;
  logic [11:0]       p_service;
  logic [31:0]       p_hash;
  logic [63:0]       p_decided_us;
  logic [DATA_W-1:0] p_data;
  host_punt #(.DATA_W(DATA_W), .AHEAD(AHEAD)) punt (
    .clk(clk), .rst(rst), .ready_o(ready_o), .now_us(now_us),
    .valid_i(valid_i), .drop_i(drop_i), .punt_i(punt_i), .host_class_i(host_class_i), .port_i(port_i), .of_host_i(of_host_i),
    .length_i(length_i), .service_valid_i(service_valid_i), .service_i(service_i), .hash_i(hash_i), .egress_port_i(egress_port_i),
    .source_i(source_i), .data_i(data_i), .learn_ports_i(learn_ports_i),
    .capture_enable_i(capture_enable_i), .capture_ports_i(capture_ports_i), .capture_outcomes_i(capture_outcomes_i),
    .capture_by_service_i(capture_by_service_i), .capture_service_i(capture_service_i),
    .service_interval_i(service_interval_i), .service_tolerance_i(service_tolerance_i),
    .port_interval_i(port_interval_i), .port_tolerance_i(port_tolerance_i),
    .valid_o(p_valid), .fate_o(p_fate), .host_class_o(p_class), .port_o(p_port), .share_o(p_share), .length_o(p_length), .reason_o(p_reason),
    .copy_o(p_copy), .learned_o(p_learned), .service_valid_o(p_service_valid), .service_o(p_service), .hash_o(p_hash), .egress_port_o(p_egress_port),
    .decided_us_o(p_decided_us), .data_o(p_data), .busy_o(p_busy));

  logic [3:0]        q_open, q_begin, q_waiting, q_coming;
  logic [1:0]        q_select;
  logic [13:0]       q_length;
  logic [127:0]      q_about;
  logic [31:0]       q_lost;
  logic              q_read, q_pop, q_writing;
  logic [DATA_W-1:0] q_data;
  host_queue #(.DATA_W(DATA_W), .PORTS(PORTS)) queue (
    .clk(clk), .rst(rst), .open_i(q_open), .begin_i(q_begin),
    .valid_i(p_valid), .allowed_i(p_fate == 2'd0), .class_i(p_class), .share_i(p_share), .length_i(p_length),
    .about_i({2'd0, p_learned, p_decided_us, p_egress_port, p_hash, p_service, p_service_valid, p_copy, p_reason, p_port}), .data_i(p_data),
    .refused_o(p_no_room), .writing_o(q_writing), .coming_o(q_coming),
    .waiting_o(q_waiting), .select_i(q_select), .length_o(q_length), .about_o(q_about), .lost_o(q_lost), .read_i(q_read), .data_o(q_data),
    .pop_i(q_pop));

  assign punted_o = p_valid;
  assign punted_class_o = p_class;
  assign punted_port_o = p_port;
  assign punted_fate_o = p_no_room ? 2'd3 : p_fate;
  assign punted_bytes_o = p_length;

  logic              inject_room, inject_write, inject_commit, inject_undo;
  logic [DATA_W-1:0] inject_beat;
  logic [1:0]        origin;
  logic [3:0]        port;
  host_inject #(.DATA_W(DATA_W), .BEATS(INJECT_BEATS)) inject (
    .clk(clk), .rst(rst), .room_o(inject_room), .write_i(inject_write), .data_i(inject_beat), .commit_i(inject_commit), .undo_i(inject_undo),
    .length_i(sent_bytes_o), .origin_i(origin), .port_i(port),
    .valid_o(inject_valid_o), .length_o(inject_length_o), .origin_o(inject_origin_o), .port_o(inject_port_o),
    .take_i(inject_take_i), .read_i(inject_read_i), .data_o(inject_data_o));

  logic            done, stopped, rings_busy, interrupts_busy;
  logic [2:0]      ring;
  host_rings #(.DATA_W(DATA_W)) rings (
    .clk(clk), .rst(rst), .now_us(now_us),
    .enable_i(ring_enable_i), .descriptors_low_i(ring_descriptors_low_i), .descriptors_high_i(ring_descriptors_high_i),
    .completions_low_i(ring_completions_low_i), .completions_high_i(ring_completions_high_i), .log_entries_i(ring_log_entries_i),
    .tail_i(ring_tail_i), .running_o(ring_running_o), .error_o(ring_error_o), .index_o(ring_index_o), .lost_o(ring_lost_o),
    .done_o(done), .stopped_o(stopped), .ring_o(ring),
    .open_o(q_open), .begin_o(q_begin), .waiting_i(q_waiting), .coming_i(q_coming), .select_o(q_select), .length_i(q_length), .about_i(q_about), .lost_before_i(q_lost),
    .read_o(q_read), .data_i(q_data), .pop_o(q_pop),
    .room_i(inject_room), .write_o(inject_write), .data_o(inject_beat), .commit_o(inject_commit), .undo_o(inject_undo),
    .length_o(sent_bytes_o), .origin_o(origin), .port_o(port), .sent_o(sent_o), .refused_o(refused_o),
    .m_axi_awaddr(m_axi_awaddr), .m_axi_awlen(m_axi_awlen), .m_axi_awvalid(m_axi_awvalid), .m_axi_awready(m_axi_awready),
    .m_axi_wdata(m_axi_wdata), .m_axi_wstrb(m_axi_wstrb), .m_axi_wlast(m_axi_wlast), .m_axi_wvalid(m_axi_wvalid),
    .m_axi_wready(m_axi_wready), .m_axi_bvalid(m_axi_bvalid), .m_axi_bresp(m_axi_bresp), .m_axi_bready(m_axi_bready),
    .m_axi_araddr(m_axi_araddr), .m_axi_arlen(m_axi_arlen), .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(m_axi_arready),
    .m_axi_rvalid(m_axi_rvalid), .m_axi_rdata(m_axi_rdata), .m_axi_rresp(m_axi_rresp), .m_axi_rlast(m_axi_rlast),
    .m_axi_rready(m_axi_rready), .busy_o(rings_busy));
  assign sent_class_o = ring[1:0];

  host_interrupts #(.PORTS(PORTS)) interrupts (
    .clk(clk), .rst(rst), .now_us(now_us[31:0]),
    .done_i(done), .stopped_i(stopped), .ring_i(ring), .index_i(ring_index_o), .seen_i(ring_seen_i), .enable_i(ring_enable_i), .arm_i(ring_arm_i),
    .frames_i(ring_frames_i), .us_i(ring_us_i),
    .port_state_i(port_state_i), .clear_links_i(clear_links_i), .clear_rings_i(clear_rings_i), .arm_events_i(arm_events_i),
    .links_o(event_links_o), .rings_o(event_rings_o),
    .irq_valid_o(irq_valid), .irq_vector_o(irq_vector), .irq_ready_i(irq_ready), .busy_o(interrupts_busy));

  assign busy_o = p_busy || p_valid || q_writing || rings_busy || interrupts_busy;

endmodule

`default_nettype wire
