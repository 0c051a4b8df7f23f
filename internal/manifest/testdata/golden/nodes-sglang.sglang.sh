#!/bin/sh
# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - run it on each of 2 machines: NODE_RANK=0 on the first, 1 to 1 on the others, HEAD_ADDR=the address of the first
# - install sglang 0.5.6; flags are those of that version
# - each machine has to show 8 × H100 SXM5 80 GB and nothing else that uses them
# - there is no authentication: let only your own gateway reach the port
set -eu
: "${NODE_RANK:?is the number of this machine, 0 for the first}"
: "${HEAD_ADDR:?is the address of the first machine}"
set -- python3 -m sglang.launch_server \
  --model-path deepseek-ai/DeepSeek-V3 \
  --revision e815299b0bcbac849fa540c768ef21845365c9eb \
  --port 30000 \
  --tp-size 16 \
  --context-length 65536 \
  --mem-fraction-static 0.9 \
  --nnodes 2 \
  --node-rank "$NODE_RANK" \
  --dist-init-addr "$HEAD_ADDR":20000
exec "$@"
