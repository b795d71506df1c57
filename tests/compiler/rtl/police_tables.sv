// SPDX-License-Identifier: Apache-2.0
// Kernel police() with its tables, for tests: what hand-written RTL does with a kernel that updates. Both tables' host ports are out.
//
// Latency: police_pkg::LATENCY cycles, II 1.
`default_nettype none

module police_tables (
  input  wire logic         clk,
  input  wire logic         rst,
  output logic              ready_o,

  input  wire logic         in_valid,
  input  wire logic [9:0]   in_flow,
  input  wire logic [13:0]  in_length,
  input  wire logic [31:0]  in_now,
  input  wire logic [23:0]  in_committed,
  input  wire logic [23:0]  in_peak,
  input  wire logic [29:0]  in_committed_burst,
  input  wire logic [29:0]  in_peak_burst,
  input  wire logic         in_metered,
  output logic              out_valid,
  output logic [1:0]        out_colour,

  input  wire logic [1:0]   host_start_i,  // bit 0: counters, bit 1: meters
  input  wire logic         host_write_i,
  input  wire logic [9:0]   host_index_i,
  input  wire logic [131:0] host_data_i,
  output logic [1:0]        host_busy_o,
  output logic [131:0]      host_count_o,
  output logic [63:0]       host_meter_o
);

  logic         count_valid, meter_valid, count_ready, meter_ready;
  logic [9:0]   count_index, meter_index;
  logic [13:0]  count_args, count_body_args;
  logic [209:0] meter_args, meter_body_args;
  logic [131:0] count_resp, count_entry, count_next;
  logic [63:0]  meter_resp, meter_entry, meter_next;
  assign ready_o = count_ready && meter_ready;

  police police (
    .clk, .rst, .in_valid, .in_flow, .in_length, .in_now, .in_committed, .in_peak, .in_committed_burst, .in_peak_burst, .in_metered,
    .up_count_req_valid(count_valid), .up_count_index(count_index), .up_count_args(count_args), .up_count_resp(count_resp),
    .up_meter_req_valid(meter_valid), .up_meter_index(meter_index), .up_meter_args(meter_args), .up_meter_resp(meter_resp),
    .out_valid, .out_colour
  );

  police_count_update count_body (.in_entry(count_entry), .in_args(count_body_args), .out_next(count_next));
  update_ram #(.KEY_W(police_pkg::COUNT_KEY_W), .ENTRY_W(police_pkg::COUNT_ENTRY_W), .ARGS_W(police_pkg::COUNT_ARGS_W)) count (
    .clk, .rst, .ready_o(count_ready),
    .req_valid_i(count_valid), .index_i(count_index), .args_i(count_args), .resp_o(count_resp),
    .body_entry_o(count_entry), .body_args_o(count_body_args), .body_next_i(count_next),
    .host_start_i(host_start_i[0]), .host_write_i, .host_index_i, .host_data_i, .host_busy_o(host_busy_o[0]), .host_data_o(host_count_o)
  );

  police_meter_update meter_body (.in_entry(meter_entry), .in_args(meter_body_args), .out_next(meter_next));
  update_ram #(.KEY_W(police_pkg::METER_KEY_W), .ENTRY_W(police_pkg::METER_ENTRY_W), .ARGS_W(police_pkg::METER_ARGS_W)) meter (
    .clk, .rst, .ready_o(meter_ready),
    .req_valid_i(meter_valid), .index_i(meter_index), .args_i(meter_args), .resp_o(meter_resp),
    .body_entry_o(meter_entry), .body_args_o(meter_body_args), .body_next_i(meter_next),
    .host_start_i(host_start_i[1]), .host_write_i, .host_index_i, .host_data_i(host_data_i[63:0]), .host_busy_o(host_busy_o[1]),
    .host_data_o(host_meter_o)
  );

endmodule

`default_nettype wire
