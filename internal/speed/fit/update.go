package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// reported is how lines begin that say how far off the fit is.
const reported = "#|"

// update writes values, counts, ranges, what was seen and how far off all of that is into the file of constants, and
// leaves all else as it is.
func update(path string, c *speed.Constants, list []*row, f *found) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the constants: %w", err)
	}
	head, _, ok := strings.Cut(string(data), "\nseen:")
	if !ok {
		return fmt.Errorf("%s has no list of what was seen", path)
	}
	counts := make([]int, len(f.values))
	for _, r := range list {
		for _, i := range r.uses {
			counts[i]++
		}
	}
	var lines []string
	next := 0
	for line := range strings.SplitSeq(head, "\n") {
		switch {
		case strings.HasPrefix(line, reported):
			continue
		case strings.HasPrefix(line, "fitted:"):
			for _, said := range f.faults {
				lines = append(lines, strings.TrimRight(reported+" "+said, " "))
			}
			line = "fitted: " + strconv.Quote(f.fitted)
		case strings.HasPrefix(line, "- {of: "):
			if next < len(f.values) {
				line = rewrite(line, c.Written(next, f.values[next]), counts[next])
			}
			next++
		}
		lines = append(lines, line)
	}
	if next != len(f.values) {
		return fmt.Errorf("%s has %d constants, want %d", path, next, len(f.values))
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"+seenText(list)+widthText(f.ranges)), 0o644)
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

func seenText(list []*row) string {
	var b strings.Builder
	b.WriteString("seen:\n")
	known := knownOf(list)
	for _, family := range slices.Sorted(slices.Values(speed.Families())) {
		sorts := map[string][]string{}
		for _, one := range slices.Sorted(maps.Keys(known)) {
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

func widthText(ranges []speed.Width) string {
	var b strings.Builder
	b.WriteString("widths:\n")
	for _, w := range ranges {
		fmt.Fprintf(&b, "- {of: %s, case: %q, low: %g, high: %g, rows: %d}\n", w.Of, w.Case, w.Low, w.High, w.Rows)
	}
	return b.String()
}
