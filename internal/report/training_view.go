package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Word is the verdict of the contract, as that of an estimate: what cannot be understood, or is belied by what stands
// beside it, fits nowhere.
func (o *TrainingOutlook) Word() string {
	w := fitting(o.Verdict)
	if w == Fits && !o.Fits {
		return Undetermined
	}
	return w
}

// Answer says in one whether the plan fits and, where there is a deadline, whether the run ends in time.
func (t *Training) Answer() Answer {
	fit := t.Word()
	switch {
	case t.Found != nil && t.Plan == nil && t.Found.Why != "":
		return Answer{"no plan does it", DoesNotFit}
	case fit == DoesNotFit || fit == Undetermined || t.Found == nil || !(t.Found.Deadline > 0):
		return Answer{Spoken(fit), fit}
	}
	time := t.span()
	link := ", but "
	if fit == Tight {
		link = ", and "
	}
	switch {
	case time == nil:
		return Answer{Spoken(fit) + ", time not known", worse(fit, Undetermined)}
	case time.ordered().High <= t.Found.Deadline:
		if fit == Fits {
			return Answer{"fits, and ends in time", Fits}
		}
		return Answer{Spoken(fit) + ", but ends in time", fit}
	case time.ordered().Low > t.Found.Deadline:
		return Answer{Spoken(fit) + link + "too late", DoesNotFit}
	}
	return Answer{Spoken(fit) + ", perhaps too late", worse(fit, Tight)}
}

// TrainingHead is the first screen of what training takes; ok is false where the document does not say.
func (d *Document) TrainingHead() (h Head, ok bool) {
	t := d.Training
	if t == nil {
		return Head{}, false
	}
	h = Head{Answer: t.Answer(), About: d.Subject.Ref, Summary: opened(t.Summary)}
	if t.Plan != nil {
		h.On = t.Plan.Cards()
		h.About += " on " + h.On
	}
	glances := []string{t.Sum(), t.Load(), t.Room()}
	if t.impossible() {
		glances = glances[2:]
	}
	for _, g := range glances {
		if g != "" {
			h.Glances = append(h.Glances, Sentence(g))
		}
	}
	return h, true
}

func (o *TrainingOutlook) span() *Range { return given(o.Time) }

// Sum is what the run comes to, in one line.
func (o *TrainingOutlook) Sum() string {
	return join(" · ", spans.about(o.span()), gpuHours.about(given(o.GPUHours)), dollars.about(given(o.USD)), wattHours.about(given(o.Wh)),
		carbonG.about(given(o.Grams)))
}

// Load is how well the devices are used, in one line.
func (o *TrainingOutlook) Load() string {
	parts := []string{tokenRates.about(given(o.TokensPerS)), prefixed("MFU ", percents.between(given(o.MFU)))}
	if o.Goodput != nil {
		parts = append(parts, prefixed("goodput ", percents.between(given(o.Goodput))))
	} else {
		parts = append(parts, suffixed(spans.about(given(o.StepSeconds)), " a step"))
	}
	return join(" · ", parts...)
}

// Room is what lies in memory, in one line.
func (t *Training) Room() string {
	m := t.Memory
	if m == nil {
		return ""
	}
	s := m.needs().String()
	if m.Capacity > 0 {
		s = strings.TrimSuffix(s, " GiB") + " of " + GiB(m.Capacity)
	}
	return join(" · ", s+" per GPU", t.trained())
}

// trained says how many of the parameters are trained, if not all are.
func (t *Training) trained() string {
	m := &t.Model
	if m.Trained <= 0 || m.Total <= 0 || m.Trained >= m.Total {
		return ""
	}
	return Params(m.Trained) + " of " + Params(m.Total) + " parameters trained"
}

// Cards is what the plan runs on.
func (p *TrainingPlan) Cards() string {
	return (&ServingPlan{GPU: p.GPU, GPUName: p.GPUName, GPUs: p.GPUs, Nodes: p.Nodes}).Cards()
}

// Split is how the devices share the work: "tensor 8 x pipeline 16 x data 128"; "" on one card.
func (p *TrainingPlan) Split() string {
	var parts []string
	for _, d := range p.ways() {
		if d.n > 1 {
			parts = append(parts, d.name+" "+units.Thousands(int64(d.n)))
		}
	}
	s := strings.Join(parts, " x ")
	if p.Expert > 1 {
		s = join(", ", s, "experts over "+units.Thousands(int64(p.Expert)))
	}
	return s
}

