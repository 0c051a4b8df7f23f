package manifest

import "slices"

// Sources: trtllm-serve of TensorRT-LLM 1.x; its images on NGC.

func tensorrtProgram(*Plan) []string { return []string{"trtllm-serve"} }

func tensorrtImage(p *Plan) (string, error) {
	tag, err := p.tag()
	if err != nil {
		return "", err
	}
	return "nvcr.io/nvidia/tensorrt-llm/release:" + tag, nil
}

func tensorrtOptions(p *Plan, at place) ([]option, error) {
	if err := p.checkTensorRT(); err != nil {
		return nil, err
	}
	l := list{text("", p.modelIn(at))}
	if at.container {
		l.add(text("--host", "0.0.0.0"))
	}
	l.add(number("--port", p.Port))
	l.ranks("--tp_size", p.Tensor)
	l.ranks("--pp_size", p.Pipeline)
	l.ranks("--ep_size", p.Expert)
	l.positive("--max_seq_len", p.MaxModelLen)
	l.share("--kv_cache_free_gpu_memory_fraction", p.Utilization)
	l.positive("--max_batch_size", p.MaxSeqs)
	l.positive("--max_num_tokens", p.BatchedTokens)
	return l, nil
}

// checkTensorRT refuses what trtllm-serve is told in a file of its own and not by flags.
func (p *Plan) checkTensorRT() error {
	switch {
	case !p.since(1, 0):
		return refuse("TensorRT-LLM %s builds engines first; plan with --engine-version 1.0.0 or later", p.Version)
	case p.GPU.Vendor != "nvidia":
		return refuse("TensorRT-LLM runs on NVIDIA cards; plan with --engine vllm or sglang")
	case p.Nodes > 1:
		return refuse("TensorRT-LLM over several nodes is started by mpirun or Slurm and not written; plan with --engine vllm or sglang")
	case p.Data > 1 || p.Eager || p.DType != "" || p.Quantize != "" || p.Speculative.Method != "" || p.ServedName != "":
		return refuse("data parallel, eager mode, number formats, speculation and names of TensorRT-LLM stand in a file of its own, " +
			"which is not written; plan without them")
	case !slices.Contains([]string{"", "auto", "fp16", "bf16"}, p.KV):
		return refuse("a cache of %s is asked for in a file of TensorRT-LLM's own, which is not written; plan with --kv-dtype auto", p.KV)
	}
	return nil
}
