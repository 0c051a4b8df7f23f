package manifest

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// maxRanks bounds every dimension, so that products of them stay numbers.
const maxRanks = 1 << 16

// engine is a program that can be written.
type engine struct {
	format  string // in which its command line is asked for; "" if it has none of its own
	port    int
	options func(*Plan, place) ([]option, error)
	program func(*Plan) []string
	image   func(*Plan) (string, error)
	python  bool // its image has python3, and curl otherwise
}

func engineOf(name string) (engine, bool) {
	switch name {
	case "vllm":
		return engine{"vllm", 8000, vllmOptions, vllmProgram, vllmImage, true}, true
	case "sglang":
		return engine{"sglang", 30000, sglangOptions, sglangProgram, sglangImage, true}, true
	case "llama.cpp":
		return engine{"llama-server", 8080, llamaOptions, llamaProgram, llamaImage, false}, true
	case "trt-llm":
		return engine{"", 8000, tensorrtOptions, tensorrtProgram, tensorrtImage, true}, true
	}
	return engine{}, false
}

func (p *Plan) engine() engine {
	e, _ := engineOf(p.Engine)
	return e
}

// filled is the plan with what is none written as one.
func (p *Plan) filled() *Plan {
	q := *p
	for _, n := range []*int{&q.Tensor, &q.Pipeline, &q.Expert, &q.Data, &q.Nodes, &q.Replicas} {
		if *n == 0 {
			*n = 1
		}
	}
	q.GPU.Vendor = cmp.Or(q.GPU.Vendor, "nvidia")
	q.Port = cmp.Or(q.Port, q.engine().port)
	q.TokenSecret = cmp.Or(q.TokenSecret, "hf-token")
	return &q
}

// check refuses what no format can write.
func (p *Plan) check() error {
	if _, ok := engineOf(p.Engine); !ok {
		return refuse("%s has no server that is started by a command; plan with --engine vllm, sglang, llama.cpp or trt-llm",
			printable.Line(p.Engine))
	}
	if err := p.checkTexts(); err != nil {
		return err
	}
	if err := p.checkNumbers(); err != nil {
		return err
	}
	return p.checkRanks()
}

func (p *Plan) checkTexts() error {
	if p.Unfit != "" {
		return refuse("it does not work: %s", printable.Line(p.Unfit))
	}
	if p.Version == "" {
		return refuse("it names no version of %s; plan with an --engine-version", p.Engine)
	}
	if p.Model.Hub == "" && p.Model.Path == "" {
		return refuse("it does not say where the model is; give a reference to the hub or a path")
	}
	if p.Model.Hub != "" && p.Model.Path != "" {
		return refuse("it names both a model on the hub and a path; give one")
	}
	for _, s := range []string{
		p.Version, p.Model.Hub, p.Model.Revision, p.Model.File, p.Model.Path, p.Quantize, p.DType, p.KV,
		p.ServedName, p.Image, p.Llama.Flash, p.Llama.CacheK, p.Llama.CacheV, p.Speculative.Method, p.Speculative.Model,
	} {
		switch {
		case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
			return refuse("%s is no text that a command can be given", printable.Line(s))
		case strings.HasPrefix(s, "-"):
			return refuse("%s begins with a dash, and the engine would take it for an option; rename it", printable.Line(s))
		}
	}
	if !secretName(p.TokenSecret) {
		return refuse("%s is no name of a Kubernetes secret; want lower-case letters, digits and dashes",
			printable.Line(p.TokenSecret))
	}
	return nil
}

func (p *Plan) checkNumbers() error {
	switch {
	case p.Utilization < 0 || p.Utilization > 1 || p.Utilization != p.Utilization:
		return refuse("the share of the device's memory is %v, want 0 to 1", p.Utilization)
	case p.Port < 1 || p.Port > 65535:
		return refuse("port is %d, want 1 to 65535", p.Port)
	case p.Replicas < 1 || p.Replicas > maxRanks || p.Spare < 0 || p.Spare > maxRanks:
		return refuse("replicas are %d and %d spare, want 1 and 0 at least", p.Replicas, p.Spare)
	}
	l := p.Llama
	for _, n := range []int64{
		p.MaxModelLen, p.MaxSeqs, p.BatchedTokens, p.HostBytes, p.Model.Bytes, l.Context, l.Slots, l.Batch,
		l.MicroBatch, int64(l.GPULayers), int64(l.CPUExperts), int64(p.Speculative.Tokens),
	} {
		if n < 0 || n > 1<<50 {
			return refuse("a setting is %d, want 0 to 2^50", n)
		}
	}
	return nil
}

func (p *Plan) checkRanks() error {
	for _, n := range []int{p.Tensor, p.Pipeline, p.Expert, p.Data, p.Nodes} {
		if n < 1 || n > maxRanks {
			return refuse("a number of ranks or nodes is %d, want 1 to %d", n, maxRanks)
		}
	}
	if p.GPU.Vendor == "none" {
		if p.Engine != "llama.cpp" || p.GPUsPerNode != 0 {
			return refuse("without a GPU only llama.cpp is written; plan with --engine llama.cpp, or name a --gpu")
		}
		return nil
	}
	if p.GPUsPerNode < 1 || p.GPUsPerNode > maxRanks {
		return refuse("GPUs of a node are %d, want 1 at least", p.GPUsPerNode)
	}
	if p.Engine == "llama.cpp" {
		return nil
	}
	if ranks, gpus := p.Tensor*p.Pipeline*p.Data, p.Nodes*p.GPUsPerNode; ranks != gpus {
		return refuse("tensor %d × pipeline %d × data %d are %d ranks, and %d nodes of %d GPUs are %d",
			p.Tensor, p.Pipeline, p.Data, ranks, p.Nodes, p.GPUsPerNode, gpus)
	}
	return nil
}

// gpus are the devices of one pod or container.
func (p *Plan) gpus() int {
	if p.GPU.Vendor == "none" {
		return 0
	}
	return p.GPUsPerNode
}

// copies are the deployments that run, the spare ones with them.
func (p *Plan) copies() int { return p.Replicas + p.Spare }
