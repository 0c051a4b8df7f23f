# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - install sglang 0.5.6; flags are those of that version
# - the machine has to show 1 × Instinct MI300X and nothing else that uses them
# - there is no authentication: let only your own gateway reach the port
python3 -m sglang.launch_server \
  --model-path Qwen/Qwen3-30B-A3B \
  --revision ad44e777bcd18fa416d9da3bd8f70d33ebb85d39 \
  --port 30000 \
  --context-length 32768 \
  --mem-fraction-static 0.85
