package report

import (
	"cmp"
	"math"
	"strings"
)

// The units that figures of training are written in.
var (
	spans = unit{
		{1e-3, 1e-6, "", " µs"},
		{1, 1e-3, "", " ms"},
		{120, 1, "", " s"},
		{7200, 60, "", " min"},
		{2 * day, 3600, "", " h"},
		{1000 * day, day, "", " days"},
		{most, 365.25 * day, "", " years"},
	}
	gpuHours = unit{{1e6, 1, "", " GPU-hours"}, {most, 1e6, "", " million GPU-hours"}}
	tokens   = unit{{1e6, 1, "", " tokens"}, {1e9, 1e6, "", " million tokens"}, {1e12, 1e9, "", " billion tokens"}, {most, 1e12, "", " trillion tokens"}}
	// tokenRates are those of a cluster.
	tokenRates = unit{{1e6, 1, "", " tokens/s"}, {most, 1e6, "", " million tokens/s"}}
	moved      = unit{{1e6, 1e3, "", " kB"}, {1e9, 1e6, "", " MB"}, {1e12, 1e9, "", " GB"}, {most, 1e12, "", " TB"}}
	ratio      = unit{{most, 1, "", " x"}}
)

const day = 86400.0

// part is a part of a pile of training.
type part struct{ key, sign, name, label string }

// trainingParts are those of the account of memory, in the order of the bar.
var trainingParts = [...]part{
	{"weights", "#", "weights", "weights"},
	{"gradients", "g", "gradients", "gradients"},
	{"optimizer", "o", "optimizer", "optimizer"},
	{"activations", "a", "activations", "activations"},
	{"logits", "l", "logits and loss", "logits"},
	{"other_models", "m", "other models", "other models"},
	{"overhead", "v", "overhead", "overhead"},
}

func (m *TrainingMemory) bytes() [len(trainingParts)]int64 {
	return [...]int64{m.Weights, m.Gradients, m.Optimizer, m.Activations, m.Logits, m.OtherModels, m.Overhead}
}

func trainingPart(key string) part {
	for _, p := range trainingParts {
		if p.key == key {
			return p
		}
	}
	return part{"other", ".", cmp.Or(strings.TrimSpace(key), "other"), ""}
}

// MemoryPile is the account of the device that holds most, against what it has. What the range of the total adds to its
// middle is drawn behind the parts, so that a plan that is tight is seen to be.
func (o *TrainingOutlook) MemoryPile() *Pile {
	m := o.Memory
	if m == nil {
		return nil
	}
	p := &Pile{Title: "Memory per GPU", Heads: [3]string{"part", "memory", "of the card"}, Capacity: float64(max(m.Capacity, 0))}
	sum := 0.0
	for i, n := range m.bytes() {
		if n <= 0 {
			continue
		}
		t := trainingParts[i]
		p.Pieces = append(p.Pieces, Piece{Key: t.key, Sign: t.sign, Name: t.name, Label: t.label, Value: o.amount(t.key, n), More: m.share(float64(n)), Size: float64(n)})
		sum += float64(n)
	}
	if all := m.needs(); all.Known() {
		high := all.ordered().High
		if more := high - sum; more > sum/500 {
			p.Pieces = append(p.Pieces, Piece{Key: "spread", Sign: "~", Name: "or more", Value: "up to " + gibibytes(high) + " GiB in all", More: m.share(high), Size: more})
		}
	}
	p.Below = m.limits()
	if m.Capacity <= 0 {
		return p
	}
	p.End = "card " + GiB(m.Capacity)
	capacity := float64(m.Capacity)
	filled := 0.0
	for i := range p.Pieces {
		filled += p.Pieces[i].Size
	}
	if free := capacity - filled; free > 0 {
		p.Pieces = append(p.Pieces, Piece{Key: "unused", Sign: ".", Name: "unused", Value: gibibytes(free) + " GiB", More: m.share(free), Size: free})
	}
	switch over := sum - capacity; {
	case over > 0:
		p.Missing = gibibytes(over) + " GiB missing"
		p.Pieces = append(p.Pieces, Piece{Key: "missing", Sign: Sign("missing"), Name: "missing", Value: gibibytes(over) + " GiB", More: m.share(over)})
	case filled > capacity:
		p.Pieces = append(p.Pieces, Piece{Key: "missing", Sign: Sign("missing"), Name: "the card ends", Value: GiB(m.Capacity), More: m.share(capacity)})
	}
	return p
}

// amount is a part with the range of its terms.
func (o *TrainingOutlook) amount(key string, n int64) string {
	serving := Outlook{Terms: o.Terms}
	q := MemoryPart{Key: key, Bytes: n}
	q.Range = serving.spread(q)
	return q.Amount()
}

func (m *TrainingMemory) share(n float64) string {
	if n > math.MaxInt64/2 {
		return ""
	}
	return (&DeviceMemory{Capacity: m.Capacity}).Share(int64(n))
}

