package manifest

import "slices"

// Sources: SGLang's server arguments and server_args.py; its images on Docker Hub.

func sglangProgram(*Plan) []string { return []string{"python3", "-m", "sglang.launch_server"} }

func sglangImage(p *Plan) (string, error) {
	tag, err := p.tag()
	switch {
	case err != nil:
		return "", err
	case !p.since(0, 5):
		return "", refuse("images of SGLang %s carry a version of CUDA in their tag; name one with --image", p.Version)
	case p.GPU.Vendor == "amd" && (p.GPU.Family != "mi30x" && p.GPU.Family != "mi35x"):
		return "", refuse("SGLang publishes images for MI300 and MI350 cards, and not for %s; name one with --image", p.card())
	case p.GPU.Vendor == "amd" && p.since(0, 6):
		return "", refuse("which ROCm images of SGLang %s are for is not known; name one with --image", p.Version)
	case p.GPU.Vendor == "amd":
		return "lmsysorg/sglang:v" + tag + "-rocm" + p.sglangROCm() + "-" + p.GPU.Family, nil
	}
	return "lmsysorg/sglang:v" + tag, nil
}

// sglangROCm is the version of ROCm in tags: 7.0 up to 0.5.9, then 7.2.
func (p *Plan) sglangROCm() string {
	if slices.Contains([]string{"0.5.3", "0.5.4", "0.5.5", "0.5.6", "0.5.7", "0.5.8", "0.5.9"}, minorVersion(p.Version)) {
		return "700"
	}
	return "720"
}

func sglangOptions(p *Plan, at place) ([]option, error) {
	if err := p.checkSGLang(); err != nil {
		return nil, err
	}
	l := list{text("--model-path", p.modelIn(at))}
	if p.Model.Hub != "" {
		l.named("--revision", p.Model.Revision)
	}
	l.named("--served-model-name", p.ServedName)
	if at.container {
		l.add(text("--host", "0.0.0.0"))
	}
	l.add(number("--port", p.Port))
	tensor := p.Tensor
	if p.sharedAttention() {
		tensor *= p.Data // its ranks of data are taken out of those of tensor
	}
	l.ranks("--tp-size", tensor)
	l.ranks("--pp-size", p.Pipeline)
	l.ranks("--dp-size", p.Data)
	l.set("--enable-dp-attention", p.sharedAttention())
	l.ranks("--ep-size", p.Expert)
	l.named("--dtype", p.DType)
	l.named("--quantization", p.Quantize)
	l.named("--kv-cache-dtype", sglangKV(p.KV))
	l.positive("--context-length", p.MaxModelLen)
	l.share("--mem-fraction-static", p.Utilization)
	l.positive("--max-running-requests", p.MaxSeqs*int64(p.Data)) // divided among the ranks of data
	chunk := p.BatchedTokens
	if p.sharedAttention() {
		chunk *= int64(p.Data) // divided only there
	}
	l.positive("--chunked-prefill-size", chunk)
	l.set("--disable-cuda-graph", p.Eager)
	speculative, err := p.sglangSpeculative()
	if err != nil {
		return nil, err
	}
	l.add(speculative...)
	if p.Nodes > 1 {
		l.add(number("--nnodes", p.Nodes),
			option{"--node-rank", &word{kind: nodeRank}},
			option{"--dist-init-addr", &word{kind: leaderAddress, text: ":20000"}})
	}
	return l, nil
}

// sharedAttention reports whether replicas of attention share the experts, and not whole copies of the model.
func (p *Plan) sharedAttention() bool { return p.Data > 1 && p.Expert > 1 }

func sglangKV(kv string) string {
	switch kv {
	case "auto", "fp16", "bf16":
		return ""
	case "fp8":
		return "fp8_e4m3"
	}
	return kv
}

func (p *Plan) checkSGLang() error {
	switch {
	case !p.since(0, 5):
		return refuse("SGLang %s has other flags than are known here; plan with --engine-version 0.5.0 or later", p.Version)
	case !slices.Contains([]string{"", "auto", "fp16", "bf16", "fp8", "fp8_e4m3", "fp8_e5m2"}, p.KV):
		return refuse("SGLang is not known to have a cache of %s; plan with --kv-dtype auto or fp8", p.KV)
	case p.Quantize != "" && p.Quantize != "fp8":
		return refuse("SGLang does not make %s of weights while it loads; plan with a checkpoint that is stored so", p.Quantize)
	case p.Expert > p.Tensor*p.Data:
		return refuse("experts are shared out among %d of %d ranks", p.Expert, p.Tensor*p.Data)
	case p.sharedAttention() && p.Pipeline > 1:
		return refuse("SGLang's data parallel attention with stages is not written; plan with --pp 1")
	case p.Nodes > 1 && p.Data > 1 && !p.sharedAttention():
		return refuse("SGLang does not spread copies of a model over nodes; plan with --dp 1 and replicas")
	}
	return nil
}

func (p *Plan) sglangSpeculative() ([]option, error) {
	s := p.Speculative
	if s.Method == "" {
		return nil, nil
	}
	algorithm := map[string]string{"draft_model": "STANDALONE", "ngram": "NGRAM", "eagle": "EAGLE", "eagle3": "EAGLE3", "mtp": "EAGLE"}[s.Method]
	switch {
	case algorithm == "":
		return nil, refuse("SGLang has no way to guess tokens by %s", s.Method)
	case s.Tokens < 1:
		return nil, refuse("it does not say how many tokens are guessed")
	case s.Model == "" && s.Method != "ngram" && s.Method != "mtp":
		return nil, refuse("it does not say which model guesses")
	}
	l := list{text("--speculative-algorithm", algorithm)}
	l.named("--speculative-draft-model-path", s.Model)
	if s.Method == "ngram" {
		l.add(number("--speculative-num-draft-tokens", s.Tokens))
		return l, nil
	}
	l.add(number("--speculative-num-steps", s.Tokens), text("--speculative-eagle-topk", "1"),
		number("--speculative-num-draft-tokens", s.Tokens+1))
	return l, nil
}
