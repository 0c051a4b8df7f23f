package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// Match is the accelerator that a name means, and what had to be assumed for it.
type Match struct {
	GPU     *hardware.Accelerator
	Assumed string // one sentence; "" where the name says it all
	// Larger are the same device with the larger memories that it is sold with, the smallest first, where the name leaves
	// the size open.
	Larger []*hardware.Accelerator
}

// maxName bounds a name. The longest that a driver prints has 60 bytes.
const maxName = 256

// Resolve finds the accelerator that a name means: an id, a name as makers, drivers or people write it, with or without
// a size of memory ("NVIDIA H100 80GB HBM3", "A100-40GB", "m3-max-40c-128gb"), or only a size ("24GB"), which gives a
// device of which nothing else is known. A name of several that have the same memory means the common one; one that
// leaves the memory open is refused with ErrAmbiguous, one that nobody bears with ErrUnknown.
func (c *Catalog) Resolve(name string) (Match, error) {
	if len(name) > maxName {
		return Match{}, fmt.Errorf("looking up an accelerator: its name has %d bytes: %w", len(name), ErrUnknown)
	}
	text := strings.TrimSuffix(name, glRenderer)
	if m := chipForm.FindStringSubmatch(text); m != nil && len(c.lookup(fold(text))) == 0 {
		text = m[1]
	}
	if ids := c.lookup(fold(text)); len(ids) > 0 {
		return c.choose(name, ids, said{name: text})
	}
	if m, ok, err := c.rented(text); ok || err != nil {
		return m, err
	}
	s, one := parse(text)
	if !one {
		return Match{}, fmt.Errorf("looking up accelerator %q: it names two sizes of memory: %w", name, ErrAmbiguous)
	}
	m, err := c.described(name, s)
	if err != nil {
		return Match{}, err
	}
	return m.seen(name, s.visible)
}

// described finds the accelerator for a name that was taken apart. A note beside it may say which of several is meant, as
// in "A100 (40 GB PCIe)".
func (c *Catalog) described(name string, s said) (Match, error) {
	if whole := s.name + " " + s.notes; s.notes != "" && len(c.lookup(fold(whole))) > 0 {
		s.name = whole
	}
	ids := c.bearers(s.name)
	switch {
	case len(ids) > 0:
		return c.choose(name, ids, s)
	case s.gb > 0 && !strings.ContainsAny(s.name, "0123456789"):
		return c.generic(name, s)
	}
	return Match{}, c.unknown(name, s)
}

// rented finds the accelerator of a type of machine of a cloud. The machine may have several, and one is meant.
func (c *Catalog) rented(text string) (Match, bool, error) {
	form := rentForm.FindStringSubmatch(text)
	if form == nil {
		return Match{}, false, nil
	}
	ids := c.lookup(fold(form[1]))
	if len(ids) != 1 {
		return Match{}, false, nil
	}
	m, err := c.choose(text, ids, said{name: form[1]})
	if err != nil {
		return Match{}, false, err
	}
	m.Assumed = strings.TrimPrefix(m.Assumed+fmt.Sprintf("; %q is a machine with one or more %s, of which one is meant", text, m.GPU.ID), "; ")
	return m, true, nil
}

// Named lists the ids of the records that bear a name, with or without a size of memory, in order. None means that the
// name is not known.
func (c *Catalog) Named(name string) ([]string, error) {
	if len(name) > maxName {
		return nil, nil
	}
	ids, s := c.lookup(fold(name)), said{name: name}
	if len(ids) == 0 {
		s, _ = parse(name)
		ids = c.bearers(s.name)
	}
	_, found, err := c.candidates(ids, s)
	var out []string
	for _, f := range found {
		out = append(out, f.record.ID)
	}
	return out, err
}

