package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// Want is what a plan is looked for with.
type Want struct {
	GPU      *hardware.Accelerator
	Fabric   *Fabric
	GPUs     int     // exactly so many; 0 is any number up to Max
	Max      int     // 0 is MostGPUs
	Deadline float64 // seconds of the whole run, with the bad end of its range; 0 is none
	Price    float64 // of a device for an hour; 0 is not known, and hours stand for it
	Said     Plan    // degrees that are kept; Zero is -1 where it was not said
}

// MostGPUs is the largest cluster that is looked at where no limit is given.
const MostGPUs = 131072

// Found is what a search answers. Best are ranked: by time where the number of devices was given, by cost within the
// deadline where it was not, and with neither by cost again, of which a tenth more is spent where that is faster.
type Found struct {
	Best    []Option // the best first, each of another division or size; empty if nothing was found
	Looked  int      // plans that a framework would start
	Fitted  int      // of them, those that fit; where sizes are compared, as far as each was gone through
	Largest int      // devices of the largest cluster that still gains; 0 if that is not known
	Stops   string   // what stops a larger one: StopsNetwork or StopsBatch; "" if nothing did
	StopsBy string   // in a sentence
	Settled []Setting
	Nearest *Option // where nothing was found, the plan that came nearest
	Why     string  // nothing was found
}

// What stops a larger cluster.
const (
	StopsNetwork = "network"
	StopsBatch   = "batch size"
)

// Option is one plan with what comes of it.
type Option struct {
	Job     Job
	Plan    Plan
	Memory  *Memory
	Figures *Figures
	Hours   float64  // of devices for the run, or for a million tokens where no run is said
	Cost    float64  // of them; 0 if the price is not known
	Reasons []string // why it is where it is

	token float64 // seconds of one token of the run on all devices
}

// meter is what a search measures plans with.
type meter struct {
	account accounts
	seconds func(*Job, *Plan) (step, run float64, err error)
	time    func(*Job, *Plan) (*Figures, error)
}

// search looks for plans.
type search struct {
	meter
	want   Want
	filler filler
	limit  float64 // tokens of a step that are still sensible
	batch  float64 // those that are looked at
}

// Find looks for plans that surely fit, until ctx ends. The same question has the same answer.
func Find(ctx context.Context, c *Constants, j Job, w Want) (*Found, error) {
	return find(ctx, meter{Account, c.Seconds, c.Time}, j, w)
}

// find looks for plans with any meter.
func find(ctx context.Context, m meter, j Job, w Want) (*Found, error) {
	s, err := newSearch(m, j, w)
	if err != nil {
		return nil, err
	}
	var out *Found
	for _, s.batch = range s.batches() {
		list, err := s.all(ctx)
		if err != nil {
			return nil, err
		}
		if out = s.found(list); len(out.Best) > 0 {
			break
		}
	}
	return out, nil
}

// twice the usual batch is still the same training.
const twice = 2

// batches are how many tokens a step may have, the usual first: where nothing is found with those, what is sensible, and
// where the number of devices was given, whatever gives all of them something to do.
func (s *search) batches() []float64 {
	j := &s.filler.Job
	if j.Global > 0 {
		return []float64{s.limit}
	}
	want, _ := j.wanted()
	list := []float64{min(s.limit, twice*want*float64(j.Sequence)), s.limit}
	if j.Method == Pretrain {
		list = list[1:] // it grows with the cluster
	}
	if s.want.GPUs > 0 {
		list = append(list, math.Inf(1))
	}
	return slices.Compact(list)
}

// all looks at all sizes.
func (s *search) all(ctx context.Context) ([]size, error) {
	sizes := s.sizes()
	list := make([]size, len(sizes))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(sizes)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(sizes); i = next.Add(1) - 1 {
				if ctx.Err() != nil {
					return
				}
				list[i] = s.size(sizes[i])
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("looking for a plan: %w", context.Cause(ctx))
	}
	return list, nil
}

