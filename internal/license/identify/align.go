package identify

import (
	"cmp"
	"slices"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// hit is a shingle that file and index share.
type hit struct {
	entry     int32
	file, lic int32
}

// run is a stretch of n words that file and license share.
type run struct{ file, lic, n int }

// gap is what lies between two runs, or before the first or after the last: words of the license that the file does
// not have, words of the file that the license does not have.
type gap struct {
	lic, file shingle.Span
	bad       bool // can change the terms
	minor     bool // a small word more or less
}

// alignment is a license laid beside the file.
type alignment struct {
	entry    int
	e        shingle.Entry
	optional []shingle.Span
	runs     []run
	gaps     []gap // between runs, in order; head and tail of the license are not among them

	required, matched, matchedOptional int // words of the license
	missing                            int // required words that are nowhere, gaps that change nothing left out
	head, tail                         int // those of them before the first and after the last run
	added                              int // words of the file in bad gaps
	bad                                int // bad gaps
	score                              float64
}

// span returns the stretch of the file from the first to the last shared word.
func (a *alignment) span() shingle.Span {
	last := a.runs[len(a.runs)-1]
	return shingle.Span{From: a.runs[0].file, To: last.file + last.n}
}

const (
	maxHits       = 600_000
	maxRepeats    = 24 // of one shingle in a file
	maxMatches    = 64
	maxCandidates = 14
)

// align lays the licenses beside the file that explain most of it, each part of the file once.
func (x *Index) align(d *doc) []*alignment {
	byEntry := x.hits(d)
	var found []*alignment
	for len(found) < maxMatches {
		best := x.bestOf(d, byEntry)
		if best == nil {
			break
		}
		if best.relation() == "" {
			delete(byEntry, best.entry)
			continue
		}
		for i := best.span().From; i < best.span().To; i++ {
			d.owned[i] = true
		}
		found = append(found, best)
	}
	return found
}

// hits looks up the shingles of the file.
func (x *Index) hits(d *doc) map[int][]hit {
	byEntry := map[int][]hit{}
	repeats := map[uint32]int{}
	n := 0
	shingle.Anchors(d.toks, func(pos int, h uint32) bool {
		if len(d.toks) > 20_000 {
			if repeats[h]++; repeats[h] > maxRepeats {
				return true
			}
		}
		x.x.Postings(h, func(entry, lic int) bool {
			byEntry[entry] = append(byEntry[entry], hit{int32(entry), int32(pos), int32(lic)})
			n++
			return true
		})
		return n < maxHits
	})
	return byEntry
}

// bestOf aligns the most promising entries and returns the one that explains most.
func (x *Index) bestOf(d *doc, byEntry map[int][]hit) *alignment {
	var best *alignment
	for _, c := range x.candidates(d, byEntry) {
		a := x.lay(d, c.entry, byEntry[c.entry])
		if a != nil && (best == nil || a.score > best.score) {
			best = a
		}
	}
	if best == nil || best.score <= 0 {
		return nil
	}
	return best
}

type candidate struct {
	entry int
	score float64
}

// candidates estimates from the hits alone what an alignment of each entry would be worth.
func (x *Index) candidates(d *doc, byEntry map[int][]hit) []candidate {
	var cs []candidate
	for entry, hits := range byEntry {
		n, last := 0, int32(-1)
		for _, h := range hits {
			if h.lic != last && !d.owned[h.file] {
				n++
				last = h.lic
			}
		}
		if n == 0 {
			delete(byEntry, entry)
			continue
		}
		e := x.x.Entry(entry)
		n = min(n, e.Anchors)
		cs = append(cs, candidate{entry, float64(n) - 0.3*float64(e.Anchors-n)*float64(n)/float64(e.Anchors)})
	}
	slices.SortFunc(cs, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.entry, b.entry))
	})
	keep := min(len(cs), maxCandidates)
	for keep < len(cs) && keep < 3*maxCandidates && cs[keep].score >= 0.8*cs[0].score {
		keep++
	}
	return cs[:keep]
}

// lay aligns one entry with the part of the file that nothing else explains.
func (x *Index) lay(d *doc, entry int, hits []hit) *alignment {
	a := &alignment{entry: entry, e: x.x.Entry(entry)}
	a.runs = x.chain(x.grow(d, a.e, hits))
	if len(a.runs) == 0 {
		return nil
	}
	a.optional = x.x.Optional(a.e, nil)
	x.fill(d, a)
	x.judge(d, a)
	x.trim(d, a)
	x.weigh(d, a)
	return a
}

// grow extends hits to maximal runs of shared words.
func (x *Index) grow(d *doc, e shingle.Entry, hits []hit) []run {
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.file-a.lic, b.file-b.lic), cmp.Compare(a.file, b.file))
	})
	var runs []run
	diagonal, end := int32(-1<<30), -1
	for _, h := range hits {
		if d.owned[h.file] || h.file-h.lic == diagonal && int(h.file) < end {
			continue
		}
		r := x.extend(d, e, int(h.file), int(h.lic))
		if r.n < shingle.Size {
			continue
		}
		runs = append(runs, r)
		diagonal, end = h.file-h.lic, r.file+r.n
	}
	slices.SortFunc(runs, func(a, b run) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.lic, b.lic)) })
	return runs
}