// bearers finds the ids of a name, or of each of several that slashes part.
func (c *Catalog) bearers(name string) []string {
	if ids := c.lookup(fold(name)); len(ids) > 0 {
		return ids
	}
	var all []string
	for part := range strings.SplitSeq(name, "/") {
		ids := c.lookup(fold(part))
		if len(ids) == 0 {
			return nil
		}
		all = append(all, ids...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

type candidate struct {
	record  *Record
	gpu     *hardware.Accelerator
	assumed string
	larger  []*hardware.Accelerator
}

// choose picks among those that bear a name.
func (c *Catalog) choose(name string, ids []string, s said) (Match, error) {
	all, found, err := c.candidates(ids, s)
	if err != nil {
		return Match{}, err
	}
	if len(found) == 0 {
		return Match{}, fmt.Errorf("looking up accelerator %q: %s: %w", name, notThatSize(all, s.gb), ErrUnknown)
	}
	if len(found) == 1 {
		return Match{GPU: found[0].gpu, Assumed: found[0].assumed, Larger: found[0].larger}, nil
	}
	for _, f := range found {
		if f.gpu.MemoryGB != found[0].gpu.MemoryGB || s.gb == 0 && len(f.record.Options) > 0 {
			return Match{}, fmt.Errorf("looking up accelerator %q: it may be %s: %w", name, list(found), ErrAmbiguous)
		}
	}
	slices.SortFunc(found, cautious(s.visible > 0))
	return Match{GPU: found[0].gpu, Assumed: fmt.Sprintf("%q may be %s, of equal memory: %s is assumed", name, list(found), found[0].gpu.ID)}, nil
}

// candidates decodes the records of a name, and finds which of them there are with the size that was named. Where one of
// them is called so and the others only share the name, that one is meant.
func (c *Catalog) candidates(ids []string, s said) (all []*Record, found []candidate, err error) {
	var called []candidate
	for _, id := range ids {
		r, err := c.Record(id)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, r)
		f, ok := candidate{record: r}, true
		if s.gb > 0 {
			f.gpu, ok = r.withSize(s.gb)
		} else {
			f.gpu, f.assumed = r.smallest()
			f.larger = r.larger()
		}
		if !ok {
			continue
		}
		found = append(found, f)
		if slices.Contains(own(r), fold(s.name)) {
			called = append(called, f)
		}
	}
	if len(called) == 1 {
		found = called
	}
	return all, found, nil
}

// cautious puts the common one first, and among several of these the one with the least. What a process sees does not
// matter where a note says it.
func cautious(told bool) func(a, b candidate) int {
	return func(a, b candidate) int {
		switch {
		case a.record.Common && !b.record.Common:
			return -1
		case b.record.Common && !a.record.Common:
			return 1
		case !told && a.gpu.VisibleMiB != b.gpu.VisibleMiB:
			return cmp.Compare(a.gpu.VisibleMiB, b.gpu.VisibleMiB)
		}
		return cmp.Or(cmp.Compare(a.gpu.BandwidthGBs, b.gpu.BandwidthGBs), strings.Compare(a.gpu.ID, b.gpu.ID))
	}
}

func list(found []candidate) string {
	var parts []string
	for _, f := range found {
		parts = append(parts, fmt.Sprintf("%s (%s)", f.record.ID, f.record.sizes()))
	}
	slices.Sort(parts)
	return strings.Join(parts, " or ")
}

func notThatSize(all []*Record, gb float64) string {
	var parts []string
	for _, r := range all {
		parts = append(parts, r.ID+" has "+r.sizes())
	}
	return fmt.Sprintf("%s, not %s GB; %sGB alone is a card of which only the memory is known",
		strings.Join(parts, ", "), plain(gb), plain(gb))
}

// unknown says what is there instead.
func (c *Catalog) unknown(name string, s said) error {
	hint := "llmcheck catalog gpus lists them, and 24GB is a card of which only the memory is known"
	what := s.name
	if n, one, ok := many(s.name); ok && len(c.bearers(one)) > 0 {
		what = one
		hint = fmt.Sprintf("name one card and say beside it how many, as --gpu %s --gpus %s", strings.ToLower(strings.ReplaceAll(one, " ", "-")), n)
	}
	if near := c.near(what); len(near) > 0 {
		hint = "nearest: " + strings.Join(near, ", ") + "; " + hint
	}
	return fmt.Errorf("looking up accelerator %q: %w (%s)", name, ErrUnknown, hint)
}

// many takes apart what names several of one card: "8x H100".
func many(name string) (count, one string, ok bool) {
	m := manyForm.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	return m[1] + m[4], m[2] + m[3], true
}

// seen takes over what somebody wrote that the device shows, if it can be.
func (m Match) seen(name string, mib float64) (Match, error) {
	const (
		least = 0.85  // no driver keeps more than a tenth of a memory
		same  = 0.001 // figures are printed with four digits
	)
	switch g := *m.GPU; {
	case mib == 0 || math.Abs(mib-g.VisibleMiB) < same*g.VisibleMiB:
		return m, nil
	case mib > g.MemoryGB*1024 || mib < least*g.VisibleMiB:
		return Match{}, fmt.Errorf("looking up accelerator %q: %s shows %.4g GiB, not %.4g: %w", name, g.ID, g.VisibleMiB/1024, mib/1024,
			ErrAmbiguous)
	default:
		g.VisibleMiB, g.UsableMiB = mib, max(g.UsableMiB, mib)
		text := fmt.Sprintf("%q is taken at its word: %.4g GiB of memory to a process", name, mib/1024)
		return Match{GPU: &g, Assumed: strings.TrimPrefix(m.Assumed+"; "+text, "; ")}, nil
	}
}

// generic is a device of which somebody said the memory only. A process sees as little of it as of any card of that size
// that we know, or of those that a note names; where we know none, as little as of the worst of all.
func (c *Catalog) generic(name string, s said) (Match, error) {
	const most = 4096 // GB
	if s.gb > most || s.gb < 1 {
		return Match{}, fmt.Errorf("looking up accelerator %q: want a memory of 1 to %d GB: %w", name, most, ErrUnknown)
	}
	all, err := c.All()
	if err != nil {
		return Match{}, err
	}
	worst, kin := worstOf(all), sizedLike(all, s)
	g := &hardware.Accelerator{
		ID: "generic-" + plain(s.gb) + "gb", Name: "card of " + plain(s.gb) + " GB", MemoryGB: s.gb, Derived: true,
		UsableMiB: worst.usable * s.gb, VisibleMiB: worst.visible * s.gb,
		Note: "only the memory is known; bandwidth, number formats and links are not",
	}
	why := fmt.Sprintf("as a process sees at least %.3g %% of every card that is known", 100*worst.visible/1024)
	if len(kin) > 0 {
		least := slices.MinFunc(kin, func(a, b *hardware.Accelerator) int { return cmp.Compare(a.VisibleMiB, b.VisibleMiB) })
		g.UsableMiB, g.VisibleMiB = least.UsableMiB, least.VisibleMiB
		why = "as on " + least.ID
	}
	return Match{GPU: g, Assumed: fmt.Sprintf("%q names no card that is known: one of %s GB is assumed, of which a process sees %.4g GiB, %s",
		name, plain(s.gb), g.VisibleMiB/1024, why)}, nil
}

// ratio is the MiB for each GB as sold.
type ratio struct{ usable, visible float64 }

func worstOf(all []*hardware.Accelerator) ratio {
	worst := ratio{1024, 1024}
	for _, a := range all {
		if !a.Unified && a.Devices < 2 {
			worst.usable = min(worst.usable, a.UsableMiB/a.MemoryGB)
			worst.visible = min(worst.visible, a.VisibleMiB/a.MemoryGB)
		}
	}
	return worst
}

// sizedLike finds the cards of a size, and of these the ones that a note names, if all that it names are among them.
func sizedLike(all []*hardware.Accelerator, s said) []*hardware.Accelerator {
	same := slices.DeleteFunc(slices.Clone(all), func(a *hardware.Accelerator) bool {
		return a.Unified || a.Devices > 1 || a.MemoryGB != s.gb
	})
	var named []*hardware.Accelerator
	for w := range words(s.notes) {
		if len(w) < 2 || !strings.ContainsAny(w, "0123456789") {
			continue
		}
		before := len(named)
		for _, a := range same {
			if hinted(fold(a.ID), w) {
				named = append(named, a)
			}
		}
		if len(named) == before {
			return same
		}
	}
	if len(named) > 0 {
		return named
	}
	return same
}

// hinted reports whether a word of a note stands for an id. An x at its end stands for any digits, as in MI35x, and
// numbers that are long enough need no letters, as in 5090.
func hinted(id, word string) bool {
	const enough = 4
	stem := strings.TrimSuffix(word, "x")
	return strings.HasPrefix(id, stem) || len(stem) >= enough && strings.Contains(id, stem)
}

// IsUnknown reports whether an error of Resolve or Get is about the name, and not about a record.
func IsUnknown(err error) bool { return errors.Is(err, ErrUnknown) || errors.Is(err, ErrAmbiguous) }
