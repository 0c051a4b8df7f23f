package catalog

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/hardware"
	cards "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/train"
)

// Question is a job and a plan that somebody wants measurements near to. Both are complete.
type Question struct {
	Job  *train.Job
	Plan *train.Plan
	Kind Kind // what is to be compared; "" is any
}

// Near is a measurement with how far it is from a question, and in what.
type Near struct {
	Measurement Measurement
	Card        string // its name, as people say it
	Distance    float64
	Differs     []string // "card H200 instead of H100"; none for the same setting
}

// Sentence says in what the measurement differs from the question.
func (n *Near) Sentence() string {
	if len(n.Differs) == 0 {
		return "the same in all that both say"
	}
	return "differs in: " + strings.Join(n.Differs, ", ")
}

// What says in a line what was measured on: "llama-3-70b, pretrain in fp8 on 256 x H100 SXM, torchtitan (FSDP32 TP8)".
func (n *Near) What() string {
	m := &n.Measurement
	what := m.Model + ", " + m.Method
	if m.Precision != "" {
		what += " in " + m.Precision
	}
	what += " on "
	if m.GPUs > 1 {
		what += strconv.Itoa(m.GPUs) + " x "
	}
	what += n.Card
	if m.Framework != "" {
		what += ", " + m.Framework
	}
	if m.Division != "" && m.Division != "single" {
		what += " (" + m.Division + ")"
	}
	return what
}

// Close is the greatest distance that Nearest returns. A distance is about the natural logarithm of the factor by which
// what differs may change the figure, so that 1.8 is a factor of six.
const Close = 1.8

// What differs costs, in the unit of Close.
const (
	otherKind       = 1.0 // a mixture of experts instead of a dense model
	otherModel      = 0.15
	likeModel       = 0.03 // of the same size to two hundredths
	sizeWeight      = 0.25
	activeWeight    = 0.2
	otherCard       = 0.25 // of the same generation
	otherArch       = 0.5
	otherVendor     = 1.0
	peakWeight      = 0.3
	otherFramework  = 0.35
	unsaidFramework = 0.2
	otherFormat     = 0.4
	otherMethod     = 0.8 // adapters instead of all weights
	likeMethod      = 0.1 // fine-tuning instead of pre-training
	gpusWeight      = 0.08
	sequenceWeight  = 0.15
	microWeight     = 0.1
	otherRecompute  = 0.2
	otherDivision   = 0.15
	unsaid          = 0.05
)

// Nearest finds at most n measurements close to a question, the closest first, or why there is none. Runs of models that
// were not plainly trained are never among them, nor rules of thumb.
func Nearest(q *Question, n int) (near []Near, why string, err error) {
	all, err := All()
	if err != nil {
		return nil, "", err
	}
	f := newFinder(q)
	hits := make([]hit, 0, len(all))
	for i := range all {
		if f.answers(&all[i]) {
			hits = append(hits, hit{&all[i], f.distance(&all[i])})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.m.ID, b.m.ID))
	})
	switch {
	case len(hits) == 0:
		return nil, "nobody published a measurement of this kind", nil
	case hits[0].distance > Close:
		return nil, "the nearest measurement is too far: " + strings.Join(f.differs(hits[0].m), ", "), nil
	}
	for _, h := range hits[:min(max(0, n), len(hits))] {
		if h.distance <= Close {
			near = append(near, Near{Measurement: *h.m, Card: f.card(h.m.GPU).name, Distance: h.distance, Differs: f.differs(h.m)})
		}
	}
	return near, "", nil
}

type hit struct {
	m        *Measurement
	distance float64
}

// finder holds what is looked up once.
type finder struct {
	q             *Question
	total, active float64
	cards         map[string]cardDistance
}

type cardDistance struct {
	name     string
	distance float64
}

func newFinder(q *Question) *finder {
	f := &finder{q: q, cards: make(map[string]cardDistance)}
	if q.Job.Shape != nil {
		p := q.Job.Shape.Params()
		f.total, f.active = float64(p.Total), float64(p.Active)
	}
	return f
}

