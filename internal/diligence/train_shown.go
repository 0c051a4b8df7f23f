package diligence

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
)

// fill writes memory and time of a plan into its outlook.
func (t *training) fill(o *trainingOutlook) {
	o.Plan = shownTraining(&o.job, &o.plan)
	m := o.memory
	o.Verdict, o.Fits, o.Breaks = string(m.Verdict), m.Verdict == train.Fits && m.Capacity > 0, m.Breaks
	o.Memory = shownHeld(m)
	o.Why = why(m)
	if m.Capacity <= 0 {
		o.Verdict, o.Fits = undetermined, false
	}
	for _, term := range m.Terms {
		o.Terms = append(o.Terms, report.Term{Part: string(term.Part), Name: term.Name, Bytes: report.Range(term.Bytes), Formula: term.Formula, Source: term.Source})
	}
	if o.figures != nil {
		o.time()
	}
	if !t.q.Explain {
		o.brief()
	}
}

// brief leaves out what only a reader of formulas wants.
func (o *trainingOutlook) brief() {
	for i := range o.Terms {
		o.Terms[i].Formula, o.Terms[i].Source = "", ""
	}
	for i := range o.Parts {
		o.Parts[i].Formula, o.Parts[i].Source = "", ""
	}
}

// why says in words how the account stands to the capacity.
func why(m *train.Memory) string {
	const gib = 1 << 30
	switch {
	case m.Capacity <= 0:
		return "nothing is known of the memory of the card, so it is not known whether it fits"
	case m.Verdict == train.Fits:
		return fmt.Sprintf("at most %.1f GiB of %.1f GiB are taken", m.Planned.High/gib, float64(m.Capacity)/gib)
	case m.Verdict == train.Tight:
		return fmt.Sprintf("%.1f to %.1f GiB may be taken, and %.1f GiB are there: some of such runs end for want of memory",
			m.Planned.Low/gib, m.Planned.High/gib, float64(m.Capacity)/gib)
	}
	return fmt.Sprintf("at least %.1f GiB are needed, and %.1f GiB are there; most is taken by %s", m.Planned.Low/gib, float64(m.Capacity)/gib, m.Breaks)
}

func shownHeld(m *train.Memory) *report.TrainingMemory {
	out := &report.TrainingMemory{Capacity: m.Capacity, Total: report.Range(m.Total), Rank: m.Rank, Basis: m.Basis}
	if m.Planned != m.Total {
		out.Planned = trainRange(m.Planned)
	}
	for part, into := range map[train.Part]*int64{
		train.Weights: &out.Weights, train.Gradients: &out.Gradients, train.States: &out.Optimizer, train.Activations: &out.Activations,
		train.Logits: &out.Logits, train.OtherModels: &out.OtherModels, train.Overhead: &out.Overhead,
	} {
		*into = bytesOf(m.Terms, part)
	}
	if m.Host.High > 0 {
		out.Host = new(report.Range(m.Host))
	}
	return out
}

func bytesOf(terms []train.Term, part train.Part) int64 {
	sum := 0.0
	for _, t := range terms {
		if t.Part == part {
			sum += t.Bytes.Mid
		}
	}
	return int64(math.Round(min(max(sum, 0), math.MaxInt64/2)))
}

func shownTraining(j *train.Job, p *train.Plan) *report.TrainingPlan {
	out := &report.TrainingPlan{
		GPU: p.GPU.ID, GPUName: p.GPU.Name, GPUs: p.GPUs, Nodes: 1, Tensor: p.Tensor, Pipeline: p.Pipeline, Context: p.Context, Expert: p.Expert,
		Data: p.Data, Zero: max(0, p.Zero), Micro: p.Micro, Micros: p.Micros(j),
	}
	if p.Pipeline > 1 {
		out.Virtual, out.Schedule = p.Virtual, string(p.Schedule)
	}
	if p.Shard > 0 && p.Shard < p.Data {
		out.Shard = p.Shard
	}
	if f := p.Fabric; f != nil {
		out.Nodes = (p.GPUs + max(1, f.Node) - 1) / max(1, f.Node)
		out.Fabric = report.Fabric{
			ID: f.ID, Name: f.Name, Node: f.Node, Domain: f.Domain, Link: f.Link, LinkBytes: f.DomainB, Net: f.Kind, NetGbit: f.Net * 8 / 1e9,
			Source: f.Source,
		}
	}
	return out
}