func (p *TrainingPlan) ways() []struct {
	name string
	n    int
} {
	return []struct {
		name string
		n    int
	}{{"tensor", p.Tensor}, {"pipeline", p.Pipeline}, {"context", p.Context}, {"data", p.Data}}
}

// zeros are what each stage of ZeRO shares among data ranks.
var zeros = [...]string{
	"", "states of the optimizer shared (ZeRO 1)", "gradients and states of the optimizer shared (ZeRO 2)",
	"weights, gradients and states of the optimizer shared (ZeRO 3)",
}

func (p *TrainingPlan) shared() string {
	if p.Zero <= 0 || p.Zero >= len(zeros) {
		return ""
	}
	s := zeros[p.Zero]
	if p.Shard > 0 && p.Shard != p.Data {
		s += " in groups of " + units.Thousands(int64(p.Shard)) + " GPUs"
	}
	return s
}

// batches is what one step is made of.
func (t *Training) batches() string {
	p, j := t.Plan, &t.Job
	if j.Global <= 0 || j.Sequence <= 0 {
		return ""
	}
	s := units.Thousands(j.Global) + " sequences of " + units.Thousands(j.Sequence) + " tokens"
	if p.Micro > 0 && p.Micros > 0 {
		s += ", as " + units.Thousands(p.Micros) + " " + plural("micro-batch", "micro-batches", p.Micros) + " of " + units.Thousands(p.Micro)
	}
	if p.Data > 1 && p.Micro > 0 && p.Micros > 0 {
		s += " on each replica"
	}
	return s
}

func plural(one, many string, n int64) string {
	if n == 1 {
		return one
	}
	return many
}

func (p *TrainingPlan) order() string {
	if p.Pipeline <= 1 {
		return ""
	}
	s := p.Schedule
	if p.Virtual > 1 {
		s = join(", ", s, units.Thousands(int64(p.Virtual))+" chunks of layers on each GPU")
	}
	return s
}

// linked is how the devices of the plan reach each other; "" for a single one.
func (p *TrainingPlan) linked() string {
	f := &p.Fabric
	if p.GPUs <= 1 {
		return ""
	}
	var parts []string
	if f.Link != "" && f.Domain != 1 {
		s := linkName(f.Link)
		if f.Domain > 1 {
			s += " joins " + units.Thousands(int64(f.Domain)) + " GPUs"
		}
		if f.LinkBytes > 0 {
			s += " at " + byteRate.one(f.LinkBytes) + " each"
		}
		parts = append(parts, s)
	}
	if p.Nodes > 1 && (f.Net != "" || f.NetGbit > 0) {
		parts = append(parts, join(" ", cmp.Or(f.Net, "network"), "between machines", prefixed("at ", suffixed(gbit(f.NetGbit), " per GPU"))))
	}
	return join("; ", strings.Join(parts, ", "), f.Name)
}

// linkName is a link as people write it.
func linkName(id string) string {
	for _, l := range [...]struct{ id, name string }{{"nvlink", "NVLink"}, {"pcie", "PCIe"}} {
		rest, ok := strings.CutPrefix(id, l.id)
		if ok && strings.Trim(rest, "0123456789") == "" {
			return strings.TrimSpace(l.name + " " + rest)
		}
	}
	if id == "xgmi" {
		return "Infinity Fabric"
	}
	return id
}

func gbit(v float64) string {
	if !(v > 0) {
		return ""
	}
	return named("Gbit/s").one(v)
}

// Settings are what Planned does not say of the plan and the job, in words.
func (t *Training) Settings() []Fact {
	var fs facts
	j := &t.Job
	fs.add("method", join(", ", methods[t.Method], frozen(j.Quantized), t.adapters()))
	fs.add("with", join(", ", j.Framework, suffixed(j.Precision, " products")))
	if p := t.Plan; p != nil {
		fs.add("pipeline", p.order())
		fs.add("network", p.linked())
	}
	fs.add("optimizer", j.Optimizer)
	fs.add("recomputed", recomputed(j.Recompute))
	fs.add("loss", j.Loss)
	if j.Offload != "none" {
		fs.add("on the host", j.Offload)
	}
	return fs
}

