#!/bin/sh
# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - run it on each of 2 machines: NODE_RANK=0 on the first, 1 to 1 on the others, HEAD_ADDR=the address of the first
# - install vllm 0.23.0; flags are those of that version
# - each machine has to show 8 × H100 SXM5 80 GB and nothing else that uses them
# - there is no authentication: let only your own gateway reach the port
set -eu
: "${NODE_RANK:?is the number of this machine, 0 for the first}"
: "${HEAD_ADDR:?is the address of the first machine}"
set -- vllm serve \
  deepseek-ai/DeepSeek-V3 \
  --revision e815299b0bcbac849fa540c768ef21845365c9eb \
  --port 8000 \
  --data-parallel-size 16 \
  --enable-expert-parallel \
  --max-model-len 16384 \
  --gpu-memory-utilization 0.9 \
  --max-num-seqs 256 \
  --speculative-config '{"method":"mtp","num_speculative_tokens":1}' \
  --data-parallel-size-local 8 \
  --data-parallel-address "$HEAD_ADDR" \
  --data-parallel-rpc-port 13345
if [ "$NODE_RANK" -ne 0 ]; then
  set -- "$@" --headless --data-parallel-start-rank "$((NODE_RANK * 8))"
fi
exec "$@"
