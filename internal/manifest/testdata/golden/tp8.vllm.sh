# Made by llmcheck 0.4.0 on 2026-11-24.
# Verdict: fits; 23.4 requests of 8,192 tokens at once.
# llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm
#
# Before you run it:
# - install vllm 0.23.0; flags are those of that version
# - the machine has to show 8 × H100 SXM5 80 GB and nothing else that uses them
# - set HF_TOKEN: the model is given to accounts that accepted its terms
# - the model's revision is not known, so the newest is loaded, which may be another one than was judged
# - the plan has 2 replicas (0 spare): start as many, with a load balancer before them
# - there is no authentication: let only your own gateway reach the port
vllm serve \
  meta-llama/Llama-3.1-405B-Instruct-FP8 \
  --port 8000 \
  --tensor-parallel-size 8 \
  --max-model-len 32768 \
  --gpu-memory-utilization 0.9 \
  --max-num-seqs 128 \
  --max-num-batched-tokens 8192
