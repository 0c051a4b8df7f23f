package refit

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/tune"
)

// Found is what a fit found.
type Found struct {
	Values   []float64
	Uses     [][]int // the constants that each measurement hangs on
	Families []string
	Seen     tune.Known // what measurements of those families are of
	Ranges   []tune.Width
	Fitted   string   // on what, and when
	Faults   []string // how far off it is, in lines
}

// reported is how lines begin that say how far off the fit is.
const reported = "#|"

// Update writes what a fit found into the file of the constants, and leaves all else as it is.
func (f *Found) Update(path string, t *tune.Table) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the constants: %w", err)
	}
	text, err := f.Text(string(data), t)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// Text is the file of the constants with what a fit found.
func (f *Found) Text(old string, t *tune.Table) (string, error) {
	head, _, ok := strings.Cut(old, "\nseen:")
	if !ok {
		return "", errors.New("it has no list of what was seen")
	}
	counts := f.counts()
	var lines []string
	next := 0
	for line := range strings.SplitSeq(head, "\n") {
		switch {
		case strings.HasPrefix(line, reported):
			continue
		case strings.HasPrefix(line, "fitted:"):
			for _, said := range f.Faults {
				lines = append(lines, strings.TrimRight(reported+" "+said, " "))
			}
			line = "fitted: " + strconv.Quote(f.Fitted)
		case strings.HasPrefix(line, "- {of: "):
			if next < len(f.Values) {
				line = rewrite(line, t.Written(next, f.Values[next]), counts[next])
			}
			next++
		}
		lines = append(lines, line)
	}
	if next != len(f.Values) {
		return "", fmt.Errorf("it has %d constants, want %d", next, len(f.Values))
	}
	return strings.Join(lines, "\n") + "\n" + f.seenText() + f.rangesText(), nil
}

// counts are the measurements of each constant.
func (f *Found) counts() []int {
	counts := make([]int, len(f.Values))
	for _, uses := range f.Uses {
		for _, i := range uses {
			counts[i]++
		}
	}
	return counts
}

// rewrite puts the value and the count into a line of the list of constants.
func rewrite(line string, value float64, rows int) string {
	line = field(line, "value: ", strconv.FormatFloat(value, 'g', 4, 64))
	return field(line, "rows: ", strconv.Itoa(rows))
}

// field replaces what stands after a key, up to the next comma or brace.
func field(line, key, value string) string {
	before, after, ok := strings.Cut(line, key)
	end := strings.IndexAny(after, ",}")
	if !ok || end < 0 {
		return line
	}
	return before + key + value + after[end:]
}

func (f *Found) seenText() string {
	var b strings.Builder
	b.WriteString("seen:\n")
	for _, family := range slices.Sorted(slices.Values(f.Families)) {
		sorts := map[string][]string{}
		for _, one := range slices.Sorted(maps.Keys(f.Seen)) {
			if what, ok := strings.CutPrefix(one, family+" "); ok {
				sort := "here"
				for prefix, name := range map[string]string{"card ": "cards", "size ": "sizes"} {
					if strings.HasPrefix(what, prefix) {
						sort = name
					}
				}
				sorts[sort] = append(sorts[sort], what)
			}
		}
		fmt.Fprintf(&b, "- of: %s\n", family)
		for _, sort := range slices.Sorted(maps.Keys(sorts)) {
			fmt.Fprintf(&b, "  %s: [%s]\n", sort, strings.Join(sorts[sort], ", "))
		}
	}
	return b.String()
}

func (f *Found) rangesText() string {
	var b strings.Builder
	b.WriteString("widths:\n")
	for _, w := range f.Ranges {
		fmt.Fprintf(&b, "- {of: %s, case: %q, low: %g, high: %g, rows: %d}\n", w.Of, w.Case, w.Low, w.High, w.Rows)
	}
	return b.String()
}