var methods = map[string]string{
	"pretrain": "pre-training", "full": "full fine-tuning", "lora": "LoRA", "qlora": "QLoRA", "dpo": "DPO, preference pairs against a reference",
	"ppo": "PPO, a policy and a critic", "grpo": "GRPO, groups of answers of the policy itself",
}

func frozen(format string) string { return prefixed("frozen weights in ", format) }

func (t *Training) adapters() string {
	if t.Job.Rank <= 0 {
		return ""
	}
	return "adapters of rank " + units.Thousands(t.Job.Rank)
}

func recomputed(s string) string {
	switch s {
	case "none":
		return "nothing, all activations are kept"
	case "selective":
		return "selected activations"
	case "full":
		return "all activations of each layer"
	}
	return s
}

// Planned is the plan in a sentence.
func (t *Training) Planned() string {
	p := t.Plan
	if p == nil {
		return ""
	}
	s := p.Cards()
	if split := p.Split(); split != "" {
		s += " as " + split
	}
	return join("; ", s, p.shared(), prefixed("a step is ", t.batches())) + "."
}

// Broken names what breaks the plan, with its size if the account has it.
func (o *TrainingOutlook) Broken() string {
	return (&Outlook{Terms: o.Terms, Breaks: o.Breaks}).Broken()
}

// trouble is what stands against the plan, and what would help.
func (t *Training) trouble() Section {
	e := Estimate{Summary: t.Summary, Outlook: Outlook{
		Verdict: t.Verdict, Fits: t.Fits, Why: t.Why, Terms: t.Terms, Breaks: t.Breaks, Changes: t.Changes,
	}}
	title, breaks := e.Trouble()
	if title == "" || e.Word() == Fits && len(t.Changes) == 0 && breaks == "" {
		return Section{}
	}
	s := Section{Title: title}
	if breaks != "" {
		s.Items = append(s.Items, Item{Label: "breaks", Verdict: e.Word(), Text: breaks})
	}
	if why := e.Reason(); why != "" {
		s.Says = []string{why}
	}
	for _, c := range t.Changes {
		text, flag := c.Line()
		s.Items = append(s.Items, Item{Label: "change", Verdict: Fits, Text: text, Code: flag})
	}
	return s
}

// Detailed reports whether the document holds what --explain asks for.
func (t *Training) Detailed() bool {
	return slices.ContainsFunc(t.Model.Components, func(c Component) bool { return len(c.Tensors) > 0 }) ||
		slices.ContainsFunc(t.Terms, func(x Term) bool { return x.Formula != "" }) ||
		slices.ContainsFunc(t.Parts, func(p StepPart) bool { return p.Formula != "" })
}

// impossible reports whether the run can not take place as planned, so that what it would take is no answer.
func (o *TrainingOutlook) impossible() bool { return o.Word() == DoesNotFit }

// Sections are the answer after its first screen, in the order in which it is read.
func (t *Training) Sections() []Section {
	var last Section
	first := t.trouble()
	if t.Word() == Fits { // what would make more room waits
		first, last = Section{}, first
	}
	o := &t.TrainingOutlook
	list := []Section{first, t.search(), t.candidates()}
	if o.impossible() {
		fast := o.speed()
		fast.Title = "How fast it would be, if it fitted"
		list = append(list, o.memory(), t.plan(), fast)
	} else {
		list = append(list, t.timeline(), o.memory(), t.plan(), o.speed(), o.where(), o.traffic(), o.failures(), o.cost(), o.energy())
	}
	list = append(list, t.data(), t.generations(), o.nearest(), last, t.refused(), t.assumed(), t.model(), t.derived(), t.worth())
	if !o.impossible() {
		list = append(list, o.steps(), o.prices(), o.owned(), o.powers())
	}
	return kept(append(list, o.account(), t.components(), t.tensors(), t.words())...)
}

func (t *Training) plan() Section {
	return Section{Title: "The plan", Says: sentences(t.Planned()), Facts: t.Settings()}
}

