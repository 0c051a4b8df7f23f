package quant

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/model"
)

// Difference is what the headers of the weight files hold more or less than the configuration describes, by cause.
type Difference struct {
	Described   int64 // bytes by the configuration
	Stored      int64 // bytes by the headers
	Params      int64 // parameters that the headers hold, packed numbers unpacked; 0 if they list no tensors
	Causes      []Cause
	Unexplained int64 // bytes that no cause accounts for

	Beyond    int64 // bytes that are stored more than a program would expect that reads the configuration
	Attention int64 // of that, what the matrices of attention have, whose sizes are those of the cache
	attention int64 // bytes that are described for them
}

// The shares of what is described that a file may hold beyond it. Names of scales are many.
const (
	beyond          = 0.02
	beyondQuantized = 0.1
)

// Contradicts reports whether so much is stored that the configuration is not that of the files.
func (d *Difference) Contradicts(quantized bool) bool {
	share := beyond
	if quantized {
		share = beyondQuantized
	}
	return float64(d.Beyond) > share*float64(d.Described) || float64(size(d.Attention)) > share*float64(d.attention)
}

// Cause is one reason, with the bytes that are stored more (or, negative, less) because of it.
type Cause struct {
	Kind  CauseKind
	Text  string
	Bytes int64
}

// CauseKind is the kind of a cause.
type CauseKind string

// The kinds.
const (
	TiedHead   CauseKind = "tied head"       // the head is stored though it is the embedding
	MTPMissing CauseKind = "mtp missing"     // blocks for further tokens are described and not stored
	MTPExtra   CauseKind = "mtp extra"       // they are stored and not described
	Towers     CauseKind = "towers"          // vision or audio parts are stored or described alone
	Wider      CauseKind = "other precision" // a tensor is stored in another number format than described
	Shape      CauseKind = "other shape"     // a tensor is stored with more or fewer numbers than described
	Buffers    CauseKind = "buffers"         // tables that programs compute again: rotary frequencies, masks, position ids
	Scales     CauseKind = "scales"          // of the cache of keys and values, or of other producers
	Copies     CauseKind = "copies"          // files for other programs, which the sum leaves out
	Missing    CauseKind = "missing"         // described and not stored: shards may be missing
	Unexpected CauseKind = "unexpected"      // stored and not described
)

// Reconcile compares the tensors that a configuration describes with those that headers list.
func Reconcile(shape *arch.Shape, stored *model.Stored, scheme *Scheme) Difference {
	d := Difference{Described: scheme.Total(shape), Stored: stored.Bytes}
	switch {
	case len(stored.Tensors) == 0 || ggufNamed(stored.Tensors):
		d.bySum(shape, scheme)
	default:
		newLedger(shape, stored, scheme).settle(&d)
	}
	d.Unexplained = d.Stored - d.Described
	for _, c := range d.Causes {
		d.Unexplained -= c.Bytes
	}
	d.Beyond += d.Unexplained
	if len(stored.Copies) > 0 {
		d.add(Copies, 0, "left out of the sum as copies for other programs: %s", some(stored.Copies))
	}
	return d
}

func (d *Difference) add(kind CauseKind, bytes int64, format string, args ...any) {
	d.Causes = append(d.Causes, Cause{kind, fmt.Sprintf(format, args...), bytes})
}

func ggufNamed(ts []model.StoredTensor) bool {
	return slices.ContainsFunc(ts, func(t model.StoredTensor) bool {
		return strings.HasPrefix(t.Name, "blk.") || t.Name == "token_embd.weight"
	})
}

// bySum tries which of the usual causes, alone or together, make the difference.
func (d *Difference) bySum(shape *arch.Shape, scheme *Scheme) {
	gap := d.Stored - d.Described
	tolerance := max(1<<20, d.Described/100_000) // the header of a file counts in some sums
	if gap == 0 {
		return
	}
	usual := usualCauses(shape, scheme)
	for set := 1; set < 1<<len(usual); set++ {
		var sum int64
		for i := range usual {
			if set&(1<<i) != 0 {
				sum += usual[i].Bytes
			}
		}
		if gap-sum <= tolerance && sum-gap <= tolerance {
			for i := range usual {
				if set&(1<<i) != 0 {
					d.Causes = append(d.Causes, usual[i])
				}
			}
			return
		}
	}
}

func usualCauses(shape *arch.Shape, scheme *Scheme) []Cause {
	var list []Cause
	sums := map[area]int64{}
	var embedding int64
	for m := range modules(shape) {
		n := scheme.Bytes(m.name, m.t)
		sums[m.area] += n
		if m.t.Component == arch.Embedding {
			embedding = max(embedding, n)
		}
	}
	if shape.Tied && embedding > 0 {
		list = append(list, Cause{TiedHead, "the head is stored beside the embedding that it is tied to", embedding})
	}
	if sums[mtp] > 0 {
		list = append(list, Cause{MTPMissing, "the MTP blocks that the configuration describes are not stored", -sums[mtp]})
	}
	if sums[tower] > 0 {
		list = append(list, Cause{Towers, "the towers that the configuration describes are not stored", -sums[tower]})
	}
	if scheme.base.Bits == 16 {
		list = append(list, Cause{Wider, "the files hold 32 bits for each number", scheme.Total(shape)})
	}
	return list
}

