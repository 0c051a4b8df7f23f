package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Standing is how a plan stands to what is asked of it, in a word, with the verdict that is as good or as bad.
type Standing struct {
	Word    string // "saturated", "targets met"
	Verdict string // fits, tight, does_not_fit, undetermined
	Text    string // the targets and what they hang on
}

// Standing of a plan without targets that keeps up with its load has no word.
func (s *Speed) Standing() Standing {
	switch {
	case s == nil:
		return Standing{}
	case s.Saturated:
		return Standing{"saturated", DoesNotFit, cmp.Or(s.Why, "requests arrive faster than they are answered, so that the wait grows without end")}
	case s.Crowded() && (s.Targets == nil || s.Targets.Met == "yes"):
		return Standing{"perhaps saturated", Tight, s.Why}
	case s.Targets == nil:
		return Standing{}
	}
	st := Standing{Text: s.Targets.text()}
	switch s.Targets.Met {
	case "yes":
		st.Word, st.Verdict = "targets met", Fits
	case "perhaps":
		st.Word, st.Verdict = "targets perhaps met", Tight
	case "no":
		st.Word, st.Verdict = "targets not met", DoesNotFit
	default:
		st.Word, st.Verdict = "targets undetermined", Undetermined
	}
	return st
}

// Crowded reports whether a rate of requests may be more than the plan answers: above the low end of what it does, and
// below the middle.
func (s *Speed) Crowded() bool {
	return s != nil && !s.Saturated && s.RequestRate != nil && s.Why != ""
}

func (t *Targets) text() string {
	parts := []string{t.asked(), t.Why, t.room()}
	if t.Why == "" {
		parts[1] = metBy(t.Met)
	}
	return join("; ", parts...)
}

// metBy says which end of the ranges decides.
func metBy(met string) string {
	switch met {
	case "yes":
		return "met with the bad end of every range"
	case "perhaps":
		return "met with the good end of the ranges, and not with the bad one"
	case "no":
		return "not met even with the good end of the ranges"
	}
	return ""
}

// asked is what the targets are: "TTFT within 1 s, TPOT within 50 ms".
func (t *Targets) asked() string {
	var parts []string
	if t.TTFT != nil {
		parts = append(parts, "TTFT within "+seconds.one(*t.TTFT))
	}
	if t.TPOT != nil {
		parts = append(parts, "TPOT within "+seconds.one(*t.TPOT))
	}
	return strings.Join(parts, ", ")
}

// room is how much load the plan takes within the targets.
func (t *Targets) room() string {
	var parts []string
	if t.AtMost != nil {
		parts = append(parts, requestsOf(*t.AtMost)+" at once")
	}
	if t.AtMostRate != nil {
		parts = append(parts, requestsPS.one(*t.AtMostRate))
	}
	if len(parts) == 0 {
		return ""
	}
	if t.AtMost != nil && *t.AtMost <= 0 {
		return "no load is served within them"
	}
	return "served within them: up to " + strings.Join(parts, ", ")
}

func requestsOf(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return units.Thousands(n) + " requests"
}

// join leaves out what is empty.
func join(sep string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}

// Title says of which load the speed is.
func (s *Speed) Title() string { return join(" ", "Speed", s.load()) }

func (s *Speed) load() string {
	var at string
	switch {
	case s.RequestRate != nil:
		at = "at " + requestsPS.one(*s.RequestRate)
	case s.Concurrency != nil && *s.Concurrency > 0:
		at = "with " + requestsOf(*s.Concurrency) + " at once"
	}
	return join(" ", at, prefixed("of ", s.lengths()))
}

func (s *Speed) lengths() string {
	if s.InputTokens <= 0 && s.OutputTokens <= 0 {
		return ""
	}
	return units.Thousands(max(s.InputTokens, 0)) + " tokens in and " + units.Thousands(max(s.OutputTokens, 0)) + " out"
}

// latency is a figure of one request at the load that was asked. There is none beyond saturation, whatever a file holds.
func (s *Speed) latency(r *Range) *Range {
	if s.Saturated {
		return nil
	}
	return given(r)
}

// first is the time to the first token. Of a load that may be more than is answered it has no end that is worth a number.
func (s *Speed) first() string {
	r := s.latency(s.TTFT)
	if r == nil || !s.Crowded() {
		return seconds.between(r)
	}
	return s.soonest() + ", without end where the load is more than is answered"
}

