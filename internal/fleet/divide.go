package fleet

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// What is tried of divisions.
const (
	mostStages   = 8 // within a machine
	mostMachines = 8
)

// divide lists the divisions of a plan that are tried, those with few GPUs first. Degrees that were said are kept.
func divide(m *serve.Prepared, p serve.Plan) ([]serve.Plan, error) {
	d := divisions{model: m, said: p, node: max(1, p.GPU.MaxPerNode)}
	if p.Engine.Kind == serve.LlamaCPP {
		d.layers()
	} else {
		d.ranks()
	}
	if len(d.list) == 0 {
		return nil, fmt.Errorf("%w: no division of one machine or of up to %d has the degrees asked for", serve.ErrIllegal, mostMachines)
	}
	return d.list, nil
}

// divisions gathers the divisions of a plan.
type divisions struct {
	model *serve.Prepared
	said  serve.Plan
	node  int
	list  []serve.Plan
}

// layers deals layers out, as llama.cpp does.
func (d *divisions) layers() {
	for n := 1; n <= d.node; n++ {
		d.add(1, n, 1, 1)
	}
}

// ranks are all divisions within a machine, and over machines those with stages between them or with experts shared out
// over all.
func (d *divisions) ranks() {
	experts := d.experts()
	for _, t := range d.degrees() {
		for p := 1; p <= d.stages(t); p++ {
			d.add(t, p, 1, 1)
			if experts && t > 1 {
				d.add(t, p, 1, t)
			}
		}
		for n := 2 * t; experts && n <= d.ranksAtMost(); n *= 2 {
			d.add(t, 1, n/t, n)
		}
	}
}

// degrees are those of tensor parallelism: powers of two up to the machine, and the machine.
func (d *divisions) degrees() []int {
	if d.said.Tensor > 0 {
		return []int{d.said.Tensor}
	}
	var list []int
	n := 1
	for ; n <= d.node; n *= 2 {
		list = append(list, n)
	}
	if n/2 < d.node {
		list = append(list, d.node)
	}
	return list
}

// stages is how many pipeline stages are tried beside a degree of tensor parallelism.
func (d *divisions) stages(t int) int {
	switch {
	case d.said.Pipeline > 0:
		return d.said.Pipeline
	case 2*t > d.node && d.node > 1:
		return mostMachines
	}
	return min(mostStages, d.node/t)
}

func (d *divisions) ranksAtMost() int {
	if d.said.Data > 0 {
		return d.said.Data * max(1, d.said.Tensor) * d.node
	}
	if d.node == 1 {
		return 1
	}
	return d.node * 4
}

func (d *divisions) experts() bool {
	for i := range d.model.Model().Shape.Blocks {
		if d.model.Model().Shape.Blocks[i].MLP.Experts > 0 {
			return true
		}
	}
	return false
}

// add keeps a division that agrees with what was said.
func (d *divisions) add(tensor, pipeline, data, expert int) {
	p := d.said
	said := func(degree, is int) bool { return degree == 0 || degree == is }
	if !said(p.Tensor, tensor) || !said(p.Pipeline, pipeline) || !said(p.Data, data) || !said(p.Expert, expert) ||
		!said(p.GPUs, tensor*pipeline*data) {
		return
	}
	p.Tensor, p.Pipeline, p.Data, p.Expert, p.GPUs = tensor, pipeline, data, expert, tensor*pipeline*data
	d.list = append(d.list, p)
}

// rule is the rule that a plan breaks.
func rule(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, serve.ErrIllegal.Error()+": "); ok {
		return after
	}
	return text
}