func sentences(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// memory is the account of the device that holds most.
func (o *TrainingOutlook) memory() Section {
	p := o.MemoryPile()
	if p == nil {
		return Section{}
	}
	s := Section{Title: "Memory per GPU", Pile: p}
	if o.Memory.Rank != "" {
		s.Title += " (" + o.Memory.Rank + ")"
	}
	if h := given(o.Memory.Host); h != nil {
		s.Below = "Beside it " + h.String() + " for each GPU in the memory of the host."
	}
	return s
}

// speed is how fast the plan is, and against what that is held.
func (o *TrainingOutlook) speed() Section {
	var fs facts
	fs.add("tokens", join(", ", tokenRates.about(given(o.TokensPerS)), suffixed(tokenRates.between(o.each()), " per GPU")))
	fs.add("one step", join(", ", spans.about(given(o.StepSeconds)), o.count()))
	fs.add("MFU, of model FLOPs", join(" of ", percents.about(given(o.MFU)), o.peak()))
	fs.add("HFU, all FLOPs counted", percents.about(given(o.HFU)))
	fs.add("reached by each GPU", named("TFLOP/s").about(given(o.TFLOPS)))
	fs.add("work", o.work())
	fs.add("limited by", limit(o.BoundBy))
	fs.add("bubble", o.bubble())
	fs.add("idle", suffixed(portion(o.IdleShare), " of the time of a GPU"))
	fs.add("basis", o.Basis)
	return Section{Title: "How fast, and against what", Facts: fs}
}

// each is the share of one device, where there are several.
func (o *TrainingOutlook) each() *Range {
	if o.Plan == nil || o.Plan.GPUs <= 1 || given(o.TokensPerS) == nil {
		return nil
	}
	n := float64(o.Plan.GPUs)
	return &Range{o.TokensPerS.Low / n, o.TokensPerS.Mid / n, o.TokensPerS.High / n}
}

func (o *TrainingOutlook) count() string {
	if o.Steps == nil || !(*o.Steps >= 1) || *o.Steps > mostDrawn {
		return ""
	}
	return units.Thousands(int64(*o.Steps+.5)) + " steps"
}

// peak is what MFU is held against, which is always that of dense products.
func (o *TrainingOutlook) peak() string {
	if o.Peak == nil || !(*o.Peak > 0) {
		return ""
	}
	figure := flopRate.one(*o.Peak)
	if number, _, _ := strings.Cut(figure, " "); strings.HasPrefix(o.PeakOf, number) && strings.Contains(o.PeakOf, "dense") {
		return "the peak, " + o.PeakOf
	}
	return join(", ", "the dense peak of "+figure, o.PeakOf)
}

// work is how much there is to compute, with the convention by which it is counted.
func (o *TrainingOutlook) work() string {
	return join(", ", operations(o.FLOPs), suffixed(operations(o.PerToken), " a token"), prefixed("counted as ", o.Counted))
}

// operations writes a number of floating-point operations: "3.80 x 10^25 FLOP".
func operations(v *float64) string {
	if v == nil || some(Range{*v, *v, *v}) == nil {
		return ""
	}
	mantissa, power, _ := strings.Cut(strconv.FormatFloat(*v, 'e', fine-1, 64), "e")
	n, err := strconv.Atoi(power)
	if err != nil {
		return ""
	}
	return mantissa + " x 10^" + strconv.Itoa(n) + " FLOP"
}

func (o *TrainingOutlook) bubble() string {
	return suffixed(portion(o.BubbleShare), " of a step: stages of the pipeline that wait")
}

// portion is a share in percent; "" where there is none.
func portion(v *float64) string {
	if v == nil || !(*v > 0) || *v > 1 {
		return ""
	}
	return percentOf(*v, 1)
}

// where is where the time of a device goes.
func (o *TrainingOutlook) where() Section {
	p := o.WherePile()
	if p == nil {
		return Section{}
	}
	return Section{Title: "Where the time of a GPU goes", Pile: p}
}

// steps is one step, cause by cause.
func (o *TrainingOutlook) steps() Section {
	total := StepTime(o.Parts)
	if total == "" {
		return Section{}
	}
	t := StepTable(o.Parts)
	for i, s := range shares(o.Parts) {
		u := useOf(s.Part.Cause)
		t.Rows[i].Cells[0], t.Rows[i].Cells[1] = u.sign, u.name
	}
	return Section{Title: "One step, cause by cause: " + total, Table: t, Looked: true}
}

// traffic is what each device sends in a step.
func (o *TrainingOutlook) traffic() Section {
	t := Table{Columns: []Column{
		{Name: "what each GPU sends in a step"},
		{Name: "over"},
		{Name: "amount", Number: true},
		{Name: "time", Number: true},
		{Name: "hidden", Number: true},
		{Name: "waits", Number: true, Spare: 1},
	}}
	for _, x := range o.Traffic {
		if !(x.Bytes > 0) && !(x.Seconds > 0) {
			continue
		}
		hidden := min(max(x.Hidden, 0), 1)
		t.Rows = append(t.Rows, Row{Cells: []string{x.What, linkName(x.Link), moved.one(x.Bytes), spans.one(x.Seconds), percents.one(hidden), spans.one(x.Seconds * (1 - hidden))}})
	}
	if len(t.Rows) == 0 {
		return Section{}
	}
	return Section{Title: "Traffic of one step, by link", Table: t, Below: "What is hidden passes while products are computed, and takes no time of its own."}
}

// failures are what a long run loses.
func (o *TrainingOutlook) failures() Section {
	f := o.Failing
	if f == nil {
		return Section{}
	}
	var fs facts
	fs.add("goodput", suffixed(percents.about(given(o.Goodput)), " of the time is work that is kept"))
	fs.add("failures expected", f.expected())
	fs.add("between two of them", suffixed(spans.about(some(f.MTBF)), ", of the whole cluster"))
	fs.add("a checkpoint every", join(", ", o.interval(), suffixed(positiveSpan(f.Save), " to save one")))
	fs.add("after a failure", suffixed(positiveSpan(f.Restart), " until work goes on, and what was done since the last checkpoint is lost"))
	fs.add("source", f.Source)
	return Section{Title: "Failures and checkpoints", Facts: fs}
}

func positiveSpan(v float64) string {
	if !(v > 0) {
		return ""
	}
	return spans.one(v)
}

// rare reports whether a run is hardly ever hit.
func (f *Failures) rare() bool { return f.Expected.ordered().High < .5 }

func (f *Failures) expected() string {
	if some(f.Expected) != nil && f.rare() {
		return "hardly any: less than half a one in the whole run"
	}
	return named("in the whole run").between(some(f.Expected))
}

// interval is how often a checkpoint is best written; "" where that is after the end of the run.
func (o *TrainingOutlook) interval() string {
	every := o.Failing.Checkpoint
	if r := o.span(); r != nil && every > r.ordered().Mid {
		return ""
	}
	return positiveSpan(every)
}

// nearest are published measurements close to the question.
func (o *TrainingOutlook) nearest() Section {
	s := Section{Title: "Closest measurements"}
	for _, n := range o.Nearest {
		m := NearestMeasure{What: n.What, Metric: n.Metric, Value: n.Value, Unit: n.Unit, Computed: n.Computed, Differs: n.Differs, Source: n.Source}
		m.Differs = strings.TrimSpace(strings.TrimPrefix(m.Differs, "differs in:"))
		s.Words = append(s.Words, (&Speed{Nearest: []NearestMeasure{m}}).NearestLines()...)
	}
	return s
}

func (t *Training) refused() Section {
	s := Section{Title: "Plans that no framework would start"}
	for _, r := range t.Refused {
		s.Items = append(s.Items, Item{Label: r.Plan, Verdict: DoesNotFit, Text: r.Why})
	}
	return s
}

func (t *Training) assumed() Section {
	table := Table{Columns: []Column{{Name: "setting", Code: true}, {Name: "value"}, {Name: "why"}}}
	for _, a := range t.Assumed {
		table.Rows = append(table.Rows, Row{Cells: []string{a.What, a.Value, a.Why}})
	}
	return Section{Title: "Assumed, because nobody said", Table: table}
}

// model is what is trained.
func (t *Training) model() Section {
	m := &t.Model
	var fs facts
	if m.Architecture != "" || m.Family != "" {
		fs.add("architecture", (&EstimatedModel{Architecture: m.Architecture, Family: m.Family}).architecture())
	}
	if m.Total > 0 {
		fs.add("parameters", (&EstimatedModel{ParamsTotal: m.Total, ParamsActive: m.Active}).Parameters())
	}
	fs.add("trained", cmp.Or(t.trained(), allTrained(m)))
	if m.Layers > 0 {
		fs.add("shape", join(", ", units.Thousands(m.Layers)+" layers", suffixed(positive64(m.Hidden), " wide"), suffixed(positive64(m.Vocabulary), " tokens in the vocabulary")))
	}
	fs.add("configuration", m.Source)
	return Section{Title: "The model", Facts: fs}
}

func allTrained(m *TrainingModel) string {
	if m.Trained <= 0 || m.Trained < m.Total {
		return ""
	}
	return "all parameters"
}

func positive64(n int64) string {
	if n <= 0 {
		return ""
	}
	return units.Thousands(n)
}

// derived is the configuration of a model that does not exist yet.
func (t *Training) derived() Section {
	if t.Model.Derived == "" {
		return Section{}
	}
	text := t.Model.Derived
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") == nil {
		text = b.String()
	}
	return Section{Title: "config.json that was derived for it", Copied: text}
}

