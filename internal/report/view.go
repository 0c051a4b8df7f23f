package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// outcomes of the contract, strictest first.
var outcomes = [...]string{"prohibited", "undetermined", "conditional", "allowed"}

// Outcome returns a word of the contract. Any other word, as a file that somebody edited may hold, is undetermined:
// what cannot be understood is no permission.
func Outcome(s string) string {
	if slices.Contains(outcomes[:], s) {
		return s
	}
	return "undetermined"
}

// Cite is the place in a license that something follows from.
type Cite struct{ License, Clause, Says string }

// Place names the license and the clause: "mit, paragraph 2", "llama-3.1-community, clause 1(b)".
func (c Cite) Place() string {
	clause := c.Clause
	if clause != "" && clause[0] >= '0' && clause[0] <= '9' {
		clause = "clause " + clause
	}
	if c.License == "" || clause == "" {
		return c.License + clause
	}
	return c.License + ", " + clause
}

// String is the place with what stands there, in our words.
func (c Cite) String() string {
	place := c.Place()
	if place == "" || c.Says == "" {
		return place + c.Says
	}
	return place + ": " + c.Says
}

// Places names the places of several, where they are enough.
func Places(cs []Cite) string {
	parts := make([]string, len(cs))
	for i, c := range cs {
		parts[i] = c.Place()
	}
	return strings.Join(parts, "; ")
}

// Finding is one statement that bears on the outcome, with every license that says it.
type Finding struct {
	Text     string
	Cites    []Cite
	Evidence []string
}

// Group is what speaks for one outcome.
type Group struct {
	Outcome  string
	Label    string // the outcome, or "note" for what is worth knowing and stands against nothing
	Findings []Finding
}

// Findings groups the reasons by outcome, strictest first, and says what several licenses say once. Conditions that are
// on the list of duties stand there only, and so do limits that are not crossed; what a license grants is worth saying
// only where nothing stands against the use.
func (l *License) Findings() []Group {
	groups := make([]Group, 0, len(outcomes)+1)
	for _, outcome := range outcomes {
		groups = append(groups, Group{Outcome: outcome, Label: outcome})
	}
	groups = append(groups, Group{Outcome: "allowed", Label: note})
	for i := range l.Reasons {
		r := &l.Reasons[i]
		if l.shownElsewhere(r) {
			continue
		}
		groups[slices.IndexFunc(groups, func(g Group) bool { return g.Label == r.label() })].add(r)
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return len(g.Findings) == 0 })
}

const note = "note"

func (r *Reason) label() string {
	if r.Outcome == "allowed" && r.Code != "grant" && r.Code != "threshold" && r.Code != "separate_agreement" {
		return note
	}
	return Outcome(r.Outcome)
}

func (l *License) shownElsewhere(r *Reason) bool {
	switch {
	case r.Code == "duty":
		return r.Outcome == "conditional" &&
			slices.ContainsFunc(l.Duties, func(d Duty) bool { return d.Text == r.Text && d.License == r.License })
	case r.Outcome != "allowed":
		return false
	case r.Code == "threshold":
		return slices.ContainsFunc(l.Thresholds, func(t Threshold) bool { return t.License == r.License && t.Clause == r.Clause })
	}
	return r.Code == "grant" && Outcome(l.Outcome) != "allowed"
}

func (g *Group) add(r *Reason) {
	i := slices.IndexFunc(g.Findings, func(f Finding) bool { return f.Text == r.Text })
	if i < 0 {
		i = len(g.Findings)
		g.Findings = append(g.Findings, Finding{Text: r.Text})
	}
	f := &g.Findings[i]
	if r.License != "" || r.Clause != "" || r.Says != "" {
		f.Cites = appendNew(f.Cites, Cite{r.License, r.Clause, r.Says})
	}
	for _, e := range r.Evidence {
		f.Evidence = appendNew(f.Evidence, e)
	}
}

func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// Task is a duty with every license that asks for it in the same words.
type Task struct {
	Text    string
	Exact   string // what is to be shown word for word, where the text does not hold it
	When    string
	Certain bool
	Cites   []Cite
}

// Tasks lists the duties once each: the conditions that take a decision or work, and the routine ones that shipping the
// texts and keeping the usual rules meets.
func (l *License) Tasks() (conditions, routine []Task) {
	for i := range l.Duties {
		if l.Duties[i].Routine {
			routine = addTask(routine, &l.Duties[i])
			continue
		}
		conditions = addTask(conditions, &l.Duties[i])
	}
	certainFirst := func(a, b Task) int { return cmp.Compare(rank(b.Certain), rank(a.Certain)) }
	slices.SortStableFunc(conditions, certainFirst)
	slices.SortStableFunc(routine, certainFirst)
	return conditions, routine
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func addTask(list []Task, d *Duty) []Task {
	t := Task{Text: d.Text, Exact: d.Exact, When: d.When, Certain: d.Certain}
	if strings.Contains(d.Text, d.Exact) {
		t.Exact = ""
	}
	i := slices.IndexFunc(list, func(o Task) bool {
		return o.Text == t.Text && o.Exact == t.Exact && o.When == t.When && o.Certain == t.Certain
	})
	if i < 0 {
		i = len(list)
		list = append(list, t)
	}
	list[i].Cites = appendNew(list[i].Cites, Cite{License: d.License, Clause: d.Clause})
	return list
}

// Applies says when the task is due, as a clause to follow its text; "" if always.
func (t Task) Applies() string {
	switch {
	case t.When != "" && t.Certain:
		return "applies " + t.When
	case t.When != "":
		return "only " + t.When
	case !t.Certain:
		return "may apply"
	}
	return ""
}

// Glance counts what there is to do, for the line below the verdict.
func (d *Document) Glance() string {
	l := d.License
	if l == nil {
		return ""
	}
	conditions, routine := l.Tasks()
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, strconv.Itoa(n)+" "+many)
		}
	}
	for _, g := range l.Findings() {
		switch g.Outcome {
		case "prohibited":
			add(len(g.Findings), "reason against it", "reasons against it")
		case "undetermined":
			add(len(g.Findings), "open point", "open points")
		}
	}
	add(len(conditions), "condition to meet", "conditions to meet")
	add(len(routine), "routine duty", "routine duties")
	add(len(l.Questions), "question to answer", "questions to answer")
	add(d.Unread(), "source not read", "sources not read")
	return strings.Join(parts, " · ")
}

