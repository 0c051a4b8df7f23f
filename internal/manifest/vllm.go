package manifest

import (
	"encoding/json"
	"slices"
)

// Sources: vLLM's engine arguments, data parallel deployment, parallelism and scaling; its images on Docker Hub.

func vllmProgram(*Plan) []string { return []string{"vllm", "serve"} }

func vllmImage(p *Plan) (string, error) {
	tag, err := p.tag()
	switch {
	case err != nil:
		return "", err
	case p.GPU.Vendor == "amd" && !p.since(0, 14):
		return "", refuse("vLLM %s published no image for AMD; name one with --image, or plan with --engine-version 0.14.0 or later",
			p.Version)
	case p.GPU.Vendor == "amd":
		return "vllm/vllm-openai-rocm:v" + tag, nil
	}
	return "vllm/vllm-openai:v" + tag, nil
}

func vllmOptions(p *Plan, at place) ([]option, error) {
	if err := p.checkVLLM(); err != nil {
		return nil, err
	}
	l := list{text("", p.modelIn(at))}
	if p.Model.Hub != "" {
		l.named("--revision", p.Model.Revision)
	}
	l.named("--served-model-name", p.ServedName)
	if at.container {
		l.add(text("--host", "0.0.0.0"))
	}
	l.add(number("--port", p.Port))
	l.ranks("--tensor-parallel-size", p.Tensor)
	l.ranks("--pipeline-parallel-size", p.Pipeline)
	l.ranks("--data-parallel-size", p.Data)
	l.set("--enable-expert-parallel", p.Expert > 1)
	l.named("--dtype", p.DType)
	l.named("--quantization", p.Quantize)
	l.named("--kv-cache-dtype", vllmKV(p.KV))
	l.positive("--max-model-len", p.MaxModelLen)
	l.share("--gpu-memory-utilization", p.Utilization)
	l.positive("--max-num-seqs", p.MaxSeqs)
	l.positive("--max-num-batched-tokens", p.BatchedTokens)
	l.set("--enforce-eager", p.Eager)
	speculative, err := p.vllmSpeculative()
	if err != nil {
		return nil, err
	}
	l.named("--speculative-config", speculative)
	return append(l, p.vllmNodes(at)...), nil
}

// vllmKV is the cache as vLLM calls it. Sixteen bits are what auto is for all but models of 32 bits, which it loads in 16.
func vllmKV(kv string) string {
	switch kv {
	case "auto", "fp16", "bf16":
		return ""
	}
	return kv
}

func (p *Plan) checkVLLM() error {
	switch {
	case !p.since(0, 6):
		return refuse("vLLM %s has other flags than are known here; plan with --engine-version 0.6.0 or later", p.Version)
	case !slices.Contains([]string{"", "auto", "fp16", "bf16", "fp8", "fp8_e4m3", "fp8_e5m2"}, p.KV):
		return refuse("vLLM is not known to have a cache of %s; plan with --kv-dtype auto or fp8", p.KV)
	case !slices.Contains([]string{"", "fp8", "bitsandbytes"}, p.Quantize):
		return refuse("vLLM does not make %s of weights while it loads; plan with a checkpoint that is stored so", p.Quantize)
	case p.Expert > 1 && p.Expert != p.Tensor*p.Data:
		return refuse("vLLM shares experts out among all ranks, tensor %d × data %d, and not among %d; plan with --ep %d",
			p.Tensor, p.Data, p.Expert, p.Tensor*p.Data)
	case p.Nodes > 1 && p.Data > 1 && (p.Tensor*p.Pipeline > p.GPUsPerNode || p.GPUsPerNode%(p.Tensor*p.Pipeline) != 0):
		return refuse("a replica of attention that spans nodes together with data parallel is not written; plan with --dp 1 and replicas")
	case p.Expert > 1 && !p.since(0, 8), p.Data > 1 && !p.since(0, 9):
		return refuse("servers of vLLM share experts out since 0.8 and are data parallel since 0.9; plan with --engine-version 0.9.0 or later")
	}
	return nil
}

// vllmNodes are the options of one of several nodes. Those of a worker begin with those of the leader.
func (p *Plan) vllmNodes(at place) []option {
	var l list
	switch {
	case p.Nodes == 1:
		return nil
	case p.Data > 1:
		local := p.GPUsPerNode / (p.Tensor * p.Pipeline)
		l.add(number("--data-parallel-size-local", local),
			option{"--data-parallel-address", &word{kind: leaderAddress}},
			text("--data-parallel-rpc-port", "13345"))
		if at.role == worker {
			l.add(bare("--headless"), option{"--data-parallel-start-rank", &word{kind: startRank, each: local}})
		}
	case p.ray():
		l.add(text("--distributed-executor-backend", "ray"))
	default:
		l.add(number("--nnodes", p.Nodes),
			option{"--node-rank", &word{kind: nodeRank}},
			option{"--master-addr", &word{kind: leaderAddress}})
		if at.role == worker {
			l.add(bare("--headless"))
		}
	}
	return l
}

// ray reports whether the nodes find each other through Ray: vLLM before it had nodes of its own.
func (p *Plan) ray() bool {
	return p.Engine == "vllm" && p.Nodes > 1 && p.Data == 1 && !p.since(0, 12)
}

func (p *Plan) vllmSpeculative() (string, error) {
	s := p.Speculative
	switch {
	case s.Method == "":
		return "", nil
	case !p.since(0, 9):
		return "", refuse("speculative decoding is written for vLLM 0.9 and later; plan with such an --engine-version")
	case !slices.Contains([]string{"draft_model", "ngram", "eagle", "eagle3", "mtp"}, s.Method):
		return "", refuse("vLLM has no way to guess tokens by %s", s.Method)
	case s.Method == "mtp" && !p.since(0, 11), s.Method == "draft_model" && !p.since(0, 15):
		return "", refuse("vLLM %s does not guess tokens by %s; plan with --engine-version 0.15.0 or later", p.Version, s.Method)
	case s.Tokens < 1:
		return "", refuse("it does not say how many tokens are guessed")
	case s.Model == "" && (s.Method == "draft_model" || s.Method == "eagle" || s.Method == "eagle3"):
		return "", refuse("it does not say which model guesses")
	}
	data, err := json.Marshal(struct {
		Method string `json:"method"`
		Model  string `json:"model,omitempty"`
		Tokens int    `json:"num_speculative_tokens"`
	}{s.Method, s.Model, s.Tokens})
	return string(data), err
}

// modelIn is the model as the engine is told: the name on the hub, or the path there.
func (p *Plan) modelIn(at place) string {
	switch {
	case p.Model.Hub != "":
		return p.Model.Hub
	case at.container:
		return "/models/" + fileName(p.Model.Path)
	}
	return p.Model.Path
}
