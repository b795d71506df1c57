// SPDX-License-Identifier: Apache-2.0
// One table whose entries change with every request: RAM and forwarding around an update's body, a combinational module made by hlsc that
// says what becomes of an entry. Updates back to back are exact, also of the same index. The host reads, writes and clears entries between
// them: its accesses pass through the same stages, so none sees half an update and no update is lost. Clears itself after reset.
//
// Latency: 3 cycles from a request to the entry as it was, II 1. A host access takes 5 cycles and waits for a cycle without a request; one at
// a time. Clearing takes 2^KEY_W cycles; until then requests are answered and change nothing.
//
// Stages: 0 address, 1 RAM, 2 choice of the newest entry, 3 body, 4 the RAM is written. A request's entry is the newest of what the three
// requests before it made of the same index, else the RAM's. The loop is from entry_q through the body and one multiplexer to entry_q. What
// the RAM answers to a read that meets a write of the same word is never used.
`default_nettype none

module update_ram #(
  parameter int KEY_W = 10,
  parameter int ENTRY_W = 64,
  parameter int ARGS_W = 32
) (
  input  wire logic               clk,
  input  wire logic               rst,
  output logic                    ready_o,       // cleared

  input  wire logic               req_valid_i,
  input  wire logic [KEY_W-1:0]   index_i,
  input  wire logic [ARGS_W-1:0]  args_i,
  output logic [ENTRY_W-1:0]      resp_o,        // the entry before the update

  output logic [ENTRY_W-1:0]      body_entry_o,  // to the body and back within the cycle
  output logic [ARGS_W-1:0]       body_args_o,
  input  wire logic [ENTRY_W-1:0] body_next_i,

  input  wire logic               host_start_i,  // pulse; only when host_busy_o is low
  input  wire logic               host_write_i,
  input  wire logic [KEY_W-1:0]   host_index_i,
  input  wire logic [ENTRY_W-1:0] host_data_i,
  output logic                    host_busy_o,
  output logic [ENTRY_W-1:0]      host_data_o    // what was read, or what stood there before the write
);

  logic [ENTRY_W-1:0] entries [0:(1<<KEY_W)-1];

  // The host's access waits for a cycle that nobody needs.
  logic               clearing_q, waiting_q, host_write_q;
  logic [KEY_W-1:0]   host_index_q;
  logic [ENTRY_W-1:0] host_data_q;
  logic               host_goes;
  assign host_goes = waiting_q && !req_valid_i && !clearing_q;

  // Per stage: a request that changes its entry, the host's access, and the index. A host's write is a change with known outcome.
  logic               update1_q, update2_q, update3_q, host1_q, host2_q, host3_q;
  logic [KEY_W-1:0]   index1_q, index2_q, index3_q, index4_q;
  logic [ARGS_W-1:0]  args1_q, args2_q, args3_q;
  logic [ENTRY_W-1:0] read_q, entry_q, made_q, before_q;
  logic               made4_q;  // stage 4 holds an entry that was made
  logic               writes2, writes3;
  assign writes2 = host2_q && host_write_q;
  assign writes3 = host3_q && host_write_q;

  // Whose entry stage 2 takes: that of the request one, two or three before it, newest first.
  logic newest_body_q, newest_host_q, newest_made_q, newest_before_q;

  logic [ENTRY_W-1:0] known;
  always_comb begin
    known = read_q;
    if (newest_before_q) known = before_q;
    if (newest_made_q) known = made_q;
    if (newest_host_q) known = host_data_q;
  end

  always_ff @(posedge clk) begin
    index1_q <= req_valid_i ? index_i : host_index_q;
    index2_q <= index1_q;
    index3_q <= index2_q;
    index4_q <= clearing_q ? index4_q + 1'b1 : index3_q;
    args1_q <= args_i;
    args2_q <= args1_q;
    args3_q <= args2_q;
    read_q <= entries[index1_q];
    entry_q <= newest_body_q ? body_next_i : known;
    made_q <= clearing_q ? '0 : writes3 ? host_data_q : body_next_i;
    before_q <= made_q;
    newest_body_q <= update2_q && index2_q == index1_q;
    newest_host_q <= writes2 && index2_q == index1_q;
    newest_made_q <= (update3_q || writes3) && index3_q == index1_q;
    newest_before_q <= made4_q && index4_q == index1_q;
    if (host3_q) host_data_o <= entry_q;
    if (host_start_i) begin
      host_write_q <= host_write_i;
      host_index_q <= host_index_i;
      host_data_q <= host_data_i;
    end
    if (rst) index4_q <= {KEY_W{1'b1}};
  end

  always_ff @(posedge clk) begin
    if (made4_q) entries[index4_q] <= made_q;
  end

  always_ff @(posedge clk) begin
    clearing_q <= rst || (clearing_q && !(made4_q && index4_q == {KEY_W{1'b1}}));
    waiting_q <= !rst && (host_start_i || (waiting_q && !host_goes));
    update1_q <= !rst && req_valid_i && !clearing_q;
    update2_q <= !rst && update1_q;
    update3_q <= !rst && update2_q;
    host1_q <= !rst && host_goes;
    host2_q <= !rst && host1_q;
    host3_q <= !rst && host2_q;
    made4_q <= !rst && (clearing_q || update3_q || writes3);
  end

  assign body_entry_o = entry_q;
  assign body_args_o = args3_q;
  assign resp_o = entry_q;
  assign ready_o = !clearing_q;
  assign host_busy_o = clearing_q || waiting_q || host1_q || host2_q || host3_q;

endmodule

`default_nettype wire
