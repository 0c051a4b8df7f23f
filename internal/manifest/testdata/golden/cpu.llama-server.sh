# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - install llama.cpp 0.5.0; flags are those of that version
# - there is no authentication: let only your own gateway reach the port
llama-server \
  --model './models/tiny model.gguf' \
  --port 8080 \
  --ctx-size 4096 \
  --parallel 1 \
  --load-mode none
