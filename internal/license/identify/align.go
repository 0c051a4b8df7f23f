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
	bound                              float64 // the score cannot be higher
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

// search is the state of one alignment of a file with all licenses.
type search struct {
	x     *shingle.Index
	d     *doc
	first []int32 // of the hits of entry i; they end where those of entry i+1 begin
	hits  []hit   // by entry, then by place in the file
	dead  []bool  // entries that have proved nothing
	marks []uint64
	keys  []uint64
	rows  [2][]int32
}

// align lays the licenses beside the file that explain most of it, each part of the file once.
func (x *Index) align(d *doc) []*alignment {
	d.known = x
	s := &search{x: x.x, d: d, dead: make([]bool, x.x.Len())}
	s.lookUp()
	var found []*alignment
	for len(found) < maxMatches {
		best := s.best()
		if best == nil {
			break
		}
		if best.relation() == "" {
			s.dead[best.entry] = true
			continue
		}
		for i := best.span().From; i < best.span().To; i++ {
			d.owned[i] = true
		}
		found = append(found, best)
	}
	return found
}

// lookUp finds the shingles of the file in the index and sorts the places by entry.
func (s *search) lookUp() {
	var all []hit
	repeats := map[uint32]int{}
	s.first = make([]int32, s.x.Len()+1)
	shingle.Anchors(s.d.toks, func(pos int, h uint32) bool {
		if len(s.d.toks) > 20_000 {
			if repeats[h]++; repeats[h] > maxRepeats {
				return true
			}
		}
		s.x.Postings(h, func(entry, lic int) bool {
			all = append(all, hit{int32(entry), int32(pos), int32(lic)})
			s.first[entry+1]++
			return true
		})
		return len(all) < maxHits
	})
	for i := 1; i < len(s.first); i++ {
		s.first[i] += s.first[i-1]
	}
	next := slices.Clone(s.first)
	s.hits = make([]hit, len(all))
	for _, h := range all {
		s.hits[next[h.entry]] = h
		next[h.entry]++
	}
}

// of returns the hits of an entry.
func (s *search) of(entry int) []hit { return s.hits[s.first[entry]:s.first[entry+1]] }

// best aligns the most promising entries and returns the one that explains most.
func (s *search) best() *alignment {
	var drafts []*alignment
	for _, c := range s.candidates() {
		if a := s.draft(c.entry); a != nil {
			drafts = append(drafts, a)
		}
	}
	slices.SortStableFunc(drafts, func(a, b *alignment) int { return cmp.Compare(b.bound, a.bound) })
	var best, exact *alignment
	for _, a := range drafts {
		if best != nil && a.bound <= best.score {
			break
		}
		s.finish(a)
		if best == nil || a.score > best.score || a.score == best.score && a.entry < best.entry {
			best = a
		}
	}
	best = fuller(drafts, best)
	if best != nil && best.relation() != Equivalent {
		exact = s.parts(drafts, best)
	}
	if exact != nil && best.coverage() < poor && exact.score*4 > best.score {
		// A file of several licenses resembles one that quotes them.
		best = exact
	}
	if best == nil || best.score <= 0 {
		return nil
	}
	return best
}

// fuller prefers a license of which no word is missing to one that explains a few words more and lacks some: what stands
// in the file is then that license with words added, not another one with words lost.
func fuller(drafts []*alignment, best *alignment) *alignment {
	if best == nil || best.missing == 0 {
		return best
	}
	for _, a := range drafts {
		if a.runs != nil && a.required > 0 && a.missing == 0 && a.matched*10 > best.matched*9 && a.score >= best.score-margin/4 &&
			a.span().From <= best.span().From+margin && a.span().To >= best.span().To-margin {
			return a
		}
	}
	return best
}

// parts looks for complete licenses that lie side by side where best, a larger and incomplete one, was found. If they
// explain nearly as much, best is cleared for them. It returns the largest.
func (s *search) parts(drafts []*alignment, best *alignment) *alignment {
	var whole []*alignment
	for _, a := range drafts {
		if a.bound < best.score/10 || a.bound < 30 {
			continue
		}
		if a.optional == nil && a.gaps == nil {
			s.finish(a)
		}
		if a.relation() == Equivalent && a.score >= 30 {
			whole = append(whole, a)
		}
	}
	slices.SortStableFunc(whole, func(a, b *alignment) int { return cmp.Compare(b.score, a.score) })
	var taken []*alignment
	total := 0.0
	for _, a := range whole {
		if !slices.ContainsFunc(taken, func(t *alignment) bool {
			return a.span().From < t.span().To && t.span().From < a.span().To
		}) {
			taken = append(taken, a)
			total += a.score
		}
	}
	if len(taken) == 0 {
		return nil
	}
	if len(taken) > 1 && total > 0.9*best.score {
		*best = *taken[0]
	}
	return taken[0]
}

