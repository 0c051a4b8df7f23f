package catalog

import (
	_ "embed"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// aliases holds a line for each pair of folded name and id, sorted; Table makes it from the records.
//
//go:embed aliases.tsv
var aliases string

// Table lists every name of every record as a line "folded name TAB id", sorted: the file aliases.tsv.
func Table(all map[string]*Record) records.Names {
	return records.NamesOf(all, names)
}

// names lists the folded names of a record, its own and those that it shares.
func names(r *Record) []string {
	out := own(r)
	for _, s := range r.Shared {
		out = append(out, fold(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// own lists the names that no other record may bear.
func own(r *Record) []string {
	out := []string{fold(r.ID), fold(r.Name)}
	for _, s := range r.Aliases {
		out = append(out, fold(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// idle are words that makers and people put around the name of a card and that tell no two of ours apart.
var idle = map[string]bool{
	"nvidia": true, "geforce": true, "tesla": true, "amd": true, "instinct": true, "radeon": true, "intel": true, "apple": true,
	"aws": true, "google": true, "cloud": true, "generation": true, "edition": true, "gpu": true, "card": true, "accelerator": true,
	"graphics": true, "unified": true, "memory": true, "tm": true, "mac": true, "studio": true, "mini": true, "macbook": true, "air": true,
	"corporation": true, "tensor": true, "imac": true,
}

// idleAfter are words that are idle behind one other word and nowhere else: M4 Pro is a chip, MacBook Pro a machine.
var idleAfter = map[string]string{"macbook": "pro", "mac": "pro", "tensor": "core"}

// fold brings the spellings of one name together: case, punctuation and idle words do not matter.
func fold(name string) string {
	var b strings.Builder
	before := ""
	for w := range words(name) {
		if !idle[w] && idleAfter[before] != w {
			b.WriteString(w)
		}
		before = w
	}
	return b.String()
}

// words yields the runs of letters and digits in small letters. Letters outside ASCII are words of no card: they are kept
// so that a name which only looks like one of ours is not taken for it.
func words(name string) iter.Seq[string] {
	return strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool {
		return r < 0x80 && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

var (
	sizeForm = regexp.MustCompile(`(?i)(^|[^a-z0-9.])([0-9]{1,6}(?:\.[0-9]{1,3})?)[ -]?(gib|gb|g)($|[^a-z0-9])`)
	noteForm = regexp.MustCompile(`\(([^()]*)\)`)
	// chipForm is the list of PCI devices: "GA102 [GeForce RTX 3090]".
	chipForm = regexp.MustCompile(`^[^\[\]]*\[([^\[\]]+)\]\s*$`)
	// rentForm is a type of machine of a cloud: "p5.48xlarge", "a3-highgpu-8g".
	rentForm = regexp.MustCompile(`(?i)^([a-z]{1,3}[0-9][a-z0-9-]*)(?:\.(?:[0-9]{0,3}x?large|metal)|-[0-9]{1,3}g?)$`)
	manyForm = regexp.MustCompile(`(?i)^(?:([0-9]{1,5})\s?[x×]\s?(\S.*)|(.*\S)\s?[x×]\s?([0-9]{1,5}))$`)
)

// glRenderer stands behind the name of a card where OpenGL reports it.
const glRenderer = "/PCIe/SSE2"

// said is a name with what else was written around it.
type said struct {
	name    string  // without sizes and notes
	gb      float64 // the memory as sold; 0 is not said
	visible float64 // MiB, from a figure in GiB that a note gives
	notes   string  // what else stood in parentheses
}

// parse takes a name apart: "GB10-128GB unified (121.7 GiB)". It reports false where it names two sizes.
func parse(text string) (said, bool) {
	var s said
	rest := noteForm.ReplaceAllStringFunc(text, func(note string) string {
		s.notes += " " + strings.Trim(note, "()")
		return " "
	})
	one := true
	for m := range matches(&rest) {
		one = one && (s.gb == 0 || s.gb == m.n)
		s.gb = m.n
	}
	notes := s.notes
	for m := range matches(&notes) {
		switch {
		case m.unit == "gib":
			s.visible = m.n * 1024
		case s.gb == 0:
			s.gb = m.n
		}
	}
	s.name, s.notes = strings.TrimSpace(rest), notes
	return s, one
}

type figure struct {
	n    float64
	unit string
}

// matches yields the sizes of memory in a text and takes them out of it.
func matches(text *string) iter.Seq[figure] {
	return func(yield func(figure) bool) {
		for range 8 { // nobody names more, and a hostile text must end
			m := sizeForm.FindStringSubmatchIndex(*text)
			if m == nil {
				return
			}
			n, err := strconv.ParseFloat((*text)[m[4]:m[5]], 64)
			f := figure{n, strings.ToLower((*text)[m[6]:m[7]])}
			*text = (*text)[:m[3]] + " " + (*text)[m[8]:]
			if err != nil || !yield(f) {
				return
			}
		}
	}
}
