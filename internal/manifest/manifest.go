// Package manifest writes a chosen plan as something to run on an existing engine: a command line, a compose file,
// Kubernetes objects, values of a chart. It writes what was judged or nothing: a plan that a format or an engine cannot
// express is an error that says what to do. It chooses no plan and runs nothing.
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// Plan is what is to run. The zero value of a setting leaves it to the engine; whoever was judged by a default of the
// engine that may change names it.
type Plan struct {
	Header []string // how the plan was made: tool and version, date, verdict, command

	Model   Model
	Engine  string // vllm, sglang, llama.cpp, trt-llm
	Version string // of the engine
	Image   string // instead of the image that the engine publishes for the version

	Tensor, Pipeline, Expert int // ranks; 0 and 1 are none
	Data                     int // replicas of attention in one deployment
	Nodes                    int // of one replica of the deployment
	GPUsPerNode              int
	GPU                      GPU

	Quantize      string // what the engine is asked to make of the weights while it loads; "" where they are stored so
	DType         string // of weights that are not quantized: bfloat16, float16; "" is that of the checkpoint
	KV            string // number format of the cache: auto, fp16, bf16, fp8, q8_0 and the like
	MaxModelLen   int64
	MaxSeqs       int64 // of one replica of attention
	BatchedTokens int64 // of one replica of attention
	Utilization   float64
	Eager         bool
	Llama         Llama
	Speculative   Speculative

	Replicas int // of the deployment, as many as the load needs
	Spare    int // beyond these

	HostBytes   int64  // what stays in the memory of each host
	ServedName  string // by which clients call the model; "" is that of the engine
	Port        int    // 0 is that of the engine
	TokenSecret string // Kubernetes secret with the key HF_TOKEN; "" is hf-token

	Edit  []string // more that a person has to do before it runs
	Unfit string   // why the plan does not work; one that has a reason is not written
}

// Model is where the weights are: on the hub or in a path.
type Model struct {
	Hub      string // organization/name
	Revision string // commit, for one on the hub
	File     string // the one file of the repository that is to be loaded, for GGUF
	Path     string // folder or file, for one that is not on the hub
	Bytes    int64  // 0 if not known
	Gated    bool   // a token is needed
	License  string // what to know before it is deployed
	Code     bool   // the repository brings code of its own, which somebody has to read before the engine is told to run it
}

// name is how people call the model.
func (m Model) name() string {
	if m.Hub != "" {
		return m.Hub
	}
	return m.Path
}

// GPU is the card of the plan.
type GPU struct {
	Vendor  string // nvidia, amd, none; another is only written as a command line
	Name    string
	Product string // label of the feature discovery of the vendor, if known: NVIDIA-H100-80GB-HBM3
	Family  string // of AMD cards, as in tags of images: mi30x, mi35x
}

// Llama is what only llama.cpp is told.
type Llama struct {
	AllLayers  bool // on the GPU
	GPULayers  int  // otherwise
	CPUExperts int
	Context    int64 // of all slots together; 0 is MaxModelLen of each
	Slots      int64
	Batch      int64
	MicroBatch int64
	Flash      string // on, off, auto
	CacheK     string // instead of KV
	CacheV     string
	FullWindow bool
	UnifiedKV  bool
	NoMMap     bool
}

// Speculative is how further tokens are guessed.
type Speculative struct {
	Method string // draft_model, ngram, eagle, eagle3, mtp; "" is not at all
	Model  string
	Tokens int
}

// ErrPlan is wrapped by the error for a plan that cannot be written as asked.
var ErrPlan = errors.New("plan cannot be emitted")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrPlan, fmt.Sprintf(format, args...))
}

// Formats are the names of all formats.
func Formats() []string {
	return []string{"vllm", "sglang", "llama-server", "compose", "kubernetes", "helm-values"}
}

// Bytes is a plan in a format. The same plan gives the same bytes.
func Bytes(format string, p *Plan) ([]byte, error) {
	q := p.filled()
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("writing the plan as %s: %w", format, err)
	}
	var data []byte
	var err error
	switch format {
	case "vllm", "sglang", "llama-server":
		data, err = q.script(format)
	case "compose":
		data, err = q.compose()
	case "kubernetes":
		data, err = q.kubernetes()
	case "helm-values":
		data, err = q.helm()
	default:
		return nil, fmt.Errorf("unknown format %q, want one of %s", format, strings.Join(Formats(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("writing the plan as %s: %w", format, err)
	}
	return data, nil
}

// header is what stands on top: how the plan was made, and what a person has to do.
func (p *Plan) header(edit ...string) string {
	var b strings.Builder
	for _, line := range p.Header {
		b.WriteString(line + "\n")
	}
	if p.Model.License != "" {
		b.WriteString("License: " + p.Model.License + "\n")
	}
	if len(p.Header) > 0 || p.Model.License != "" {
		b.WriteString("\n")
	}
	b.WriteString("Before you run it:\n")
	for _, line := range slices.Concat(edit, p.Edit) {
		b.WriteString("- " + line + "\n")
	}
	return records.Comment(strings.TrimSuffix(b.String(), "\n")) + "\n"
}

// documents are objects as one stream of YAML below a header.
func documents(header string, list ...records.Ordered) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(header)
	for i, o := range list {
		data, err := records.Encode(o)
		if err != nil {
			return nil, err
		}
		if i > 0 || len(list) > 1 {
			b.WriteString("---\n")
		}
		b.Write(data)
	}
	return b.Bytes(), nil
}