// answers reports whether a measurement is of what is asked, and comparable.
func (f *finder) answers(m *Measurement) bool {
	kind := m.Metric.Kind()
	if f.q.Kind != "" && kind != f.q.Kind || kind == Runs && f.q.Job.Tokens == 0 {
		return false
	}
	_, ok := m.Comparable(false)
	return ok
}

func (f *finder) distance(m *Measurement) float64 {
	j, p := f.q.Job, f.q.Plan
	return f.model(m) + f.card(m.GPU).distance + f.method(m) + framework(j, m) + format(j, m) +
		gpusWeight*apart(float64(p.GPUs), float64(m.GPUs)) + sequenceWeight*apart(float64(j.Sequence), float64(m.Seq)) +
		microWeight*apart(float64(p.Micro), float64(m.Micro)) + recompute(j, m) + f.division(m)
}

// apart is the logarithm of how far two numbers are apart; a little where one of them is not said.
func apart(a, b float64) float64 {
	if a <= 0 || b <= 0 {
		return 1
	}
	return math.Abs(math.Log(a / b))
}

func (f *finder) model(m *Measurement) float64 {
	if f.sameModel(m) {
		return 0
	}
	if f.total <= 0 {
		return Close
	}
	size := apart(f.total, m.Params)
	d := sizeWeight*size + activeWeight*apart(f.active/f.total, m.Active/m.Params)
	switch {
	case f.sparse() != (m.Active < 0.9*m.Params):
		return otherKind + d
	case size < 0.02:
		return likeModel + d
	}
	return otherModel + d
}

// sparse reports a mixture of experts. The embedding is no part of what a token passes.
func (f *finder) sparse() bool {
	b := f.q.Job.Shape.Blocks
	return len(b) > 0 && b[len(b)-1].MLP.Experts > 0
}

func (f *finder) sameModel(m *Measurement) bool {
	name := f.q.Job.Name
	return name != "" && (strings.EqualFold(name, m.Known) || strings.EqualFold(name, m.Model))
}

func (f *finder) card(id string) cardDistance {
	d, ok := f.cards[id]
	if !ok {
		d = cardApart(id, f.q.Plan.GPU)
		f.cards[id] = d
	}
	return d
}

func cardApart(id string, asked *hardware.Accelerator) cardDistance {
	if asked != nil && asked.ID == id {
		return cardDistance{asked.Name, 0}
	}
	c := measuredOn()[id]
	switch {
	case c == nil || asked == nil:
		return cardDistance{id, Close}
	case asked.Vendor != c.Vendor:
		return cardDistance{c.Name, otherVendor + peaks(asked, c)}
	case asked.Arch != c.Arch:
		return cardDistance{c.Name, otherArch + peaks(asked, c)}
	}
	return cardDistance{c.Name, otherCard + peaks(asked, c)}
}

// measuredOn are the cards of the measurements that the catalog of cards has, read once.
var measuredOn = sync.OnceValue(func() map[string]*hardware.Accelerator {
	list, _ := decoded() // whoever asks for cards has asked for measurements
	known, out := cards.Default(), make(map[string]*hardware.Accelerator, 16)
	for i := range list {
		id := list[i].GPU
		if _, ok := out[id]; ok || id == "" {
			continue
		}
		if c, err := known.Get(id); err == nil {
			out[id] = c
		}
	}
	return out
})

func peaks(a, b *hardware.Accelerator) float64 {
	return peakWeight * (apart(a.DenseTFLOPS["bf16"], b.DenseTFLOPS["bf16"]) + apart(a.BandwidthGBs, b.BandwidthGBs))
}

func (f *finder) method(m *Measurement) float64 {
	method, err := m.method()
	switch {
	case err != nil:
		return otherMethod
	case method == f.q.Job.Method:
		return 0
	case whole(method) && whole(f.q.Job.Method):
		return likeMethod
	}
	return otherMethod
}

