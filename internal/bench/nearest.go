package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Question is a setting that somebody wants measurements near to. Of the measurement, its names, numbers and metric are
// looked at; no metric means any.
type Question struct {
	Measurement
	Size Size
	Card Card
}

// Size is how many parameters a model has, and how many of them a token passes.
type Size struct{ Total, Active float64 }

// Card is what makes cards alike.
type Card struct {
	Name         string // as people say it
	Vendor, Arch string
	BandwidthGBs float64
	TFLOPS       float64 // dense, bf16
}

// Lookup says what is compared beside names. Either may be nil: then only the same name is close.
type Lookup struct {
	Size func(model string) (Size, bool)
	Card func(id string) (Card, bool)
}

// Near is a measurement with how far it is from a question, and in what.
type Near struct {
	Measurement Measurement
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

// Close is the greatest distance that Nearest returns. A distance is about the natural logarithm of the factor by which
// what differs may change the speed, so that 1.8 is a factor of six.
const Close = 1.8

// What differs costs, in the unit of Close. Steps are for what has no number; weights multiply the logarithm of a ratio.
const (
	otherKind      = 1.5  // a mixture of experts instead of a dense model
	otherModel     = 0.3  // of any size
	likeModel      = 0.05 // of the same size to a hundredth: a tuned one mostly
	unknownModel   = 3.0
	totalWeight    = 0.3
	activeWeight   = 0.7
	otherCard      = 0.2 // of the same generation
	otherArch      = 0.4
	otherVendor    = 1.0
	unknownCard    = 3.0
	cardWeight     = 0.5 // of bandwidth and of peak each
	otherFormat    = 0.1 // as many bits
	otherHalf      = 0.02
	unknownFormat  = 0.5
	bitsWeight     = 0.7
	otherCache     = 0.05
	otherEngine    = 0.6
	otherVersion   = 0.08
	unknownVersion = 0.04
	gpusWeight     = 0.7
	otherDivision  = 0.25
	loadWeight     = 0.4
	otherLoop      = 0.8 // requests at a rate instead of a number at once, or unlimited ones
	unknownLength  = 0.1
	otherMetric    = 0.3 // the most under limits of latency instead of without
)

// Nearest finds at most n measurements close to a question, the closest first, the user's own before those of others.
// Where none is close it returns none, and why: what the nearest differs in. The list is not changed.
func Nearest(all []Measurement, q *Question, n int, known Lookup) (near []Near, why string) {
	f := finder{q: q, known: known, cards: make(map[string]cardDistance), models: make(map[string]float64)}
	var best []hit
	for i := range all {
		m := &all[i]
		if m.Broken != "" || !answers(q.Metric, m.Metric) {
			continue
		}
		best = insert(best, hit{m, f.distance(m)}, max(1, n))
	}
	if len(best) == 0 {
		return nil, "nobody published a measurement of this kind"
	}
	if best[0].distance > Close {
		return nil, "the nearest measurement is too far: " + strings.Join(f.differs(best[0].m), ", ")
	}
	for _, h := range best[:min(n, len(best))] {
		if h.distance <= Close {
			near = append(near, Near{Measurement: *h.m, Distance: h.distance, Differs: f.differs(h.m)})
		}
	}
	return near, ""
}

// answers reports whether a metric answers for the one that was asked.
func answers(asked, measured Metric) bool {
	return asked == "" || asked == measured || isMost(asked) && isMost(measured)
}

func isMost(m Metric) bool { return m == MaxOutput || m == UnderLimits }

type hit struct {
	m        *Measurement
	distance float64
}

// insert keeps the n nearest in order.
func insert(best []hit, h hit, n int) []hit {
	at, _ := slices.BinarySearchFunc(best, h, compareHits)
	if at == n {
		return best
	}
	return slices.Insert(best, at, h)[:min(n, len(best)+1)]
}

func compareHits(a, b hit) int {
	return cmp.Or(cmp.Compare(a.distance, b.distance), ownFirst(a.m, b.m), strings.Compare(a.m.ID, b.m.ID))
}

func ownFirst(a, b *Measurement) int {
	switch {
	case a.Own == b.Own:
		return 0
	case a.Own:
		return -1
	}
	return 1
}

// finder holds what is looked up once for each name.
type finder struct {
	q      *Question
	known  Lookup
	cards  map[string]cardDistance
	models map[string]float64
}

type cardDistance struct {
	name     string
	distance float64
}

func (f *finder) distance(m *Measurement) float64 {
	q := &f.q.Measurement
	return f.model(m.Model) + f.card(m.GPU).distance + formats(q, m) + engines(q, m) + divisions(q, m) + loads(q, m) +
		lengths(q, m) + metrics(q, m)
}

func (f *finder) model(name string) float64 {
	d, ok := f.models[name]
	if !ok {
		d = f.modelDistance(name)
		f.models[name] = d
	}
	return d
}

func (f *finder) modelDistance(name string) float64 {
	if strings.EqualFold(name, f.q.Model) {
		return 0
	}
	if f.known.Size == nil {
		return unknownModel
	}
	s, ok := f.known.Size(name)
	if !ok || !s.isKnown() || !f.q.Size.isKnown() {
		return unknownModel
	}
	total, active := ratio(s.Total, f.q.Size.Total), ratio(s.Active, f.q.Size.Active)
	d := totalWeight*total + activeWeight*active
	switch {
	case max(total, active) < 0.01:
		return likeModel + d
	case s.isSparse() != f.q.Size.isSparse():
		return otherKind + d
	}
	return otherModel + d
}

func (s Size) isKnown() bool { return s.Total > 0 && s.Active > 0 }

// isSparse reports a mixture of experts: a token passes a part only.
func (s Size) isSparse() bool { return s.Active < 0.9*s.Total }

// ratio is the logarithm of how far two numbers above 0 are apart; of others, far.
func ratio(a, b float64) float64 {
	r := math.Abs(math.Log(a / b))
	if math.IsNaN(r) {
		return math.Inf(1)
	}
	return r
}

func (f *finder) card(id string) cardDistance {
	d, ok := f.cards[id]
	if !ok {
		d = f.cardDistance(id)
		f.cards[id] = d
	}
	return d
}

func (f *finder) cardDistance(id string) cardDistance {
	if id == f.q.GPU {
		return cardDistance{id, 0}
	}
	if f.known.Card == nil {
		return cardDistance{id, unknownCard}
	}
	a, ok := f.known.Card(id)
	b := f.q.Card
	name := cmp.Or(a.Name, id)
	if !ok || b.Vendor == "" {
		return cardDistance{name, unknownCard}
	}
	d := otherCard
	switch {
	case a.Vendor != b.Vendor:
		d += otherVendor
	case a.Arch != b.Arch:
		d += otherArch
	}
	return cardDistance{name, d + peaks(a.BandwidthGBs, b.BandwidthGBs) + peaks(a.TFLOPS, b.TFLOPS)}
}

func peaks(a, b float64) float64 {
	if a <= 0 || b <= 0 {
		return cardWeight
	}
	return cardWeight * ratio(a, b)
}

func formats(q, m *Measurement) float64 {
	d := 0.0
	if cacheFormat(q) != cacheFormat(m) {
		d = otherCache
	}
	a, b := bits(q.Precision), bits(m.Precision)
	switch {
	case half(q.Precision) == half(m.Precision):
		return d
	case a == 0 || b == 0:
		return d + unknownFormat
	case a == 16 && b == 16:
		return d + otherHalf
	}
	return d + otherFormat + bitsWeight*ratio(a, b)
}

// half writes the names of one format alike: llama.cpp says f16.
func half(format string) string {
	format = strings.ToLower(format)
	if format == "f16" {
		return "fp16"
	}
	return format
}

// cacheFormat is 16 bits unless somebody says otherwise, as engines have it.
func cacheFormat(m *Measurement) string {
	switch format := half(m.KV); format {
	case "", "auto", "fp16", "bf16":
		return "16 bits"
	default:
		return format
	}
}

// bits are those of a weight as the name of a format says: bf16, q4_k_m, exl2-4.0bpw, w4a16, mxfp4. 0 is not known.
func bits(format string) float64 {
	format = strings.TrimPrefix(strings.ToLower(format), "exl2-")
	at := strings.IndexFunc(format, isDigit)
	if at < 0 {
		return 0
	}
	n := small(format[at : len(format)-len(strings.TrimLeftFunc(format[at:], isDigit))])
	if n > 64 {
		return 0
	}
	return float64(n)
}

func engines(q, m *Measurement) float64 {
	switch {
	case q.Engine != m.Engine:
		return otherEngine
	case q.Version == m.Version:
		return 0
	case q.Version == "" || m.Version == "":
		return unknownVersion
	}
	return otherVersion
}

func divisions(q, m *Measurement) float64 {
	a, b := max(1, q.GPUs), max(1, m.GPUs)
	d := gpusWeight * ratio(float64(a), float64(b))
	if a == b && dividedOtherwise(q, m) {
		d += otherDivision
	}
	return d
}

// dividedOtherwise reports that both say how, and not the same.
func dividedOtherwise(q, m *Measurement) bool {
	a, b := Division{q.Tensor, q.Pipeline, q.Expert, q.Data}, Division{m.Tensor, m.Pipeline, m.Expert, m.Data}
	return a != Division{} && b != Division{} && a.whole() != b.whole()
}

// whole writes 1 for what is not said.
func (d Division) whole() Division {
	return Division{max(1, d.Tensor), max(1, d.Pipeline), max(1, d.Expert), max(1, d.Data)}
}

func loads(q, m *Measurement) float64 {
	switch {
	case isMost(m.Metric) || alone(m.Metric):
		return 0 // by definition
	case (q.Rate > 0) != (m.Rate > 0) || (q.Concurrency > 0) != (m.Concurrency > 0):
		return otherLoop
	case q.Rate > 0:
		return loadWeight * ratio(q.Rate, m.Rate)
	case q.Concurrency > 0:
		return loadWeight * ratio(float64(q.Concurrency), float64(m.Concurrency))
	}
	return 0
}

// lengths weighs the tokens by what they do to the metric: the prompt hardly slows the decoding of one answer, and the
// answer says nothing of the prompt's time.
func lengths(q, m *Measurement) float64 {
	in, out := 0.35, 0.35
	switch m.Metric {
	case Decode:
		in, out = 0.1, 0.05
	case TTFT:
		in, out = 0.5, 0.1
	case Prefill:
		in, out = 0.25, 0
	case TPOT:
		in, out = 0.2, 0.1
	}
	return in*tokens(q.Input, m.Input) + out*tokens(q.Output, m.Output)
}

// alone reports a metric of one request that shares its GPUs with no other.
func alone(m Metric) bool { return m == Decode || m == Prefill || m == WithPrompt }

// tokens is the logarithm of how far two lengths are apart, to which a few tokens more do not matter.
func tokens(a, b int64) float64 {
	if a == b {
		return 0
	}
	if a <= 0 || b <= 0 {
		return unknownLength
	}
	return ratio(float64(a)+32, float64(b)+32)
}

func metrics(q, m *Measurement) float64 {
	if q.Metric == "" || q.Metric == m.Metric {
		return 0
	}
	return otherMetric
}

// differs says in words everything that has a distance.
func (f *finder) differs(m *Measurement) []string {
	q := &f.q.Measurement
	var out []string
	instead := func(differs bool, format, measured, asked string) {
		if differs && measured != "" && asked != "" {
			out = append(out, fmt.Sprintf(format, measured, asked))
		}
	}
	instead(f.model(m.Model) > 0, "model %s instead of %s", m.Model, q.Model)
	instead(m.GPU != q.GPU, "card %s instead of %s", f.card(m.GPU).name, cmp.Or(f.q.Card.Name, q.GPU))
	instead(half(m.Precision) != half(q.Precision), "%s instead of %s", m.Precision, q.Precision)
	instead(cacheFormat(m) != cacheFormat(q), "cache in %s instead of %s", cacheFormat(m), cacheFormat(q))
	instead(m.Engine != q.Engine, "engine %s instead of %s", m.Engine, q.Engine)
	instead(m.Engine == q.Engine && m.Version != q.Version, "version %s instead of %s", m.Version, q.Version)
	instead(max(1, m.GPUs) != max(1, q.GPUs), "%s instead of %s", count(m.GPUs, "GPU"), strconv.Itoa(max(1, q.GPUs)))
	instead(m.GPUs == q.GPUs && dividedOtherwise(q, m), "%s instead of %s", divided(m), divided(q))
	together := m.Concurrency > 0 && q.Concurrency > 0 && m.Rate == 0 && q.Rate == 0
	instead(loads(q, m) > 0 && together, "%s instead of %s requests at once", strconv.Itoa(m.Concurrency),
		strconv.Itoa(q.Concurrency))
	instead(loads(q, m) > 0 && !together, "%s instead of %s", load(m), load(q))
	for _, n := range []struct {
		measured, asked int64
		what            string
	}{{m.Input, q.Input, "input"}, {m.Output, q.Output, "output"}} {
		if n.measured > 0 && n.asked > 0 && n.measured != n.asked {
			out = append(out, fmt.Sprintf("%d instead of %d %s tokens", n.measured, n.asked, n.what))
		}
	}
	if metrics(q, m) > 0 {
		out = append(out, fmt.Sprintf("%s instead of %s", limits(m.Metric), limits(q.Metric)))
	}
	return out
}

func count(n int, what string) string {
	if n = max(1, n); n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// divided writes a division in the order in which engines take it.
func divided(m *Measurement) string {
	var parts []string
	for _, p := range []struct {
		name string
		n    int
	}{{"TP", m.Tensor}, {"PP", m.Pipeline}, {"EP", m.Expert}, {"DP", m.Data}} {
		if p.n > 1 {
			parts = append(parts, fmt.Sprint(p.name, p.n))
		}
	}
	if len(parts) == 0 {
		return "undivided"
	}
	return strings.Join(parts, " ")
}

func load(m *Measurement) string {
	switch {
	case m.Rate > 0:
		return fmt.Sprintf("%g requests a second", m.Rate)
	case m.Concurrency > 0:
		return count(m.Concurrency, "request") + " at once"
	}
	return "unlimited requests"
}

func limits(m Metric) string {
	if m == UnderLimits {
		return "the most within limits of latency"
	}
	return "the most without limits"
}
