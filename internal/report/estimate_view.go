package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Verdicts of the contract, best first.
const (
	Fits         = "fits"
	Tight        = "tight"
	DoesNotFit   = "does_not_fit"
	Undetermined = "undetermined"
)

// Word is the verdict of the contract. Any other word is undetermined, and so is one that is milder than what the
// document says beside it: what cannot be understood fits nowhere.
func (o *Outlook) Word() string {
	w := fitting(o.Verdict)
	if w == Fits && !o.Fits {
		return Undetermined
	}
	return w
}

func fitting(s string) string {
	if s == Fits || s == Tight || s == DoesNotFit {
		return s
	}
	return Undetermined
}

// Word is the verdict at this length of context.
func (a AtContext) Word() string { return fitting(a.Verdict) }

// Spoken is a verdict as people say it.
func Spoken(verdict string) string { return strings.ReplaceAll(fitting(verdict), "_", " ") }

// Tone is the outcome of a license that is as good or as bad as the verdict, for formats that color both alike.
func Tone(verdict string) string {
	switch fitting(verdict) {
	case Fits:
		return "allowed"
	case Tight:
		return "conditional"
	case DoesNotFit:
		return "prohibited"
	}
	return "undetermined"
}

// Target is what the verdict is about: "acme/tiny on 1 x NVIDIA H100 SXM".
func (d *Document) Target() string {
	if h, ok := d.TrainingHead(); ok {
		return h.About
	}
	if d.Estimate == nil || d.Estimate.Plan == nil || d.Estimate.Unserved() {
		return d.Subject.Ref
	}
	return d.Subject.Ref + " on " + d.Estimate.Plan.Cards()
}

// Cards is what the plan runs on: "16 x NVIDIA H100 SXM on 2 nodes".
func (p *ServingPlan) Cards() string {
	if p.Replicas > 1 {
		return replicas(p.Replicas) + " of " + p.replica()
	}
	return p.replica()
}

// replica is what one replica runs on.
func (p *ServingPlan) replica() string {
	s := cmp.Or(p.GPUName, p.GPU, "a card that is not named")
	if p.GPUs > 0 {
		s = units.Thousands(int64(p.GPUs)) + " x " + s
	}
	if p.Nodes > 1 {
		s += " on " + units.Thousands(int64(p.Nodes)) + " nodes"
	}
	return s
}

// Parallel is how the plan spreads the model: "tensor 8, expert 8"; "" on one card.
func (p *ServingPlan) Parallel() string {
	var parts []string
	for _, d := range []struct {
		name string
		n    int
	}{{"tensor", p.Tensor}, {"pipeline", p.Pipeline}, {"expert", p.Expert}, {"data", p.Data}} {
		if d.n > 1 {
			parts = append(parts, d.name+" "+units.Thousands(int64(d.n)))
		}
	}
	return strings.Join(parts, ", ")
}

// Settings lists how the model is served, in words.
func (p *ServingPlan) Settings() []Fact {
	var fs facts
	fs.add("engine", strings.TrimSpace(p.Engine+" "+p.EngineVersion))
	fs.add("on", p.Cards())
	if p.Replicas > 1 && p.Spare > 0 {
		fs.add("spare among them", replicas(p.Spare))
	}
	fs.add("parallel", p.Parallel())
	fs.add("weights in", p.Quantization)
	fs.add("KV cache in", p.KVType)
	fs.count("context of a request", p.MaxModelLen, " tokens")
	each := ""
	if p.Data > 1 {
		each = " on each of " + units.Thousands(int64(p.Data)) + " replicas"
	}
	fs.count("requests at most", p.MaxSeqs, each)
	fs.count("tokens of a pass", p.BatchedTokens, each)
	if p.Utilization > 0 {
		fs.add("memory utilization", decimal(p.Utilization, 2))
	}
	fs.add("layers on the GPU", layersOn(p.GPULayers))
	if p.CPUExperts != nil && *p.CPUExperts > 0 {
		fs.add("experts on the CPU", "of "+units.Thousands(int64(*p.CPUExperts))+" layers")
	}
	return fs
}