// entry is a module on either side.
type entry struct {
	described, stored int64
	params            int64
	area              area
	layer             int
	component         arch.Component
	wide              bool  // it is stored in 32 bits
	listed            bool  // it is described
	plain             int64 // numbers that are stored one by one
	packed            bool  // others are stored too
}

// ledger is both sides by module.
type ledger struct {
	shape   *arch.Shape
	modules map[string]*entry
}

func newLedger(shape *arch.Shape, stored *model.Stored, scheme *Scheme) *ledger {
	l := &ledger{shape, map[string]*entry{}}
	for m := range modules(shape) {
		key := strings.TrimSuffix(m.path, ".bias")
		e := l.entry(key)
		e.described += scheme.Bytes(m.name, m.t)
		e.params += m.t.Elements()
		e.area, e.layer, e.listed = m.area, m.layer, true
		if e.component == "" || m.t.Matrix {
			e.component = m.t.Component
		}
	}
	var buf []byte
	for i := range stored.Tensors {
		t := &stored.Tensors[i]
		buf = fold(buf, canonical(owner(t.Name)))
		e, ok := l.modules[string(buf)]
		if !ok {
			e = l.resolve(string(buf))
		}
		e.stored += t.Bytes
		e.wide = e.wide || t.Type == "F32"
		e.count(t)
		if !e.listed {
			e.params += elements(t.Shape)
		}
	}
	return l
}

// resolve finds the entry of a module that other programs stack, fuse or take apart: experts in one tensor, gate with up,
// queries with keys and values, the two halves of the projection of MLA.
func (l *ledger) resolve(key string) *entry {
	for _, name := range []string{"", "switch_mlp.", "experts."} {
		k := strings.Replace(key, name, either(name == "", "", "experts.*."), 1)
		if e, ok := l.modules[k]; ok {
			l.modules[key] = e
			return e
		}
		stem, last := k[:strings.LastIndexByte(k, '.')+1], k[strings.LastIndexByte(k, '.')+1:]
		if e := l.fused(stem, last); e != nil {
			l.modules[key] = e
			return e
		}
	}
	return l.entry(key)
}

// fused joins the entries that the last part of a name stands for into the first of them.
func (l *ledger) fused(stem, last string) *entry {
	var all *entry
	for _, name := range partsOf(last) {
		e, ok := l.modules[stem+name]
		switch {
		case !ok:
			return nil
		case all == nil:
			all = e
		case e != all:
			all.described += e.described
			all.params += e.params
			all.stored += e.stored
			all.plain += e.plain
			all.packed = all.packed || e.packed
			l.modules[stem+name] = all
		}
	}
	return all
}

// partsOf are the modules that hold the same numbers as one of that name, which other programs write.
func partsOf(last string) []string {
	switch last {
	case "gate_up_proj":
		return []string{"gate_proj", "up_proj"}
	case "qkv_proj":
		return []string{"q_proj", "k_proj", "v_proj"}
	case "in_proj_qkvz":
		return []string{"in_proj_qkv", "in_proj_z"}
	case "in_proj_ba":
		return []string{"in_proj_b", "in_proj_a"}
	case "embed_q", "unembed_out":
		return []string{"kv_b_proj"}
	case "gate_proj", "up_proj":
		return []string{"gate_up_proj"}
	case "q_proj", "k_proj", "v_proj":
		return []string{"qkv_proj"}
	}
	return nil
}

func (l *ledger) entry(key string) *entry {
	e, ok := l.modules[key]
	if !ok {
		e = &entry{}
		l.modules[key] = e
	}
	return e
}

// count adds the numbers of a tensor that is stored as it is described, and notes that others are.
func (e *entry) count(t *model.StoredTensor) {
	switch t.Type {
	case "F32", "F16", "BF16":
		e.plain += elements(t.Shape)
		if len(t.Shape) > 0 {
			return
		}
	}
	e.packed = true
}

func elements(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		if d <= 0 || n > 1<<60/d {
			return 0
		}
		n *= d
	}
	return n
}

// owner is the module that a stored tensor belongs to, its scales and packed numbers included.
func owner(name string) string {
	if i := strings.Index(name, ".weight."); i > 0 { // bitsandbytes: x.weight.absmax
		return name[:i]
	}
	stem, last := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		stem, last = name[:i], name[i+1:]
	}
	switch last {
	case "weight", "bias", "qweight", "qzeros", "scales", "g_idx", "biases", "weight_scale", "weight_scale_inv", "weight_scale_2",
		"input_scale", "activation_scale", "weight_packed", "weight_shape", "weight_zero_point",
		"weight_global_scale", "input_global_scale", "weight_g_idx", "SCB", "weight_format", "scale", "pre_quant_scale", "weight_blocks", "codes", "codebooks":
		return stem
	}
	for _, suffix := range []string{"_blocks", "_scales", "_bias", "_scale_inv", "_scale"} { // gpt-oss: gate_up_proj_blocks
		if short, ok := strings.CutSuffix(last, suffix); ok && short != "" && strings.HasSuffix(short, "proj") {
			return strings.TrimPrefix(stem+"."+short, ".")
		}
	}
	return name
}