func (t *Training) worth() Section {
	s := Section{Title: "Worth knowing"}
	if t.Outside != "" {
		s.Items = append(s.Items, Item{Label: "-", Text: "Published figures of such a run are not what is computed here: " + t.Outside})
	}
	for _, n := range t.Notes {
		s.Items = append(s.Items, Item{Label: "-", Text: n})
	}
	return s
}

func (t *Training) words() Section {
	s := Section{Title: "What the words mean"}
	for _, d := range t.Defined {
		s.Words = append(s.Words, Fact{d.Term, d.Means})
	}
	return s
}

// account is what the memory adds up from.
func (o *TrainingOutlook) account() Section {
	t := (&Outlook{Terms: o.Terms}).TermTable()
	for i := range t.Rows {
		t.Rows[i].Cells[0] = trainingPart(o.Terms[i].Part).name
	}
	return Section{Title: "What the memory adds up from", Table: t, Looked: true}
}

func (t *Training) components() Section {
	return Section{Title: "Where the parameters are", Table: (&EstimatedModel{Components: t.Model.Components}).ComponentTable(), Looked: true}
}

func (t *Training) tensors() Section {
	return Section{Title: "Tensor by tensor", Table: (&EstimatedModel{Components: t.Model.Components}).TensorTable(), Looked: true}
}