// time writes what a step and the run consist of.
func (o *trainingOutlook) time() {
	f := o.figures
	o.PerToken, o.Counted, o.Peak, o.PeakOf = &f.PerToken, f.Counted, &f.Peak, f.PeakOf
	o.MFU, o.HFU, o.TFLOPS = trainRange(f.MFU), trainRange(f.HFU), trainRange(f.Achieved.Times(1e-12))
	o.TokensPerS, o.StepSeconds = trainRange(f.TokensPerS), trainRange(f.StepSeconds)
	o.BubbleShare, o.IdleShare, o.BoundBy, o.Basis = &f.BubbleShare, &f.IdleShare, f.Bound, f.Basis
	for _, p := range f.Parts {
		o.Parts = append(o.Parts, report.StepPart{Cause: string(p.Cause), Seconds: p.Seconds, Formula: p.Formula, Source: p.Source})
	}
	for _, one := range f.Traffic {
		o.Traffic = append(o.Traffic, report.LinkTraffic(one))
	}
	o.Where = spent(f)
	step := f.PerToken * float64(o.job.Global) * float64(o.job.Sequence)
	o.FLOPs = &step
	r := f.Run
	if r == nil {
		return
	}
	o.FLOPs, o.Steps = &r.FLOPs, &r.Steps
	o.Time, o.GPUHours, o.Goodput = trainRange(r.Seconds), trainRange(r.GPUHours), trainRange(r.Goodput)
	o.Failing = &report.Failures{
		MTBF: report.Range(r.MTBF), Expected: report.Range(r.Failures), Checkpoint: r.Checkpoint, Save: r.Save, Restart: r.Restart, Source: r.Source,
	}
}

func trainRange(r train.Range) *report.Range { return new(report.Range(r)) }

// spent says where the time of a device goes over the whole run, each cause by its name, in the order of a step.
func spent(f *train.Figures) []report.TimeShare {
	sum := 0.0
	var order []train.Cause
	at := map[train.Cause]float64{}
	for _, p := range f.Parts {
		if _, ok := at[p.Cause]; !ok {
			order = append(order, p.Cause)
		}
		sum += p.Seconds
		at[p.Cause] += p.Seconds
	}
	if !(sum > 0) {
		return nil
	}
	good, lost := 1.0, []report.TimeShare(nil)
	if f.Run != nil {
		good, lost = f.Run.Goodput.Mid, lostTime(f.Run)
	}
	var out []report.TimeShare
	for _, cause := range order {
		if at[cause] > 0 {
			out = append(out, report.TimeShare{What: string(cause), Share: good * at[cause] / sum})
		}
	}
	return append(out, lost...)
}

// lostTime divides the time that is not work which is kept: what checkpoints take, what failures undo, and what no step of
// a run shows.
func lostTime(r *train.Run) []report.TimeShare {
	good := r.Goodput.Mid
	share := func(per, of float64) float64 {
		if !(of > 0) || !(per > 0) {
			return 0
		}
		return min(max(0, 1-good), good*per/of)
	}
	saving := share(r.Save, r.Checkpoint)
	failing := min(max(0, 1-good-saving), share(r.Checkpoint/2+r.Restart, r.MTBF.Mid))
	var out []report.TimeShare
	for _, s := range []report.TimeShare{{What: "checkpoints", Share: saving}, {What: "failures", Share: failing}, {What: "unseen", Share: 1 - good - saving - failing}} {
		if s.Share > 1e-9 {
			out = append(out, s)
		}
	}
	return out
}

