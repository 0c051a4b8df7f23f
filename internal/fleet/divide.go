package fleet

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// mostMachines is how many machines are tried at most for one replica.
const mostMachines = 8

// degrees are how the devices of one replica share the work.
type degrees struct{ gpus, tensor, pipeline, expert, data int }

// ways are the divisions that are tried of each model, engine and kind of machine. Which are legal hangs on nothing else of
// a card but its kernels, which serve asks for with each plan, so they are listed once for all cards.
type ways map[way]*divisions

type divisions struct {
	list  []degrees
	bytes int64 // of the weights
}

type way struct {
	model  *serve.Prepared
	engine *serve.Engine
	node   int
	joined bool // the link spans more than a machine
	said   degrees
}

// learn lists the divisions for the candidates of a question.
func learn(candidates []Candidate) ways {
	w := make(ways)
	var workers sync.WaitGroup
	for i := range candidates {
		p := candidates[i].Plan
		for _, f := range candidates[i].Formats {
			k := wayOf(f.Model, &p)
			if w[k] != nil {
				continue
			}
			d := new(divisions)
			w[k] = d
			workers.Go(func() { *d = divisions{list(f.Model, p, k.node), f.Model.Model().Bytes()} })
		}
	}
	workers.Wait()
	return w
}

func wayOf(m *serve.Prepared, p *serve.Plan) way {
	return way{
		model: m, engine: p.Engine, node: max(1, p.GPU.MaxPerNode),
		joined: strings.HasPrefix(p.GPU.Arch, "blackwell") && strings.HasPrefix(p.GPU.Link, "nvlink"),
		said:   degrees{p.GPUs, p.Tensor, p.Pipeline, p.Expert, p.Data},
	}
}

// list is the divisions of a plan on a card of which only the machine is looked at, those with few devices first.
func list(m *serve.Prepared, p serve.Plan, node int) []degrees {
	p.GPU = &hardware.Accelerator{
		ID: p.GPU.ID, Name: p.GPU.Name, Arch: p.GPU.Arch, Link: p.GPU.Link, MaxPerNode: p.GPU.MaxPerNode, VisibleMiB: paperMiB,
	}
	asked := p.GPUs
	var all []degrees
	for _, n := range counts(&p, node) {
		if asked > 0 && n != asked {
			continue
		}
		p.GPUs = n
		for _, q := range m.Divisions(p) {
			if d := (degrees{q.GPUs, q.Tensor, q.Pipeline, q.Expert, q.Data}); d.worth(&p, node) {
				all = append(all, d)
			}
		}
	}
	return all
}

// paperMiB is more than any device has.
const paperMiB = 1 << 30

// counts are the numbers of devices that are tried: the product of what was said, powers of two and three times those
// within a machine, all of a machine, and whole machines.
func counts(p *serve.Plan, node int) []int {
	list := []int{p.Devices(), node}
	for n := 1; n <= node; n *= 2 {
		list = append(list, n)
		if 3*n <= node {
			list = append(list, 3*n)
		}
	}
	for machines := 2; machines <= mostMachines && node > 1 && p.Engine.Kind != serve.LlamaCPP; machines *= 2 {
		list = append(list, machines*node)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// worth leaves out what other plans are as good as: replicas of attention that do not share experts, which are replicas
// of the whole with less freedom, and more stages than machines where there are several. What was said stays.
func (d degrees) worth(said *serve.Plan, node int) bool {
	machines := (d.gpus + node - 1) / node
	switch {
	case d.data > 1 && said.Data == 0 && (d.expert != d.tensor*d.data || d.pipeline > 1):
		return false
	case machines > 1 && said.Pipeline == 0 && d.pipeline > machines:
		return false
	}
	return true
}

// divide lists the divisions of a plan.
func (s *search) divide(m *serve.Prepared, p serve.Plan) ([]serve.Plan, error) {
	ways := s.ways[wayOf(m, &p)]
	if len(ways.list) == 0 {
		if _, err := m.Arrange(p); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: no division of up to %d machines has the degrees asked for", serve.ErrIllegal, mostMachines)
	}
	machine := max(1, p.GPU.MaxPerNode)
	roomy := p.Open() && 2*ways.bytes < int64(machine)*p.GPU.Usable()
	plans := make([]serve.Plan, 0, len(ways.list))
	for _, d := range ways.list {
		if roomy && d.gpus > machine { // as many machines, each with a replica, do as well
			continue
		}
		q := p
		q.GPUs, q.Tensor, q.Pipeline, q.Expert, q.Data = d.gpus, d.tensor, d.pipeline, d.expert, d.data
		plans = append(plans, q)
	}
	return plans, nil
}

// rule is the rule that a plan breaks.
func rule(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, serve.ErrIllegal.Error()+": "); ok {
		return after
	}
	return text
}
