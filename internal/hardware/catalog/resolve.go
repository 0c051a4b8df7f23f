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
	if ids := c.lookup(fold(name)); len(ids) > 0 {
		return c.choose(name, ids, said{name: name})
	}
	s, ok := parse(name)
	switch ids := c.bearers(s.name); {
	case !ok:
		return Match{}, fmt.Errorf("looking up accelerator %q: it names two sizes of memory: %w", name, ErrAmbiguous)
	case len(ids) > 0:
		m, err := c.choose(name, ids, s)
		if err != nil {
			return Match{}, err
		}
		return m.seen(name, s.visible)
	case s.gb > 0 && !strings.ContainsAny(s.name, "0123456789"):
		m, err := c.generic(name, s)
		if err != nil {
			return Match{}, err
		}
		return m.seen(name, s.visible)
	}
	return Match{}, c.unknown(name, s)
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
		return Match{found[0].gpu, found[0].assumed}, nil
	}
	for _, f := range found {
		if f.gpu.MemoryGB != found[0].gpu.MemoryGB || s.gb == 0 && len(f.record.Options) > 0 {
			return Match{}, fmt.Errorf("looking up accelerator %q: it may be %s: %w", name, list(found), ErrAmbiguous)
		}
	}
	slices.SortFunc(found, cautious)
	return Match{found[0].gpu, fmt.Sprintf("%q may be %s, of equal memory: %s is assumed", name, list(found), found[0].gpu.ID)}, nil
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

// cautious puts the common one first, and among several of these the one with the least.
func cautious(a, b candidate) int {
	if a.record.Common != b.record.Common {
		if a.record.Common {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.gpu.VisibleMiB, b.gpu.VisibleMiB), cmp.Compare(a.gpu.BandwidthGBs, b.gpu.BandwidthGBs),
		strings.Compare(a.gpu.ID, b.gpu.ID))
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
	if near := c.near(fold(s.name)); len(near) > 0 {
		hint = "nearest: " + strings.Join(near, ", ") + "; " + hint
	}
	return fmt.Errorf("looking up accelerator %q: %w (%s)", name, ErrUnknown, hint)
}

// near lists a few ids whose names begin as this one does, the best first.
func (c *Catalog) near(folded string) []string {
	ids, err := c.IDs()
	if err != nil {
		return nil
	}
	const enough, most = 3, 5
	type scored struct {
		id    string
		score int
	}
	var out []scored
	for _, id := range ids {
		if n := common(fold(id), folded); n >= enough {
			out = append(out, scored{id, n})
		}
	}
	slices.SortStableFunc(out, func(a, b scored) int { return b.score - a.score })
	var best []string
	for _, s := range out[:min(most, len(out))] {
		best = append(best, s.id)
	}
	return best
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
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
		return Match{&g, strings.TrimPrefix(m.Assumed+"; "+text, "; ")}, nil
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
	return Match{g, fmt.Sprintf("%q names no card that is known: one of %s GB is assumed, of which a process sees %.4g GiB, %s",
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

// sizedLike finds the cards of a size, and of these the ones that a note names, if it names any. An x at the end of a
// word stands for any digits, as in MI35x.
func sizedLike(all []*hardware.Accelerator, s said) []*hardware.Accelerator {
	var same, named []*hardware.Accelerator
	for _, a := range all {
		if a.Unified || a.Devices > 1 || a.MemoryGB != s.gb {
			continue
		}
		same = append(same, a)
		for w := range words(s.notes) {
			stem := strings.TrimSuffix(w, "x")
			if len(stem) > 1 && strings.ContainsAny(stem, "0123456789") && strings.HasPrefix(fold(a.ID), stem) {
				named = append(named, a)
			}
		}
	}
	if len(named) > 0 {
		return named
	}
	return same
}

// IsUnknown reports whether an error of Resolve or Get is about the name, and not about a record.
func IsUnknown(err error) bool { return errors.Is(err, ErrUnknown) || errors.Is(err, ErrAmbiguous) }
