# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - install llama.cpp b7000; flags are those of that version
# - the machine has to show 1 × RTX 4090 and nothing else that uses them
# - llama.cpp takes the newest revision; to run what was judged, download unsloth/Qwen3-30B-A3B-GGUF at revision d5b1d57bd0b504ac62ae6c725904e96ef228dc74 and give the path
# - there is no authentication: let only your own gateway reach the port
llama-server \
  --hf-repo unsloth/Qwen3-30B-A3B-GGUF \
  --hf-file Qwen3-30B-A3B-Q4_K_M.gguf \
  --port 8080 \
  --n-gpu-layers 40 \
  --n-cpu-moe 20 \
  --ctx-size 65536 \
  --parallel 2 \
  --ubatch-size 512 \
  --flash-attn on \
  --cache-type-k q8_0 \
  --cache-type-v q8_0
