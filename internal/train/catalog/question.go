package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	cards "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/train"
)

// ErrNoQuestion is wrapped by the error for a measurement that no job and plan are about.
var ErrNoQuestion = errors.New("the measurement is of nothing that is computed")

// Question is the job and the plan that a measurement is of, with zero for what it is silent about, Zero -1, and the usual
// network of the card where the document names none, as the command has it. A blind one
// says only what a caller can who has the columns of a table and nothing but flags for them: no virtual stages, shards,
// offload or kinds of quantization, bf16 unless another format is named, and one device where no number is given.
func (m *Measurement) Question(blind bool) (train.Job, train.Plan, error) {
	j, p, err := m.columns(blind && m.BySize)
	switch {
	case err != nil:
	case blind:
		j.Precision = cmp.Or(j.Precision, train.BF16)
		p.GPUs = max(1, p.GPUs)
	default:
		m.tellPlan(&j, &p)
		err = m.tellJob(&j)
	}
	if err != nil {
		return train.Job{}, train.Plan{}, fmt.Errorf("asking for %s: %w", m.ID, err)
	}
	return j, p, nil
}

// columns are what is said in numbers and in words that everybody writes alike.
func (m *Measurement) columns(bySize bool) (j train.Job, p train.Plan, err error) {
	method, err := m.method()
	if err != nil {
		return j, p, err
	}
	shape, err := m.shape(bySize)
	if err != nil {
		return j, p, err
	}
	card, err := cards.Default().Get(m.GPU)
	if err != nil {
		return j, p, err
	}
	fabric, err := Fabric(card, "")
	if err != nil {
		return j, p, err
	}
	j = train.Job{
		Shape: shape, Name: m.Model, Method: method, Framework: m.framework(), Precision: m.precision(),
		Recompute: train.Recompute(m.Recompute), Sequence: m.Seq, Global: m.Global, Tokens: m.Tokens,
	}
	p = train.Plan{
		GPU: card, GPUs: m.GPUs, Tensor: m.degree("TP"), Pipeline: m.degree("PP"), Context: m.degree("CP"), Expert: m.degree("EP"),
		Micro: m.Micro, Zero: -1, Fabric: &fabric,
	}
	return j, p, nil
}

// method reads that of a job from the words of the document.
func (m *Measurement) method() (train.Method, error) {
	words := strings.ToLower(m.Method)
	switch {
	case m.GPU == "":
		return "", fmt.Errorf("no device is named: %w", ErrNoQuestion)
	case strings.Contains(words, "adapter"):
		return "", fmt.Errorf("%s is no method that is computed: %w", m.Method, ErrNoQuestion)
	}
	for _, known := range []train.Method{train.QLoRA, train.LoRA, train.DPO, train.PPO, train.GRPO, train.Pretrain} {
		if strings.Contains(words, string(known)) {
			return known, nil
		}
	}
	if strings.Contains(words, "full") || strings.Contains(words, "sft") {
		return train.Full, nil
	}
	return "", fmt.Errorf("%q is no method that is known: %w", m.Method, ErrNoQuestion)
}

// framework is one that is named in so many words.
func (m *Measurement) framework() train.Framework {
	words := strings.ToLower(m.Framework)
	for _, f := range []train.Framework{
		train.Megatron, train.TorchTitan, train.TorchTune, train.DeepSpeed, train.Foundry, train.LitGPT, train.Axolotl, train.FSDP,
	} {
		if strings.Contains(words, string(f)) {
			return f
		}
	}
	return ""
}

func (m *Measurement) precision() train.Precision {
	switch words := strings.ToLower(m.Precision); {
	case words == "":
		return ""
	case strings.Contains(words, "fp8"):
		return train.FP8
	case strings.Contains(words, "fp4"):
		return train.NVFP4
	case words == "fp16":
		return train.FP16
	}
	return train.BF16
}

var degreeForm = regexp.MustCompile(`\b(TP|PP|CP|EP|VP|FSDP)([0-9]{1,5})\b`)

// degree is the number of ranks of one kind, 0 where it is not said.
func (m *Measurement) degree(kind string) int {
	for _, found := range degreeForm.FindAllStringSubmatch(m.Division, -1) {
		if n, err := strconv.Atoi(found[2]); err == nil && found[1] == kind {
			return n
		}
	}
	return 0
}

// tellJob adds to a job what is said in words.
func (m *Measurement) tellJob(j *train.Job) error {
	method, framework, precision := strings.ToLower(m.Method), strings.ToLower(m.Framework), strings.ToLower(m.Precision)
	j.Framework = cmp.Or(j.Framework, kin(framework))
	j.Distilled = m.Outside != ""
	j.PureBF16 = strings.HasSuffix(precision, "-true") || strings.Contains(method, "pure bf16") || strings.Contains(method, "(bf16,")
	j.InBackward = strings.Contains(method, "optimizer in backward")
	j.TrainOuter = strings.HasSuffix(method, "+emb")
	j.Rank = m.Rank
	if m.Target != "" {
		j.Targets = strings.Split(m.Target, ",")
	}
	if strings.Contains(framework, "liger") {
		j.Loss = train.Fused
	}
	j.Optimizer, j.Offload = m.optimizer(), m.offload()
	if strings.Contains(method, "deepspeed") {
		j.Framework = train.DeepSpeed
	}
	return m.quantized(j)
}

