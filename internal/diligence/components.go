package diligence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/units"
)

// components sums up the parts of the model, with every kind of tensor if the question asks to explain.
func (e *estimate) components(m serve.Model) []report.Component {
	shape, weights := m.Shape, m.Weights
	parts := make(map[arch.Component]*report.Component)
	kinds := make(map[arch.Component]*kinds)
	for name, t := range shape.Named() {
		c := parts[t.Component]
		if c == nil {
			c = &report.Component{Name: string(t.Component)}
			parts[t.Component], kinds[t.Component] = c, newKinds()
		}
		bytes := weights.Bytes(name, t)
		c.Total += t.Elements()
		c.Active += t.Active()
		c.Bytes += bytes
		if e.q.Explain {
			kinds[t.Component].add(t, weights.Format(name, t).Name, bytes)
		}
	}
	var out []report.Component
	for _, part := range arch.Components() {
		if c := parts[part]; c != nil {
			c.Tensors = kinds[part].list
			out = append(out, *c)
		}
	}
	return nonNil(out)
}

// kinds puts tensors together that differ in nothing but their layer.
type kinds struct {
	list  []report.TensorFormula
	index map[kind]int
}

type kind struct{ name, formula, format string }

func newKinds() *kinds { return &kinds{index: make(map[kind]int)} }

func (k *kinds) add(t *arch.Tensor, format string, bytes int64) {
	key := kind{t.Name, t.Formula(), format}
	i, ok := k.index[key]
	if !ok {
		i = len(k.list)
		k.index[key] = i
		k.list = append(k.list, report.TensorFormula{Name: key.name, Formula: key.formula, Each: t.Rows.N * t.Cols.N, Format: format})
	}
	k.list[i].Count += t.Copies.N
	k.list[i].Bytes += bytes
}

// shownLayers counts the layers of each kind, the most frequent first.
func shownLayers(shape *arch.Shape, explain bool) []report.LayerKind {
	counts := make(map[report.LayerKind]int)
	for i := range shape.Blocks {
		m := &shape.Blocks[i].Mixer
		kind := report.LayerKind{Kind: m.String()}
		if explain {
			kind.Cache = m.Keeps()
		}
		counts[kind]++
	}
	out := make([]report.LayerKind, 0, len(counts))
	for k, n := range counts {
		k.Count = n
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b report.LayerKind) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Cache, b.Cache))
	})
	return out
}

// summary is the answer in one sentence.
func (e *estimate) summary(r *report.Estimate) string {
	name, o := e.s.ref.String(), &r.Outlook
	on := fmt.Sprintf("%s × %s", units.Thousands(int64(o.Plan.GPUs)), o.Plan.GPUName)
	switch {
	case o.Verdict == undetermined:
		return fmt.Sprintf("%s needs %s of weights on each device of %s; whether that holds it is not known", name, report.GiB(o.Memory.Weights), on)
	case o.Memory == nil:
		return fmt.Sprintf("%s cannot be served on %s: %s", name, on, o.Why)
	case o.Fits:
		return fmt.Sprintf("%s in %s fits on %s with %s, for %s at once", name, o.Plan.Quantization, on, o.Plan.Engine,
			requests(*o.MaxConcurrency, o.Plan.MaxModelLen))
	case o.Verdict == string(serve.Tight):
		return fmt.Sprintf("%s in %s is tight on %s: %s", name, o.Plan.Quantization, on, o.Why)
	}
	return fmt.Sprintf("%s in %s does not fit on %s: %s", name, o.Plan.Quantization, on, o.Why)
}

func requests(n float64, tokens int64) string {
	if n == 1 {
		return "1 request of " + units.Thousands(tokens) + " tokens"
	}
	return decimal(n) + " requests of " + units.Thousands(tokens) + " tokens"
}

// listed is a list in words: bf16, fp8 and w4a16.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