// search is where a plan was looked for.
func (t *Training) search() Section {
	f := t.Found
	if f == nil {
		return Section{}
	}
	var fs facts
	if f.Deadline > 0 {
		fs.add("to be done within", spans.one(f.Deadline))
	}
	if f.Looked > 0 {
		fs.add("looked at", units.Thousands(int64(f.Looked))+" plans, "+units.Thousands(int64(max(f.Fitted, 0)))+" of them fit in memory")
	}
	if f.Largest > 0 {
		fs.add("largest cluster", join(": ", "up to "+units.Thousands(int64(f.Largest))+" GPUs make sense", f.Stops))
	}
	s := Section{Title: "Where a plan was looked for", Says: sentences(f.Why), Facts: fs}
	for i, r := range t.Reasons {
		label := ""
		if i == 0 {
			label = "chosen because"
		}
		s.Items = append(s.Items, Item{Label: label, Text: r})
	}
	return s
}

// candidates are the other plans, the plan of the answer first.
func (t *Training) candidates() Section {
	if len(t.Candidates) == 0 {
		return Section{}
	}
	table := Table{Columns: []Column{
		{Name: "verdict"},
		{Name: "plan"},
		{Name: "memory", Number: true, Spare: 3},
		{Name: "MFU", Number: true, Spare: 2},
		{Name: "time", Number: true},
		{Name: "GPU-hours", Number: true, Spare: 1},
		{Name: "USD", Number: true},
	}}
	var list []*TrainingOutlook
	if t.Plan != nil {
		list = append(list, &t.TrainingOutlook)
	}
	for i := range t.Candidates {
		list = append(list, &t.Candidates[i])
	}
	var spots []choice
	for i, o := range list {
		number := strconv.Itoa(i + 1)
		r := o.row(number)
		if o == &t.TrainingOutlook {
			r.Cells[1] += " (this answer)"
			r.Notes = nil // stand above
		}
		table.Rows = append(table.Rows, r)
		spots = append(spots, choice{number, o.spread(), o})
	}
	for _, name := range []string{"memory", "MFU", "time", "GPU-hours", "USD"} {
		table = table.withoutEmpty(name)
	}
	return Section{Title: "This plan, and the others, best first", Table: table, Chart: timeAgainstCost(spots, t.deadline())}
}