// poor is the coverage below which a complete small license is a better answer than a large one.
const poor = 0.87

type candidate struct {
	entry int
	score float64
}

// candidates estimates from the hits alone what an alignment of each entry would be worth.
func (s *search) candidates() []candidate {
	var cs []candidate
	for entry := range s.dead {
		hits := s.of(entry)
		if s.dead[entry] || len(hits) == 0 {
			continue
		}
		e := s.x.Entry(entry)
		n := s.distinct(e, hits)
		if n == 0 {
			s.dead[entry] = true
			continue
		}
		n = min(n, e.Anchors)
		cs = append(cs, candidate{entry, float64(n) - 0.3*float64(e.Anchors-n)*float64(n)/float64(e.Anchors)})
	}
	slices.SortFunc(cs, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.entry, b.entry))
	})
	keep := min(len(cs), maxCandidates)
	for keep < len(cs) && keep < 6*maxCandidates && cs[keep].score >= 0.85*cs[0].score {
		keep++
	}
	return cs[:keep]
}

// distinct counts the places of the license that are hit from a part of the file that is still free.
func (s *search) distinct(e shingle.Entry, hits []hit) int {
	words := e.Words/64 + 1
	if len(s.marks) < words {
		s.marks = make([]uint64, 2*words)
	}
	clear(s.marks[:words])
	places, n, last := 0, 0, int32(-1)
	for _, h := range hits {
		if s.d.owned[h.file] {
			continue
		}
		if h.file != last {
			last = h.file
			places++
		}
		if bit := uint64(1) << (h.lic & 63); s.marks[h.lic>>6]&bit == 0 {
			s.marks[h.lic>>6] |= bit
			n++
		}
	}
	return min(n, places)
}

// draft finds the long shared runs of one entry and bounds the score from above.
func (s *search) draft(entry int) *alignment {
	a := &alignment{entry: entry, e: s.x.Entry(entry)}
	a.runs = chain(s.grow(a.e, s.of(entry)))
	if len(a.runs) == 0 {
		return nil
	}
	first, last := a.runs[0], a.runs[len(a.runs)-1]
	n := min(margin, first.file, first.lic) + min(margin, len(s.d.toks)-last.file-last.n, a.e.Words-last.lic-last.n)
	unmatched := a.e.Words - n
	for i, r := range a.runs {
		n += r.n
		unmatched -= r.n
		if i > 0 {
			p := a.runs[i-1]
			both := min(r.file-p.file-p.n, r.lic-p.lic-p.n)
			n += both
			unmatched -= both
		}
	}
	a.bound = float64(n) - 0.45*float64(max(0, unmatched-(a.e.Words-a.e.Required)-24))
	a.bound = max(a.bound, 0.5*float64(min(n, a.e.Words-a.e.Required)))
	return a
}

// finish completes and judges a draft.
func (s *search) finish(a *alignment) {
	a.optional = s.x.Optional(a.e, nil)
	s.fill(a)
	s.judge(a)
	s.trim(a)
	s.weigh(a)
}

// grow extends hits to maximal runs of shared words.
func (s *search) grow(e shingle.Entry, hits []hit) []run {
	s.keys = s.keys[:0]
	for _, h := range hits {
		if !s.d.owned[h.file] {
			s.keys = append(s.keys, uint64(h.file-h.lic+1<<30)<<32|uint64(h.file))
		}
	}
	slices.Sort(s.keys)
	var runs []run
	diagonal, end := -1, -1
	for _, k := range s.keys {
		file, diag := int(uint32(k)), int(k>>32)
		if diag == diagonal && file < end {
			continue
		}
		r := s.extend(e, file, file-(diag-1<<30))
		if r.n < shingle.Size {
			continue
		}
		runs = append(runs, r)
		diagonal, end = diag, r.file+r.n
	}
	slices.SortFunc(runs, byPlace)
	return runs
}

