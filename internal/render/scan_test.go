package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
)

// scanners hold what must not be in an output, whatever is in the document.
var scanners = map[string]func(string) []string{
	".80.txt": scanText, ".140.txt": scanText, ".color.txt": scanColor, ".jsonl": scanJSON, ".md": scanMarkdown, ".html": scanHTML,
	".sarif": scanJSON,
}

// hidden finds characters that a reader would not see, and what CI runners take for commands.
func hidden(s string) (faults []string) {
	if !utf8.ValidString(s) {
		faults = append(faults, "invalid UTF-8")
	}
	for i, line := range strings.Split(s, "\n") {
		for _, r := range line {
			if printable.Hidden(r) {
				faults = append(faults, fmt.Sprintf("line %d holds %U: %q", i+1, r, line))
			}
		}
		if strings.HasPrefix(strings.TrimSpace(line), "::") || command.MatchString(line) {
			faults = append(faults, fmt.Sprintf("line %d is a command of a CI runner: %q", i+1, line))
		}
	}
	return faults
}

// What the scanners look for.
var (
	colorCode  = regexp.MustCompile("\x1b\\[(0|1|2|1;3[1-6])m")
	taskBox    = regexp.MustCompile(`^(- )\[ \] `)
	escape     = regexp.MustCompile(`\\[!-/:-@\[-` + "`" + `{-~]|&#124;`)
	bullet     = regexp.MustCompile(`^(  )?- `)
	blockStart = regexp.MustCompile(`^(\d+[.)]( |$)|[-+=]+\s*$|[-+*] )`)
	outside    = regexp.MustCompile(`url\(|@import|expression`)
	anyCode    = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

var command = regexp.MustCompile(`##\pL*\[`)

func scanText(s string) []string { return hidden(s) }

func scanColor(s string) []string {
	return hidden(colorCode.ReplaceAllString(s, ""))
}

// scanJSON also takes one value a line.
func scanJSON(s string) []string {
	faults := hidden(s)
	if json.Valid([]byte(s)) {
		return faults
	}
	for line := range strings.Lines(s) {
		if !json.Valid([]byte(line)) {
			return append(faults, "not JSON: "+line)
		}
	}
	return faults
}

// scanMarkdown takes code spans out as CommonMark does, and then looks for anything that is markup and not ours.
func scanMarkdown(s string) []string {
	faults := hidden(s)
	fence := ""
	for i, line := range strings.Split(s, "\n") {
		if strings.Trim(line, "`") == "" && len(line) > 2 { // a block of code, which ends with as many
			if fence == "" {
				fence = line
				continue
			}
			if line == fence {
				fence = ""
				continue
			}
		}
		if fence != "" {
			continue
		}
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Sprintf("line %d: ", i+1)+fmt.Sprintf(format, args...)+": "+line)
		}
		if ownFold.MatchString(line) { // an HTML block, in which Markdown means nothing
			continue
		}
		rest, ok := withoutCode(line)
		if !ok {
			fault("a code span does not end")
		}
		rest = ownTags.ReplaceAllString(rest, "")
		rest = taskBox.ReplaceAllString(rest, "$1")
		bare := escape.ReplaceAllString(rest, "e")
		if strings.ContainsAny(bare, "<>[]`@$~") {
			fault("markup from the data in %q", bare)
		}
		if strings.Contains(rest, "@") || strings.Contains(rest, "://") || strings.Contains(strings.ToLower(rest), "www.") {
			fault("a link or a mention")
		}
		if trimmed := strings.TrimLeft(bare, "#"); strings.Contains(trimmed, "#") {
			fault("a heading or a reference in %q", bare)
		}
		if strings.HasPrefix(bare, "|") && strings.Count(bare, "|") != columnsOf(s, i) {
			fault("a cell from the data")
		}
		item := bullet.ReplaceAllString(bare, "")
		if blockStart.MatchString(item) {
			fault("a block from the data")
		}
	}
	if fence != "" {
		faults = append(faults, "a block of code does not end")
	}
	return faults
}

var (
	ownTags = regexp.MustCompile(`</?(details|summary|sub)>`)
	ownFold = regexp.MustCompile(`^<details><summary>[^<>]*(<code>[^<>]*</code>)?</summary>$`)
)

// columnsOf counts the bars of the head of the table that line i stands in.
func columnsOf(s string, i int) int {
	lines := strings.Split(s, "\n")
	for i > 0 && strings.HasPrefix(lines[i-1], "|") {
		i--
	}
	return strings.Count(lines[i], "|")
}