func (t *Training) deadline() float64 {
	if t.Found == nil {
		return 0
	}
	return t.Found.Deadline
}

// spread is what a plan runs on in a few words.
func (o *TrainingOutlook) spread() string {
	if o.Plan == nil {
		return ""
	}
	p := *o.Plan
	p.Data, p.Expert = 0, 0
	return join(", ", units.Thousands(int64(p.GPUs))+" GPUs", p.Split())
}

func (o *TrainingOutlook) row(number string) Row {
	r := Row{Verdict: o.Word(), Pile: o.MemoryPile()}
	plan := "a plan that is not named"
	if p := o.Plan; p != nil {
		plan = join(", ", p.Cards(), p.Split(), zeroOf(p.Zero), suffixed(positive64(p.Micro), " in a micro-batch"))
	}
	memory := ""
	if o.Memory != nil {
		memory = o.Memory.needs().String()
	}
	r.Cells = []string{Spoken(r.Verdict), number + ". " + plan, memory, "", "", "", ""}
	if !o.impossible() {
		r.Cells = append(r.Cells[:3], percents.between(given(o.MFU)), spans.between(o.span()),
			strings.TrimSuffix(gpuHours.between(given(o.GPUHours)), " GPU-hours"), inUSD(given(o.USD)))
	}
	if why := join("; ", append(slices.Clone(o.Reasons), o.whyNot())...); why != "" {
		r.Notes = []string{why}
	}
	return r
}

func (o *TrainingOutlook) whyNot() string {
	if o.Word() == Fits {
		return ""
	}
	return o.Why
}

func zeroOf(n int) string {
	if n <= 0 || n > 3 {
		return ""
	}
	return "ZeRO " + strconv.Itoa(n)
}

// data is the data that is needed against what is at hand.
func (t *Training) data() Section {
	d := t.Data
	if d == nil {
		return Section{}
	}
	var fs facts
	if d.Tokens > 0 {
		per := ""
		if d.PerParam > 0 {
			per = named("for each parameter").one(d.PerParam)
		}
		fs.add("asked for", join(", ", tokens.one(d.Tokens), per))
	}
	fs.add("compute-optimal", tokens.about(some(d.Optimal)))
	fs.add("models that are served", suffixed(tokens.between(given(d.Usual)), " for one of this size"))
	if d.Have != nil && *d.Have > 0 {
		fs.add("at hand", join(", ", tokens.one(*d.Have), d.epochs()))
	}
	s := Section{Title: "Data", Says: sentences(join(": ", capitalized(d.Verdict), d.Why)), Facts: fs, Table: d.table()}
	if len(d.Sources) > 0 {
		s.Below = "Sources: " + strings.Join(d.Sources, "; ")
	}
	return s
}