// SettingsLine is how the model is served, in one paragraph: what stands in the head of the answer is left out.
func (p *ServingPlan) SettingsLine() string {
	var parts []string
	for _, f := range p.Settings() {
		switch f.Name {
		case "on", "spare among them":
		case "engine":
			parts = append(parts, f.Value)
		default:
			parts = append(parts, f.Name+" "+f.Value)
		}
	}
	return strings.Join(parts, " · ")
}

func layersOn(n *int) string {
	switch {
	case n == nil:
		return ""
	case *n < 0:
		return "all"
	}
	return units.Thousands(int64(*n)) + ", the output counted as one"
}

// facts leaves out what is not known.
type facts []Fact

func (fs *facts) add(name, value string) {
	if value != "" {
		*fs = append(*fs, Fact{name, value})
	}
}

func (fs *facts) count(name string, n int64, unit string) {
	if n > 0 {
		fs.add(name, units.Thousands(n)+unit)
	}
}

// Facts lists what the configuration says of the model, in words.
func (m *EstimatedModel) Facts() []Fact {
	var fs facts
	fs.add("architecture", m.architecture())
	fs.add("parameters", m.Parameters())
	fs.add("weights", m.weights())
	fs.add("layers", m.layers())
	fs.count("longest context", m.MaxContext, " tokens")
	fs.add("KV cache", m.cache())
	fs.add("configuration", m.Source)
	fs.add("license", m.License)
	return fs
}

func (m *EstimatedModel) architecture() string {
	if m.Family == "" || m.Family == m.Architecture {
		return cmp.Or(m.Architecture, unknown)
	}
	return cmp.Or(m.Architecture, unknown) + " (" + m.Family + ")"
}

// Parameters counts the parameters, with the bounds where a part is only bounded.
func (m *EstimatedModel) Parameters() string {
	s := Params(m.ParamsTotal)
	if m.ParamsLow != nil && m.ParamsHigh != nil && *m.ParamsLow < *m.ParamsHigh {
		s = "between " + Params(*m.ParamsLow) + " and " + Params(*m.ParamsHigh)
	}
	if m.ParamsActive > 0 && m.ParamsActive != m.ParamsTotal {
		s += ", " + Params(m.ParamsActive) + " active for a token"
	}
	if m.ParamsMTP > 0 {
		s += "; beside them " + Params(m.ParamsMTP) + " that predict further tokens"
	}
	return s
}

func (m *EstimatedModel) weights() string {
	size := "size " + unknown
	switch {
	case m.WeightsLow != nil && m.WeightsHigh != nil && *m.WeightsLow < *m.WeightsHigh:
		size = "between " + Bytes(*m.WeightsLow) + " and " + Bytes(*m.WeightsHigh)
	case m.WeightsBytes > 0:
		size = Bytes(m.WeightsBytes)
	}
	return strings.TrimSuffix(size+" in "+m.Quantization, " in ")
}

func (m *EstimatedModel) layers() string {
	parts := make([]string, len(m.Layers))
	for i, l := range m.Layers {
		parts[i] = units.Thousands(int64(l.Count)) + " x " + l.Kind
		if l.Cache != "" {
			parts[i] += " (keeps " + l.Cache + ")"
		}
	}
	return strings.Join(parts, ", ")
}

func (m *EstimatedModel) cache() string {
	var parts []string
	if m.KVBytesPerToken != nil && *m.KVBytesPerToken > 0 {
		parts = append(parts, Bytes(*m.KVBytesPerToken)+" a token over all GPUs")
	}
	if m.StateBytes > 0 {
		parts = append(parts, Bytes(m.StateBytes)+" a request whatever its length")
	}
	return strings.Join(parts, " and ")
}

// Glance says the figures that people ask for first, for the line below the verdict.
func (e *Estimate) Glance() string {
	var parts []string
	if m := e.Memory; m != nil && m.Capacity > 0 {
		parts = append(parts, "weights "+GiB(m.Weights)+" of "+GiB(m.Capacity)+" per GPU")
	}
	if e.KVTokens != nil && *e.KVTokens > 0 {
		parts = append(parts, units.Thousands(*e.KVTokens)+" tokens of KV cache"+e.each())
	}
	if s := e.atOnce(); s != "" && e.MaxConcurrency != nil && *e.MaxConcurrency > 0 {
		parts = append(parts, s+" at once"+e.together())
	}
	if n := len(e.Candidates); n > 0 && e.Fleet == nil {
		fit := 0
		for i := range e.Candidates {
			if w := e.Candidates[i].Word(); w == Fits || w == Tight {
				fit++
			}
		}
		parts = append(parts, fmt.Sprintf("%d of %d candidates fit", fit, n))
	}
	return Sentence(strings.Join(parts, " · "))
}