func newSearch(m meter, j Job, w Want) (*search, error) {
	if w.GPU == nil {
		return nil, fmt.Errorf("%w: no card was named, say --gpu", ErrUnknown)
	}
	for _, b := range []limits{{"GPUs", int64(w.GPUs), 0, mostGPUs}, {"the largest number of GPUs", int64(w.Max), 0, mostGPUs}} {
		if err := b.check(); err != nil {
			return nil, err
		}
	}
	if !(w.Deadline >= 0) || math.IsInf(w.Deadline, 1) || !(w.Price >= 0) || math.IsInf(w.Price, 1) {
		return nil, illegal("deadline and price have to be numbers that are not negative")
	}
	if w.Deadline > 0 && j.Tokens == 0 {
		return nil, illegal("a deadline needs the tokens of the run, say --tokens")
	}
	s := &search{meter: m, want: w, filler: filler{Job: j, Plan: w.Said, account: m.account}}
	f := &s.filler
	f.GPU, f.Fabric = w.GPU, w.Fabric
	if f.GPUs = w.GPUs; f.GPUs == 0 {
		f.GPUs = s.most()
	}
	if err := f.prepare(); err != nil {
		return nil, err
	}
	f.count()
	s.limit = Sensible(&f.Job)
	return s, nil
}

// prepare fills what does not hang on a plan.
func (f *filler) prepare() error {
	if err := f.believable(); err != nil {
		return err
	}
	f.Unsaid |= open(&f.Job, &f.Plan)
	f.method()
	f.framework()
	f.numbers()
	f.sequence()
	f.adapters()
	f.alignment()
	return f.knownWords()
}

// Sensible is how many tokens a step has at most before more of them teach less than they cost: for pre-training the
// batch that DeepSeek LLM found best by a power law of the FLOPs of the run (arXiv 2401.02954), and never less than
// twice the usual one; for other methods eight times the usual one.
func Sensible(j *Job) float64 {
	want, _ := j.wanted()
	usual := want * float64(j.Sequence)
	if j.Global > 0 {
		return float64(j.Global * j.Sequence)
	}
	if j.Method != Pretrain {
		return 8 * usual
	}
	params := float64(j.Shape.Params().Active)
	tokens := j.Tokens
	if tokens == 0 {
		tokens = hoffmann * params
	}
	return max(twice*usual, 0.292*math.Pow(6*params*tokens, 0.3271))
}

func (s *search) most() int {
	if s.want.Max == 0 {
		return MostGPUs
	}
	return s.want.Max
}

// sizes are the clusters that are looked at. They hang on the machine alone, so that a larger limit never takes one away.
func (s *search) sizes() []int {
	if s.want.GPUs > 0 {
		return []int{s.want.GPUs}
	}
	node := s.filler.node()
	var list []int
	add := func(n int) {
		if n <= s.most() && s.worth(n) {
			list = append(list, n)
		}
	}
	for n := 1; n < node; n *= 2 {
		add(n)
	}
	for n := node; n <= s.most(); n *= 2 {
		add(n)
		if s.want.Deadline > 0 && n%2 == 0 && (n/2)%node == 0 { // where nobody is in a hurry, doublings tell enough
			add(n / 2 * 3)
		}
	}
	slices.Sort(list)
	return list
}

// worth reports whether a cluster could be done by the deadline at all, if all devices did nothing but products at their
// peak.
func (s *search) worth(n int) bool {
	if s.want.Deadline == 0 || s.want.GPUs > 0 {
		return true
	}
	peak := 0.0
	for _, rate := range s.want.GPU.DenseTFLOPS {
		peak = max(peak, rate*1e12)
	}
	j := &s.filler.Job
	flops := 2 * float64(j.Shape.Params().Active) * j.Tokens // what no method does without
	return peak == 0 || float64(n)*peak*s.want.Deadline >= flops
}

// size is what was found with one number of devices.
type size struct {
	gpus           int
	looked, fitted int
	best           []candidate // those that fit, the fastest first, each of another division
	faster         *candidate  // would be faster than the best, and does not fit
	miss           *candidate  // that came nearest, where nothing fits
	excess         float64     // how often the miss fills a device
	why            error       // where no framework starts anything
}

// candidate is a plan with its speed.
type candidate struct {
	trial
	token float64 // seconds of one token on all devices
	fits  Verdict
}

// handful is how many divisions are told.
const handful = 6

