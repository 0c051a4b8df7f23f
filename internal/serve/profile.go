package serve

import (
	"errors"
	"fmt"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// profile is the record of an engine. Every setting is a history: which value holds from which version on, and where
// that is known from. Sizes in GiB are what was measured for a cause, as a range.
type profile struct {
	Kind    Kind
	Base    Kind // of a generic record: the one that it changes
	Class   Class
	Batches bool // requests are taken up while others run
	Newest  string
	Checked evidence.Date
	// Rewrite is the version from which the second engine is the default; cards below the compute capability
	// RewriteNeeds stay with the first one until RewriteAlone.
	Rewrite      string
	RewriteNeeds float64 `yaml:"rewrite_needs"`
	RewriteAlone string  `yaml:"rewrite_alone"`
	SmallA100    bool    `yaml:"small_a100"` // an A100 takes the defaults of small cards whatever its memory

	Compute history[float64]  // least compute capability of a device of NVIDIA
	Formats []formatNeed      // the same for formats of the weights
	NoFP16  history[[]string] `yaml:"no_fp16"` // families that are computed in 32 bits where there is no bf16

	Budget      history[string] // what the utilization is a share of: total, free, left
	Utilization history[float64]
	UtilRule    history[string] `yaml:"utilization_rule"` // fixed, or sglang: from what is to be kept free

	BatchedTokens history[byCard] `yaml:"batched_tokens"`
	WholePrompt   history[bool]   `yaml:"whole_prompt"` // a prompt is never cut into pieces
	MaxSeqs       history[byCard] `yaml:"max_seqs"`
	Block         history[int64]

	Windows      history[string]  // what is kept of windows: groups, pools, layers, all
	GroupPadding history[float64] `yaml:"group_padding"`  // layers are padded where the most is below this times the least
	LoggedTokens history[string]  `yaml:"logged_tokens"`  // how the log counts tokens of a mixed cache: blocks, requests
	StateBytes   history[int64]   `yaml:"state_bytes"`    // of one number of a recurrent state
	StatePages   history[int64]   `yaml:"state_pages"`    // pages of one request for each group of states
	MLAPadding   history[int64]   `yaml:"mla_padding"`    // elements to which a latent vector is padded
	SWARatio     history[float64] `yaml:"window_ratio"`   // tokens of the window pool for one of the full pool
	StateRatio   history[float64] `yaml:"state_ratio"`    // bytes of the state pool for one of the token pool
	SparseFP8    history[int64]   `yaml:"sparse_fp8"`     // bytes of one token and layer of sparse MLA in fp8
	VocabPadding history[int64]   `yaml:"vocab_padding"`  // rows to which the vocabulary is padded
	Stages       history[string]  `yaml:"stages"`         // where the layers that are left over go: before-last, last, first
	SharedExpert history[bool]    `yaml:"experts_shared"` // replicas of attention always share the experts out among them
	TowersSplit  history[bool]    `yaml:"towers_split"`   // tensor parallelism divides the vision tower
	LoadedMLA    history[string]  `yaml:"loaded_mla"`     // what is kept beside kv_b: none, copy, products
	CastFloat32  history[bool]    `yaml:"cast_float32"`   // weights in 32 bits become 16 bits
	RotaryTable  history[bool]    `yaml:"rotary_table"`   // a table of max_position_embeddings rows is kept
	PadMXFP4     history[int64]   `yaml:"pad_mxfp4"`      // multiple to which the inner width of MXFP4 experts is padded
	SwapGiB      history[float64] `yaml:"swap_gib"`       // of the host
	GraphsInside history[bool]    `yaml:"graphs_inside"`  // captured graphs count before the cache is sized
	Inside       history[bool]    `yaml:"context_inside"` // the CUDA context counts before the cache is sized

	Sampler      history[interval] // matrices of logits in 32 bits that live at once
	LogitsTokens history[string]   `yaml:"logits_tokens"` // rows of logits: seqs, batch
	EarlySampler history[interval] `yaml:"early_sampler"` // the same of the second engine before Rewrite, for all rows of a batch
	Hidden       history[interval] // copies of the hidden states that outlive the forward pass
	Workspace    history[bool]     // workspaces of experts outlive the forward pass
	Encoder      history[interval] // copies of the hidden size, for each patch that an encoder sees
	Stacked      history[interval] // the same for encoders whose layers are all read, by cross attention
	Floor        history[interval] // GiB of library workspaces inside the allocator
	Widest       history[float64]  // share of the widest live set that is really alive

	NonTorch      history[interval] `yaml:"non_torch"`       // GiB on one device
	NonTorchOld   history[interval] `yaml:"non_torch_old"`   // GiB on one device below compute capability 9
	NonTorchGroup history[interval] `yaml:"non_torch_group"` // GiB where ranks talk
	NonTorchPCIe  history[interval] `yaml:"non_torch_pcie"`  // the same without a link between devices
	Context       history[interval] // GiB of the CUDA context
	Group         history[interval] // GiB of communicators outside the budget

	GraphSizes  history[byCard]   `yaml:"graph_sizes"`  // batch sizes that are captured
	GraphFamily map[string]int64  `yaml:"graph_family"` // the same for families that the engine treats on their own
	GraphBase   history[interval] `yaml:"graph_base"`   // GiB
	GraphLayer  history[interval] `yaml:"graph_layer"`  // KiB for each layer and captured size
	GraphMoE    history[interval] `yaml:"graph_moe"`    // GiB where there are experts

	newest, rewrite, alone version
	oldest                 version // the first that any default is known to change at
}

// interval is a range of a constant.
type interval struct{ Low, Mid, High float64 }

// byCard is a default that depends on the memory of the card: the first tier that the card is below.
type byCard []tier

type tier struct {
	Below float64 // GiB; 0 is any card
	Value int64
}

func (b byCard) of(gib float64) int64 {
	for _, t := range b {
		if t.Below == 0 || gib < t.Below {
			return t.Value
		}
	}
	return 0
}

// history is a value by version, the oldest first.
type history[V any] []step[V]

type step[V any] struct {
	From   string
	Value  V
	Source string

	from version
}

// at is the step that holds for a version.
func (h history[V]) at(v version) *step[V] {
	s := &h[0]
	for i := 1; i < len(h) && h[i].from <= v; i++ {
		s = &h[i]
	}
	return s
}

var (
	errNoStep = errors.New("no value is given")
	errOrder  = errors.New("the first value has no version and the others have rising ones")
)

// order reads the versions of a history and refuses one without a beginning.
func (h history[V]) order() error {
	if len(h) == 0 {
		return errNoStep
	}
	for i := range h {
		v, ok := parseVersion(h[i].From)
		if ok != (i > 0) || i > 0 && v <= h[i-1].from {
			return errOrder
		}
		if h[i].Source == "" {
			return errors.New("a value has no source")
		}
		h[i].from = v
	}
	return nil
}

// first is the version at which the value changes first, 0 if it never does.
func (h history[V]) first() version {
	if len(h) < 2 {
		return 0
	}
	return h[1].from
}

// plain reports whether the engine computes what it is given as a library does: no pool, and a prompt in one piece.
func (p *profile) plain() bool { return p.Kind == Transformers || p.Base == Transformers }

// prepare checks the record and reads its versions.
func (p *profile) prepare() error {
	var faults []error
	read := func(key, s string, into *version) {
		if v, ok := parseVersion(s); ok {
			*into = v
		} else if s != "" || key == "newest" {
			faults = append(faults, fmt.Errorf("%s: %q is no version", key, s))
		}
	}
	read("newest", p.Newest, &p.newest)
	read("rewrite", p.Rewrite, &p.rewrite)
	read("rewrite_alone", p.RewriteAlone, &p.alone)
	for i := range p.Formats {
		if err := p.Formats[i].Compute.order(); err != nil {
			faults = append(faults, fmt.Errorf("formats[%d]: %w", i, err))
		}
	}
	for _, h := range p.histories() {
		if err := h.of.order(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", h.key, err))
		}
		p.oldest = earliest(p.oldest, h.of.first())
	}
	return errors.Join(faults...)
}

// earliest is the lower of two versions, where 0 is none.
func earliest(a, b version) version {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

type named struct {
	key string
	of  interface {
		order() error
		first() version
	}
}

func (p *profile) histories() []named {
	return []named{
		{"compute", p.Compute},
		{"no_fp16", p.NoFP16},
		{"early_sampler", p.EarlySampler},
		{"experts_shared", p.SharedExpert},
		{"budget", p.Budget},
		{"utilization", p.Utilization},
		{"utilization_rule", p.UtilRule},
		{"batched_tokens", p.BatchedTokens},
		{"whole_prompt", p.WholePrompt},
		{"max_seqs", p.MaxSeqs},
		{"block", p.Block},
		{"windows", p.Windows},
		{"group_padding", p.GroupPadding},
		{"logged_tokens", p.LoggedTokens},
		{"state_bytes", p.StateBytes},
		{"state_pages", p.StatePages},
		{"mla_padding", p.MLAPadding},
		{"window_ratio", p.SWARatio},
		{"state_ratio", p.StateRatio},
		{"sparse_fp8", p.SparseFP8},
		{"vocab_padding", p.VocabPadding},
		{"stages", p.Stages},
		{"towers_split", p.TowersSplit},
		{"loaded_mla", p.LoadedMLA},
		{"cast_float32", p.CastFloat32},
		{"rotary_table", p.RotaryTable},
		{"pad_mxfp4", p.PadMXFP4},
		{"swap_gib", p.SwapGiB},
		{"graphs_inside", p.GraphsInside},
		{"context_inside", p.Inside},
		{"sampler", p.Sampler},
		{"logits_tokens", p.LogitsTokens},
		{"hidden", p.Hidden},
		{"workspace", p.Workspace},
		{"encoder", p.Encoder},
		{"stacked", p.Stacked},
		{"floor", p.Floor},
		{"widest", p.Widest},
		{"non_torch", p.NonTorch},
		{"non_torch_old", p.NonTorchOld},
		{"non_torch_group", p.NonTorchGroup},
		{"non_torch_pcie", p.NonTorchPCIe},
		{"context", p.Context},
		{"group", p.Group},
		{"graph_sizes", p.GraphSizes},
		{"graph_base", p.GraphBase},
		{"graph_layer", p.GraphLayer},
		{"graph_moe", p.GraphMoE},
	}
}
