package refit

import (
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/tune"
)

const file = `# what stands here stays
fitted: "nothing"
quantities:
- {name: speed, unit: m/s, meaning: "how fast"}
constants:
- {of: speed, by: "base", value: 1, prior: 1, loose: 0.5, rows: 0, why: "assumed"}
- {of: speed, by: "wind back", value: 0, prior: 0, loose: 0.5, rows: 0}
seen:
- of: walk
  here: [nowhere]
widths:
- {of: walk, case: "base", low: 0.5, high: 2, rows: 0}
`

func parsed(t *testing.T, text string) *tune.Table {
	t.Helper()
	c, err := tune.Parse("file", []byte(text), tune.Schema{
		Quantities: []tune.Quantity{{Name: "speed"}}, Families: []string{"walk"}, Cases: func(string) map[string]float64 { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a fit found is read again as it was found, and all else stays.
func TestText(t *testing.T) {
	c := parsed(t, file)
	f := Found{
		Values: []float64{c.Added(0, 2), 0.25}, Uses: [][]int{{0}, {0, 1}}, Families: []string{"walk"},
		Seen:   tune.Known{"walk hills": true, "walk card boots": true, "walk size 42": true, "swim lake": true},
		Ranges: []tune.Width{{Of: "walk", Case: "base", Low: 0.75, High: 1.5, Rows: 2}}, Fitted: "two walks", Faults: []string{"a line", ""},
	}
	text, err := f.Text(file, c)
	if err != nil {
		t.Fatal(err)
	}
	got := parsed(t, text)
	if list := got.List(); list[0].Value != 2 || list[0].Rows != 2 || list[1].Value != 0.25 || list[1].Rows != 1 || list[0].Why != "assumed" {
		t.Errorf("constants: %+v", list)
	}
	if seen := got.Seen(); len(seen) != 3 || !seen["walk hills"] || !seen["walk card boots"] || !seen["walk size 42"] {
		t.Errorf("seen: %v", seen)
	}
	if !slices.Equal(got.Widths(), f.Ranges) || got.Fitted() != f.Fitted {
		t.Errorf("%v, %q", got.Widths(), got.Fitted())
	}
	if !strings.HasPrefix(text, "# what stands here stays\n#| a line\n#|\nfitted:") {
		t.Errorf("it begins:\n%s", text)
	}
	for name, bad := range map[string]string{
		"nothing is seen": strings.Replace(file, "seen:", "saw:", 1),
		"one constant":    strings.Replace(file, "- {of: speed, by: \"wind", "# {of: speed, by: \"wind", 1),
	} {
		if _, err := f.Text(bad, c); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

// Every row is left out once, with all of its group.
func TestLeave(t *testing.T) {
	rows := strings.Fields("a b c d e f g h a b c d a b a")
	times := make([]int, len(rows))
	Leave(rows, func(r string) string { return r }, func(in []string, left []int) {
		for _, i := range left {
			times[i]++
			if slices.Contains(in, rows[i]) {
				t.Errorf("%s is left out and is not", rows[i])
			}
		}
		if len(in)+len(left) != len(rows) {
			t.Errorf("%d and %d of %d", len(in), len(left), len(rows))
		}
	})
	if slices.Max(times) != 1 || slices.Min(times) != 1 {
		t.Errorf("left out %v times", times)
	}
}

func TestAt(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.25: 1.5, 0.5: 2, 1: 4} {
		if got := At([]float64{1, 2, 4}, q); got != want {
			t.Errorf("%g: %g, want %g", q, got, want)
		}
	}
}
