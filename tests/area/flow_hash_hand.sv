// SPDX-License-Identifier: Apache-2.0
// The flow hash of hls/kernels/flow_hash.h as a hardware engineer would write it: one mix or two per stage.
// Latency 8 cycles, II 1.
`default_nettype none

module flow_hash (
  input  wire logic         clk,
  input  wire logic         rst,
  input  wire logic         in_valid,
  input  wire logic [127:0] in_source,  // word i at [32 * i +: 32]
  input  wire logic [127:0] in_destination,
  input  wire logic [15:0]  in_source_port,
  input  wire logic [15:0]  in_destination_port,
  input  wire logic [31:0]  in_rest,
  input  wire logic [31:0]  in_seed,
  input  wire logic         in_symmetric,
  output logic              out_valid,
  output logic [31:0]       out_path,
  output logic [31:0]       out_port
);

  function automatic [31:0] mix(input [31:0] x);
    mix = x ^ ({x[24:0], x[31:25]} & {x[18:0], x[31:19]}) ^ {x[9:0], x[31:10]};
  endfunction

  // Two sides, the same stages.
  logic [31:0] high [0:1], low [0:1], address [0:1], side [0:1];
  logic [31:0] ports1 [0:1], ports2 [0:1];
  logic [127:0] words [0:1];
  assign words[0] = in_source;
  assign words[1] = in_destination;
  logic [31:0] rest1, rest2, rest3, rest4, seed1, seed2, seed3, seed4, seed5;
  logic        symmetric1, symmetric2, symmetric3;
  logic        valid1, valid2, valid3, valid4, valid5, valid6, valid7;
  logic [31:0] flow, both, path1, port1, path2, port2;

  for (genvar s = 0; s < 2; s++) begin : sides
    wire [31:0] w0 = words[s][31:0], w1 = words[s][63:32], w2 = words[s][95:64], w3 = words[s][127:96];
    wire [31:0] high_in = mix(w0 ^ in_seed) ^ {w1[20:0], w1[31:21]};
    wire [31:0] low_in = mix(w3 ^ {in_seed[15:0], in_seed[31:16]}) ^ {w2[20:0], w2[31:21]};
    wire [31:0] address_in = mix(low[s]) ^ {high[s][22:0], high[s][31:23]};
    wire [31:0] side_in = mix(address[s]) ^ {ports2[s][26:0], ports2[s][31:27]};
    always_ff @(posedge clk) begin
      high[s] <= mix(high_in);
      low[s] <= mix(low_in);
      address[s] <= mix(address_in);
      side[s] <= mix(mix(side_in));
      ports2[s] <= ports1[s];
    end
  end

  wire [31:0] mixed_source = mix(side[0]);
  wire [31:0] apart = mixed_source ^ {side[1][22:0], side[1][31:23]};
  wire [31:0] finish_path = mix(flow) ^ seed5;
  wire [31:0] finish_port = mix(flow) ^ ~{seed5[23:0], seed5[31:24]};
  always_ff @(posedge clk) begin
    valid1 <= rst ? 1'b0 : in_valid;
    valid2 <= rst ? 1'b0 : valid1;
    valid3 <= rst ? 1'b0 : valid2;
    valid4 <= rst ? 1'b0 : valid3;
    valid5 <= rst ? 1'b0 : valid4;
    valid6 <= rst ? 1'b0 : valid5;
    valid7 <= rst ? 1'b0 : valid6;
    out_valid <= rst ? 1'b0 : valid7;
    ports1[0] <= {2{in_source_port}};
    ports1[1] <= {2{in_destination_port}};
    {rest1, seed1, symmetric1} <= {in_rest, in_seed, in_symmetric};
    {rest2, seed2, symmetric2} <= {rest1, seed1, symmetric1};
    {rest3, seed3, symmetric3} <= {rest2, seed2, symmetric2};
    both <= symmetric3 ? side[0] ^ side[1] : apart;
    {rest4, seed4} <= {rest3, seed3};
    flow <= mix(mix(both) ^ rest4 ^ {rest4[18:0], rest4[31:19]});
    seed5 <= seed4;
    path1 <= mix(finish_path);
    port1 <= mix(finish_port);
    path2 <= mix(path1 ^ 32'h9e3779b9);
    port2 <= mix(port1 ^ 32'h9e3779b9);
    out_path <= mix(mix(mix(path2)));
    out_port <= mix(mix(mix(port2)));
  end

endmodule

`default_nettype wire