// soonest is the same, short.
func (s *Speed) soonest() string {
	r := s.latency(s.TTFT)
	if r == nil || !s.Crowded() {
		return seconds.between(r)
	}
	return seconds.one(r.Low) + " or more"
}

// Facts are the figures of speed, those that a person asks for first at the top. What is not known is left out.
func (s *Speed) Facts() []Fact {
	if s == nil {
		return nil
	}
	var fs facts
	fs.add("first token (TTFT)", s.first())
	fs.add("between tokens (TPOT)", s.pace())
	if s.Concurrency == nil || *s.Concurrency != 1 || s.RequestRate != nil || s.Single == nil {
		fs.add("all answers together", s.together())
	}
	fs.add("one request alone", s.alone())
	fs.add("at most", join(", ", tokenRate.about(given(s.MaxOutput)), requestsPS.about(given(s.MaxRequests))))
	fs.add("percentiles", s.tails())
	fs.add("limited by", s.bound())
	if !s.Saturated && s.unknown() {
		fs.add("not known", s.Why)
	} else if !s.Saturated {
		fs.add(note, s.Why)
	}
	fs.add("calibrated with", s.Narrowed)
	fs.add("basis", s.Basis)
	return fs
}

// unknown reports whether a figure of latency is missing.
func (s *Speed) unknown() bool { return s.latency(s.TTFT) == nil || s.latency(s.TPOT) == nil }

// pace is the time between tokens, and what it is for somebody who reads along.
func (s *Speed) pace() string {
	r := s.latency(s.TPOT)
	if r == nil {
		return ""
	}
	return join(", ", seconds.between(r), prefixed("so ", suffixed(tokenRate.between(inverse(r)), " for each reader")))
}

func suffixed(s, suffix string) string {
	if s == "" {
		return ""
	}
	return s + suffix
}

// inverse is a rate of a time.
func inverse(r *Range) *Range {
	o := r.ordered()
	if o.Low < 1e-9 {
		return nil
	}
	return &Range{1 / o.High, 1 / o.Mid, 1 / o.Low}
}

func (s *Speed) together() string {
	if s.Saturated {
		return ""
	}
	return join(", ", tokenRate.about(given(s.Output)), suffixed(tokenRate.between(s.each()), " per GPU"), s.rate())
}

// each is the share of one GPU, where there are several.
func (s *Speed) each() *Range {
	if s.Output == nil || s.OutputPerGPU == nil || s.OutputPerGPU.Mid >= s.Output.Mid {
		return nil
	}
	return given(s.OutputPerGPU)
}

func (s *Speed) rate() string { return requestsPS.between(given(s.Requests)) }

func (s *Speed) alone() string {
	return join(", ", tokenRate.about(given(s.Single)), prefixed("reading its prompt at ", tokenRate.about(given(s.Prompt))))
}

func (s *Speed) tails() string {
	t := s.Tails
	if t == nil || s.Saturated {
		return ""
	}
	return "of " + requestsOf(int64(t.Requests)) + " simulated, 99 % have TTFT within " + seconds.one(t.TTFT.P99) + ", TPOT within " +
		seconds.one(t.TPOT.P99) + ", the whole answer within " + seconds.one(t.Total.P99)
}

// bound is the resource that limits the plan, with what it does most of a step.
func (s *Speed) bound() string {
	decode, prompt := limit(s.BoundBy), limit(s.PromptBound)
	most := prefixed("; ", longest(s.Step))
	switch {
	case decode == "":
		return suffixed(prompt, " while reading prompts") + most
	case prompt == "":
		return decode + most
	case prompt == decode:
		return decode + ", of prompts and answers alike" + most
	}
	return decode + " while answering, " + prompt + " while reading prompts" + most
}

// longest is the cause that takes most of a step: "55 % of a decode step is reading weights".
func longest(parts []StepPart) string {
	list := shares(parts)
	if len(list) == 0 {
		return ""
	}
	most := slices.MaxFunc(list, func(a, b Share) int { return cmp.Compare(a.Seconds, b.Seconds) })
	return most.Percent + " of a decode step is " + most.Name
}

// limit is a bound in words; "" where none is known.
func limit(bound string) string {
	switch bound {
	case "memory":
		return "memory bandwidth"
	case "network":
		return "the links between GPUs"
	case "kv":
		return "room in the KV cache"
	case "overhead":
		return "what the engine does beside computing"
	}
	return bound
}