// extend returns the longest run through file word f and license word l.
func (x *Index) extend(d *doc, e shingle.Entry, f, l int) run {
	from, to := f, f
	for k := 1; f-k >= 0 && l-k >= 0 && !d.owned[f-k] && d.codes[f-k] == x.x.Code(e, l-k); k++ {
		from = f - k
	}
	for k := 0; f+k+1 < len(d.toks) && l+k+1 < e.Words && !d.owned[f+k+1] && d.codes[f+k] == x.x.Code(e, l+k); k++ {
		to = f + k + 1
	}
	return run{from, l - (f - from), to - from + 1}
}

// chain picks runs that go forward in file and license, as many words as possible, far jumps at a cost.
func (x *Index) chain(runs []run) []run {
	const lookback = 80
	if len(runs) > 4000 {
		slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(b.n, a.n) })
		runs = runs[:4000]
		slices.SortFunc(runs, func(a, b run) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.lic, b.lic)) })
	}
	score := make([]float64, len(runs))
	from := make([]int, len(runs))
	best := -1
	for i, r := range runs {
		score[i], from[i] = float64(r.n), -1
		for j := i - 1; j >= max(0, i-lookback); j-- {
			if s, ok := link(runs[j], r); ok && score[j]+s > score[i] {
				score[i], from[i] = score[j]+s, j
			}
		}
		if best < 0 || score[i] > score[best] {
			best = i
		}
	}
	var out []run
	for i := best; i >= 0; i = from[i] {
		out = append(out, runs[i])
	}
	slices.Reverse(out)
	return clip(out)
}

// link returns what r adds after p.
func link(p, r run) (float64, bool) {
	if r.file <= p.file || r.lic <= p.lic {
		return 0, false
	}
	overlap := max(0, p.file+p.n-r.file, p.lic+p.n-r.lic)
	if overlap >= r.n {
		return 0, false
	}
	inFile, inLicense := max(0, r.file-p.file-p.n), max(0, r.lic-p.lic-p.n)
	cost := 0.5 + 0.03*float64(min(inFile, 1000)) + 0.02*float64(min(inLicense, 400))
	gain := float64(r.n-overlap) - cost
	return gain, gain > 0
}

// clip removes overlaps between neighbors, from the later one.
func clip(runs []run) []run {
	out := runs[:0]
	for _, r := range runs {
		if n := len(out); n > 0 {
			p := out[n-1]
			if o := max(0, p.file+p.n-r.file, p.lic+p.n-r.lic); o > 0 {
				r.file, r.lic, r.n = r.file+o, r.lic+o, r.n-o
			}
		}
		if r.n > 0 {
			out = append(out, r)
		}
	}
	return out
}

const (
	maxCells = 60_000 // of the table with which a gap is searched for shorter runs
	margin   = 40     // words before the first and after the last run that are searched
)

// fill finds short runs in the gaps and at both ends.
func (x *Index) fill(d *doc, a *alignment) {
	first, last := a.runs[0], a.runs[len(a.runs)-1]
	var out []run
	out = x.between(d, a, max(0, first.file-margin), first.file, max(0, first.lic-margin), first.lic, out)
	for i, r := range a.runs {
		if i > 0 {
			p := a.runs[i-1]
			out = x.between(d, a, p.file+p.n, r.file, p.lic+p.n, r.lic, out)
		}
		out = append(out, r)
	}
	f, l := last.file+last.n, last.lic+last.n
	out = x.between(d, a, f, min(len(d.toks), f+margin), l, min(a.e.Words, l+margin), out)
	a.runs = out
}

// between appends the runs in a rectangle: the longest, and those before and after it.
func (x *Index) between(d *doc, a *alignment, f0, f1, l0, l1 int, out []run) []run {
	if f1-f0 < 2 || l1-l0 < 2 || (f1-f0)*(l1-l0) > maxCells {
		return out
	}
	best := run{}
	prev, cur := make([]int32, l1-l0+1), make([]int32, l1-l0+1)
	for f := f0; f+1 < f1; f++ {
		clear(cur)
		if !d.owned[f] && !d.owned[f+1] {
			for l := l0; l+1 < l1; l++ {
				if d.codes[f] == x.x.Code(a.e, l) {
					n := prev[l-l0] + 1
					cur[l-l0+1] = n
					if int(n)+1 > best.n {
						best = run{f - int(n) + 1, l - int(n) + 1, int(n) + 1}
					}
				}
			}
		}
		prev, cur = cur, prev
	}
	if best.n == 0 {
		return out
	}
	out = x.between(d, a, f0, best.file, l0, best.lic, out)
	out = append(out, best)
	return x.between(d, a, best.file+best.n, f1, best.lic+best.n, l1, out)
}
