package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/tune"
)

// update writes values, counts, ranges and what was seen into the file of constants, and leaves all else as it is.
func update(path string, c *train.Constants, list []*row, values []float64, ranges []tune.Width, fitted string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the constants: %w", err)
	}
	head, _, ok := strings.Cut(string(data), "\nseen:")
	if !ok {
		return fmt.Errorf("%s has no list of what was seen", path)
	}
	counts := make([]int, len(values))
	for _, r := range list {
		for _, i := range r.uses {
			counts[i]++
		}
	}
	var lines []string
	next := 0
	for line := range strings.SplitSeq(head, "\n") {
		switch {
		case strings.HasPrefix(line, "fitted:"):
			line = "fitted: " + strconv.Quote(fitted)
		case strings.HasPrefix(line, "- {of: "):
			if next < len(values) {
				line = field(line, "value: ", strconv.FormatFloat(c.Written(next, values[next]), 'g', 4, 64))
				line = field(line, "rows: ", strconv.Itoa(counts[next]))
			}
			next++
		}
		lines = append(lines, line)
	}
	if next != len(values) {
		return fmt.Errorf("%s has %d constants, want %d", path, next, len(values))
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"+seenText(list)+widthText(ranges)), 0o644)
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
	var here, cards []string
	for _, one := range slices.Sorted(maps.Keys(knownOf(list))) {
		what, ok := strings.CutPrefix(one, "step ")
		switch {
		case !ok:
		case strings.HasPrefix(what, "card "):
			cards = append(cards, what)
		default:
			here = append(here, what)
		}
	}
	return fmt.Sprintf("seen:\n- of: step\n  here: [%s]\n  cards: [%s]\n", strings.Join(here, ", "), strings.Join(cards, ", "))
}

func widthText(ranges []tune.Width) string {
	var b strings.Builder
	b.WriteString("widths:\n")
	for _, w := range ranges {
		fmt.Fprintf(&b, "- {of: %s, case: %q, low: %g, high: %g, rows: %d}\n", w.Of, w.Case, w.Low, w.High, w.Rows)
	}
	return b.String()
}
