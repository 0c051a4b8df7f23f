# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
# License: Llama 3.1 Community License: show "Built with Llama"
#
# Before you run it:
# - install vllm 0.11.0; flags are those of that version
# - the machine has to show 1 × L4 and nothing else that uses them
# - set HF_TOKEN: the model is given to accounts that accepted its terms
# - the plan has 4 replicas (1 spare): start as many, with a load balancer before them
# - there is no authentication: let only your own gateway reach the port
vllm serve \
  meta-llama/Llama-3.1-8B-Instruct \
  --revision 0e9e39f249a16976918f6564b8830bc894c89659 \
  --served-model-name llama \
  --port 8000 \
  --quantization fp8 \
  --kv-cache-dtype fp8 \
  --max-model-len 4096 \
  --gpu-memory-utilization 0.9 \
  --enforce-eager
