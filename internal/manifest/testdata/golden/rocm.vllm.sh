# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - install vllm 0.23.0; flags are those of that version
# - the machine has to show 2 × Instinct MI300X and nothing else that uses them
# - the plan has 2 replicas (0 spare): start as many, with a load balancer before them
# - there is no authentication: let only your own gateway reach the port
vllm serve \
  Qwen/Qwen3-30B-A3B \
  --revision ad44e777bcd18fa416d9da3bd8f70d33ebb85d39 \
  --port 8000 \
  --tensor-parallel-size 2 \
  --max-model-len 32768 \
  --gpu-memory-utilization 0.9 \
  --max-num-seqs 256