// capitalized begins with a capital whatever follows: it is no name.
func capitalized(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// opened begins a sentence with a capital, if it does not begin with the name of a model.
func opened(s string) string {
	if first, _, _ := strings.Cut(s, " "); strings.ContainsAny(first, "/._0123456789") {
		return s
	}
	return capitalized(s)
}

func (d *TrainingData) epochs() string {
	if d.Epochs == nil || !(*d.Epochs > 0) {
		return ""
	}
	return "seen " + named("times").one(*d.Epochs)
}

func (d *TrainingData) table() Table {
	t := Table{Columns: []Column{
		{Name: "the same model with"}, {Name: "tokens", Number: true}, {Name: "GPU-hours", Number: true, Spare: 1}, {Name: "time", Number: true}, {Name: "USD", Number: true},
	}}
	for _, p := range d.Points {
		n := ""
		if p.Tokens > 0 {
			n = strings.TrimSuffix(tokens.one(p.Tokens), " tokens")
		}
		t.Rows = append(t.Rows, Row{Cells: []string{
			p.What, n, strings.TrimSuffix(gpuHours.between(given(p.GPUHours)), " GPU-hours"), spans.between(given(p.Time)), inUSD(given(p.USD)),
		}})
	}
	for _, name := range []string{"GPU-hours", "time", "USD"} {
		t = t.withoutEmpty(name)
	}
	return t
}

// generations are the same work on other cards.
func (t *Training) generations() Section {
	if len(t.Generations) == 0 {
		return Section{}
	}
	table := Table{Columns: []Column{
		{Name: "no.", Number: true},
		{Name: "the same work on"},
		{Name: "time", Number: true},
		{Name: "GPU-hours", Number: true, Spare: 2},
		{Name: "energy", Number: true, Spare: 1},
		{Name: "cost", Number: true},
	}}
	here := Generation{Outlook: &t.TrainingOutlook, Time: exact1(), Hours: exact1(), Energy: exact1(), USD: exact1()}
	list := append([]Generation{here}, t.Generations...)
	var spots []choice
	for i := range list {
		number := strconv.Itoa(i + 1)
		r := list[i].row(number)
		if i == 0 {
			r.Cells[1] += " (this answer)"
		}
		table.Rows = append(table.Rows, r)
		spots = append(spots, choice{number, list[i].card(), list[i].Outlook})
	}
	for _, name := range []string{"time", "GPU-hours", "energy", "cost"} {
		table = table.withoutEmpty(name)
	}
	return Section{
		Title: "The same work on other cards", Table: table, Chart: timeAgainstCost(spots, 0),
		Below: "0.5 x is half of what the plan of this answer takes. What is doubtful of both cards alike is left out of the ranges of ratios.",
	}
}

func exact1() *Range { return &Range{1, 1, 1} }

func (g *Generation) card() string {
	if o := g.Outlook; o != nil && o.Plan != nil {
		return cmp.Or(o.Plan.GPUName, o.Plan.GPU, g.GPU)
	}
	return cmp.Or(g.GPU, "a card that is not named")
}

func (g *Generation) row(number string) Row {
	r := Row{Cells: []string{number, g.card(), "", "", "", ""}}
	if o := g.Outlook; o != nil {
		if o.Plan != nil {
			r.Cells[1] = units.Thousands(int64(o.Plan.GPUs)) + " x " + g.card()
		}
		if w := o.Word(); w != Fits {
			r.Notes = append(r.Notes, join(": ", Spoken(w), o.Why))
		}
		if o.impossible() {
			return r
		}
		if figures := join(", ", spans.between(o.span()), gpuHours.between(given(o.GPUHours)), wattHours.between(given(o.Wh)), dollars.between(given(o.USD))); figures != "" {
			r.Notes = append(r.Notes, figures)
		}
	}
	for i, v := range []*Range{g.Time, g.Hours, g.Energy, g.USD} {
		r.Cells[2+i] = strings.TrimPrefix(ratio.about(given(v)), "about ")
	}
	if g.Why != "" {
		r.Notes = append(r.Notes, g.Why)
	}
	return r
}

// complete puts empty lists in place of missing ones.
func (t *Training) complete() *Training {
	if t == nil {
		return nil
	}
	c := *t
	c.Candidates, c.Assumed, c.Defined = nonNil(slices.Clone(t.Candidates)), nonNil(t.Assumed), nonNil(t.Defined)
	c.TrainingOutlook = t.TrainingOutlook.complete()
	for i := range c.Candidates {
		c.Candidates[i] = c.Candidates[i].complete()
	}
	c.Generations = slices.Clone(t.Generations)
	for i := range c.Generations {
		if o := c.Generations[i].Outlook; o != nil {
			c.Generations[i].Outlook = new(o.complete())
		}
	}
	if t.Data != nil {
		c.Data = new(*t.Data)
		c.Data.Sources = nonNil(t.Data.Sources)
	}
	return &c
}

func (o TrainingOutlook) complete() TrainingOutlook {
	if o.Cost != nil {
		o.Cost = new(*o.Cost)
		o.Cost.Prices = nonNil(o.Cost.Prices)
		if o.Cost.Bought != nil {
			o.Cost.Bought = new(*o.Cost.Bought)
			o.Cost.Bought.Parts = nonNil(o.Cost.Bought.Parts)
		}
	}
	if o.Energy != nil {
		o.Energy = new(*o.Energy)
		o.Energy.Parts = nonNil(o.Energy.Parts)
	}
	return o
}