func whole(m train.Method) bool { return m == train.Pretrain || m == train.Full }

func framework(j *train.Job, m *Measurement) float64 {
	switch m.told() {
	case j.Framework:
		return 0
	case "":
		return unsaidFramework
	}
	return otherFramework
}

// told is the framework in all words that the document has for it.
func (m *Measurement) told() train.Framework {
	return cmp.Or(m.framework(), kin(strings.ToLower(m.Framework)))
}

func format(j *train.Job, m *Measurement) float64 {
	switch p := m.precision(); {
	case p == "":
		return unsaid
	case wide(p) && wide(j.Precision) || p == j.Precision:
		return 0
	}
	return otherFormat
}

func wide(p train.Precision) bool { return p == train.BF16 || p == train.FP16 }

func recompute(j *train.Job, m *Measurement) float64 {
	switch {
	case m.Recompute == "" || j.Recompute == "":
		return unsaid
	case m.Recompute != string(j.Recompute):
		return otherRecompute
	}
	return 0
}

func (f *finder) division(m *Measurement) float64 {
	if m.GPUs == f.q.Plan.GPUs && m.GPUs > 1 && f.dividedOtherwise(m) {
		return otherDivision
	}
	return 0
}

// dividedOtherwise reports that the document says how devices are divided, and not as the plan has it.
func (f *finder) dividedOtherwise(m *Measurement) bool {
	p := f.q.Plan
	for kind, n := range map[string]int{"TP": p.Tensor, "PP": p.Pipeline, "CP": p.Context, "EP": p.Expert} {
		if said := m.degree(kind); said > 0 && said != max(1, n) {
			return true
		}
	}
	return false
}

// differs says in words everything that has a distance.
func (f *finder) differs(m *Measurement) []string {
	j, p := f.q.Job, f.q.Plan
	var out []string
	instead := func(differs bool, format string, measured, asked any) {
		if differs && fmt.Sprint(measured) != "" && fmt.Sprint(asked) != "" {
			out = append(out, fmt.Sprintf(format, measured, asked))
		}
	}
	instead(!f.sameModel(m), "model %s instead of %s", m.Model, cmp.Or(j.Name, "one of its own"))
	if p.GPU != nil {
		instead(m.GPU != p.GPU.ID, "card %s instead of %s", f.card(m.GPU).name, p.GPU.Name)
	}
	method, _ := m.method()
	instead(method != j.Method, "%s instead of %s", method, j.Method)
	instead(framework(j, m) > 0, "%s instead of %s", cmp.Or(string(m.told()), m.Framework), j.Framework)
	instead(format(j, m) > unsaid, "%s instead of %s", m.precision(), j.Precision)
	for _, n := range []struct {
		measured, asked int64
		what            string
	}{{int64(m.GPUs), int64(p.GPUs), "GPUs"}, {m.Seq, j.Sequence, "tokens of a sequence"}, {m.Micro, p.Micro, "sequences of a pass"}} {
		if n.measured > 0 && n.asked > 0 && n.measured != n.asked {
			out = append(out, fmt.Sprintf("%d instead of %d %s", n.measured, n.asked, n.what))
		}
	}
	instead(recompute(j, m) > unsaid, "recomputation %s instead of %s", m.Recompute, j.Recompute)
	instead(f.division(m) > 0, "%s instead of %s", m.Division, divided(p))
	return out
}

func divided(p *train.Plan) string {
	var parts []string
	for _, d := range []struct {
		name string
		n    int
	}{{"TP", p.Tensor}, {"PP", p.Pipeline}, {"CP", p.Context}, {"EP", p.Expert}, {"DP", p.Data}} {
		if d.n > 1 {
			parts = append(parts, fmt.Sprint(d.name, d.n))
		}
	}
	if len(parts) == 0 {
		return "undivided"
	}
	return strings.Join(parts, " ")
}