// Glance is the speed in one line, which Standing stands before.
func (s *Speed) Glance() string {
	switch {
	case s == nil:
		return ""
	case s.Saturated:
		return prefixed("at most ", join(", ", tokenRate.about(given(s.MaxOutput)), requestsPS.about(given(s.MaxRequests))))
	}
	return join(" · ",
		prefixed("first token in ", s.soonest()),
		suffixed(seconds.between(s.latency(s.TPOT)), " between tokens"),
		tokenRate.about(given(s.Output)),
	)
}

// NearestLines are published measurements close to the question, a sentence and its source each.
func (s *Speed) NearestLines() []Fact {
	if s == nil {
		return nil
	}
	var fs facts
	for i := range s.Nearest {
		n := &s.Nearest[i]
		fs.add(n.sentence(), join(", ", n.Source, prefixed("engine version ", n.Version)))
		if n.Source == "" && n.Version == "" {
			fs = append(fs, Fact{n.sentence(), "source not known"})
		}
	}
	return fs
}

// NearestBrief is the closest measurement in pieces, what matters most first, for a place where there may be no
// room for all of them.
func (s *Speed) NearestBrief() []string {
	if s == nil || len(s.Nearest) == 0 {
		return nil
	}
	n := &s.Nearest[0]
	first := join(" ", metric(n.Metric), n.amount(n.Value), "measured")
	if r := given(n.Computed); r != nil {
		first += ", " + n.quantity().between(r) + " computed"
	}
	differs := "the very setting that was asked about"
	if n.Differs != "" {
		differs = "differs in " + n.Differs
	}
	what, with, _ := strings.Cut(n.What, ", ")
	parts := []string{first, cmp.Or(what, "a setting that is not named"), "source " + cmp.Or(n.place(), unknown), with, differs}
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// place is where a measurement is published, without the file and the row.
func (n *NearestMeasure) place() string {
	if head, _, _ := strings.Cut(n.Source, " "); strings.Contains(head, "/") {
		return strings.TrimRight(head, ",;:")
	}
	head, _, _ := strings.Cut(n.Source, ", ")
	return head
}

func (n *NearestMeasure) sentence() string {
	text := cmp.Or(n.What, "a setting that is not named") + ": " + join(" ", metric(n.Metric), "measured at", n.amount(n.Value))
	if r := given(n.Computed); r != nil {
		text += "; llmcheck says " + n.quantity().between(r) + " for it"
	}
	if n.Differs == "" {
		return text + "; the very setting that was asked about"
	}
	return text + "; differs in " + n.Differs
}

// metric is a figure in words.
func metric(key string) string {
	switch key {
	case "mfu", "mfu_pct", "hfu":
		return strings.ToUpper(key[:3])
	case "model_tflops_per_gpu":
		return "model FLOPs of each GPU"
	case "tokens_per_s_per_gpu":
		return "the share of a GPU in all tokens"
	case "gpu_hours":
		return "GPU-hours"
	case "step_s":
		return "a step"
	case "peak_memory", "peak_bytes", "peak_bytes_per_gpu", "memory":
		return "memory at the peak"
	case "ttft", "ttft_s":
		return "TTFT"
	case "decode":
		return "decoding"
	case "tpot", "tpot_s":
		return "TPOT"
	case "single_stream_tokens_per_s":
		return "one request alone"
	case "prompt_tokens_per_s":
		return "reading of a prompt"
	case "output_tokens_per_s":
		return "all answers together"
	case "output_tokens_per_s_per_gpu":
		return "the share of a GPU in all answers"
	case "max_output_tokens_per_s":
		return "all answers at full load"
	case "requests_per_s", "max_requests_per_s":
		return "requests answered"
	}
	return spaced(key)
}

func spaced(key string) string { return strings.ReplaceAll(key, "_", " ") }

func (n *NearestMeasure) quantity() unit {
	switch strings.ToLower(n.Unit) {
	case "s":
		return seconds
	case "gpu-hours", "gpu_hours", "gpu hours":
		return gpuHours
	case "bytes":
		return unit{{most, gib, "", " GiB"}}
	case "tflops", "tflop/s":
		return named("TFLOP/s")
	case "", "share", "1":
		if metric(n.Metric) == "MFU" || metric(n.Metric) == "HFU" {
			return percents
		}
	}
	return named(cmp.Or(n.Unit, "(unit not known)"))
}

func (n *NearestMeasure) amount(v float64) string { return n.quantity().one(v) }

// PeakFacts are the figures of the card that speed is held against.
func (s *Speed) PeakFacts() []Fact {
	if s == nil {
		return nil
	}
	var fs facts
	for _, p := range s.Peak {
		if r := some(Range{p.Value, p.Value, p.Value}); r != nil {
			fs.add(cmp.Or(p.What, "not named"), join(", ", p.quantity().one(p.Value)+" of one device", p.Note))
		}
	}
	return fs
}

func (p PeakUsed) quantity() unit {
	switch strings.ToLower(p.Unit) {
	case "b/s", "bytes/s", "byte/s", "bytes per second", "bytes a second":
		return byteRate
	case "flop/s", "flops", "flops/s", "flop per second", "flop a second":
		return flopRate
	}
	return named(cmp.Or(p.Unit, "(unit not known)"))
}

// Definitions say what the words of the answer mean.
func (s *Speed) Definitions() []Fact {
	if s == nil {
		return nil
	}
	var fs facts
	for _, d := range s.Defined {
		fs.add(d.Term, d.Means)
	}
	return fs
}

// Terms are the two words of latency in one line, for an answer that does not define them all.
const Terms = "TTFT: until the first token. TPOT: mean time of each token after it."

// TailTable shows percentiles over requests.
func (s *Speed) TailTable() Table {
	t := Table{Columns: []Column{{Name: "of each request"}, {Name: "half within", Number: true}, {Name: "90 % within", Number: true}, {Name: "99 % within", Number: true}}}
	if s == nil || s.Tails == nil || s.Saturated {
		return t
	}
	for _, r := range []struct {
		name string
		tail Tail
	}{
		{"waiting", s.Tails.Waiting}, {"TTFT, with the wait", s.Tails.TTFT}, {"TPOT", s.Tails.TPOT}, {"the whole answer", s.Tails.Total},
	} {
		t.Rows = append(t.Rows, Row{Cells: []string{r.name, seconds.one(r.tail.P50), seconds.one(r.tail.P90), seconds.one(r.tail.P99)}})
	}
	return t
}

// TailTitle says what the percentiles are of.
func (s *Speed) TailTitle() string {
	if s == nil || s.Tails == nil {
		return ""
	}
	return "Percentiles of " + requestsOf(int64(s.Tails.Requests)) + " simulated, seed " + strconv.FormatInt(s.Tails.Seed, 10)
}

// CurveTable is the same plan at other loads. Beyond saturation there is nothing to say of how long anybody waits, and so
// the table has no latency beside it.
func (s *Speed) CurveTable() Table {
	t := Table{Columns: []Column{
		{Name: "requests at once", Number: true},
		{Name: "tokens/s", Number: true},
		{Name: "requests/s", Number: true, Spare: 1},
		{Name: "TTFT", Number: true},
		{Name: "TPOT", Number: true},
		{Name: "targets"},
	}}
	if s == nil {
		return t
	}
	for _, p := range s.Curve {
		t.Rows = append(t.Rows, Row{Cells: []string{
			counted(p.Concurrency), times.between(some(p.Output)), times.between(some(p.Requests)),
			seconds.between(s.latency(&p.TTFT)), seconds.between(s.latency(&p.TPOT)), metWord(p.Met),
		}})
	}
	for _, name := range []string{"requests/s", "TTFT", "TPOT", "targets"} {
		t = t.withoutEmpty(name)
	}
	return t
}

func metWord(met *bool) string {
	switch {
	case met == nil:
		return ""
	case *met:
		return "met"
	}
	return "not met"
}

// Share is a part of a step with what it takes of it.
type Share struct {
	Key     string // weights, kv, compute, network, bubble, overhead, sampler, other
	Name    string
	Seconds float64
	Percent string
	Part    StepPart
}

// shares of a step, in its order; what takes no time that can be told is left out.
func shares(parts []StepPart) []Share {
	total := 0.0
	for _, p := range parts {
		if takes(p) {
			total += p.Seconds
		}
	}
	if total <= 0 || math.IsInf(total, 0) {
		return nil
	}
	var out []Share
	for _, p := range parts {
		if takes(p) {
			key, name := causeOf(p.Cause)
			out = append(out, Share{key, name, p.Seconds, percentOf(p.Seconds, total), p})
		}
	}
	return out
}

func takes(p StepPart) bool {
	return p.Seconds > 0 && !math.IsNaN(p.Seconds) && !math.IsInf(p.Seconds, 0)
}

// causes are what takes time in a pass, by how their names begin: the key that gives each a color, and what it does.
var causes = [...]struct{ begins, key, name string }{
	{"weights", "weights", "reading weights"},
	{"experts", "weights", "reading weights of experts"},
	{"kv", "kv", "reading the KV cache"},
	{"cache", "kv", "reading the KV cache"},
	{"compute", "compute", "computing"},
	{"matrix products", "compute", "matrix products"},
	{"attention", "compute", "attention"},
	{"products of experts", "compute", "matrix products of experts"},
	{"network", "network", "network between GPUs"},
	{"exchange", "network", "exchange between GPUs"},
	{"hops", "network", "hops"},
	{"bubble", "bubble", "bubble: stages that wait"},
	{"stages that wait", "bubble", "bubble: stages that wait"},
	{"overhead", "overhead", "overhead of the engine"},
	{"scheduler", "overhead", "scheduler"},
	{"kernels", "overhead", "starting kernels"},
	{"launches", "overhead", "launching from the host"},
	{"bookkeeping", "overhead", "bookkeeping"},
	{"sampler", "sampler", "sampler"},
	{"logits", "sampler", "scores of all tokens (logits)"},
}

// causeOf finds a cause by its name.
func causeOf(name string) (key, plain string) {
	name = strings.TrimSpace(name)
	for _, c := range causes {
		if len(name) < len(c.begins) || !strings.EqualFold(name[:len(c.begins)], c.begins) {
			continue
		}
		switch rest := name[len(c.begins):]; {
		case rest == "":
			return c.key, c.name
		case c.key == "network" && rest[0] == ' ':
			return c.key, c.name + rest
		case strings.ContainsAny(rest[:1], " :,"):
			return c.key, name
		}
	}
	return "other", cmp.Or(name, "other")
}

// CauseName is what a cause is called in a drawing; "" for those that have no color of their own.
func CauseName(key string) string {
	switch key {
	case "weights", "compute", "network", "bubble", "overhead", "sampler":
		return key
	case "kv":
		return "KV cache"
	}
	return ""
}

func percentOf(part, of float64) string {
	if percent := 100 * part / of; percent >= .995 {
		return strconv.FormatFloat(math.Round(percent), 'f', 0, 64) + " %"
	}
	return "<1 %"
}

// CauseSign is the letter that stands for a cause where a step is drawn with letters.
func CauseSign(key string) string {
	switch key {
	case "weights":
		return "#"
	case "kv":
		return "="
	case "compute":
		return "*"
	case "network", "bubble", "overhead", "sampler":
		return key[:1]
	}
	return "."
}

// StepBar divides a width among the causes of a step.
func StepBar(parts []StepPart, width int) []Segment {
	list := shares(parts)
	if len(list) == 0 {
		return nil
	}
	sizes := make([]float64, len(list))
	for i, s := range list {
		sizes[i] = s.Seconds
	}
	var out []Segment
	for i, w := range apportion(sizes, max(width, 0)) {
		if w > 0 {
			out = append(out, Segment{Key: list[i].Key, Width: w})
		}
	}
	return out
}

// StepShares are the causes of the time of a step, for a legend.
func StepShares(parts []StepPart) []Share { return shares(parts) }

// Time is how long a part takes.
func (s Share) Time() string { return seconds.one(s.Seconds) }

// StepTime is how long a whole step takes; "" where that is not known.
func StepTime(parts []StepPart) string {
	total := 0.0
	for _, s := range shares(parts) {
		total += s.Seconds
	}
	if total == 0 {
		return ""
	}
	return seconds.one(total)
}

// StepTable is what one forward pass consists of, with the formula and its source below each cause.
func StepTable(parts []StepPart) Table {
	t := Table{Columns: []Column{{Name: "bar", Code: true}, {Name: "cause"}, {Name: "time", Number: true}, {Name: "of the step", Number: true}}}
	for _, s := range shares(parts) {
		r := Row{Cells: []string{CauseSign(s.Key), s.Name, s.Time(), s.Percent}}
		for _, n := range []string{s.Part.Formula, prefixed("source: ", s.Part.Source)} {
			if n != "" {
				r.Notes = append(r.Notes, n)
			}
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// Detailed reports whether the document holds what --explain asks for.
func (e *Estimate) Detailed() bool {
	for _, c := range e.Model.Components {
		if len(c.Tensors) > 0 {
			return true
		}
	}
	if e.Speed == nil {
		return false
	}
	for _, p := range append(append([]StepPart{}, e.Speed.Step...), e.Speed.Prefill...) {
		if p.Formula != "" {
			return true
		}
	}
	return false
}