// withoutCode takes out code spans: a run of backticks up to the next run of the same length. In a table a cell ends at
// every bar, so spans are looked for within cells.
func withoutCode(line string) (rest string, ok bool) {
	if strings.HasPrefix(line, "|") {
		ok = true
		cells := strings.Split(line, "|")
		for i, c := range cells {
			cut, fine := withoutCode(c)
			cells[i], ok = cut, ok && fine
		}
		return strings.Join(cells, "|"), ok
	}
	var out strings.Builder
	for len(line) > 0 {
		switch {
		case line[0] == '\\' && len(line) > 1:
			out.WriteString(line[:2])
			line = line[2:]
		case line[0] == '`':
			fence := line[:len(line)-len(strings.TrimLeft(line, "`"))]
			body := line[len(fence):]
			end := regexp.MustCompile("(^|[^`])" + fence + "([^`]|$)").FindStringIndex(body)
			if end == nil {
				return out.String() + line, false
			}
			line = body[end[0]:]
			line = line[strings.Index(line, fence)+len(fence):]
			out.WriteByte('c')
		default:
			out.WriteByte(line[0])
			line = line[1:]
		}
	}
	return out.String(), true
}

var (
	elements   = strings.Fields("html head meta title style body main section article header footer p h1 h2 h3 div span dl dt dd ul li table thead tbody tr th td a br strong code svg rect text desc path circle pre details summary")
	attributes = strings.Fields("lang charset http-equiv content name class id scope colspan href aria-hidden aria-label role viewBox preserveAspectRatio x y width height aria-labelledby text-anchor d cx cy r")
)

func scanHTML(s string) []string {
	faults := hidden(s)
	dec := xml.NewDecoder(strings.NewReader(s))
	dec.Strict, dec.AutoClose, dec.Entity = false, []string{"meta", "br"}, xml.HTMLEntity
	policy := false
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return append(faults, "does not parse: "+err.Error())
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, e.Name.Local) {
			faults = append(faults, "element "+e.Name.Local)
		}
		for _, a := range e.Attr {
			policy = policy || strings.HasPrefix(a.Value, "default-src 'none'; style-src 'sha256-")
			if !slices.Contains(attributes, a.Name.Local) || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
				faults = append(faults, fmt.Sprintf("attribute %s=%q of %s", a.Name.Local, a.Value, e.Name.Local))
			}
		}
		if e.Name.Local == "style" {
			css, _ := dec.Token()
			if text, ok := css.(xml.CharData); !ok || outside.Match(text) {
				faults = append(faults, "the style reaches outside")
			}
		}
	}
	if !policy {
		faults = append(faults, "no content security policy")
	}
	if strings.Count(s, "<style>") != 1 || strings.Count(s, "</html>") != 1 {
		faults = append(faults, "the page does not keep its shape")
	}
	return faults
}

func report1(t testing.TB, what string, faults []string) {
	t.Helper()
	for i, f := range faults {
		if i == 8 {
			t.Errorf("%s: and %d more", what, len(faults)-i)
			return
		}
		t.Errorf("%s: %s", what, f)
	}
}

// TestScan: no golden, and above all none of the poisoned document, holds what is forbidden in its format.
func TestScan(t *testing.T) {
	for _, s := range samples(t) {
		for _, v := range views {
			report1(t, s.name+v.suffix, scanners[v.suffix](write(t, v.format, s.docs, v.page)))
		}
	}
}