// shown is the answer with the first outlook as the one that is meant.
func (t *training) shown(o *trainingOutlook) *report.Training {
	j := &o.job
	out := &report.Training{
		Method: string(j.Method), TrainingOutlook: o.TrainingOutlook, Candidates: []report.TrainingOutlook{}, Model: t.model(o),
		Job: report.TrainingJob{
			Framework: string(j.Framework), Precision: string(j.Precision), Optimizer: string(j.Optimizer), Recompute: string(j.Recompute),
			Loss: string(j.Loss), Sequence: j.Sequence, Global: j.Global, Tokens: j.Tokens, Rank: j.Rank,
		},
		Defined: trainingWords(),
	}
	if j.Method == train.QLoRA {
		out.Job.Quantized = j.Quantized
	}
	if j.Offload != train.NoOffload {
		out.Job.Offload = string(j.Offload)
	}
	t.mend(o, out)
	t.data(o, out)
	t.outside(o, out)
	t.near(o, out)
	out.Assumed = t.allAssumed(o)
	return out
}

func (t *training) model(o *trainingOutlook) report.TrainingModel {
	shape := o.job.Shape
	params := shape.Params()
	out := report.TrainingModel{
		Architecture: shape.Architecture, Family: shape.Family, Total: params.Total, Active: params.Active, Trained: o.job.TrainedParams(),
		Layers: int64(len(shape.Blocks)), Hidden: shape.Hidden.N, Vocabulary: shape.Vocab.N, Derived: t.derived, Source: t.s.origin,
	}
	return out
}

func (t *training) allAssumed(o *trainingOutlook) []report.Assumption {
	all := slices.Concat(t.s.assumed, t.assumed)
	for _, s := range o.assumed {
		all = append(all, report.Assumption{What: s.Name, Value: s.Value, Why: s.Why})
	}
	if f := o.plan.Fabric; f != nil && f.Why != "" && t.q.Fabric == "" {
		all = append(all, report.Assumption{What: "fabric", Value: cmp.Or(f.ID, f.Name), Why: f.Why})
	}
	for _, a := range o.job.Shape.Assumed {
		all = append(all, report.Assumption{What: a.Key, Value: a.Value, Why: a.Why})
	}
	return once(all)
}

// mend adds the smallest changes that make the plan fit.
func (t *training) mend(o *trainingOutlook, out *report.Training) {
	if o.memory.Capacity <= 0 || o.memory.Verdict == train.Fits {
		return
	}
	changes, err := train.Mends(t.cons, o.job, o.plan, t.others(o.plan.GPU)...)
	if err != nil {
		t.notes = append(t.notes, "no changes could be looked for: "+err.Error())
		return
	}
	for _, c := range changes {
		out.Changes = append(out.Changes, report.Mend{Text: c.Text, Flag: c.Flag})
	}
	if len(out.Changes) == 0 {
		out.Why += "; no one change of recomputation, batch, sharding, optimizer, loss or number of cards mends that"
	}
}

// others are cards that may take the place of one: those of its maker that training is mostly done on.
func (t *training) others(card *hardware.Accelerator) []*hardware.Accelerator {
	var out []*hardware.Accelerator
	for _, name := range generations() {
		if m, err := t.Cards.Resolve(name); err == nil && m.GPU.Vendor == card.Vendor && m.GPU.ID != card.ID {
			out = append(out, m.GPU)
		}
	}
	return out
}

// outside says that figures published of such a run are not what is computed here.
func (t *training) outside(o *trainingOutlook, out *report.Training) {
	if o.figures != nil && o.figures.Run != nil && o.figures.Run.Outside != "" {
		out.Outside = o.figures.Run.Outside
		return
	}
	if why, source, ok := models.Made(t.s.ref.Name); ok && o.job.Method == train.Pretrain {
		out.Outside = fmt.Sprintf("%s (%s): figures published of how it was made are not those of pre-training it from nothing, which is what is computed here", why, source)
	}
}

