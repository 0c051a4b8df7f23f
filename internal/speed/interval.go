package speed

import (
	"fmt"
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/tune"
)

// The families of figures that have ranges of their own. Others are functions of these: the time between tokens of one
// request alone is the inverse of decoding, and what is answered at a load follows from both latencies.
const (
	decoding   = "decode"     // tokens a second of one request alone
	prompting  = "prefill"    // of its prompt
	crowd      = "max_output" // of all answers under unlimited load
	firstToken = "ttft"
	between    = "tpot" // of many requests
)

// Families are those that have ranges of their own.
func Families() []string { return []string{decoding, prompting, crowd, firstToken, between} }

// Width is how far measurements of a family lie from what is computed.
type Width = tune.Width

// Strength is a case and how much of it there is.
type Strength = tune.Strength

// The cases that make a figure less certain.
const (
	unseen  = "unseen"  // no figure of the family was measured with this engine on this generation of devices
	newCard = "card"    // none on this card
	newSize = "size"    // none of a model of this size
	experts = "experts" // tokens pick experts
	chosen  = "chosen"  // nobody said how the devices share the work
	drafted = "drafted" // tokens are drafted and checked; no measurement that we know of says how fast
	long    = "long"    // once for each factor of e by which a request is longer than the longest measured
)

// Cases are those that may stand beside the base of a family, with the power that is taken where nothing is measured.
// Latencies at a load were measured on so few cards that a card cannot be told from its generation, and no prompt of a
// model with experts was measured alone.
func Cases(family string) map[string]float64 {
	cases := map[string]float64{unseen: 1.4, newSize: 1.1, experts: 1.15, drafted: 1.5, long: 1.15}
	switch family {
	case decoding:
		cases[newCard] = 1.05
	case prompting:
		cases[newCard] = 1.05
		delete(cases, experts)
	case crowd:
		cases[newCard], cases[chosen] = 1.05, 1.3
	}
	return cases
}

// Judged reports whether measurements tell of a case; the others stay as they were set.
func Judged(name string) bool { return name != drafted && name != long }

// Strange reports whether a case is of something that was not measured, which never makes a range narrower.
func Strange(name string) bool { return name != experts && name != chosen }

// longestSeen is the length of the longest request that was measured, in tokens.
const longestSeen = 1 << 16

// Known is what was measured, as "family place", "family card", "family size".
type Known map[string]bool

// Has reports whether figures of a family were measured of something. What is between tokens of many requests tells of
// one alone too.
func (k Known) Has(family, what string) bool {
	return k[family+" "+what] || family == decoding && k[between+" "+what]
}

// Where is the engine on the generation of devices that the plan is of, as measurements are sorted.
func (m *Model) Where() string { return m.in.engine + " on " + m.in.generation }

// Card is the device, and Size the model, as measurements are sorted: models of one size are equally fast.
func (m *Model) Card() string { return "card " + m.card.ID }

// Size tells models of different sizes apart.
func (m *Model) Size() string {
	size := fmt.Sprintf("size %d x %d", m.work.Layers, m.work.Hidden)
	for i := range m.work.Products {
		if p := &m.work.Products[i]; p.Role == serve.Routed {
			return size + fmt.Sprintf(" of %d", p.Experts)
		}
	}
	return size
}

// CasesOf are the cases that hold for a figure.
func (m *Model) CasesOf(family string, l Load) []Strength {
	r := l.mean()
	return m.cases(family, &r)
}

func (m *Model) cases(family string, r *mean) []Strength {
	var list []Strength
	hold := func(name string, much float64) {
		if much > 0 {
			list = append(list, Strength{Case: name, Much: much})
		}
	}
	hold(long, math.Log((r.in+r.out)/longestSeen))
	for _, c := range [...]struct {
		name string
		ok   bool
	}{
		{unseen, !m.seen(family, m.Where())}, {newCard, !m.seen(family, m.Card())}, {newSize, !m.seen(family, m.Size())}, {experts, m.in.moe}, {chosen, m.plan.Chosen && family == crowd}, {drafted, r.drafts > 0 && family != firstToken},
	} {
		if c.ok {
			list = append(list, Strength{Case: c.name, Much: 1})
		}
	}
	return list
}

func (m *Model) seen(family, what string) bool {
	if m.known != nil {
		return m.known.Has(family, what)
	}
	return Known(m.cons.Seen()).Has(family, what)
}

// ends are how far below and above what is computed measurements lie, as logarithms, both above 0.
func (m *Model) ends(family string, r *mean) (low, high float64) {
	return m.cons.Ends(family, m.cases(family, r))
}

// around is a rate with its range, whose good end is no better than hardware allows.
func (m *Model) around(family string, mid float64, r *mean) Range {
	low, high := m.ends(family, r)
	roof, most := m.roof(r), math.Inf(1)
	switch family {
	case decoding:
		most = roof.single
	case prompting:
		most = roof.prompt
	case crowd:
		most = roof.output * float64(m.work.Replicas)
	}
	return Range{mid * math.Exp(-low), mid, max(mid, min(mid*math.Exp(high), most))}
}