// settle turns the entries into causes.
func (l *ledger) settle(d *Difference) {
	type heap struct {
		bytes int64
		names []string
	}
	heaps := map[CauseKind]*heap{}
	var further int64 // beyond the last block
	seen := map[*entry]bool{}
	for _, name := range slices.Sorted(maps.Keys(l.modules)) {
		e := l.modules[name]
		if seen[e] {
			continue
		}
		seen[e] = true
		if e.component == arch.Attention {
			d.attention += e.described
		}
		if e.stored > 0 {
			d.Params += e.params
		}
		if e.stored == e.described {
			continue
		}
		kind := l.cause(name, e)
		switch more := e.stored - e.described; kind {
		case MTPExtra:
			further += more
		case Shape:
			d.Beyond += more
			if e.component == arch.Attention {
				d.Attention += more
			}
		case Missing, Unexpected:
			d.Beyond += more
		case Wider:
			if !e.wide {
				d.Beyond += more
			}
		}
		h, ok := heaps[kind]
		if !ok {
			h = &heap{}
			heaps[kind] = h
		}
		h.bytes += e.stored - e.described
		h.names = append(h.names, name)
	}
	if further > d.Described/10 { // no model has as many blocks for further tokens
		d.Beyond += further
	}
	for _, kind := range slices.Sorted(maps.Keys(heaps)) {
		h := heaps[kind]
		d.add(kind, h.bytes, "%s: %s", kind.words(), l.names(h.names))
	}
	slices.SortStableFunc(d.Causes, func(a, b Cause) int { return cmp.Compare(size(b.Bytes), size(a.Bytes)) })
}

func size(n int64) int64 { return max(n, -n) }

func (k CauseKind) words() string {
	switch k {
	case TiedHead:
		return "the head is stored beside the embedding that it is tied to"
	case MTPMissing:
		return "MTP blocks are described and not stored"
	case MTPExtra:
		return "blocks after the last, or MTP blocks, are stored and not described"
	case Towers:
		return "parts for images or sound are on one side only"
	case Wider:
		return "stored in another precision than described"
	case Shape:
		return "stored with another shape than described"
	case Buffers:
		return "tables that programs compute again"
	case Scales:
		return "scales of other producers"
	case Missing:
		return "described and not stored, so that files may be missing"
	}
	return "stored and not described"
}

// names puts modules of many blocks together.
func (l *ledger) names(list []string) string {
	seen := map[string]int{}
	var order []string
	for _, n := range list {
		parts := strings.Split(n, ".")
		for i := range parts {
			if numeral(parts[i]) {
				parts[i] = "N"
			}
		}
		key := strings.Join(parts, ".")
		if seen[key]++; seen[key] == 1 {
			order = append(order, key)
		}
	}
	for i, key := range order {
		if n := seen[key]; n > 1 {
			order[i] = fmt.Sprintf("%s (%d times)", key, n)
		}
	}
	return some(order)
}

func (l *ledger) cause(name string, e *entry) CauseKind {
	switch {
	case e.listed && e.plain > 0 && !e.packed && e.plain != e.params:
		return Shape
	case e.listed && e.stored > 0:
		return Wider
	case e.listed:
		return l.lacking(e)
	case buffer(name):
		return Buffers
	case strings.HasSuffix(name, "k_scale") || strings.HasSuffix(name, "v_scale"):
		return Scales
	case l.shape.Tied && (name == "lm_head" || name == "head" || name == "output"):
		return TiedHead
	case l.beyond(name):
		return MTPExtra
	case strings.Contains(name, "vision") || strings.Contains(name, "visual") || strings.Contains(name, "audio"):
		return Towers
	}
	return Unexpected
}

func (l *ledger) lacking(e *entry) CauseKind {
	switch e.area {
	case mtp:
		return MTPMissing
	case tower:
		return Towers
	}
	return Missing
}

func buffer(name string) bool {
	for _, part := range []string{"rotary_emb", "inv_freq", "masked_bias", "attn.bias", "position_ids", "attention.bias"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// beyond reports whether a name is of a block after the last one, or of MTP.
func (l *ledger) beyond(name string) bool {
	if strings.HasPrefix(name, "mtp") || strings.Contains(name, ".mtp") || strings.Contains(name, "nextn") {
		return true
	}
	key, ok := stack(name)
	if !ok {
		return false
	}
	n, err := strconv.Atoi(key[strings.IndexByte(key, '.')+1:])
	return err == nil && n >= len(l.shape.Blocks)
}
