package render_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
)

// told are the formats that people read; JSON has what the document has, and its schema refuses what is refused here.
var told = []string{".80.txt", ".140.txt", ".color.txt", ".md", ".html", ".sarif"}

// TestSaturated: every format says that a plan is saturated, and none shows a time that anybody waits beside it, even
// where a file that somebody edited holds one.
func TestSaturated(t *testing.T) {
	d := named(t, "speed-dense")
	s := d.Estimate.Speed
	s.Saturated, s.Why = true, "more arrive than are answered"
	odd := report.Range{Low: 7.531, Mid: 7.531, High: 7.531}
	s.TTFT, s.TPOT = &odd, &odd
	s.Tails = &report.Tails{Requests: 5, TTFT: report.Tail{P50: 7.531, P90: 7.531, P99: 7.531}, TPOT: report.Tail{P99: 7.531}, Total: report.Tail{P99: 7.531}}
	for i := range s.Curve {
		s.Curve[i].TTFT, s.Curve[i].TPOT = odd, odd
	}
	d.Estimate.Candidates = []report.Outlook{d.Estimate.Outlook}
	for _, v := range views {
		if v.format == "jsonl" {
			continue
		}
		got := write(t, v.format, []*report.Document{d}, v.page)
		if !strings.Contains(strings.ToLower(got), "saturated") || !strings.Contains(got, "more arrive than are answered") {
			t.Errorf("%s does not say that the plan is saturated", v.suffix)
		}
		if i := strings.Index(got, "7.53"); i >= 0 {
			t.Errorf("%s shows a time beyond saturation: %q", v.suffix, got[max(0, i-80):i+10])
		}
	}
}

// TestTargets: each answer to the targets has its word, its color and its alert in every format.
func TestTargets(t *testing.T) {
	for met, want := range map[string]struct{ word, tone, rule string }{
		"yes":     {"targets met", "allowed", ""},
		"perhaps": {"targets perhaps met", "conditional", "estimate-targets-open"},
		"no":      {"targets not met", "prohibited", "estimate-targets-missed"},
		"sure":    {"targets undetermined", "undetermined", "estimate-targets-open"},
	} {
		d := named(t, "speed-dense")
		d.Estimate.Speed.Targets.Met = met
		for format, part := range map[string]string{
			"text": want.word, "markdown": want.word[1:], "html": `<span class="tag ` + want.tone + `">` + want.word,
		} {
			if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, part) {
				t.Errorf("%s, %s: no %q", met, format, part)
			}
		}
		_, results, _ := strings.Cut(write(t, "sarif", []*report.Document{d}, render.Page{}), `"results"`)
		if alerts := strings.Count(results, `"ruleId"`); alerts != len(strings.Fields(want.rule)) || !strings.Contains(results, want.rule) {
			t.Errorf("%s: %d alerts, want %q", met, alerts, want.rule)
		}
	}
}

// TestHeadIsTheWholeAnswer: no format greets a plan that does not keep up with the color of one that does.
func TestHeadIsTheWholeAnswer(t *testing.T) {
	for met, want := range map[string]struct{ text, tone, mark string }{
		"yes": {"meets its targets", "allowed", "✅"}, "perhaps": {"fits, perhaps too slow", "conditional", "🟡"},
		"no": {"fits, but too slow", "prohibited", "⛔"}, "sure": {"fits, speed not known", "undetermined", "❓"},
	} {
		d := named(t, "speed-dense")
		d.Estimate.Speed.Targets.Met = met
		for format, part := range map[string]string{
			"text": strings.ToUpper(want.text) + "  ", "markdown": "### " + want.mark + " " + strings.ToUpper(want.text[:1]) + want.text[1:] + ":",
			"html": `<section class="verdict ` + want.tone + `">`,
		} {
			if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, part) {
				t.Errorf("%s, %s: no %q", met, format, part)
			}
		}
	}
}