// atOnce is how many requests of which length the plan holds; "" if that is not known.
func (o *Outlook) atOnce() string {
	if o.MaxConcurrency == nil {
		return ""
	}
	s := Requests(*o.MaxConcurrency) + " requests"
	if s == "1 requests" {
		s = "1 request"
	}
	if o.Plan != nil && o.Plan.MaxModelLen > 0 {
		s += " of " + units.Thousands(o.Plan.MaxModelLen) + " tokens"
	}
	return s
}

// each says that a figure is of one replica of attention, where there are several.
func (o *Outlook) each() string {
	if o.Cache == nil || o.Cache.Replicas <= 1 {
		return ""
	}
	return " on each of " + units.Thousands(int64(o.Cache.Replicas)) + " replicas"
}

// together says that a figure is of all replicas, where there are several.
func (o *Outlook) together() string {
	if o.Cache == nil || o.Cache.Replicas <= 1 {
		return ""
	}
	return " over all " + units.Thousands(int64(o.Cache.Replicas)) + " replicas"
}

// CacheFacts lists the numbers that people mean by the size of the cache of keys and values.
func (o *Outlook) CacheFacts() []Fact {
	if o.Cache == nil && o.KVTokens == nil && o.MaxConcurrency == nil {
		return nil
	}
	fs := facts{
		{"bytes per token", unknown},
		{"bytes per request", unknown},
		{"KV cache tokens", unknown},
		{"requests at once", unknown},
	}
	if s := o.atOnce(); s != "" {
		fs[3].Value = s + o.together()
	}
	if o.KVTokens != nil {
		fs[2].Value = units.Thousands(*o.KVTokens) + o.each() + o.logged()
	}
	if c := o.Cache; c != nil {
		fs[0].Value = perToken(c)
		fs[1].Value = o.perRequest()
		fs.count("largest request", c.longest(), " tokens")
	}
	return fs
}

// longest is the longest single request that fits, 0 where none does or nobody knows.
func (c *Cache) longest() int64 {
	if c.MaxContext == nil {
		return 0
	}
	return *c.MaxContext
}

func perToken(c *Cache) string {
	if c.BytesPerToken <= 0 {
		return "none that grow with the length"
	}
	return Bytes(c.BytesPerToken) + " per GPU (" + units.Thousands(c.BytesPerToken) + ")"
}

func (o *Outlook) perRequest() string {
	s := Bytes(o.Cache.BytesPerRequest) + " per GPU"
	if o.Plan != nil && o.Plan.MaxModelLen > 0 {
		s += " for " + units.Thousands(o.Plan.MaxModelLen) + " tokens"
	}
	if o.Cache.StateBytes > 0 {
		s += ", of which " + Bytes(o.Cache.StateBytes) + " whatever the length"
	}
	return s
}

// logged says whose figure the number of tokens is, and how it comes about.
func (o *Outlook) logged() string {
	s := ""
	if o.Plan != nil && o.Plan.Engine != "" {
		s = ", as " + o.Plan.Engine + " counts them"
	}
	if c := o.Cache; c != nil && c.Blocks != nil && c.BlockTokens > 0 {
		s += fmt.Sprintf(" (%s blocks of %s)", units.Thousands(*c.Blocks), units.Thousands(c.BlockTokens))
	}
	return s
}

// Broken names what breaks the plan, with its size if the account has it; "" if nothing does.
func (o *Outlook) Broken() string {
	i := slices.IndexFunc(o.Terms, func(t Term) bool { return t.Name == o.Breaks })
	if o.Breaks == "" || i < 0 || !o.Terms[i].Bytes.Known() {
		return o.Breaks
	}
	return o.Breaks + ", " + o.Terms[i].Bytes.String()
}