// kin is the framework that works like one that is named otherwise.
func kin(words string) train.Framework {
	switch {
	case strings.Contains(words, "olmo-core"):
		return train.FSDP
	case strings.Contains(words, "llm.c"):
		return train.Megatron // replicas that share the states of the optimizer and nothing else
	case strings.Contains(words, "peft"), strings.Contains(words, "transformers"), strings.Contains(words, "llama-factory"):
		return train.HF
	}
	return ""
}

func (m *Measurement) optimizer() train.Optimizer {
	switch {
	case strings.Contains(m.Method, "8-bit Adam"):
		return train.AdamW8bit
	case strings.Contains(m.Optimizer, "Adam"):
		return train.AdamW
	}
	return ""
}

// offload is what lies in the host. Beside frozen weights it can only be those: the states of adapters are small.
func (m *Measurement) offload() train.Offload {
	both := strings.ToLower(m.Method + " " + m.Framework + " " + m.Optimizer)
	switch {
	case !strings.Contains(both, "cpu"):
		return ""
	case strings.Contains(both, "cpu adamw"):
		return train.OffOptimizer
	}
	return train.OffAll
}

// quantized is the format behind "qlora-".
func (m *Measurement) quantized(j *train.Job) error {
	_, format, said := strings.Cut(strings.ToLower(m.Method), "qlora")
	if !said || format == "" {
		return nil
	}
	format = strings.TrimPrefix(strings.Trim(format, "- "), "bnb.")
	formats := map[string]string{"nf4": "nf4", "nf4-dq": "nf4-dq", "int4": "int4", "4-bit": "nf4", "8-bit": "int8"}
	if formats[format] == "" {
		return fmt.Errorf("weights in %q are not known: %w", format, ErrNoQuestion)
	}
	j.Quantized = formats[format]
	return nil
}

// tellPlan adds to a plan what is said in words, and to the job what follows.
func (m *Measurement) tellPlan(j *train.Job, p *train.Plan) {
	p.Zero, p.Virtual = m.zero(), m.degree("VP")
	m.schedule(p)
	m.data(j, p)
	if strings.Contains(m.Division, "HSDP") {
		p.Shard = p.GPU.MaxPerNode
	}
	p.GPU = m.variant(p.GPU)
	if m.Net > 0 {
		p.Fabric.Net, p.Fabric.Why, p.Fabric.Source = m.Net, "as the measurement says", m.Source.Title
	}
}

// zero is what ranks of data share, -1 where it is not said.
func (m *Measurement) zero() int {
	words := m.Division + " " + m.Framework + " " + m.Method
	has := func(all ...string) bool {
		return slices.ContainsFunc(all, func(w string) bool { return strings.Contains(words, w) })
	}
	switch {
	case has("ZeRO-1", "dist-opt"):
		return 1
	case has("SHARD_GRAD_OP"):
		return 2
	case has("ZeRO-3", "FULL_SHARD", "FSDP", "fsdp", "HSDP"):
		return 3
	}
	return -1
}

func (m *Measurement) schedule(p *train.Plan) {
	switch {
	case strings.Contains(m.Division, "1F1B"):
		p.Schedule = train.OneFOneB
	case strings.Contains(m.Division, "interleaved"):
		const least = 2 // chunks of a stage, without which nothing is interleaved
		p.Schedule, p.Virtual = train.Interleaved, max(least, p.Virtual)
	}
}

// data adds the replicas where shards are counted. What torchtitan calls the batch of a rank is divided among the passes
// of a pipeline, which takes it for all of them: it says the global batch and leaves the passes open.
func (m *Measurement) data(j *train.Job, p *train.Plan) {
	n := m.degree("FSDP")
	if n == 0 || n*max(1, p.Tensor)*max(1, p.Pipeline)*max(1, p.Context) != p.GPUs {
		return
	}
	p.Data = n
	if j.Framework != train.TorchTitan || p.Pipeline < 2 || p.Micro == 0 {
		return
	}
	j.Global = cmp.Or(j.Global, int64(n)*p.Micro)
	p.Micro = 0
}

// variant is the card as the document describes it.
func (m *Measurement) variant(card *hardware.Accelerator) *hardware.Accelerator {
	if m.Card == nil {
		return card
	}
	v := *card
	more := m.Card.MemoryGB / card.MemoryGB
	v.MemoryGB, v.UsableMiB, v.VisibleMiB, v.Watts = m.Card.MemoryGB, more*card.UsableMiB, more*card.VisibleMiB, m.Card.Watts
	v.Derived, v.Note = true, m.Card.Why
	return &v
}