// crowd is a fleet with so many cards that are not among the answers.
func crowd(t *testing.T, n int) *report.Document {
	t.Helper()
	d := named(t, "speed-fleet")
	kinds := []string{"perhaps", "no_price", "too_slow", "no_memory", "no_profile"}
	d.Estimate.Fleet.Rejected = nil
	for i := range n {
		r := report.Rejection{What: fmt.Sprintf("card-%d-", i), Kind: kinds[i%len(kinds)], Why: "reason", GPUs: i + 1}
		if r.Kind == "perhaps" {
			r.PerHour = &report.Range{Low: float64(i), Mid: float64(i + 1), High: float64(i + 2)}
		}
		d.Estimate.Fleet.Rejected = append(d.Estimate.Fleet.Rejected, r)
	}
	return d
}

// TestFewOfMany: text shows a few of many cards and counts the rest by kind of reason; none is lost to who looks further.
func TestFewOfMany(t *testing.T) {
	d := crowd(t, 140)
	got := write(t, "text", []*report.Document{d}, render.Page{Width: 80})
	if n := strings.Count(got, "card-"); n != 6 {
		t.Errorf("%d cards are shown", n)
	}
	words := strings.Join(strings.Fields(got), " ")
	if want := "Of 134 more cards 25 meet the targets only perhaps, 25 would serve and have no known price, 28 are too slow, 28 have too little memory, 28 have no profile of an engine; --explain lists all"; !strings.Contains(words, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
	for _, format := range []string{"markdown", "html", "json"} {
		got := write(t, format, []*report.Document{d}, render.Page{})
		for i := range 140 {
			if !strings.Contains(strings.ReplaceAll(got, "\\", ""), fmt.Sprintf("card-%d-", i)) {
				t.Errorf("%s loses card %d", format, i)
			}
		}
	}
	d.Estimate.Speed.Step = []report.StepPart{{Cause: "weights", Seconds: 1, Formula: "as --explain has it"}}
	if n := strings.Count(write(t, "text", []*report.Document{d}, render.Page{Width: 80}), "card-"); n != 140 {
		t.Errorf("--explain shows %d cards", n)
	}
}

// TestOneLineOfNothing: cost and energy of which nothing is known take one line, and notes are not called unknown.
func TestOneLineOfNothing(t *testing.T) {
	d := named(t, "speed-dense")
	d.Estimate.Cost, d.Estimate.Energy.Why = &report.Cost{Basis: "rented", Why: "nobody rents it out"}, "a span of places"
	got := write(t, "text", []*report.Document{d}, render.Page{Width: 120})
	for _, want := range []string{"\n  cost not known          nobody rents it out\n", "\n  note                    a span of places\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "rented") {
		t.Error("a price that is not known has a basis")
	}
}

// TestClosestMeasurement: it takes two lines at most, with what was measured, what is computed, and where it is from.
func TestClosestMeasurement(t *testing.T) {
	d := named(t, "speed-experts")
	d.Estimate.Speed.Nearest = []report.NearestMeasure{{
		What: "a/b in fp8 on 8 x h200, vllm 0.11.0", Metric: "tpot", Value: .021, Unit: "s", Computed: &report.Range{Low: .01, Mid: .02, High: .027},
		Differs: strings.Repeat("much ", 50), Source: "owner/repo file.csv, id=x", Version: "0.11.0",
	}}
	for _, page := range []int{60, 80, 140} {
		got := write(t, "text", []*report.Document{d}, render.Page{Width: page})
		_, after, _ := strings.Cut(got, "  Closest measured: ")
		lines := strings.SplitN(after, "\n", 4)
		if said := strings.Join(strings.Fields(strings.Join(lines[:2], " ")), " "); !strings.HasPrefix(said, "TPOT 21 ms measured, 10-27 ms computed; a/b in fp8 on 8 x h200; source owner/repo") ||
			!strings.Contains(said, "vllm 0.11.0") || strings.Contains(said, "much") {
			t.Errorf("%d columns: %q", page, said)
		}
	}
}

// TestNothingKnown: what is absent is not there, and no 0 stands in its place.
func TestNothingKnown(t *testing.T) {
	d := named(t, "speed-bare")
	for _, suffix := range told {
		for _, v := range views {
			if v.suffix != suffix || v.format == "sarif" {
				continue
			}
			got := write(t, v.format, []*report.Document{d}, v.page)
			if _, body, ok := strings.Cut(got, "</style>"); ok {
				got = body
			}
			for _, word := range []string{"Speed", "Cost", "Energy", "tokens/s", "USD", "$", " 0 ", ">0<", "PUE", "TTFT"} {
				if strings.Contains(got, word) {
					t.Errorf("%s holds %q:\n%s", suffix, word, got)
				}
			}
		}
	}
}

// TestChartsWhereThereIsRoom: a chart in letters is drawn on a wide page, and on a narrow one where details were asked.
func TestChartsWhereThereIsRoom(t *testing.T) {
	const axis = "┤"
	for _, tt := range []struct {
		sample string
		width  int
		want   bool
	}{
		{"speed-experts", 80, false},
		{"speed-experts", 140, true},
		{"speed-dense", 80, true},
		{"speed-fleet", 80, false},
		{"speed-fleet", 120, true},
		{"speed-mac", 140, false},
		{"speed-bare", 160, false},
	} {
		got := write(t, "text", []*report.Document{named(t, tt.sample)}, render.Page{Width: tt.width})
		if strings.Contains(got, axis) != tt.want {
			t.Errorf("%s on %d columns: drawn is %t", tt.sample, tt.width, !tt.want)
		}
	}
}

// TestFrontIsDrawn: every plan of the front stands in the chart by its number.
func TestFrontIsDrawn(t *testing.T) {
	got := write(t, "text", []*report.Document{named(t, "speed-fleet")}, render.Page{Width: 120})
	var drawn strings.Builder
	for line := range strings.Lines(got) {
		if _, area, ok := strings.Cut(line, "┤"); ok {
			drawn.WriteString(area)
		}
	}
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		if strings.Count(drawn.String(), n) != 1 {
			t.Errorf("plan %s is drawn %d times:\n%s", n, strings.Count(drawn.String(), n), drawn.String())
		}
	}
}