func (s *search) size(n int) size {
	out := size{gpus: n}
	list := s.candidates(n, &out)
	known := make(map[grid]limitsOf)
	capacity := float64(s.want.GPU.Usable())
	told := make(map[[4]int]bool)
	for i := range list {
		if s.want.GPUs == 0 && len(out.best) > others {
			break // the best of a size and those told beside it are known
		}
		c := &list[i]
		if capacity > 0 && c.least() > capacity {
			c.fits = DoesNot
		} else {
			c.fits = s.fit(c, known)
		}
		if c.fits != Fits {
			if out.faster == nil && len(out.best) == 0 && (capacity == 0 || c.least() <= capacity) {
				out.faster = c
			}
			continue
		}
		out.fitted++
		p := &c.plan
		key := [4]int{p.Tensor, p.Pipeline, p.Context, p.Expert}
		if !told[key] && len(out.best) < handful {
			told[key] = true
			out.best = append(out.best, *c)
		}
	}
	if len(out.best) == 0 {
		s.nearest(list, &out)
	}
	return out
}

// grid is all of a plan but what it recomputes and how many sequences a pass has.
type grid struct {
	tensor, pipeline, context, expert, virtual, zero int
}

func (c *candidate) grid() grid {
	p := &c.plan
	return grid{p.Tensor, p.Pipeline, p.Context, p.Expert, p.Virtual, p.Zero}
}

// limitsOf is what is known of the memory of a grid: by what is recomputed, the largest micro batch that fits and the
// smallest that does not.
type limitsOf struct{ fits, fails [3]int64 }

// order is how much is recomputed.
func (r Recompute) order() int {
	switch r {
	case None:
		return 0
	case Selective:
		return 1
	}
	return 2
}

// fit accounts for a plan, unless it follows from another that a smaller pass that recomputes more fits as well.
func (s *search) fit(c *candidate, known map[grid]limitsOf) Verdict {
	g, r, n := c.grid(), c.job.Recompute.order(), c.plan.Micro
	k := known[g]
	for less := range r + 1 {
		if k.fits[less] >= n {
			return Fits
		}
	}
	for more := r; more < len(k.fails); more++ {
		if k.fails[more] > 0 && k.fails[more] <= n {
			return DoesNot
		}
	}
	v := s.filler.verdict(&c.job, &c.plan)
	if v == Fits {
		k.fits[r] = max(k.fits[r], n)
	} else if k.fails[r] == 0 || n < k.fails[r] {
		k.fails[r] = n
	}
	known[g] = k
	return v
}

// nearer reports whether a candidate that does not fit comes nearer: it needs less memory.
func (c *candidate) nearer(than *candidate) bool {
	return cmp.Or(cmp.Compare(c.least(), than.least()), cmp.Compare(c.plan.Micro, than.plan.Micro),
		cmp.Compare(than.job.Recompute.order(), c.job.Recompute.order())) < 0
}

// nearest notes the plan that needs least memory of those that do not fit.
func (s *search) nearest(list []candidate, out *size) {
	var best *candidate
	for i := range list {
		if c := &list[i]; best == nil || c.nearer(best) {
			best = c
		}
	}
	if best == nil {
		return
	}
	out.miss, out.excess = best, math.Inf(1)
	if m, err := s.account(&best.job, &best.plan); err == nil && m.Capacity > 0 {
		out.excess = m.Planned.Mid / float64(m.Capacity)
	}
}

// candidates are the legal plans of one size, the fastest first.
func (s *search) candidates(n int, out *size) []candidate {
	f := s.filler
	f.GPUs = n
	var list []candidate
	for p := range f.grids() {
		if p.Tensor*p.Pipeline*p.Context > n {
			continue
		}
		t, ok := f.trial(p, f.recomputes()[0])
		if !ok {
			continue
		}
		list = s.variants(list, &f, &t)
	}
	if len(list) == 0 {
		out.why = f.refused()
	}
	out.looked = len(list)
	list = s.roomy(list)
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.token, b.token), a.before(&b))
	})
	return list
}

// roomy are the candidates whose weights and states alone do not fill a device, and if there are none, the one that comes
// nearest. They are timed; the others would be for nothing.
func (s *search) roomy(list []candidate) []candidate {
	capacity := float64(s.want.GPU.Usable())
	kept := list[:0]
	var near *candidate
	for i := range list {
		c := list[i]
		if capacity > 0 && c.least() > capacity {
			if near == nil || c.nearer(near) {
				near = &c
			}
			continue
		}
		kept = append(kept, c)
	}
	if len(kept) == 0 && near != nil {
		kept = append(kept, *near)
	}
	timed := kept[:0]
	for i := range kept {
		if s.paced(&kept[i]) {
			timed = append(timed, kept[i])
		}
	}
	return timed
}

