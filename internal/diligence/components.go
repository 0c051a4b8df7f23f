package diligence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/units"
)

// components sums up the parts of the model, with every kind of tensor if the question asks to explain.
func (e *estimate) components() []report.Component {
	shape, weights := e.s.serving.Shape, e.s.serving.Weights
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
func shownLayers(shape *arch.Shape) []report.LayerKind {
	counts := make(map[string]int)
	for i := range shape.Blocks {
		counts[shape.Blocks[i].Mixer.String()]++
	}
	out := make([]report.LayerKind, 0, len(counts))
	for k, n := range counts {
		out = append(out, report.LayerKind{Kind: k, Count: n})
	}
	slices.SortFunc(out, func(a, b report.LayerKind) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// summary is the answer in one sentence.
func (e *estimate) summary(r *report.Estimate) string {
	name := e.s.ref.String()
	o := &r.Outlook
	if o.Plan == nil {
		return fmt.Sprintf("%s: %s", name, o.Why)
	}
	on := fmt.Sprintf("%d × %s", o.Plan.GPUs, o.Plan.GPUName)
	switch {
	case o.Verdict == undetermined:
		return fmt.Sprintf("%s needs %s of weights on each of %d devices; whether they hold it is not known", name, gib(o.Memory.Weights), o.Plan.GPUs)
	case o.Memory == nil:
		return fmt.Sprintf("%s does not fit on %s: %s", name, o.Plan.GPUName, o.Why)
	case o.Fits:
		return fmt.Sprintf("%s in %s fits on %s with %s, for %s requests of %s tokens at once", name, o.Plan.Quantization, on, o.Plan.Engine,
			decimal(*o.MaxConcurrency), units.Thousands(o.Plan.MaxModelLen))
	case o.Verdict == "tight":
		return fmt.Sprintf("%s in %s is tight on %s: %s", name, o.Plan.Quantization, on, o.Why)
	}
	return fmt.Sprintf("%s in %s does not fit on %s: %s", name, o.Plan.Quantization, on, o.Why)
}

func gib(n int64) string { return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30)) }