// TestManifestIsWhole: what is there to be copied keeps its lines.
func TestManifestIsWhole(t *testing.T) {
	d := named(t, "speed-fleet")
	line := "    command: " + strings.Repeat("--flag value ", 20) + "end"
	d.Estimate.Manifest = "services:\n" + line + "\n"
	for _, format := range []string{"text", "markdown", "html"} {
		if got := write(t, format, []*report.Document{d}, render.Page{Width: 60}); !strings.Contains(got, "services:\n"+line) {
			t.Errorf("%s breaks the manifest", format)
		}
	}
}

var drawings = regexp.MustCompile(`<svg class="(plot|stack)[^"]*" viewBox="[^"]+" role="img" aria-labelledby="([a-z0-9]+-t) ([a-z0-9]+-d)"><title id="([a-z0-9]+-t)">[^<]+</title><desc id="([a-z0-9]+-d)">[^<]+</desc>`)

// TestDrawingsAreTold: each drawing has a title and says its figures in words.
func TestDrawingsAreTold(t *testing.T) {
	kinds := make(map[string]int)
	for _, s := range samples(t) {
		got := write(t, "html", s.docs, render.Page{})
		found := drawings.FindAllStringSubmatch(got, -1)
		if n := strings.Count(got, `<svg class="plot`) + strings.Count(got, `<svg class="stack`); n != len(found) {
			t.Errorf("%s: %d drawings, %d with a title and words", s.name, n, len(found))
		}
		for _, m := range found {
			kinds[m[1]]++
			if m[2] != m[4] || m[3] != m[5] {
				t.Errorf("%s: %v", s.name, m)
			}
		}
	}
	if kinds["plot"] < 5 || kinds["stack"] < 5 {
		t.Errorf("drawings: %v", kinds)
	}
}
