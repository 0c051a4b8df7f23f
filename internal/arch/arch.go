// Package arch turns the configuration of a model into its shape: every weight tensor with its name, size and formula,
// and what each block remembers of the tokens it has seen. Parameters, bytes on disk, bytes for each rank of a parallel
// plan and the cache of keys and values all follow from that one list, so they cannot disagree.
//
// Nothing is assumed in silence: a key that the class of a model lets be absent is listed in Shape.Assumed with the
// default that took its place, and a class that is not known is refused, since a wrong shape is worse than none.
//
// The formulas are those of the published modeling code of each family; the comment above each says which.
package arch

// Shape is a model as its configuration describes it.
type Shape struct {
	Architecture string // the class, as config.json names it: "Qwen3MoeForCausalLM"
	Family       string // how we name the rule that was used: "qwen3-moe"

	Hidden     Dim
	Vocab      Dim
	MaxContext int64  // tokens; 0 if the configuration does not say
	Stretch    int64  // how many times MaxContext the positions of rotary tables go, where their scaling multiplies them; 0 is once
	LocalRope  bool   // layers with a window have a rotary table of their own
	Tied       bool   // the head is the embedding
	DType      string // as config.json says: bfloat16, float16, float32; "" if it does not

	Outer    []Tensor // embedding, positions, final norm and head: on the first and the last stage
	Blocks   []Block  // the decoder, in order
	Towers   []Tensor // vision, audio and projectors
	MTP      []Block  // blocks that predict further tokens and that an engine may leave out
	MTPOuter []Tensor // what these blocks need beside them; MTPCopies are stored though they are shared
	Encoder  []Block  // of encoder-decoder models

	Assumed []Assumption
	Gaps    []Gap
	Symbols []Symbol // the letters of the formulas, in the order in which they were read
}

// Block is one layer of the decoder.
type Block struct {
	Prefix  string   // of the names of its tensors in the checkpoint: "model.layers.12."
	Tensors []Tensor // blocks of one kind share the slice
	Mixer   Mixer
	MLP     MLP
}

// Tensor is a weight, or Copies of it that differ in nothing but their place. A vector has one column.
type Tensor struct {
	Name       string // after the prefix of its block, with * for the number of an expert or of a layer of a tower: "mlp.experts.*.up_proj.weight"
	Component  Component
	Rows, Cols Dim   // outputs by inputs, as PyTorch keeps them
	Copies     Dim   // 1 for all but experts
	Visited    Dim   // how many of the copies one token passes; 0 for what a token does not pass
	Split      Split // how tensor parallelism divides it
	Units      int64 // the parts along the divided side that stay whole: heads; 0 if it may be cut anywhere
	KVUnits    int64 // of ByQKV: how many heads its keys have, and its values as many; Units are those of its queries
	Matrix     bool  // a linear layer, which quantization takes unless told not to
	Float32    bool  // kept in 32 bits in the published files whatever the rest is
}

// Component is the part of a model that a tensor belongs to.
type Component string

// The components, in the order in which they are shown.
const (
	Embedding Component = "embedding"
	Attention Component = "attention"
	Indexer   Component = "indexer"   // of sparse attention
	Recurrent Component = "recurrent" // Mamba, linear attention, short convolution
	Dense     Component = "mlp"
	Experts   Component = "experts"
	Shared    Component = "shared experts"
	Router    Component = "router"
	Norm      Component = "norms"
	Head      Component = "head"
	Tower     Component = "vision tower"
	MTPPart   Component = "mtp"
	Other     Component = "other"
)

// Components lists them in that order.
func Components() []Component {
	return []Component{Embedding, Attention, Indexer, Recurrent, Dense, Experts, Shared, Router, Norm, Head, Tower, MTPPart, Adapter, Other}
}

// Split is how tensor parallelism divides a tensor.
type Split int

// The ways. What is Replicated is whole on every rank.
const (
	Replicated   Split = iota
	ByRows             // outputs are divided: q, gate, up
	ByCols             // inputs are divided: o, down; a bias there is replicated
	ByKVHeads          // outputs are divided by key-value heads, which are replicated where there are more ranks than heads
	ByQKV              // outputs are Units heads of queries, KVUnits of keys and KVUnits of values, all equally wide, in one matrix
	ByVocab            // rows of the vocabulary, padded as the engine does
	ByExpert           // whole experts with expert parallelism, else each expert like an MLP (see Inner)
	ByExpertCols       // the same for the matrix whose inputs are divided
)

// Mixer is how a block mixes tokens, and what it remembers of those it has seen.
type Mixer struct {
	Kind Kind

	Heads      int64 // of queries
	KVHeads    int64
	KeyWidth   int64 // of one head
	ValueWidth int64
	Window     int64 // tokens seen by Sliding, size of the chunk of Chunked

	Latent int64 // width of the compressed keys and values of MLA
	Rope   int64 // width of the rotary part beside it
	Index  int64 // what the indexer of sparse attention keeps of a token or an entry; 0 if there is none
	Ratio  int64 // tokens that one cached entry of Compressed stands for

	Conv       int64 // elements of the state of convolutions
	ConvGroups int64 // elements among them that do not divide by ranks (groups of B and C where ranks exceed groups)
	State      int64 // elements of the recurrent state
	StateHeads int64 // heads that the state divides by

	SharesWith int // the block whose cache it reads; -1 for one of its own
}

// Kind is the kind of a mixer.
type Kind int

// The kinds. Only Full and Latent grow without end.
const (
	NoMixer    Kind = iota // a block without attention
	Full                   // every past token
	Sliding                // the last Window tokens
	Chunked                // the tokens of the same chunk of Window
	Latent                 // MLA: one compressed vector a token
	Compressed             // one entry for Ratio tokens, beside a window
	State                  // a state of constant size: Mamba, linear attention, short convolution
	Cross                  // keys and values of an encoder, of constant size
)

// MLP is the shape of the feed-forward part, for what activations need.
type MLP struct {
	Width       int64 // of the dense part; 0 if there is none
	Gated       bool
	Experts     int64
	TopK        int64
	ExpertWidth int64
	SharedWidth int64
}

// Assumption is a key that was absent, and what its class makes of that.
type Assumption struct {
	Key   string
	Value string
	Why   string
}

// Gap is a part whose size the configuration does not determine.
type Gap struct {
	What      string
	Why       string
	Low, High int64 // parameters more or less than the tensors listed; both 0 if not even that is known
}

// Symbol is a letter of the formulas.
type Symbol struct {
	Text  string
	Key   string // of config.json
	Value int64
}
