package serve

import (
	"cmp"
	"slices"
	"strings"
)

// mostDivisions bounds how many divisions are looked at.
const mostDivisions = 512

// Divisions are the legal ways in which the devices of a plan can share the work, those first that are tried first by
// whoever has to choose: few stages, then few replicas, then no experts shared out. What the plan says already is kept.
// Tensor parallelism stays where devices are joined by a fast link. None means that no engine starts the plan; Arrange
// says why.
func (m *Prepared) Divisions(p Plan) []Plan {
	if p.GPUs = p.Devices(); p.GPUs < 1 || p.GPUs > maxRanks {
		return nil
	}
	p.Chosen = p.Chosen || p.open()
	if p.Engine.Kind == LlamaCPP {
		return m.divisionsLlama(p)
	}
	var list []Plan
	looked := 0
	for _, q := range p.products() {
		for _, expert := range m.expertDegrees(q) {
			if q.Expert = expert; looked >= mostDivisions {
				return list
			}
			looked++
			if m.possible(q) == nil {
				list = append(list, q)
			}
		}
	}
	return list
}

// divisionsLlama are layers dealt out, and rows parted.
func (m *Prepared) divisionsLlama(p Plan) []Plan {
	var list []Plan
	try := func(q Plan) {
		q, err := arrangeLlama(q)
		if err != nil || q.GPUs > llamaMaxDevices || slices.ContainsFunc(list, q.sameDivision) {
			return
		}
		list = append(list, q)
	}
	try(p)
	if !p.divided() && p.GPUs <= llamaMaxDevices {
		p.Tensor = p.GPUs
		try(p)
	}
	return list
}

// products are the divisions into tensor ranks, stages and replicas that multiply to the devices of a plan.
func (p Plan) products() []Plan {
	var list []Plan
	for _, tensor := range divisors(p.GPUs) {
		if p.Tensor > 0 && tensor != p.Tensor || p.Tensor == 0 && tensor > p.joined() {
			continue
		}
		for _, pipeline := range divisors(p.GPUs / tensor) {
			q := p
			q.Tensor, q.Pipeline, q.Data = tensor, pipeline, p.GPUs/tensor/pipeline
			if p.Pipeline > 0 && q.Pipeline != p.Pipeline || p.Data > 0 && q.Data != p.Data {
				continue
			}
			list = append(list, q)
		}
	}
	slices.SortStableFunc(list, func(a, b Plan) int {
		return cmp.Or(cmp.Compare(a.Pipeline, b.Pipeline), cmp.Compare(a.Data, b.Data))
	})
	return list
}

// expertDegrees are the ways in which a division can share experts out: not at all, among the ranks of a replica, among
// all of a stage.
func (m *Prepared) expertDegrees(p Plan) []int {
	if p.Expert > 0 {
		return []int{p.Expert}
	}
	if !m.experts {
		return []int{1}
	}
	list := []int{1, p.Tensor, p.Tensor * p.Data}
	slices.Sort(list)
	return slices.Compact(list)
}

// joined is how many devices a fast link joins: those of a machine, or of a rack where it spans that.
func (p Plan) joined() int {
	if strings.HasPrefix(p.GPU.Arch, "blackwell") && p.node() == 4 && strings.HasPrefix(p.GPU.Link, "nvlink") {
		return rack
	}
	return max(p.node(), 1)
}

// rack is how many devices of GB200 NVL72 and its successors one link joins, in machines of four.
const rack = 72

// divisors of a number, the smallest first.
func divisors(n int) []int {
	var small, large []int
	for d := 1; d <= n/d; d++ {
		if n%d != 0 {
			continue
		}
		small = append(small, d)
		if d != n/d {
			large = append(large, n/d)
		}
	}
	slices.Reverse(large)
	return append(small, large...)
}