// Unread counts the gaps in which a license may hide: not what is simply absent.
func (d *Document) Unread() int {
	n := 0
	for _, g := range d.Gaps {
		if g.Kind != "absent" {
			n++
		}
	}
	return n
}

// Cite is the place of the limit.
func (t Threshold) Cite() Cite { return Cite{License: t.License, Clause: t.Clause} }

// Share is how much of the limit is reached, as whole percent; known is false where no figure was given. It is cut, not
// rounded, so that 100 % is never said of less.
func (t Threshold) Share() (percent int, known bool) {
	if t.Value == nil || t.Limit <= 0 || *t.Value < 0 {
		return 0, false
	}
	return int(math.Min(100**t.Value/t.Limit, 1e6)), true
}

// Fact is one thing that was said about the use.
type Fact struct{ Name, Value string }

// order of the facts of a use, as a person tells them; others follow by name.
var order = [...]string{
	"purpose", "shipping", "commercial", "organization", "modify", "train_others", "monthly_users", "users_at_release",
	"product_users", "monthly_visits", "revenue", "monthly_revenue", "product_revenue", "funding", "employees", "domicile",
	"countries", "fields", "accept_copyleft", "accept_branding", "agreements",
}

// Facts lists what was said about the use, in words.
func (u Use) Facts() []Fact {
	keys := make([]string, 0, len(u.Given))
	for k := range u.Given {
		keys = append(keys, k)
	}
	place := func(k string) int {
		if i := slices.Index(order[:], k); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b)) })
	facts := make([]Fact, 0, len(keys))
	for _, k := range keys {
		facts = append(facts, Fact{strings.ReplaceAll(k, "_", " "), words(u.Given[k])})
	}
	return facts
}

// Said is what was said about the use in one line.
func (u Use) Said() string {
	facts := u.Facts()
	if len(facts) == 0 {
		return "nothing said about the use"
	}
	parts := make([]string, len(facts))
	for i, f := range facts {
		parts[i] = f.Name + " " + f.Value
	}
	return strings.Join(parts, "; ")
}

// words writes a JSON value for a person. Numbers and amounts of money are shortened as everywhere else.
func words(v any) string {
	switch v := v.(type) {
	case nil:
		return "not said"
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		if m, err := units.ParseMoney(v); err == nil {
			return m.String()
		}
		return v
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return words(f)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return units.Count(v).String()
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		return list(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	var plain any
	if err := json.Unmarshal(b, &plain); err == nil {
		if l, ok := plain.([]any); ok {
			return list(l)
		}
	}
	return string(b)
}

func list(vs []any) string {
	if len(vs) == 0 {
		return "none"
	}
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = words(v)
	}
	return strings.Join(parts, ", ")
}

// Info finds what the document says of a license of the catalog.
func (l *License) Info(id string) (LicenseInfo, bool) {
	i := slices.IndexFunc(l.Licenses, func(li LicenseInfo) bool { return li.ID == id })
	if i < 0 {
		return LicenseInfo{}, false
	}
	return l.Licenses[i], true
}

// Complete returns the document with empty lists in place of missing ones, so that scripts may walk every list.
func (d *Document) Complete() *Document {
	c := *d
	c.Gaps, c.Estimate, c.Training = nonNil(d.Gaps), d.Estimate.complete(), d.Training.complete()
	if d.License == nil {
		return &c
	}
	l := *d.License
	l.Matches, l.Claims, l.Effective = nonNil(l.Matches), nonNil(l.Claims), nonNil(l.Effective)
	l.Licenses, l.Duties, l.Thresholds = nonNil(l.Licenses), nonNil(l.Duties), nonNil(l.Thresholds)
	l.Questions, l.Changes, l.Lineage = nonNil(l.Questions), nonNil(l.Changes), nonNil(l.Lineage)
	l.Use.Assumed = nonNil(l.Use.Assumed)
	if l.Use.Given == nil {
		l.Use.Given = map[string]any{}
	}
	l.Reasons = append([]Reason{}, l.Reasons...)
	for i := range l.Reasons {
		l.Reasons[i].Evidence = nonNil(l.Reasons[i].Evidence)
	}
	c.License = &l
	return &c
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Sentence begins s with a capital, unless its first word is a name such as that of a file.
func Sentence(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if first == "" || strings.Trim(first, "abcdefghijklmnopqrstuvwxyz") != "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