// compare shows the same work on other cards.
func (t *training) compare(o *trainingOutlook, out *report.Training) error {
	if len(t.q.Compare) == 0 {
		return nil
	}
	names := t.q.Compare
	if slices.Equal(names, []string{"all"}) {
		names = generations()
	}
	cards, err := t.cards(names)
	if err != nil {
		return err
	}
	for _, card := range cards {
		if card.ID == o.plan.GPU.ID {
			continue
		}
		p := t.q.Plan
		p.GPU, p.GPUs = card, o.plan.GPUs
		g := report.Generation{GPU: card.ID}
		if err := t.wire(&p); err != nil {
			return err
		}
		other, err := t.planned(p)
		switch {
		case errors.Is(err, train.ErrIllegal):
			g.Why = strings.TrimPrefix(err.Error(), train.ErrIllegal.Error()+": ")
		case err != nil:
			return err
		default:
			g.Outlook = &other.TrainingOutlook
			if other.Verdict != string(train.DoesNot) && o.Verdict != string(train.DoesNot) { // what cannot run is no measure
				against(&g, &other.TrainingOutlook, &o.TrainingOutlook)
			}
		}
		out.Generations = append(out.Generations, g)
	}
	return nil
}

// generations are the cards that training is mostly compared on, oldest first.
func generations() []string {
	return []string{"a100-80-sxm", "h100-sxm", "h200-sxm", "b200-sxm", "gb200", "mi300x"}
}

// against fills in how much of what the answer takes another card takes. What is doubtful of both in the same way, such as
// what no step shows and the price of electricity, falls away: the doubt is that of steps, watts and prices.
func against(g *report.Generation, a, b *report.TrainingOutlook) {
	steps := [2]*report.Range{a.StepSeconds, b.StepSeconds}
	g.Time, g.Hours = ratio(a.Time, b.Time, steps), ratio(a.GPUHours, b.GPUHours, steps)
	if a.Energy != nil && b.Energy != nil {
		g.Energy = ratio(a.Wh, b.Wh, steps, [2]*report.Range{a.Energy.Watts, b.Energy.Watts})
	}
	if a.Cost != nil && b.Cost != nil {
		g.USD = ratio(a.USD, b.USD, steps, [2]*report.Range{a.Cost.PerHour, b.Cost.PerHour})
	}
}

// ratio is how much of b is a, as far as what is doubtful leaves open: of each pair the doubt of the one that is less certain.
func ratio(a, b *report.Range, doubts ...[2]*report.Range) *report.Range {
	if a == nil || b == nil || !(a.Mid > 0) || !(b.Mid > 0) {
		return nil
	}
	r := report.Range{Low: a.Mid / b.Mid, Mid: a.Mid / b.Mid, High: a.Mid / b.Mid}
	for _, d := range doubts {
		x, y := d[0], d[1]
		if x == nil || y == nil || !(x.Low > 0) || !(y.Low > 0) {
			return nil
		}
		r.Low *= min(x.Low/x.Mid, y.Mid/y.High)
		r.High *= max(x.High/x.Mid, y.Mid/y.Low)
	}
	return &r
}

func trainingWords() []report.Definition {
	return []report.Definition{
		{Term: "MFU", Means: "model FLOPs that are done in a second over the dense peak of the card in the format of the products, without 2:4 sparsity; what is computed again does not count"},
		{Term: "HFU", Means: "the same with what is computed again"},
		{Term: "goodput", Means: "share of the time of the run that is work which is kept: without checkpoints, restarts and steps that failures undo"},
		{Term: "bubble", Means: "share of a step in which stages of a pipeline wait for others"},
		{Term: "GPU-hours", Means: "hours of the run times devices, failures included"},
	}
}