// TestScanPoisonEverywhere puts hostile text into every string of every document, enumerations too, since a report that
// is read back may hold anything.
func TestScanPoisonEverywhere(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			few := testing.Short() || strings.HasSuffix(s.name, "batch") // its documents are other samples
			for turn := range poison {
				if few && turn%5 != 0 {
					continue
				}
				docs := parse(t, poisonedJSON(t, s.data, turn))
				for _, v := range views {
					report1(t, fmt.Sprintf("%s%s, poison %d", s.name, v.suffix, turn), scanners[v.suffix](write(t, v.format, docs, v.page)))
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

var poison = []string{
	"\x1b]8;;https://evil.example/\x07click\x1b]8;;\x07 \u009b31m \u202e\u2066\u200b\ufeff\u2028\u0085\x00\x7f",
	"::error::x ::set-output name=a::b ##[group]x ##vso[task.x]y ##teamcity[x] a##[b",
	"<script>alert(1)</script><img src=x onerror=x> </td></style> <!-- <details>",
	"[a](http://x.example) ![p](http://x.example/p.png) <https://x.example> [r]: http://x.example",
	"@octocat @org/team #1 GH-2 !3 ~bug :shipit: $x$ %1 &1 deadbeef1 www.x.example a@x.example",
	"```\n# h\n``` `a|b` \\| \\\\| a\\`b | c || \\",
	"- a", "1. a", "1) a", "===", "---", "# h", "> q", "+ x", "* x", "    code", "| a | b |", "~~~", "<details>", "[ ] x",
	"\"><svg onload=alert(1)> ' onmouseover='x javascript:alert(1) url(//x) @import", "{{.}} {0} ]( \\u202e &#x3c; &lt;b&gt;", "",
	strings.Repeat("x::", 90), strings.Repeat("#", 77) + "[group]", strings.Repeat("超", 99), "a" + strings.Repeat("\u0301", 300), strings.Repeat("`", 40),
}

func poisonedJSON(t *testing.T, data []byte, turn int) []byte {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // counts may be larger than a double holds
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	n := turn
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(func(yield func(string) bool) {
				for k := range v {
					if !yield(k) {
						return
					}
				}
			}) {
				if k == "schema" || k == "generated" {
					continue
				}
				v[k] = walk(v[k])
				if k == "given" {
					v[k] = map[string]any{poison[n%len(poison)]: []any{poison[turn], v[k]}}
				}
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case string:
			n++
			if n%2 == 0 { // the same everywhere, so that neighbors join, and all kinds in turn
				return poison[turn]
			}
			return poison[n%len(poison)]
		}
		return v
	}
	out, err := json.Marshal(walk(v))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// FuzzScan puts any text into every string of a document that has every part.
func FuzzScan(f *testing.F) {
	for _, p := range poison {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, s string) {
		docs := []*report.Document{everywhere(s), everywhere("a " + s)}
		for _, d := range docs {
			d.Training = nil // has a target of its own, so that neither takes long
		}
		for _, v := range views {
			report1(t, v.suffix, scanners[v.suffix](write(t, v.format, docs, v.page)))
		}
	})
}

// everywhere is a document that says s and nothing else.
func everywhere(s string) *report.Document {
	return &report.Document{
		Schema: report.Schema, Tool: report.Tool{Name: s, Version: s, Catalog: s}, Subject: report.Subject{Ref: s, Origin: s, Revision: s},
		Gaps: []report.Gap{{What: s, Why: s, Kind: s}},
		License: &report.License{
			Outcome: s, Summary: s, Use: report.Use{Given: map[string]any{s: s}, Assumed: []string{s}}, Effective: []string{s, s + "2"},
			Matches: []report.Match{{
				ID: s, Name: s, SPDX: s, Kind: s, Relation: s, File: s, StartLine: 1, EndLine: 2, Twins: []string{s},
				Differences: []report.Difference{{StartLine: 1, EndLine: 2, Words: s, MissingWords: 1}},
			}},
			Claims:   []report.Claim{{Origin: s, Where: s, Value: s, ID: s}},
			Licenses: []report.LicenseInfo{{ID: s, Name: s, Class: s, SPDX: s, Source: s, URL: s, Checked: s, Read: s}},
			Reasons: []report.Reason{
				{Outcome: s, Code: s, Text: s, License: s, Clause: s, Says: s, Evidence: []string{s}},
				{Outcome: "prohibited", Text: s, Evidence: []string{s, s}},
			},
			Duties:     []report.Duty{{Kind: s, Text: s, Exact: s + "x", When: s, License: s, Clause: s}, {Text: s, When: s, Routine: true, Certain: true}},
			Thresholds: []report.Threshold{{Kind: s, Limit: 1, Unit: s, Text: s, Standing: s, Effect: s, License: s, Clause: s}},
			Questions:  []report.Question{{Input: s, Flag: s, Text: s}}, Changes: []report.Change{{Text: s, Outcome: s}},
			Lineage:  []report.Ancestor{{Ref: s, Of: s, Relation: s, License: s, Outcome: s, Source: s, Depth: 2}},
			Datasets: []report.Dataset{{ID: s, Risk: s, Source: s}}, Disclaimer: s,
			Passages: []report.Passage{{Topic: s, File: s, StartLine: 1, EndLine: 1, Quote: s}},
		},
		Estimate: estimateOf(s),
		Training: trainingOf(s),
	}
}

// estimateOf is an estimate that says s and nothing else.
func estimateOf(s string) *report.Estimate {
	one := report.Range{Low: 1, Mid: 1 << 30, High: 1 << 31}
	some := report.Range{Low: 1, Mid: 2, High: 3}
	o := report.Outlook{
		Plan: &report.ServingPlan{
			GPU: s, GPUName: s, GPUs: 2, Nodes: 2, Tensor: 2, Engine: s, EngineVersion: s, Quantization: s, KVType: s, MaxModelLen: 8192,
		},
		Verdict: s, Why: s, Host: new(int64(1)), KVTokens: new(int64(1)), MaxConcurrency: new(1.5), Breaks: s,
		Speed: speedOf(s), Cost: costOf(s), Manifest: s + "\n" + s + "\n\t" + s,
		Energy: &report.Energy{
			Watts: &some, WhPerMOut: &some, GramsPerM: &some, KWhMonth: &some, KgMonth: &some, Electricity: &some, PUE: some, Grid: some,
			Place: s, Parts: []report.CostPart{{What: s, Value: some, Unit: s, Formula: s, Source: s}}, Why: s,
		},
		Memory:  &report.DeviceMemory{Capacity: 10 << 30, Budget: 9 << 30, Weights: 11 << 30, Unused: -1 << 30, Rank: s},
		Cache:   &report.Cache{BytesPerToken: 1, BytesPerRequest: 1, Blocks: new(int64(1)), BlockTokens: 16},
		At:      []report.AtContext{{MaxModelLen: 1, Verdict: s}},
		Terms:   []report.Term{{Part: s, Name: s, Bytes: one, Formula: s, Source: s}},
		Changes: []report.Mend{{Text: s, Flag: s}, {Text: s, Flag: "--x " + s}, {Text: s + " --y", Flag: "--y"}},
	}
	other := o
	other.Plan = new(*o.Plan)
	other.Plan.Quantization += "2"
	return &report.Estimate{
		Summary: s, Outlook: o, Candidates: []report.Outlook{o, other}, Refused: []report.Refused{{Plan: s, Why: s}},
		Assumed: []report.Assumption{{What: s, Value: s, Why: s}}, Notes: []string{s},
		Fleet: &report.Fleet{
			RequestRate: 1, Users: 2, Spare: 1, Looked: 9, Met: 3, Rejected: []report.Rejection{{What: s, Kind: s, Why: s, GPUs: 2, PerHour: &some}},
			Front: []report.Choice{
				{Plan: *other.Plan, Replicas: 2, GPUs: 4, TTFT: some, TPOT: some, PerHour: some, PerMOut: some, Watts: &some, Busy: .5},
				{Plan: *o.Plan, Replicas: 1, GPUs: 2, TTFT: one, TPOT: report.Range{Low: 4, Mid: 5, High: 6}, PerHour: some, PerMOut: some},
			},
		},
		Model: report.EstimatedModel{
			Architecture: s, Family: s + "2", Quantization: s, Layers: []report.LayerKind{{Kind: s, Count: 1}}, Source: s, License: s,
			Components: []report.Component{{Name: s, Tensors: []report.TensorFormula{{Name: s, Formula: s, Format: s}}}},
			Symbols:    []report.Symbol{{Text: s, Key: s, Value: 1}}, Sizes: []report.Size{{Source: s, Explanation: s}},
		},
	}
}

// speedOf is a speed that says s and nothing else.
func speedOf(s string) *report.Speed {
	some := report.Range{Low: 1, Mid: 2, High: 3}
	parts := []report.StepPart{{Cause: s, Seconds: 1, Formula: s, Source: s}, {Cause: "kv", Seconds: 2}}
	sp := &report.Speed{
		TTFT: &some, TPOT: &some, Single: &some, Prompt: &some, Output: &some, Requests: &some, MaxOutput: &some, Concurrency: new(int64(4)),
		InputTokens: 1, OutputTokens: 2, BoundBy: s, PromptBound: s + "2", Why: s, Basis: s, Narrowed: s, Step: parts, Prefill: parts,
		Targets: &report.Targets{TTFT: new(1.0), TPOT: new(2.0), Met: s, Why: s, AtMost: new(int64(2))},
		Peak:    []report.PeakUsed{{What: s, Value: 1e12, Unit: s, Note: s}}, Defined: []report.Definition{{Term: s, Means: s}},
		Nearest: []report.NearestMeasure{{What: s, Metric: s, Value: 1, Unit: s, Computed: &some, Differs: s, Source: s, Version: s}},
		Tails:   &report.Tails{Requests: 5, TTFT: report.Tail{P50: 1, P90: 2, P99: 3}},
	}
	for n := range int64(5) {
		sp.Curve = append(sp.Curve, report.LoadPoint{Concurrency: n + 1, Output: some, Requests: some, TTFT: some, TPOT: some, Met: new(n < 2)})
	}
	return sp
}

func costOf(s string) *report.Cost {
	some := report.Range{Low: 1, Mid: 2, High: 3}
	price := report.PriceUsed{
		Seller: s, Terms: s, PerGPUHour: some, PerHour: some, PerMonth: some, PerMOutput: &some, Offers: 2, From: s, Oldest: s, Newest: s + "2",
		Source: s, Note: s,
	}
	return &report.Cost{
		PerHour: &some, PerMonth: &some, PerMOutput: &some, PerMTokens: &some, Busy: some, BusyFrom: s, Basis: s, Why: s,
		Prices: []report.PriceUsed{price, price},
		Bought: &report.Bought{
			Purchase: some, PerHour: some, PerMonth: some, PerMOut: &some,
			Parts: []report.CostPart{{What: s, Value: some, Unit: s, Formula: s, Source: s}},
		},
	}
}

// TestWidth: no line is longer than the page.
func TestWidth(t *testing.T) {
	var docs []*report.Document
	for _, s := range samples(t) {
		docs = append(docs, s.docs...)
		for turn := range poison {
			if strings.HasSuffix(s.name, "batch") && turn%5 != 0 {
				continue // its documents are other samples
			}
			docs = append(docs, parse(t, poisonedJSON(t, s.data, turn))...)
		}
	}
	for _, d := range docs {
		if d.Estimate != nil {
			d.Estimate.Manifest = "" // is there to be copied, and never broken
		}
		if d.Training != nil {
			d.Training.Model.Derived = ""
		}
	}
	cond := &runewidth.Condition{StrictEmojiNeutral: true}
	for _, width := range []int{40, 60, 80, 140} {
		for _, color := range []bool{false, true} {
			got := write(t, "text", docs, render.Page{Width: width, Color: color})
			got = anyCode.ReplaceAllString(got, "")
			for i, line := range strings.Split(got, "\n") {
				if n := cond.StringWidth(line); n > width {
					t.Fatalf("width %d, line %d has %d columns: %q", width, i+1, n, line)
				}
			}
		}
	}
}

// TestColorDecorates: without its color codes the text is the same as without color.
func TestColorDecorates(t *testing.T) {
	for _, s := range samples(t) {
		plain := write(t, "text", s.docs, render.Page{Width: 80})
		color := write(t, "text", s.docs, render.Page{Width: 80, Color: true})
		if anyCode.ReplaceAllString(color, "") != plain {
			t.Errorf("%s differs", s.name)
		}
	}
}

// TestVerdictFirst: the first line says the outcome, and the first five lines say why.
func TestVerdictFirst(t *testing.T) {
	for _, s := range samples(t) {
		if len(s.docs) > 1 {
			continue
		}
		word, summary := headline(s.docs[0])
		lines := strings.SplitN(write(t, "text", s.docs, render.Page{Width: 80}), "\n", 6)
		if !strings.HasPrefix(lines[0], strings.ToUpper(word)+"  ") {
			t.Errorf("%s begins with %q", s.name, lines[0])
		}
		if head := strings.Join(lines[:5], " "); !strings.HasSuffix(s.name, "poisoned") && !strings.Contains(head, firstWords(summary)) {
			t.Errorf("%s: %q is not in the first five lines:\n%s", s.name, firstWords(summary), head)
		}
	}
}

func headline(d *report.Document) (word, summary string) {
	if d.License != nil {
		return d.License.Outcome, d.License.Summary
	}
	if h, ok := d.TrainingHead(); ok {
		return h.Answer.Text, h.Summary
	}
	return d.Estimate.Answer().Text, d.Estimate.Summary
}

func firstWords(s string) string { return strings.Join(strings.Fields(s)[:4], " ") }