// Trouble is the title of what stands against the plan, with what breaks it; "" if there is nothing to tell.
func (e *Estimate) Trouble() (title, breaks string) {
	breaks = e.Broken()
	switch {
	case breaks == "" && e.Reason() == "" && len(e.Changes) == 0:
		return "", ""
	case e.Word() == DoesNotFit:
		title = "What breaks it"
	case e.Word() == Tight:
		title = "What makes it tight"
	case e.Word() == Undetermined:
		title = "What leaves it open"
	default:
		return "What would make more room", breaks
	}
	if len(e.Changes) > 0 {
		title += ", and the smallest changes that mend it"
	}
	return title, breaks
}

// Reason is why the verdict is what it is, if the summary does not say it in the same words.
func (e *Estimate) Reason() string {
	if e.Why == e.Summary {
		return ""
	}
	return e.Why
}

// Intervals says what a range in an estimate means.
const Intervals = "Ranges are meant to hold the measured value in eight of ten cases. A GiB is 1,073,741,824 bytes."

// Line is the change, and its flag if the text does not hold it in its midst.
func (m Mend) Line() (text, flag string) {
	head, ok := strings.CutSuffix(m.Text, m.Flag)
	switch {
	case ok && m.Flag != "":
		return strings.TrimRight(head, ": "), m.Flag
	case strings.Contains(m.Text, m.Flag):
		return m.Text, ""
	}
	return m.Text, m.Flag
}

// Missing is how much memory is missing; "" if none is.
func (o *Outlook) Missing() string {
	if o.Memory == nil || o.Memory.Unused >= 0 {
		return ""
	}
	return GiB(-max(o.Memory.Unused, -math.MaxInt64))
}

// Explained reports whether the document holds formulas, as --explain asks for.
func (e *Estimate) Explained() bool {
	return slices.ContainsFunc(e.Model.Components, func(c Component) bool { return len(c.Tensors) > 0 }) ||
		slices.ContainsFunc(e.Terms, func(t Term) bool { return t.Formula != "" || t.Source != "" })
}

// complete puts empty lists in place of missing ones.
func (e *Estimate) complete() *Estimate {
	if e == nil {
		return nil
	}
	c := *e
	c.Outlook, c.Fleet = e.Outlook.complete(), e.Fleet.complete()
	c.Candidates, c.Assumed = nonNil(slices.Clone(e.Candidates)), nonNil(e.Assumed)
	for i := range c.Candidates {
		c.Candidates[i] = c.Candidates[i].complete()
	}
	if e.Model.Architecture == "" && e.Model.ParamsTotal == 0 {
		return &c // nothing was sized, and a list would make a model of nothing
	}
	c.Model.Layers, c.Model.Components = nonNil(e.Model.Layers), nonNil(e.Model.Components)
	c.Model.Symbols, c.Model.Sizes = nonNil(e.Model.Symbols), nonNil(e.Model.Sizes)
	return &c
}

func (o Outlook) complete() Outlook {
	if o.Speed != nil {
		o.Speed = new(*o.Speed)
		o.Speed.Peak, o.Speed.Defined = nonNil(o.Speed.Peak), nonNil(o.Speed.Defined)
	}
	if o.Cost != nil {
		o.Cost = new(*o.Cost)
		o.Cost.Prices = nonNil(o.Cost.Prices)
	}
	if o.Cost != nil && o.Cost.Bought != nil {
		o.Cost.Bought = new(*o.Cost.Bought)
		o.Cost.Bought.Parts = nonNil(o.Cost.Bought.Parts)
	}
	if o.Energy != nil {
		o.Energy = new(*o.Energy)
		o.Energy.Parts = nonNil(o.Energy.Parts)
	}
	return o
}

func (f *Fleet) complete() *Fleet {
	if f == nil {
		return nil
	}
	c := *f
	c.Front, c.Rejected = nonNil(f.Front), nonNil(f.Rejected)
	return &c
}

// yesNo is "" where it is not known.
func yesNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	}
	return "no"
}

func counted(n int64) string {
	if n <= 0 {
		return unknown
	}
	return units.Thousands(n)
}

func cards(n *int) string {
	if n == nil || *n <= 0 {
		return unknown
	}
	return strconv.Itoa(*n)
}
