// SPDX-License-Identifier: Apache-2.0
// All counters of the card behind five read windows. Each is a pair of 64-bit counts, frames and bytes, 16 bytes apart:
//   port window:    (port * 2 + direction)        direction 0 received, 1 sent
//   drop window:    (ingress port * 64 + reason)  port 16: the host
//   host window:    (class * 128 + port * 4 + fate), from byte 0x2000 on (class * 2 + refused) of the host's own
//   service window: (service * 2 + direction)     direction 1 towards the backbone
//   member window:  (group * 16 + link)           towards the backbone
// Reading a low word fetches the pair and latches its high words, so a following read of the high word belongs to it.
//
// Latency: a read takes 5 cycles or more (it waits for a cycle without an event), one at a time.
`default_nettype none

module counters (
  input  wire logic        clk,
  input  wire logic        rst,
  output logic             ready_o,             // cleared after reset

  input  wire logic        rx_end_valid_i,
  input  wire logic        rx_end_drop_i,
  input  wire logic [3:0]  rx_end_port_i,
  input  wire logic [5:0]  rx_end_reason_i,
  input  wire logic [13:0] rx_end_bytes_i,

  input  wire logic        decided_valid_i,     // one per frame that reached forward()
  input  wire logic [5:0]  decided_drop_i,
  input  wire logic [4:0]  decided_port_i,      // ingress port; 16: the host
  input  wire logic [13:0] decided_bytes_i,     // as received
  input  wire logic        decided_service_valid_i,
  input  wire logic [11:0] decided_service_i,
  input  wire logic        decided_to_backbone_i,
  input  wire logic [9:0]  decided_group_i,
  input  wire logic [3:0]  decided_link_i,

  input  wire logic        punted_valid_i,      // a frame for the host
  input  wire logic [1:0]  punted_class_i,
  input  wire logic [4:0]  punted_port_i,
  input  wire logic [1:0]  punted_fate_i,
  input  wire logic [13:0] punted_bytes_i,
  input  wire logic        host_sent_valid_i,   // a frame of the host: taken or refused
  input  wire logic [1:0]  host_sent_class_i,
  input  wire logic        host_sent_refused_i,
  input  wire logic [13:0] host_sent_bytes_i,

  input  wire logic        tx_end_valid_i,
  input  wire logic [3:0]  tx_end_port_i,
  input  wire logic [13:0] tx_end_bytes_i,

  // Read windows: one request at a time, held until the acknowledging pulse.
  input  wire logic        port_counters_req_i,
  output logic             port_counters_ack_o,
  input  wire logic        drop_counters_req_i,
  output logic             drop_counters_ack_o,
  input  wire logic        service_counters_req_i,
  output logic             service_counters_ack_o,
  input  wire logic        host_counters_req_i,
  output logic             host_counters_ack_o,
  input  wire logic        member_counters_req_i,
  output logic             member_counters_ack_o,
  input  wire logic [17:0] address_i,           // byte address within the window
  output logic [31:0]      data_o               // with an acknowledge
);

  logic        request, low_word, fetch_done, fetch_q;
  assign request = port_counters_req_i || drop_counters_req_i || service_counters_req_i ||
                   member_counters_req_i || host_counters_req_i;
  assign low_word = !address_i[2];
  wire unused = &{1'b0, rx_end_reason_i[5:2], address_i[1:0]};

  // Reasons 32..35 are decided on the ingress side, in another cycle than the others: banks of their own.
  logic ingress_reason;
  assign ingress_reason = address_i[9:6] == 4'b1000;

  logic [7:0]  done, bank_ready, bank_read;
  logic [63:0] events [0:7];
  logic [63:0] bytes [0:7];
  assign bank_read[0] = fetch_q && port_counters_req_i && !address_i[4];
  assign bank_read[1] = fetch_q && port_counters_req_i && address_i[4];
  assign bank_read[2] = fetch_q && drop_counters_req_i && ingress_reason;
  assign bank_read[3] = fetch_q && drop_counters_req_i && !ingress_reason;
  assign bank_read[4] = fetch_q && service_counters_req_i;
  assign bank_read[5] = fetch_q && member_counters_req_i;
  assign bank_read[6] = fetch_q && host_counters_req_i && !address_i[13];
  assign bank_read[7] = fetch_q && host_counters_req_i && address_i[13];

  counter_bank #(.INDEX_W(4)) received (
    .clk(clk), .rst(rst), .ready_o(bank_ready[0]),
    .event_valid_i(rx_end_valid_i && !rx_end_drop_i), .event_index_i(rx_end_port_i), .event_bytes_i(rx_end_bytes_i),
    .read_i(bank_read[0]), .read_index_i(address_i[8:5]), .read_done_o(done[0]), .read_events_o(events[0]), .read_bytes_o(bytes[0]));

  counter_bank #(.INDEX_W(4)) sent (
    .clk(clk), .rst(rst), .ready_o(bank_ready[1]),
    .event_valid_i(tx_end_valid_i), .event_index_i(tx_end_port_i), .event_bytes_i(tx_end_bytes_i),
    .read_i(bank_read[1]), .read_index_i(address_i[8:5]), .read_done_o(done[1]), .read_events_o(events[1]), .read_bytes_o(bytes[1]));

  counter_bank #(.INDEX_W(7)) dropped_on_ingress (
    .clk(clk), .rst(rst), .ready_o(bank_ready[2]),
    .event_valid_i(rx_end_valid_i && rx_end_drop_i), .event_index_i({1'b0, rx_end_port_i, rx_end_reason_i[1:0]}),
    .event_bytes_i(rx_end_bytes_i),
    .read_i(bank_read[2]), .read_index_i({address_i[14:10], address_i[5:4]}), .read_done_o(done[2]),
    .read_events_o(events[2]), .read_bytes_o(bytes[2]));

  counter_bank #(.INDEX_W(11)) dropped_by_decision (
    .clk(clk), .rst(rst), .ready_o(bank_ready[3]),
    .event_valid_i(decided_valid_i && decided_drop_i != 6'd0), .event_index_i({decided_port_i, decided_drop_i}),
    .event_bytes_i(decided_bytes_i),
    .read_i(bank_read[3]), .read_index_i(address_i[14:4]), .read_done_o(done[3]), .read_events_o(events[3]), .read_bytes_o(bytes[3]));

  counter_bank #(.INDEX_W(13)) by_service (
    .clk(clk), .rst(rst), .ready_o(bank_ready[4]),
    .event_valid_i(decided_valid_i && decided_drop_i == 6'd0 && decided_service_valid_i),
    .event_index_i({decided_service_i, decided_to_backbone_i}), .event_bytes_i(decided_bytes_i),
    .read_i(bank_read[4]), .read_index_i(address_i[16:4]), .read_done_o(done[4]), .read_events_o(events[4]), .read_bytes_o(bytes[4]));

  counter_bank #(.INDEX_W(14)) by_member (
    .clk(clk), .rst(rst), .ready_o(bank_ready[5]),
    .event_valid_i(decided_valid_i && decided_drop_i == 6'd0 && decided_to_backbone_i),
    .event_index_i({decided_group_i, decided_link_i}), .event_bytes_i(decided_bytes_i),
    .read_i(bank_read[5]), .read_index_i(address_i[17:4]), .read_done_o(done[5]), .read_events_o(events[5]), .read_bytes_o(bytes[5]));

  counter_bank #(.INDEX_W(9)) punted (
    .clk(clk), .rst(rst), .ready_o(bank_ready[6]),
    .event_valid_i(punted_valid_i), .event_index_i({punted_class_i, punted_port_i, punted_fate_i}), .event_bytes_i(punted_bytes_i),
    .read_i(bank_read[6]), .read_index_i(address_i[12:4]), .read_done_o(done[6]), .read_events_o(events[6]), .read_bytes_o(bytes[6]));

  counter_bank #(.INDEX_W(3)) host_sent (
    .clk(clk), .rst(rst), .ready_o(bank_ready[7]),
    .event_valid_i(host_sent_valid_i), .event_index_i({host_sent_class_i, host_sent_refused_i}), .event_bytes_i(host_sent_bytes_i),
    .read_i(bank_read[7]), .read_index_i(address_i[6:4]), .read_done_o(done[7]), .read_events_o(events[7]), .read_bytes_o(bytes[7]));

  assign ready_o = bank_ready == '1;
  assign fetch_done = done != '0;

  logic [63:0] event_count, byte_count;
  always_comb begin
    event_count = '0;
    byte_count = '0;
    for (int b = 0; b < 8; b++) begin
      if (done[b]) begin
        event_count = events[b];
        byte_count = bytes[b];
      end
    end
  end

  logic        ack;
  logic [31:0] high_q;
  always_ff @(posedge clk) begin
    fetch_q <= low_word && !fetch_done && !ack;
    ack <= !rst && request && !ack && (fetch_done || !low_word);
    if (fetch_done) begin
      data_o <= address_i[3] ? byte_count[31:0] : event_count[31:0];
      high_q <= address_i[3] ? byte_count[63:32] : event_count[63:32];
    end else begin
      data_o <= high_q;
    end
  end
  assign port_counters_ack_o = ack && port_counters_req_i;
  assign drop_counters_ack_o = ack && drop_counters_req_i;
  assign service_counters_ack_o = ack && service_counters_req_i;
  assign host_counters_ack_o = ack && host_counters_req_i;
  assign member_counters_ack_o = ack && member_counters_req_i;

endmodule

`default_nettype wire