// before breaks ties: less of everything comes first.
func (c *candidate) before(d *candidate) int {
	p, q := &c.plan, &d.plan
	return cmp.Or(
		cmp.Compare(p.Pipeline, q.Pipeline), cmp.Compare(p.Tensor, q.Tensor), cmp.Compare(p.Context, q.Context), cmp.Compare(p.Expert, q.Expert),
		cmp.Compare(p.Virtual, q.Virtual), cmp.Compare(p.Zero, q.Zero), cmp.Compare(p.Micro, q.Micro),
		cmp.Compare(c.job.Recompute.order(), d.job.Recompute.order()),
	)
}

// variants adds the plans of one grid: every size of a pass, what is recomputed, how many chunks a stage has, and what
// data ranks share.
func (s *search) variants(list []candidate, f *filler, t *trial) []candidate {
	if !even(len(t.job.Shape.Blocks), t.plan.Pipeline) && f.Pipeline == 0 {
		return list
	}
	said := f.Global
	for _, micro := range s.micros(f, t) {
		base := *t
		base.plan.Micro, base.job.Global = micro, said
		if said == 0 {
			base.job.Global = f.global(&base.plan)
			if tokens := float64(base.job.Global * base.job.Sequence); tokens > s.batch {
				continue
			}
		}
		if base.plan.legalBatched(&base.job) != nil {
			continue
		}
		for _, v := range s.virtuals(f, &base) {
			for _, z := range s.zeros(f, &base) {
				c := candidate{trial: base}
				c.plan.Virtual, c.plan.Zero, c.plan.Schedule = v, z, f.Schedule
				if c.plan.Schedule == "" {
					c.plan.Schedule = OneFOneB
					if v > 1 {
						c.plan.Schedule = Interleaved
					}
				}
				list = legalOf(list, f, c)
			}
		}
	}
	return list
}

// legalOf adds a candidate with all that may be computed again, if a framework would start it.
func legalOf(list []candidate, f *filler, c candidate) []candidate {
	if c.plan.legalStaged(&c.job) != nil || c.plan.legalSharded(&c.job) != nil || c.plan.legalMethodical(&c.job) != nil {
		return list
	}
	for _, r := range f.recomputes() {
		c.job.Recompute = r
		list = append(list, c)
	}
	return list
}

// paced notes how long a candidate takes for a token; false if that cannot be told.
func (s *search) paced(c *candidate) bool {
	step, run, err := s.seconds(&c.job, &c.plan)
	if err != nil || !(step > 0) {
		return false
	}
	c.token = step / (float64(c.job.Global) * float64(c.job.Sequence))
	if run > 0 {
		c.token = run / c.job.Tokens
	}
	return true
}

// micros are the sizes of a pass.
func (s *search) micros(f *filler, t *trial) []int64 {
	if f.Micro > 0 {
		return []int64{f.Micro}
	}
	most := max(1, int64(widestPass)/f.Sequence)
	if h := f.Framework.habits(); f.Method != Pretrain {
		most = min(most, max(h.pass, 4))
	}
	list := []int64{1}
	for n := int64(2); n <= most && float64(n*int64(t.plan.Data)*f.Sequence) <= s.batch; n *= 2 {
		list = append(list, n)
	}
	return list
}

// virtuals are the numbers of chunks of a stage: one, the most that layers divide into, and one between.
func (s *search) virtuals(f *filler, t *trial) []int {
	if f.Virtual > 0 {
		return []int{f.Virtual}
	}
	h := f.Framework.habits()
	if t.plan.Pipeline == 1 || !h.interleaves || f.Schedule == OneFOneB || f.Schedule == ZeroBubble || !t.job.Trained() {
		return []int{1}
	}
	most := t.plan.chunks(&t.job)
	list := []int{1}
	if f.Schedule == Interleaved {
		list = nil
	}
	for v := most; v > 1; v-- {
		if even(len(t.job.Shape.Blocks), t.plan.Pipeline*v) && (v == most || v*v <= most) {
			list = append(list, v)
			if v < most {
				break
			}
		}
	}
	return list
}

