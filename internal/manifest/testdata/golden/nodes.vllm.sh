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
  --tensor-parallel-size 8 \
  --pipeline-parallel-size 2 \
  --max-model-len 65536 \
  --gpu-memory-utilization 0.92 \
  --nnodes 2 \
  --node-rank "$NODE_RANK" \
  --master-addr "$HEAD_ADDR"
if [ "$NODE_RANK" -ne 0 ]; then
  set -- "$@" --headless
fi
exec "$@"