// needs is what the plan as it is takes.
func (m *TrainingMemory) needs() Range {
	if m.Planned != nil {
		return *m.Planned
	}
	return m.Total
}

// limits says what is needed in all, and what there is.
func (m *TrainingMemory) limits() string {
	need := "in all " + m.needs().String()
	if m.Capacity > 0 {
		need += " of the " + GiB(m.Capacity) + " that a process may take on the card"
	} else {
		need += "; what the card has is not known"
	}
	if m.Planned != nil {
		need += ", and " + m.Total.String() + " with what nobody said chosen otherwise"
	}
	return Sentence(join("; ", need, m.Basis)) + "."
}

// uses are what the time of a device goes to, by how their names begin.
var uses = [...]struct {
	begins string
	part
}{
	{"compute", part{"compute", "*", "computing", "computing"}},
	{"products", part{"compute", "*", "matrix products", "products"}},
	{"matrix", part{"compute", "*", "matrix products", "products"}},
	{"elementwise", part{"elementwise", "e", "norms and the like", "norms"}},
	{"attention", part{"attention", "a", "attention", "attention"}},
	{"head", part{"head", "l", "logits and loss", "logits"}},
	{"logits", part{"head", "l", "logits and loss", "logits"}},
	{"recompute", part{"recompute", "r", "computed again", "recompute"}},
	{"recomputation", part{"recompute", "r", "computed again", "recompute"}},
	{"dequantize", part{"dequantize", "q", "unpacking of weights", "unpack"}},
	{"communication", part{"network", "n", "communication", "network"}},
	{"network", part{"network", "n", "communication", "network"}},
	{"tensor", part{"network", "n", "exchange of tensor ranks", "network"}},
	{"context", part{"network", "n", "exchange of context ranks", "network"}},
	{"expert", part{"network", "n", "exchange of experts", "network"}},
	{"data", part{"network", "n", "gradients and weights of data ranks", "network"}},
	{"pipeline", part{"network", "n", "sends between stages", "network"}},
	{"bubble", part{"bubble", "b", "bubble", "bubble"}},
	{"imbalance", part{"imbalance", "i", "waiting for the busiest", "imbalance"}},
	{"rollouts", part{"rollouts", "w", "writing answers", "rollouts"}},
	{"scoring", part{"scoring", "s", "scoring answers", "scoring"}},
	{"optimizer", part{"update", "u", "optimizer", "optimizer"}},
	{"offload", part{"update", "u", "to and from the host", "offload"}},
	{"idle", part{"overhead", "o", "launches and gaps", "gaps"}},
	{"overhead", part{"overhead", "o", "overhead", "overhead"}},
	{"checkpoints", part{"failures", "x", "checkpoints", "checkpoints"}},
	{"failures", part{"failures", "x", "failures", "failures"}},
	{"unseen", part{"other", ".", "data, evaluation and what else no step shows", "other"}},
}

// useOf finds what time goes to by its name, which is kept where it says more.
func useOf(name string) part {
	name = strings.TrimSpace(spaced(name))
	for _, u := range uses {
		if len(name) < len(u.begins) || !strings.EqualFold(name[:len(u.begins)], u.begins) {
			continue
		}
		p := u.part
		if rest := name[len(u.begins):]; rest != "" && rest != " parallel" && rest != " send" {
			p.name = name
		}
		return p
	}
	return part{"other", ".", cmp.Or(name, "other"), ""}
}

// WherePile is where the time of a device goes over the whole run.
func (o *TrainingOutlook) WherePile() *Pile {
	p := &Pile{Title: "Where the time of a GPU goes", Heads: [3]string{"what", "of its time", "of the run"}}
	total := 0.0
	for _, s := range o.Where {
		if takes(StepPart{Seconds: s.Share}) {
			total += s.Share
		}
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return nil
	}
	for _, s := range o.Where {
		if !takes(StepPart{Seconds: s.Share}) {
			continue
		}
		u := useOf(s.What)
		q := Piece{Key: u.key, Sign: u.sign, Name: u.name, Label: u.label, Value: percentOf(s.Share, total), Size: s.Share / total}
		if h := given(o.GPUHours); h != nil {
			q.More = gpuHours.between(&Range{h.Low * q.Size, h.Mid * q.Size, h.High * q.Size})
		}
		p.Pieces = append(p.Pieces, q)
	}
	return p
}

// timeline is the run from its start to its end, with what happens on the way.
func (t *Training) timeline() Section {
	p := t.TimePile()
	if p == nil {
		return Section{}
	}
	return Section{Title: "The run", Pile: p}
}

// mostNotches is how many failures are drawn one by one.
const mostNotches = 80