// unlimited is what is answered under unlimited load, with its range. There may be more room than is taken for likely, so
// that what is answered at most is never below what is answered.
func (m *Model) unlimited(mid float64, r *mean, l *Load) Range {
	f, replicas := m.around(crowd, mid, r), float64(m.work.Replicas)
	if m.poolHigh*mid <= m.likely()*f.High {
		return f // so much more room would not do, even if all of it was answered as fast
	}
	roomy := *m
	roomy.pool = m.poolHigh
	f.High = max(f.High, roomy.most(r, l).output*replicas)
	return f
}

// crowded is from how many requests on the time between tokens is as uncertain as that of many.
const crowded = 64

// loaded is what is computed of a load.
type loaded struct{ ttft, tpot, output, running float64 }

// latency is what each request sees, with ranges. Both ends of both times rise with the load, as the times do: the factor
// of the good end does not depend on it, nor is the good end below that of one request alone; the factor of the bad end
// of the time between tokens grows from that of one alone to that of many.
func (m *Model) latency(c *loaded, r *mean) (ttft, tpot Range) {
	low, high := m.ends(firstToken, r)
	ttft = Range{c.ttft * math.Exp(-low), c.ttft, c.ttft * math.Exp(high)}
	roof := m.roof(r)
	ttft.Low = min(c.ttft, max(ttft.Low, r.in/roof.prompt))

	slow, fast := m.ends(decoding, r) // of a rate
	low, high = m.ends(between, r)
	alone := 1 / m.single(r)
	high = slow + Crowd(c.running)*max(0, high-slow)
	tpot = Range{c.tpot * math.Exp(-max(low, fast)), c.tpot, c.tpot * math.Exp(high)}
	tpot.Low = min(c.tpot, max(tpot.Low, alone*math.Exp(-fast), 1/roof.single))
	return ttft, tpot
}

// Crowd is how far n requests at once are from one alone to many: from 0 to 1, by their logarithm.
func Crowd(n float64) float64 { return max(0, min(1, math.Log(max(1, n))/math.Log(crowded))) }

// fill writes down what requests see, and what is answered, which is a function of it.
func (f *Figures) fill(m *Model, c *loaded, r *mean) {
	replicas := float64(m.work.Replicas)
	ttft, tpot := m.latency(c, r)
	output := overTime(replicas*c.output, &ttft, &tpot, r.out-1)
	f.TTFT, f.TPOT, f.Output = &ttft, &tpot, &output
	f.Requests = &Range{output.Low / r.out, output.Mid / r.out, output.High / r.out}
}

// overTime is a rate that is inverse to the time until a request is answered, with the range of that time.
func overTime(mid float64, ttft, tpot *Range, tokens float64) Range {
	at := ttft.Mid + tokens*tpot.Mid
	return Range{mid * at / (ttft.High + tokens*tpot.High), mid, mid * at / (ttft.Low + tokens*tpot.Low)}
}

// basis says what the ranges rest on.
func (m *Model) basis(r *mean) string {
	here := m.in.engine + " on cards of this generation (" + m.in.generation + ")"
	var measured, others []string
	for _, family := range Families() {
		if m.seen(family, m.Where()) {
			measured = append(measured, said(family))
		} else {
			others = append(others, said(family))
		}
	}
	var text string
	switch {
	case len(measured) == 0:
		text = "no measurement of " + here + " that we know of: they are as wide as for what a fit had to tell without having seen it"
	case len(others) == 0:
		text = "measurements of " + here
	default:
		text = "measurements of " + here + ", of " + strings.Join(measured, ", ") + "; no measurement there of " + strings.Join(others, ", ") + ", so these are wider"
	}
	for _, s := range m.cases(crowd, r) {
		switch s.Case {
		case chosen:
			text += "; wider for unlimited load, as nobody said how the devices share the work"
		case drafted:
			text += "; wider by judgment, as no measurement with drafted tokens is known to us"
		case long:
			text += "; wider by judgment, as no request so long was measured"
		}
	}
	return text
}

// said is a family in words.
func said(family string) string {
	switch family {
	case decoding:
		return "answers alone"
	case prompting:
		return "prompts alone"
	case crowd:
		return "unlimited load"
	case firstToken:
		return "TTFT"
	}
	return "TPOT"
}

// WithWidths are the same constants with other ranges.
func (c *Constants) WithWidths(list []Width) (*Constants, error) {
	t, err := c.Table.WithWidths(list)
	if err != nil {
		return nil, err
	}
	return &Constants{t}, nil
}

// Ranged is the same plan with other ranges, as if something else had been measured.
func (m *Model) Ranged(c *Constants, known Known) *Model {
	other := *m
	other.cons, other.known = c, known
	return &other
}