func byPlace(a, b run) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.lic, b.lic)) }

// extend returns the longest run through file word f and license word l.
func (s *search) extend(e shingle.Entry, f, l int) run {
	d, from, to := s.d, f, f
	for k := 1; f-k >= 0 && l-k >= 0 && !d.owned[f-k] && d.codes[f-k] == s.x.Code(e, l-k); k++ {
		from = f - k
	}
	for k := 0; f+k+1 < len(d.toks) && l+k+1 < e.Words && !d.owned[f+k+1] && d.codes[f+k] == s.x.Code(e, l+k); k++ {
		to = f + k + 1
	}
	return run{from, l - (f - from), to - from + 1}
}

// chain picks runs that go forward in file and license, as many words as possible, far jumps at a cost.
func chain(runs []run) []run {
	const lookback = 40
	if len(runs) > 4000 {
		slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(b.n, a.n) })
		runs = runs[:4000]
		slices.SortFunc(runs, byPlace)
	}
	score := make([]float64, len(runs))
	from := make([]int, len(runs))
	best := -1
	var records []int // of the score; long runs that began far back are among them
	for i, r := range runs {
		score[i], from[i] = float64(r.n), -1
		after := func(j int) {
			if s, ok := link(runs[j], r); ok && score[j]+s > score[i] {
				score[i], from[i] = score[j]+s, j
			}
		}
		for j := i - 1; j >= max(0, i-lookback); j-- {
			after(j)
		}
		for _, j := range records {
			after(j)
		}
		if best < 0 || score[i] > score[best] {
			best = i
			records = append(records[max(0, len(records)-15):], i)
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
	cost := 0.5 + 0.1*float64(min(inFile, 2000)) + 0.02*float64(min(inLicense, 400))
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
	maxCells = 30_000 // of the table with which a gap is searched for shorter runs
	margin   = 40     // words before the first and after the last run that are searched
)

// fill finds short runs in the gaps and at both ends.
func (s *search) fill(a *alignment) {
	first, last := a.runs[0], a.runs[len(a.runs)-1]
	var out []run
	out = s.between(a, max(0, first.file-margin), first.file, max(0, first.lic-margin), first.lic, out)
	for i, r := range a.runs {
		if i > 0 {
			p := a.runs[i-1]
			out = s.between(a, p.file+p.n, r.file, p.lic+p.n, r.lic, out)
		}
		out = append(out, r)
	}
	f, l := last.file+last.n, last.lic+last.n
	a.runs = s.between(a, f, min(len(s.d.toks), f+margin), l, min(a.e.Words, l+margin), out)
}

// between appends the runs in a rectangle: the longest, and those before and after it.
func (s *search) between(a *alignment, f0, f1, l0, l1 int, out []run) []run {
	if f1-f0 < 2 || l1-l0 < 2 || (f1-f0)*(l1-l0) > maxCells {
		return out
	}
	best := s.longest(a, f0, f1, l0, l1)
	if best.n == 0 {
		return out
	}
	out = s.between(a, f0, best.file, l0, best.lic, out)
	out = append(out, best)
	return s.between(a, best.file+best.n, f1, best.lic+best.n, l1, out)
}

// longest returns the longest shared run in a rectangle.
func (s *search) longest(a *alignment, f0, f1, l0, l1 int) run {
	best := run{}
	width := l1 - l0 + 1
	for i := range s.rows {
		if cap(s.rows[i]) < width {
			s.rows[i] = make([]int32, 2*width)
		}
		s.rows[i] = s.rows[i][:cap(s.rows[i])]
		clear(s.rows[i][:width])
	}
	prev, cur := s.rows[0][:width], s.rows[1][:width]
	for f := f0; f+1 < f1; f++ {
		if s.d.owned[f] || s.d.owned[f+1] {
			clear(cur)
			prev, cur = cur, prev
			continue
		}
		code := s.d.codes[f]
		for l := 0; l+1 < l1-l0; l++ {
			if code != s.x.Code(a.e, l0+l) {
				cur[l+1] = 0
				continue
			}
			n := prev[l] + 1
			cur[l+1] = n
			if int(n)+1 > best.n {
				best = run{f - int(n) + 1, l0 + l - int(n) + 1, int(n) + 1}
			}
		}
		prev, cur = cur, prev
	}
	return best
}
