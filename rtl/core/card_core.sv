// SPDX-License-Identifier: Apache-2.0
// The card between its MACs and its host bus: ingress buffer, forward(), editor, egress queues, tables, counters, registers, host rings.
//
// One clock. All ports share one AXI4-Stream bus in each direction; rx_tid and tx_tdest name the port, beats of different ports may
// interleave. Received beats are always accepted. tkeep is full except with tlast, where it is contiguous from bit 0; rx_tuser with tlast
// marks a bad frame. Frames carry no FCS; below 60 bytes they are runts, above 9216 oversize. A sent frame may be shorter than 60 bytes
// (a popped tag): the MAC pads. After tx_tready[p] falls at most 2 beats for p follow.
//
// m_axi_* is the way into host memory (AXI4: INCR, whole beats, ID 0, one read and one write at a time); irq_* asks for an MSI-X message.
//
// Latency: last beat of a frame in to its first beat out is the same for every frame on an idle card (measured by the tests). II: one beat
// per cycle in and out.
// Limits: DATA_W 128, 256 or 512; PORTS 1..16; RX_BEATS and TX_BEATS powers of two that hold a frame of 9280 bytes.
`default_nettype none

module card_core #(
  parameter int DATA_W = 512,
  parameter int PORTS = 8,
  parameter int RX_BEATS = 512 * 512 / DATA_W,   // ingress ring of each port
  parameter int TX_BEATS = 512 * 512 / DATA_W    // each egress queue
) (
  input  wire logic                clk,
  input  wire logic                rst,

  input  wire logic [63:0]         now_us,
  input  wire logic [63:0]         serial,        // of the card, constant
  input  wire logic [PORTS-1:0]    port_up,
  output logic [PORTS-1:0]         port_enable,

  input  wire logic [PORTS*20-1:0] port_speed,    // Mbit/s; 0: not known
  input  wire logic [PORTS-1:0]    port_module,   // plugged
  input  wire logic [PORTS-1:0]    port_fault,    // of its transmitter
  input  wire logic [PORTS-1:0]    port_los,      // it receives too little light
  input  wire logic [PORTS*16-1:0] port_tx_light, // 0.1 uW
  input  wire logic [PORTS*16-1:0] port_rx_light,
  output logic                     module_req,    // for a word of a module's memory: module_window.sv
  output logic [12:0]              module_address,
  input  wire logic                module_ack,
  input  wire logic                module_error,
  input  wire logic [31:0]         module_data,

  input  wire logic                rx_tvalid,
  input  wire logic [3:0]          rx_tid,
  input  wire logic [DATA_W-1:0]   rx_tdata,
  input  wire logic [DATA_W/8-1:0] rx_tkeep,
  input  wire logic                rx_tlast,
  input  wire logic                rx_tuser,

  output logic                     tx_tvalid,
  output logic [3:0]               tx_tdest,
  output logic [DATA_W-1:0]        tx_tdata,
  output logic [DATA_W/8-1:0]      tx_tkeep,
  output logic                     tx_tlast,
  input  wire logic [PORTS-1:0]    tx_tready,

  input  wire logic                s_axil_awvalid,
  output logic                     s_axil_awready,
  input  wire logic [19:0]         s_axil_awaddr,
  input  wire logic                s_axil_wvalid,
  output logic                     s_axil_wready,
  input  wire logic [31:0]         s_axil_wdata,
  input  wire logic [3:0]          s_axil_wstrb,
  output logic                     s_axil_bvalid,
  input  wire logic                s_axil_bready,
  output logic [1:0]               s_axil_bresp,
  input  wire logic                s_axil_arvalid,
  output logic                     s_axil_arready,
  input  wire logic [19:0]         s_axil_araddr,
  output logic                     s_axil_rvalid,
  input  wire logic                s_axil_rready,
  output logic [31:0]              s_axil_rdata,
  output logic [1:0]               s_axil_rresp,

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

  output logic                     quiescent,  // no frame inside, no access or timer pending: the clock may stop
  output logic                     alarm,      // with quiescent: but not for ever,
  output logic [63:0]              alarm_us    // at this time something is due
);

  localparam int MAX_GROWTH = 4;                    // bytes that an edit adds at most: one S-tag
  localparam int AHEAD = 127 / (DATA_W / 8);        // beats the editor looks ahead
  localparam int TX_W = $clog2(TX_BEATS) + 1;

  logic tables_ready, counters_ready, sketch_ready, police_ready, ready;
  assign ready = tables_ready && counters_ready && sketch_ready && police_ready;

  // ---- ingress

  logic              rx_end_valid, rx_end_drop;
  logic [3:0]        rx_end_port;
  logic [5:0]        rx_end_reason;
  logic [13:0]       rx_end_bytes;
  logic              in_sop;
  logic [1:0]        in_origin;
  logic [3:0]        in_port;
  logic [13:0]       in_length;
  logic [DATA_W-1:0] in_data;
  logic              inject_valid, inject_take, inject_read;
  logic [13:0]       inject_length;
  logic [1:0]        inject_origin;
  logic [3:0]        inject_port;
  logic [DATA_W-1:0] inject_data;
  logic              repeat_valid, repeat_take, repeat_read, repeat_busy, of_host_take, of_host_read, of_host_repeated;
  logic [13:0]       repeat_length;
  logic [3:0]        repeat_port;
  logic [DATA_W-1:0] repeat_data, of_host_data;
  rx_buffer #(.DATA_W(DATA_W), .PORTS(PORTS), .BEATS(RX_BEATS), .MAX_GROWTH(MAX_GROWTH)) ingress (
    .clk(clk), .rst(rst), .enable_i(ready),
    .rx_tvalid(rx_tvalid), .rx_tid(rx_tid), .rx_tdata(rx_tdata), .rx_tkeep(rx_tkeep), .rx_tlast(rx_tlast), .rx_tuser(rx_tuser),
    .end_valid_o(rx_end_valid), .end_drop_o(rx_end_drop), .end_port_o(rx_end_port), .end_reason_o(rx_end_reason),
    .end_bytes_o(rx_end_bytes),
    .host_valid_i(repeat_valid || inject_valid), .host_length_i(repeat_valid ? repeat_length : inject_length),
    .host_origin_i(repeat_valid ? TO_PORT : inject_origin), .host_port_i(repeat_valid ? repeat_port : inject_port),
    .host_repeated_i(repeat_valid), .host_take_o(of_host_take), .host_read_o(of_host_read),
    .host_read_repeated_o(of_host_repeated), .host_data_i(of_host_data),
    .sop_o(in_sop), .origin_o(in_origin), .port_o(in_port), .length_o(in_length), .data_o(in_data));

  // A repeated frame comes before those of the host's rings: those may come in a flood, these are few.
  localparam logic [1:0] TO_PORT = 2'd1;
  logic repeated_q;
  assign repeat_take = of_host_take && repeat_valid;
  assign inject_take = of_host_take && !repeat_valid;
  assign repeat_read = of_host_read && of_host_repeated;
  assign inject_read = of_host_read && !of_host_repeated;
  assign of_host_data = repeated_q ? repeat_data : inject_data;
  always_ff @(posedge clk) begin
    if (of_host_read) repeated_q <= of_host_repeated;
  end

  // ---- decision

  logic [DATA_W-1:0] body_data;
  logic              d_valid, d_queue, d_punt, d_service_valid, d_to_backbone;
  logic [1:0]        d_origin, d_host_class;
  logic [31:0]       d_hash;
  logic [3:0]        d_port, d_egress_port;
  logic [13:0]       d_length;
  logic [5:0]        d_drop;
  logic [11:0]       d_service;
  logic [9:0]        d_group;
  logic [3:0]        d_link;
  logic [11:0]       d_flow_slot;
  logic [6:0]        d_strip, d_prepend;
  logic [511:0]      d_edit_data;

  logic                                          lk_port_valid, lk_attachment_valid, lk_vid_valid, lk_service_valid,
                                                 lk_group_valid, lk_bucket_valid, lk_lag_valid;
  logic [forward_pkg::PORT_KEY_W-1:0]            lk_port_key;
  logic [forward_pkg::PORT_ENTRY_W-1:0]          lk_port_resp;
  logic [forward_pkg::ATTACHMENT_KEY_W-1:0]      lk_attachment_key;
  logic [forward_pkg::ATTACHMENT_ENTRY_W-1:0]    lk_attachment_resp;
  logic [forward_pkg::VID_KEY_W-1:0]             lk_vid_key;
  logic [forward_pkg::VID_ENTRY_W-1:0]           lk_vid_resp;
  logic [forward_pkg::SERVICE_KEY_W-1:0]         lk_service_key;
  logic [forward_pkg::SERVICE_ENTRY_W-1:0]       lk_service_resp;
  logic [forward_pkg::GROUP_KEY_W-1:0]           lk_group_key;
  logic [forward_pkg::GROUP_ENTRY_W-1:0]         lk_group_resp;
  logic [forward_pkg::BUCKET_KEY_W-1:0]          lk_bucket_key;
  logic [forward_pkg::BUCKET_ENTRY_W-1:0]        lk_bucket_resp;
  logic [forward_pkg::LAG_KEY_W-1:0]             lk_lag_key;
  logic [forward_pkg::LAG_ENTRY_W-1:0]           lk_lag_resp;
  logic [forward_pkg::LINK_KEY_W-1:0]            lk_link_key;
  logic [forward_pkg::LINK_ENTRY_W-1:0]          lk_link_resp;
  logic [forward_pkg::LIVE_KEY_W-1:0]            lk_live_key;
  logic [forward_pkg::LIVE_ENTRY_W-1:0]          lk_live_resp;
  logic [31:0]                                   hash_seed;
  logic                                          hash_symmetric;
  forward_stage #(.DATA_W(DATA_W), .AHEAD(AHEAD)) decision (
    .clk(clk), .rst(rst),
    .sop_i(in_sop), .origin_i(in_origin), .port_i(in_port), .length_i(in_length), .data_i(in_data),
    .hash_seed_i(hash_seed), .hash_symmetric_i(hash_symmetric),
    .data_o(body_data),
    .valid_o(d_valid), .origin_o(d_origin), .port_o(d_port), .length_o(d_length), .drop_o(d_drop), .egress_port_o(d_egress_port),
    .queue_o(d_queue), .punt_o(d_punt), .host_class_o(d_host_class), .hash_o(d_hash), .service_valid_o(d_service_valid), .service_o(d_service), .to_backbone_o(d_to_backbone), .group_o(d_group), .link_o(d_link),
    .flow_slot_o(d_flow_slot), .strip_o(d_strip), .prepend_o(d_prepend), .edit_data_o(d_edit_data),
    .port_req_valid_o(lk_port_valid), .port_key_o(lk_port_key), .port_resp_i(lk_port_resp),
    .attachment_req_valid_o(lk_attachment_valid), .attachment_key_o(lk_attachment_key), .attachment_resp_i(lk_attachment_resp),
    .vid_req_valid_o(lk_vid_valid), .vid_key_o(lk_vid_key), .vid_resp_i(lk_vid_resp),
    .service_req_valid_o(lk_service_valid), .service_key_o(lk_service_key), .service_resp_i(lk_service_resp),
    .group_req_valid_o(lk_group_valid), .group_key_o(lk_group_key), .group_resp_i(lk_group_resp),
    .bucket_req_valid_o(lk_bucket_valid), .bucket_key_o(lk_bucket_key), .bucket_resp_i(lk_bucket_resp),
    .lag_req_valid_o(lk_lag_valid), .lag_key_o(lk_lag_key), .lag_resp_i(lk_lag_resp),
    .link_key_o(lk_link_key), .link_resp_i(lk_link_resp), .live_key_o(lk_live_key), .live_resp_i(lk_live_resp));

  // ---- admission; what belongs to the frame waits its 2 cycles

  logic [15:0]     port_hold_bits, port_release, port_held;
  logic [4:0]      tx_query;
  logic [TX_W-1:0] tx_taken, tx_reserve_beats;
  logic            tx_reserve;
  logic            a_valid, a_queue, a_punt, a_of_host, a_service_valid, a_to_backbone;
  logic [1:0]      a_host_class;
  logic [31:0]     a_hash;
  logic [5:0]      a_drop;
  logic [13:0]     a_received;
  logic [$clog2(DATA_W/8):0] a_last_bytes;
  logic [TX_W-1:0] a_beats;
  logic [3:0]      a_egress_port, a_port;
  logic [11:0]     a_service;
  logic [9:0]      a_group;
  logic [3:0]      a_link;
  logic [11:0]     a_flow_slot;
  logic [6:0]      a_strip, a_prepend;
  logic [511:0]    a_edit_data;
  admission #(.DATA_W(DATA_W), .PORTS(PORTS), .BEATS(TX_BEATS)) admit (
    .clk(clk), .rst(rst), .port_up_i(port_up), .port_enable_i(port_enable), .port_held_i(port_held),
    .valid_i(d_valid), .length_i(d_length), .drop_i(d_drop), .egress_port_i(d_egress_port), .queue_i(d_queue),
    .strip_i(d_strip), .prepend_i(d_prepend),
    .query_o(tx_query), .taken_i(tx_taken), .reserve_o(tx_reserve), .beats_o(tx_reserve_beats),
    .valid_o(a_valid), .drop_o(a_drop), .length_beats_o(a_beats), .last_bytes_o(a_last_bytes), .egress_port_o(a_egress_port), .queue_o(a_queue));
  delay_line #(.W(512 + 14 + 4 + 14 + 14 + 14 + 12 + 36), .DEPTH(2)) beside_admission (
    .clk(clk), .rst(rst),
    .data_i({d_edit_data, d_strip, d_prepend, d_port, d_length, d_service_valid, d_service, d_to_backbone, d_group, d_link, d_flow_slot,
             d_origin != 2'd0, d_punt, d_host_class, d_hash}),
    .data_o({a_edit_data, a_strip, a_prepend, a_port, a_received, a_service_valid, a_service, a_to_backbone, a_group, a_link, a_flow_slot,
             a_of_host, a_punt, a_host_class, a_hash}));

  // ---- edit and egress

  logic                        e_valid, e_last, e_queue, overrun;
  logic [3:0]                  e_port;
  logic [$clog2(DATA_W/8):0]   e_bytes;
  logic [DATA_W-1:0]           e_data;
  editor #(.DATA_W(DATA_W), .BEATS_W(TX_W)) edit (
    .clk(clk), .rst(rst), .data_i(body_data),
    .start_i(a_valid && a_drop == 6'd0), .strip_i(a_strip), .prepend_i(a_prepend), .edit_data_i(a_edit_data),
    .beats_i(a_beats), .last_bytes_i(a_last_bytes), .port_i(a_egress_port), .queue_i(a_queue),
    .valid_o(e_valid), .last_o(e_last), .port_o(e_port), .queue_o(e_queue), .bytes_o(e_bytes), .data_o(e_data),
    .overrun_o(overrun));

  logic        tx_end_valid;
  logic [3:0]  tx_end_port;
  logic [13:0] tx_end_bytes;
  tx_buffer #(.DATA_W(DATA_W), .PORTS(PORTS), .BEATS(TX_BEATS)) egress (
    .clk(clk), .rst(rst),
    .query_i(tx_query), .taken_o(tx_taken), .reserve_i(tx_reserve), .beats_i(tx_reserve_beats),
    .valid_i(e_valid), .last_i(e_last), .port_i(e_port), .queue_i(e_queue), .bytes_i(e_bytes), .data_i(e_data),
    .tx_tvalid(tx_tvalid), .tx_tdest(tx_tdest), .tx_tdata(tx_tdata), .tx_tkeep(tx_tkeep), .tx_tlast(tx_tlast), .tx_tready(tx_tready),
    .end_valid_o(tx_end_valid), .end_port_o(tx_end_port), .end_bytes_o(tx_end_bytes));

  // ---- frames for the host, and from it

  logic [127:0]    service_interval, service_tolerance, port_interval, port_tolerance;
  logic            capture_enable, capture_by_service;
  logic [16:0]     capture_ports;
  logic [31:0]     capture_outcomes_low, capture_outcomes_high;
  logic [11:0]     capture_service;
  logic [15:0]     learn_ports;
  logic [7:0]      ring_enable, ring_running, ring_arm, event_rings, clear_rings;
  logic [8*4-1:0]  ring_log_entries;
  logic [8*32-1:0] ring_descriptors_low, ring_descriptors_high, ring_completions_low, ring_completions_high, ring_lost;
  logic [8*16-1:0] ring_tail, ring_seen, ring_us, ring_frames, ring_index;
  logic [8*2-1:0]  ring_error;
  logic [15:0]     event_links, clear_links;
  logic            arm_events, clear_events, punted, host_sent, host_refused, host_busy;
  logic [1:0]      punted_class, punted_fate, host_sent_class;
  logic [4:0]      punted_port;
  logic [13:0]     punted_bytes, host_sent_bytes;
  host_path #(.DATA_W(DATA_W), .PORTS(PORTS), .AHEAD(AHEAD), .INJECT_BEATS(RX_BEATS)) host (
    .clk(clk), .rst(rst), .ready_o(police_ready), .now_us(now_us),
    .valid_i(a_valid), .drop_i(a_drop), .punt_i(a_punt), .host_class_i(a_host_class), .port_i(a_port), .of_host_i(a_of_host),
    .length_i(a_received), .service_valid_i(a_service_valid), .service_i(a_service), .hash_i(a_hash), .egress_port_i(a_egress_port),
    .source_i(a_edit_data[95:48]), .data_i(body_data), .learn_ports_i(learn_ports),  // an edit's data begin with the addresses
    .capture_enable_i(capture_enable), .capture_ports_i(capture_ports),
    .capture_outcomes_i({capture_outcomes_high, capture_outcomes_low}), .capture_by_service_i(capture_by_service),
    .capture_service_i(capture_service),
    .service_interval_i(service_interval), .service_tolerance_i(service_tolerance),
    .port_interval_i(port_interval), .port_tolerance_i(port_tolerance),
    .punted_o(punted), .punted_class_o(punted_class), .punted_port_o(punted_port), .punted_fate_o(punted_fate),
    .punted_bytes_o(punted_bytes),
    .inject_valid_o(inject_valid), .inject_length_o(inject_length), .inject_origin_o(inject_origin), .inject_port_o(inject_port),
    .inject_take_i(inject_take), .inject_read_i(inject_read), .inject_data_o(inject_data),
    .sent_o(host_sent), .refused_o(host_refused), .sent_class_o(host_sent_class), .sent_bytes_o(host_sent_bytes),
    .ring_enable_i(ring_enable), .ring_log_entries_i(ring_log_entries),
    .ring_descriptors_low_i(ring_descriptors_low), .ring_descriptors_high_i(ring_descriptors_high),
    .ring_completions_low_i(ring_completions_low), .ring_completions_high_i(ring_completions_high),
    .ring_tail_i(ring_tail), .ring_running_o(ring_running), .ring_error_o(ring_error), .ring_index_o(ring_index), .ring_lost_o(ring_lost),
    .ring_seen_i(ring_seen), .ring_arm_i(ring_arm), .ring_frames_i(ring_frames), .ring_us_i(ring_us),
    .port_state_i({port_los, port_fault, port_module, port_up}), .clear_links_i(clear_events ? clear_links : '0), .clear_rings_i(clear_events ? clear_rings : '0),
    .arm_events_i(arm_events), .event_links_o(event_links), .event_rings_o(event_rings),
    .m_axi_awaddr(m_axi_awaddr), .m_axi_awlen(m_axi_awlen), .m_axi_awvalid(m_axi_awvalid), .m_axi_awready(m_axi_awready),
    .m_axi_wdata(m_axi_wdata), .m_axi_wstrb(m_axi_wstrb), .m_axi_wlast(m_axi_wlast), .m_axi_wvalid(m_axi_wvalid),
    .m_axi_wready(m_axi_wready), .m_axi_bvalid(m_axi_bvalid), .m_axi_bresp(m_axi_bresp), .m_axi_bready(m_axi_bready),
    .m_axi_araddr(m_axi_araddr), .m_axi_arlen(m_axi_arlen), .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(m_axi_arready),
    .m_axi_rvalid(m_axi_rvalid), .m_axi_rdata(m_axi_rdata), .m_axi_rresp(m_axi_rresp), .m_axi_rlast(m_axi_rlast),
    .m_axi_rready(m_axi_rready),
    .irq_valid(irq_valid), .irq_vector(irq_vector), .irq_ready(irq_ready), .busy_o(host_busy));

  // ---- what the card does for its LAGs while the host is away

  logic [1023:0]   repeat_frame;
  logic [7:0]      repeat_bytes;
  logic [31:0]     repeat_wait, repeat_interval, repeat_lifetime;
  logic [15:0]     repeat_arm, repeat_refresh, repeat_stop, repeat_armed;
  logic [16*32-1:0] repeat_sent;
  pdu_repeat #(.DATA_W(DATA_W), .PORTS(PORTS)) repeater (
    .clk(clk), .rst(rst), .now_us(now_us), .port_up_i(16'(port_up)),
    .frame_i(repeat_frame), .bytes_i(repeat_bytes), .wait_i(repeat_wait), .interval_i(repeat_interval), .lifetime_i(repeat_lifetime),
    .arm_i(repeat_arm), .refresh_i(repeat_refresh), .stop_i(repeat_stop), .armed_o(repeat_armed), .sent_o(repeat_sent),
    .valid_o(repeat_valid), .length_o(repeat_length), .port_o(repeat_port), .take_i(repeat_take), .read_i(repeat_read), .data_o(repeat_data),
    .busy_o(repeat_busy), .alarm_o(alarm), .alarm_us_o(alarm_us));

  port_hold holds (
    .clk(clk), .port_up_i(16'(port_up)), .hold_i(16'(port_hold_bits[PORTS-1:0])), .release_i(port_release), .held_o(port_held));

  // ---- registers, tables, counters

  logic [15:0]  port_enable_bits;
  logic [7:0]   table_select;
  logic [31:0]  table_index, table_capacity, table_used, table_entry_bits;
  logic [127:0] table_data_out, table_data_in;
  logic         table_write, table_read, table_increment, table_forget, table_busy, table_error, table_refused;
  logic         tables_start, tables_write, tables_busy, load_data, load_index;
  logic         port_req, port_ack, drop_req, drop_ack, service_req, service_ack, member_req, member_ack, flow_req, flow_ack,
                host_req, host_ack, memory_req, memory_ack, memory_error;
  logic [17:0]  window_address;
  logic [31:0]  window_data, count_data, flow_data, memory_data;
  logic         overrun_seen_q, empty;
  assign port_enable = port_enable_bits[PORTS-1:0];
  wire unused = &{1'b0, port_enable_bits, port_hold_bits};  // bits of ports that the card does not have
  card_regs registers (
    .clk(clk), .rst(rst),
    .geometry_ports_i(8'(PORTS)), .geometry_data_width_i(16'(DATA_W)), .forward_latency_cycles_i(32'(forward_pkg::LATENCY)),
    .tables_count_i(32'd8), .buffers_rx_i(16'(RX_BEATS)), .buffers_tx_i(16'(TX_BEATS)),
    .flow_sketch_slots_i(17'(1 << forward_pkg::OUT_FLOW_SLOT_W)),
    .status_ready_i(ready), .status_overrun_i(overrun_seen_q), .status_empty_i(empty),
    .now_us_low_value_i(now_us[31:0]), .now_us_high_value_i(now_us[63:32]),
    .serial_low_value_i(serial[31:0]), .serial_high_value_i(serial[63:32]),
    .port_control_enable_o(port_enable_bits), .port_hold_hold_o(port_hold_bits), .port_release_release_o(port_release),
    .port_status_held_i(port_held), .port_status_up_i(16'(port_up)), .port_status_module_i(16'(port_module)),
    .port_status_fault_i(16'(port_fault)), .port_status_los_i(16'(port_los)), .port_status_speed_i(320'(port_speed)),
    .port_light_transmit_i(256'(port_tx_light)), .port_light_receive_i(256'(port_rx_light)),
    .hash_seed_value_o(hash_seed), .hash_mode_symmetric_o(hash_symmetric),
    .ring_control_enable_o(ring_enable), .ring_control_log_entries_o(ring_log_entries),
    .ring_descriptors_low_value_o(ring_descriptors_low), .ring_descriptors_high_value_o(ring_descriptors_high),
    .ring_completions_low_value_o(ring_completions_low), .ring_completions_high_value_o(ring_completions_high),
    .ring_tail_value_o(ring_tail), .ring_arm_seen_o(ring_seen), .ring_arm_arm_o(ring_arm),
    .ring_moderation_us_o(ring_us), .ring_moderation_frames_o(ring_frames),
    .ring_status_running_i(ring_running), .ring_status_error_i(ring_error), .ring_status_index_i(ring_index), .ring_lost_frames_i(ring_lost),
    .event_status_links_i(event_links), .event_status_rings_i(event_rings),
    .event_clear_links_o(clear_links), .event_clear_rings_o(clear_rings), .event_clear_clear_o(clear_events), .event_clear_arm_o(arm_events),
    .police_service_interval_value_o(service_interval), .police_service_tolerance_value_o(service_tolerance),
    .police_port_interval_value_o(port_interval), .police_port_tolerance_value_o(port_tolerance),
    .learn_ports_ports_o(learn_ports), .capture_control_enable_o(capture_enable), .capture_control_by_service_o(capture_by_service),
    .capture_control_service_o(capture_service), .capture_ports_ports_o(capture_ports),
    .capture_outcomes_low_value_o(capture_outcomes_low), .capture_outcomes_high_value_o(capture_outcomes_high),
    .repeat_frame_value_o(repeat_frame), .repeat_bytes_value_o(repeat_bytes), .repeat_wait_value_o(repeat_wait),
    .repeat_interval_value_o(repeat_interval), .repeat_lifetime_value_o(repeat_lifetime), .repeat_control_arm_o(repeat_arm),
    .repeat_control_refresh_o(repeat_refresh), .repeat_control_stop_o(repeat_stop),
    .repeat_status_armed_i(repeat_armed), .repeat_sent_frames_i(repeat_sent),
    .table_select_chosen_o(table_select), .table_index_value_i(table_index + 32'd1), .table_index_value_load_i(load_index),
    .table_index_value_o(table_index),
    .table_command_write_o(table_write), .table_command_read_o(table_read), .table_command_increment_o(table_increment), .table_command_forget_o(table_forget),
    .table_status_busy_i(table_busy), .table_status_error_i(table_error), .table_status_refused_i(table_refused),
    .table_capacity_value_i(table_capacity), .table_used_value_i(table_used), .table_entry_bits_value_i(table_entry_bits),
    .table_data_value_i(table_data_in), .table_data_value_load_i(load_data), .table_data_value_o(table_data_out),
    .port_counters_req_o(port_req), .port_counters_ack_i(port_ack),
    .drop_counters_req_o(drop_req), .drop_counters_ack_i(drop_ack),
    .host_counters_req_o(host_req), .host_counters_ack_i(host_ack),
    .service_counters_req_o(service_req), .service_counters_ack_i(service_ack),
    .member_counters_req_o(member_req), .member_counters_ack_i(member_ack),
    .flow_counts_req_o(flow_req), .flow_counts_ack_i(flow_ack),
    .module_memory_req_o(memory_req), .module_memory_ack_i(memory_ack),
    .hold_tables_i(table_busy), .window_addr_o(window_address), .window_data_i(window_data), .window_error_i(memory_req && memory_error),
    .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready), .s_axil_awaddr(s_axil_awaddr),
    .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready), .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
    .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready), .s_axil_bresp(s_axil_bresp),
    .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready), .s_axil_araddr(s_axil_araddr),
    .s_axil_rvalid(s_axil_rvalid), .s_axil_rready(s_axil_rready), .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp));

  table_host table_commands (
    .clk(clk), .rst(rst), .write_i(table_write), .read_i(table_read), .increment_i(table_increment), .forget_i(table_forget),
    .index_i(table_index), .capacity_i(table_capacity),
    .start_o(tables_start), .start_write_o(tables_write), .tables_busy_i(tables_busy),
    .busy_o(table_busy), .error_o(table_error), .refused_o(table_refused), .load_data_o(load_data), .load_index_o(load_index));

  card_tables tables (
    .clk(clk), .rst(rst), .ready_o(tables_ready),
    .port_req_valid_i(lk_port_valid), .port_key_i(lk_port_key), .port_resp_o(lk_port_resp),
    .attachment_req_valid_i(lk_attachment_valid), .attachment_key_i(lk_attachment_key), .attachment_resp_o(lk_attachment_resp),
    .vid_req_valid_i(lk_vid_valid), .vid_key_i(lk_vid_key), .vid_resp_o(lk_vid_resp),
    .service_req_valid_i(lk_service_valid), .service_key_i(lk_service_key), .service_resp_o(lk_service_resp),
    .group_req_valid_i(lk_group_valid), .group_key_i(lk_group_key), .group_resp_o(lk_group_resp),
    .bucket_req_valid_i(lk_bucket_valid), .bucket_key_i(lk_bucket_key), .bucket_resp_o(lk_bucket_resp),
    .lag_req_valid_i(lk_lag_valid), .lag_key_i(lk_lag_key), .lag_resp_o(lk_lag_resp),
    .link_key_i(lk_link_key), .link_resp_o(lk_link_resp), .live_key_i(lk_live_key), .live_resp_o(lk_live_resp),
    .port_live_i(16'(port_up) & 16'(port_enable) & ~port_held), .port_held_i(port_held),
    .select_i(table_select), .index_i(table_index), .data_i(table_data_out), .start_i(tables_start), .write_i(tables_write),
    .busy_o(tables_busy), .data_o(table_data_in), .capacity_o(table_capacity), .used_o(table_used), .entry_bits_o(table_entry_bits));

  counters counts (
    .clk(clk), .rst(rst), .ready_o(counters_ready),
    .rx_end_valid_i(rx_end_valid), .rx_end_drop_i(rx_end_drop), .rx_end_port_i(rx_end_port), .rx_end_reason_i(rx_end_reason),
    .rx_end_bytes_i(rx_end_bytes),
    .decided_valid_i(a_valid), .decided_drop_i(a_drop), .decided_port_i(a_of_host ? 5'd16 : {1'b0, a_port}), .decided_bytes_i(a_received),
    .decided_service_valid_i(a_service_valid), .decided_service_i(a_service), .decided_to_backbone_i(a_to_backbone),
    .decided_group_i(a_group), .decided_link_i(a_link),
    .punted_valid_i(punted), .punted_class_i(punted_class), .punted_port_i(punted_port), .punted_fate_i(punted_fate),
    .punted_bytes_i(punted_bytes),
    .host_sent_valid_i(host_sent || host_refused), .host_sent_class_i(host_sent_class), .host_sent_refused_i(host_refused),
    .host_sent_bytes_i(host_sent_bytes),
    .tx_end_valid_i(tx_end_valid), .tx_end_port_i(tx_end_port), .tx_end_bytes_i(tx_end_bytes),
    .port_counters_req_i(port_req), .port_counters_ack_o(port_ack),
    .drop_counters_req_i(drop_req), .drop_counters_ack_o(drop_ack),
    .host_counters_req_i(host_req), .host_counters_ack_o(host_ack),
    .service_counters_req_i(service_req), .service_counters_ack_o(service_ack),
    .member_counters_req_i(member_req), .member_counters_ack_o(member_ack),
    .address_i(window_address), .data_o(count_data));

  flow_sketch #(.SLOT_W(forward_pkg::OUT_FLOW_SLOT_W)) sketch (
    .clk(clk), .rst(rst), .ready_o(sketch_ready), .now_us_i(now_us),
    .valid_i(a_valid && a_drop == 6'd0 && a_to_backbone), .link_i(a_link), .slot_i(a_flow_slot),
    .req_i(flow_req), .read_link_i(window_address[5:2]), .ack_o(flow_ack), .data_o(flow_data));

  module_window #(.PORTS(PORTS)) modules (
    .clk(clk), .rst(rst), .present_i(port_module), .req_i(memory_req), .address_i(window_address[12:0]),
    .ack_o(memory_ack), .error_o(memory_error), .data_o(memory_data),
    .module_req_o(module_req), .module_address_o(module_address),
    .module_ack_i(module_ack), .module_error_i(module_error), .module_data_i(module_data));
  assign window_data = flow_req ? flow_data : memory_req ? memory_data : count_data;

  // ---- what is inside: frames accepted, or taken from the host, minus frames dropped behind the buffer minus frames sent

  // Tables that clear themselves are busy too.
  localparam logic [3:0] SETTLE = 4'd15;  // cycles from a frame's last event until counters and registers are at rest
  logic [15:0] inside_q;
  logic [3:0]  settle_q;
  logic        bus_active;
  assign bus_active = s_axil_awvalid || s_axil_wvalid || s_axil_arvalid || s_axil_bvalid || s_axil_rvalid || port_req || drop_req ||
                      service_req || member_req || flow_req || host_req || memory_req || table_busy || table_write || table_read;
  always_ff @(posedge clk) begin
    if (rst) begin
      inside_q <= '0;
      overrun_seen_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 16'(rx_end_valid && !rx_end_drop) + 16'(host_sent) + 16'(repeat_take) - 16'(a_valid && a_drop != 6'd0) - 16'(tx_end_valid);
      if (overrun) overrun_seen_q <= 1'b1;
    end
    if (rst || rx_tvalid || rx_end_valid || a_valid || tx_end_valid || bus_active || host_busy || repeat_busy) settle_q <= SETTLE;
    else if (settle_q != 4'd0) settle_q <= settle_q - 4'd1;
  end
  assign empty = inside_q == '0;
  assign quiescent = empty && settle_q == 4'd0 && !host_busy && !repeat_busy;

endmodule

`default_nettype wire