// zeros are what data ranks may share: what the framework takes by itself, and less where that fits as well.
func (s *search) zeros(f *filler, t *trial) []int {
	if f.Zero >= 0 {
		return []int{f.Zero}
	}
	z := f.zero(&t.plan)
	if f.mayCopy() && t.plan.Data > 1 {
		return []int{0, f.Framework.habits().zero}
	}
	if z != 3 && f.Framework != Megatron || t.plan.Data*t.plan.Context == 1 {
		return []int{z}
	}
	h := f.Framework.habits()
	list := []int{z}
	switch {
	case f.Framework == Megatron && t.plan.Pipeline == 1:
		list = append(list, 3)
	case z == 3:
		for _, less := range h.zeros {
			if less == 2 || less == 0 && !t.job.Trained() {
				list = append(list, less)
			}
		}
	}
	return list
}

// found puts together what was found with all sizes.
func (s *search) found(sizes []size) *Found {
	out := &Found{Settled: s.filler.settled}
	var list []Option
	for i := range sizes {
		z := &sizes[i]
		out.Looked, out.Fitted = out.Looked+z.looked, out.Fitted+z.fitted
		for k := range z.best {
			if s.want.GPUs == 0 && k > 0 {
				break
			}
			if o, err := s.option(&z.best[k]); err == nil {
				list = append(list, o)
			}
		}
	}
	within := slices.DeleteFunc(slices.Clone(list), func(o Option) bool { return s.late(&o) })
	s.rank(within)
	within = s.beside(within, sizes)
	out.Best = within[:min(handful, len(within))]
	if len(out.Best) == 0 {
		s.missed(out, list, sizes)
		return out
	}
	s.reason(out, sizes)
	s.largest(out)
	return out
}

// others is how many further divisions of the best size are told.
const others = 2

// beside puts other divisions of the best size behind it, where sizes are ranked.
func (s *search) beside(list []Option, sizes []size) []Option {
	if s.want.GPUs > 0 || len(list) == 0 {
		return list
	}
	i := slices.IndexFunc(sizes, func(z size) bool { return z.gpus == list[0].Plan.GPUs })
	var more []Option
	for k := range sizes[i].best[1:min(1+others, len(sizes[i].best))] {
		if o, err := s.option(&sizes[i].best[k+1]); err == nil && !s.late(&o) {
			more = append(more, o)
		}
	}
	return slices.Insert(list, 1, more...)
}

// late reports whether the bad end of the range is after the deadline.
func (s *search) late(o *Option) bool {
	return s.want.Deadline > 0 && (o.Figures.Run == nil || o.Figures.Run.Seconds.High > s.want.Deadline)
}

// option is a candidate with all that is known of it.
func (s *search) option(c *candidate) (Option, error) {
	o := Option{Job: c.job, Plan: c.plan, token: c.token}
	var faults [2]error
	o.Memory, faults[0] = s.account(&o.Job, &o.Plan)
	o.Figures, faults[1] = s.time(&o.Job, &o.Plan)
	if err := errors.Join(faults[:]...); err != nil {
		return o, err
	}
	tokens := 1e6
	if o.Job.Tokens > 0 {
		tokens = o.Job.Tokens
	}
	o.Hours = c.token * tokens * float64(o.Plan.GPUs) / 3600
	o.Cost = o.Hours * s.want.Price
	return o, nil
}

// dearer is how much more is spent to be faster, where nobody said when the run has to be done.
const dearer = 1.1

func (s *search) rank(list []Option) {
	slices.SortStableFunc(list, func(a, b Option) int {
		if s.want.GPUs > 0 {
			return cmp.Compare(a.token, b.token)
		}
		return cmp.Or(cmp.Compare(a.Hours, b.Hours), cmp.Compare(a.Plan.GPUs, b.Plan.GPUs))
	})
	if s.want.GPUs > 0 || s.want.Deadline > 0 || len(list) == 0 {
		return
	}
	most := dearer * list[0].Hours
	slices.SortStableFunc(list, func(a, b Option) int {
		near := func(o *Option) int {
			if o.Hours <= most {
				return 0
			}
			return 1
		}
		if c := cmp.Compare(near(&a), near(&b)); c != 0 || near(&a) == 1 {
			return c
		}
		return cmp.Compare(a.token, b.token)
	})
}
