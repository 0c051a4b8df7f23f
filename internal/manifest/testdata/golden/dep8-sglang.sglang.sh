# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - install sglang 0.5.6; flags are those of that version
# - the machine has to show 8 × H200 SXM5 141 GB and nothing else that uses them
# - there is no authentication: let only your own gateway reach the port
python3 -m sglang.launch_server \
  --model-path deepseek-ai/DeepSeek-V3 \
  --revision e815299b0bcbac849fa540c768ef21845365c9eb \
  --port 30000 \
  --tp-size 8 \
  --dp-size 8 \
  --enable-dp-attention \
  --ep-size 8 \
  --context-length 16384 \
  --mem-fraction-static 0.88 \
  --max-running-requests 1024 \
  --chunked-prefill-size 65536