// TimePile draws the run: what is sure to be needed, what may be, and the deadline.
func (t *Training) TimePile() *Pile {
	r := t.span()
	if r == nil || !drawn(*r) {
		return nil
	}
	time := r.ordered()
	p := &Pile{Title: "The run from start to end", Heads: [3]string{"stretch", "until", "of the tokens"}}
	p.Pieces = t.stretchesOf(time)
	p.Marks = []Tick{{time.Mid, "expected end " + after(time.Mid)}}
	if f := t.Found; f != nil && f.Deadline > 0 && f.Deadline <= mostDrawn {
		p.Capacity, p.End = f.Deadline, "deadline "+spans.one(f.Deadline)
		if rest := f.Deadline - time.High; rest > 0 {
			p.Pieces = append(p.Pieces, Piece{Key: "unused", Sign: ".", Name: "left before the deadline", Value: spans.one(rest), Size: rest})
		}
	}
	p.rule()
	p.Below = t.lost(p, time)
	return p
}

// after is a place on the time line.
func after(v float64) string { return "after " + spans.one(v) }

// stretchesOf divides the run at the count of tokens that is compute-optimal, and where it may be at its end.
func (t *Training) stretchesOf(time Range) []Piece {
	list := []Piece{{Key: "training", Sign: "=", Name: "training", Label: "training", Value: after(time.Low), More: "", Size: time.Low}}
	if d := t.Data; d != nil && some(d.Optimal) != nil && d.Tokens > d.Optimal.Mid && time.Mid*d.Optimal.Mid/d.Tokens < time.Low {
		at := time.Mid * d.Optimal.Mid / d.Tokens
		list = []Piece{
			{Key: "training", Sign: "=", Name: "until compute-optimal, " + tokens.one(d.Optimal.Mid), Label: "compute-optimal", Value: after(at), More: percentOf(d.Optimal.Mid, d.Tokens), Size: at},
			{Key: "beyond", Sign: "+", Name: "beyond it, to " + tokens.one(d.Tokens), Label: "beyond", Value: after(time.Low) + " at the earliest", More: "100 %", Size: time.Low - at},
		}
	}
	if list[len(list)-1].Value == after(time.Low) && time.High > time.Low {
		list[len(list)-1].Value += " at the earliest"
	}
	if more := time.High - time.Low; more > 0 {
		list = append(list, Piece{Key: "spread", Sign: "~", Name: "or longer", Value: after(time.High) + " at the latest", Size: more})
	}
	return list
}

// rule puts a few round times along the pile.
func (p *Pile) rule() {
	total := p.Total()
	if total < leastDrawn || total > mostDrawn {
		return
	}
	a := axis("", spans, []float64{total / 10, total}, math.Inf(1))
	by := max(1, (len(a.Ticks)+5)/6)
	for i := 0; i < len(a.Ticks); i += by {
		if t := a.Ticks[i]; t.At <= total {
			p.Scale = append(p.Scale, Tick{t.At, t.Label + spans.at(total).after})
		}
	}
}

// lost says what happens on the way, and marks each failure where they are few enough to be seen.
func (t *Training) lost(p *Pile, time Range) string {
	says := "expected end " + after(time.Mid)
	f := t.Failing
	if f == nil || !f.Expected.Known() {
		return Sentence(says) + "."
	}
	n := f.Expected.ordered().Mid
	if !f.rare() {
		says += "; on the way " + named("failures").between(&f.Expected)
		if m := some(f.MTBF); m != nil {
			says += ", one every " + spans.one(m.Mid)
		}
	}
	if every := t.interval(); every != "" {
		says += "; a checkpoint every " + every
	}
	if n >= 1 && n <= mostNotches {
		for i := range int(n) {
			p.Notches = append(p.Notches, (float64(i)+.5)/n*time.Mid)
		}
	}
	return Sentence(says) + "."
}

// choice is a plan that others are held against.
type choice struct {
	number, name string
	outlook      *TrainingOutlook
}

// timeAgainstCost draws plans by how long they take and by what they cost; nil where fewer than two have both.
func timeAgainstCost(list []choice, deadline float64) *Chart {
	c := Chart{Title: "Cost against time", Loose: true}
	var words []string
	for _, p := range list {
		o := p.outlook
		if o == nil || o.impossible() || o.Time == nil || o.USD == nil || !drawn(*o.Time) || !drawn(*o.USD) {
			continue
		}
		c.Points = append(c.Points, Point{X: o.Time.ordered(), Y: o.USD.ordered(), Label: p.number + " · " + p.name})
		words = append(words, join(", ", p.number+": "+p.name, spans.between(o.Time), dollars.between(o.USD)))
	}
	if len(c.Points) < 2 {
		return nil
	}
	if len(c.Points) > mostNamed {
		for i := range c.Points {
			c.Points[i].Label, _, _ = strings.Cut(c.Points[i].Label, " ")
		}
	}
	if drawn(exactly(deadline)) {
		c.Limits = append(c.Limits, Limit{deadline, "x", "deadline " + spans.one(deadline)})
	}
	c.X, c.Y = axis("time", spans, c.along("x"), decades), axis("USD of the run", dollars, c.along("y"), decades)
	c.Desc = strings.Join(words, "; ")
	return &c
}
