package queue

import (
	"container/heap"
	"math"
)

// sequence is a request in the play.
type sequence struct {
	arrived, begun, first float64
	index                 int   // in the order of arrival
	input, output         int64 // tokens
	steps                 int64 // of decoding that are left, while it waits
	ends                  int64 // number of the step of decoding after which it is answered, while it decodes
	gain                  float64
	need, done            int64 // tokens to compute before the next one is sampled, and those of them in the cache
	place                 int   // in the heap of those that decode; -1 while it does not
	running               bool
	turn                  int64 // of its admission
}

// play is the state of a simulation.
type play struct {
	s Server
	l Load
	r Chance

	maxSeqs         int
	inputs, outputs lengths
	stepper         stepper
	source          arrivals

	now   float64
	seqs  []sequence
	free  []int
	queue fifo  // arrived, not begun
	again []int // preempted; the last one is next
	order []entry

	decoding decoders
	step     int64 // of decoding that have been made
	partial  int   // the sequence whose prompt is begun and not ended; -1 for none
	running  int
	turn     int64

	context, grow float64 // tokens in the cache of those that decode, and by how many they grow in a step
	used          float64 // tokens in the cache
	blocked       bool    // the head of the queue finds no room

	passes   int
	finished int
	counted  int // of those that count, finished
	broken   bool

	sum      sums
	from, to sums
	backlog  backlog
	taken    samples
}

// entry is an admission; the list of them is cleaned of ended ones late.
type entry struct {
	seq  int
	turn int64
}

// sums are integrals over time since the beginning.
type sums struct {
	time, busy, running, system, tokens float64
	held, queued                        float64 // time in which the next request found no room; in which any waited
	requests, preemptions               int
	inSystem                            int // at that moment
}

type samples struct{ ttft, tpot, total, waiting []float64 }

// Simulate plays a load on a server, request by request. It is deterministic: the same arguments and the same numbers
// from r give the same result. Passes that differ only in how much their sequences have in the cache are played together.
func Simulate(s Server, l Load, r Chance) Result {
	return simulate(s, l, r, together)
}

// stride is how many passes that are alike may be played together.
type stride int64

const (
	together stride = math.MaxInt32
	oneByOne stride = 1
)

func simulate(s Server, l Load, r Chance, most stride) Result {
	if err := Check(s, l); err != nil {
		return saturated(err.Error())
	}
	steady := Steady(s, l)
	if l.Requests-l.Warmup < 1 {
		l.Requests = l.Warmup + 1
	}
	p := newPlay(s, l, r, steady)
	for !p.done() && p.passes < mostPasses && !p.broken {
		if !p.turnOver(most) {
			break
		}
	}
	return p.result(steady)
}

// done is true when all that count are answered, and as many as end the time over which rates are taken.
func (p *play) done() bool {
	return p.counted >= p.l.Requests-p.l.Warmup && p.finished >= p.l.Requests
}

func newPlay(s Server, l Load, r Chance, steady Result) *play {
	p := &play{
		s: s, l: l, r: r, inputs: lengthsOf(l.Input), outputs: lengthsOf(l.Output), stepper: stepperOf(s), partial: -1,
		maxSeqs: int(seqsAtOnce(s)), source: arrivalsOf(s, l, steady),
	}
	p.decoding.p = p
	n := l.Requests - l.Warmup
	p.taken = samples{make([]float64, 0, n), make([]float64, 0, n), make([]float64, 0, n), make([]float64, 0, n)}
	return p
}

// seqsAtOnce is how many sequences can decode in one pass.
func seqsAtOnce(s Server) int64 {
	return min(s.MaxSeqs, min(s.Budget, mostBudget)/int64(s.Drafts+1), mostSeqs)
}

// turnOver plays the next pass, or the next passes that are alike. It is false where nothing is left to play.
func (p *play) turnOver(most stride) bool {
	p.arrive()
	b := p.schedule()
	if b.decodes == 0 && b.prompts == 0 {
		at, ok := p.source.next()
		if !ok {
			return false
		}
		p.wait(at)
		return true
	}
	k, took := p.stretch(b, most)
	p.passes++
	p.run(b, k, took)
	return true
}

// wait lets time pass without work until the next arrival.
func (p *play) wait(until float64) {
	dt := max(0, until-p.now)
	p.sum.time += dt
	p.sum.system += dt * float64(p.sum.inSystem)
	p.now = max(p.now, until)
}

// arrive takes in what has arrived by now.
func (p *play) arrive() {
	for {
		ready, ok := p.source.next()
		if !ok || ready > p.now {
			return
		}
		at := p.source.take(p.r)
		p.queue.push(p.create(at))
		p.sum.inSystem++
		p.sum.system += p.now - at
		p.backlog.arrived(p)
	}
}

// create draws a request. What is longer than the cache is cut to it.
func (p *play) create(at float64) int {
	in, out := p.inputs.draw(p.r), p.outputs.draw(p.r)
	in = min(in, p.s.Cache)
	out = min(out, p.s.Cache-in+1)
	q := sequence{arrived: at, begun: -1, first: -1, index: p.source.count - 1, input: in, output: out, place: -1}
	q.need = in
	q.steps = p.stepper.draw(p.r, out-1)
	if q.steps > 0 {
		q.gain = float64(out-1) / float64(q.steps)
	}
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		p.seqs[i] = q
		return i
	}
	p.seqs = append(p.seqs, q)
	return len(p.seqs) - 1
}

// batch is a pass to be.
type batch struct {
	decodes int
	prompts int
	prompt  int64
	before  float64
	ends    int   // sequences whose prompt ends in it
	rest    int64 // tokens that partial has left after this pass
	chunk   int64 // tokens of partial in this pass
}

// schedule puts the next pass together: first those that run, then those that wait.
func (p *play) schedule() batch {
	preempted := p.makeRoom()
	var b batch
	left := min(p.s.Budget, mostBudget)
	if !p.s.Whole {
		b.decodes = len(p.decoding.heap)
		left -= int64(b.decodes) * int64(p.s.Drafts+1)
	}
	if p.partial >= 0 {
		left = p.compute(&b, p.partial, left)
	}
	p.blocked = false
	if !preempted {
		p.admit(&b, left)
	}
	if p.s.Whole && b.prompts == 0 {
		b.decodes = len(p.decoding.heap)
	}
	return b
}

// makeRoom preempts the youngest until those that decode find room for their next tokens.
func (p *play) makeRoom() bool {
	preempted := false
	for p.running > 1 && p.used+p.grow > float64(p.s.Cache)+1e-6 {
		i, ok := p.youngest()
		if !ok {
			break
		}
		p.preempt(i)
		preempted = true
	}
	return preempted
}

func (p *play) youngest() (int, bool) {
	for n := len(p.order); n > 0; n = len(p.order) {
		e := p.order[n-1]
		p.order = p.order[:n-1]
		if q := &p.seqs[e.seq]; q.running && q.turn == e.turn {
			return e.seq, true
		}
	}
	return 0, false
}

// preempt drops what a sequence has in the cache; it is computed anew, with what it has answered already.
func (p *play) preempt(i int) {
	q := &p.seqs[i]
	p.sum.preemptions++
	p.running--
	q.running = false
	if i == p.partial {
		p.partial = -1
		p.used -= float64(q.need)
	} else {
		p.leave(q)
		q.steps = q.ends - p.step
	}
	q.done = 0
	p.again = append(p.again, i)
}

// leave takes a sequence out of those that decode.
func (p *play) leave(q *sequence) {
	has := p.holds(q)
	heap.Remove(&p.decoding, q.place)
	p.context -= has
	p.used -= has
	p.grow -= q.gain
	if len(p.decoding.heap) == 0 {
		p.context, p.grow = 0, 0
	}
	// What it has answered is part of what has to be computed if it comes back; the last token of it is not in the cache.
	q.need = min(int64(math.Round(has))+1, q.input+q.output-1)
}

// holds is how many tokens a sequence that decodes has in the cache: all but those of the steps that are left.
func (p *play) holds(q *sequence) float64 {
	return float64(q.input+q.output-1) - float64(q.ends-p.step)*q.gain
}

// admit begins requests that wait, as many as the pass, the sequences at once and the cache leave room for.
func (p *play) admit(b *batch, left int64) {
	for left > 0 && p.running < p.maxSeqs {
		i, ok := p.head()
		if !ok {
			return
		}
		q := &p.seqs[i]
		if p.used+p.grow+float64(q.need) > float64(p.s.Cache) && p.running > 0 {
			p.blocked = true
			return
		}
		hit := p.hit(q)
		if p.s.Whole && b.prompts > 0 && q.need-hit > left {
			return
		}
		p.takeHead()
		q.done = hit
		if q.begun < 0 {
			q.begun = p.now
		}
		p.begin(i)
		left = p.compute(b, i, left)
	}
}

// hit is how much of a prompt is in the cache before it is begun; at least one token has to be computed.
func (p *play) hit(q *sequence) int64 {
	return min(int64(p.s.PrefixHit*float64(q.input)), q.need-1)
}

func (p *play) begin(i int) {
	q := &p.seqs[i]
	p.turn++
	q.running, q.turn = true, p.turn
	p.running++
	p.used += float64(q.need)
	if len(p.order) > 2*p.running+16 {
		p.clean()
	}
	p.order = append(p.order, entry{i, p.turn})
}

func (p *play) clean() {
	kept := p.order[:0]
	for _, e := range p.order {
		if q := &p.seqs[e.seq]; q.running && q.turn == e.turn {
			kept = append(kept, e)
		}
	}
	p.order = kept
}

func (p *play) head() (int, bool) {
	if n := len(p.again); n > 0 {
		return p.again[n-1], true
	}
	return p.queue.head()
}

func (p *play) takeHead() {
	if n := len(p.again); n > 0 {
		p.again = p.again[:n-1]
		return
	}
	p.queue.pop()
}

// compute plans tokens of a prompt into a pass and says how many tokens the pass has left.
func (p *play) compute(b *batch, i int, left int64) int64 {
	q := &p.seqs[i]
	n := min(left, q.need-q.done)
	b.prompts++
	b.prompt += n
	b.before += float64(n)*float64(q.done) + float64(n)*float64(n-1)/2
	b.rest = q.need - q.done - n
	b.chunk = n
	p.partial = i
	if b.rest == 0 {
		p.partial = -1
		b.ends++
		p.ending(i)
	}
	return left - n
}

// ending notes a sequence whose prompt ends in this pass.
func (p *play) ending(i int) { p.decoding.next = append(p.decoding.next, i) }

// stretch says how many passes from this one on are alike but for the tokens in the cache, and how long they take.
func (p *play) stretch(b batch, most stride) (int64, float64) {
	k := min(p.alike(b), int64(most))
	first := p.time(b, 0)
	if k <= 1 {
		return 1, first + float64(b.ends)*p.s.PerRequest
	}
	last := p.time(b, k-1)
	for k > 2 {
		middle := p.time(b, (k-1)/2)
		straight := first + (last-first)*float64((k-1)/2)/float64(k-1)
		if math.Abs(middle-straight) <= bent*middle {
			break
		}
		k, last = (k-1)/2+1, middle
	}
	slope := (last - first) / float64(k-1)
	if j := p.untilArrival(b, first, slope); j < k {
		k = j
	}
	n := float64(k)
	return k, n*first + slope*n*(n-1)/2
}

// bent is how far the middle of a stretch may lie off the straight line between its ends.
const bent = 0.002

// alike is how many passes can follow each other until somebody is answered, a prompt ends or room runs out.
func (p *play) alike(b batch) int64 {
	k := int64(math.MaxInt32)
	if b.prompts > 0 {
		k = 1
		if b.prompts == 1 && b.rest > 0 {
			k = 1 + (b.rest-1)/b.chunk
		}
	}
	if b.decodes > 0 {
		k = min(k, p.seqs[p.decoding.heap[0]].ends-p.step)
		if p.running > 1 {
			k = min(k, int64((float64(p.s.Cache)+1e-6-p.used)/p.grow))
		}
	}
	return max(1, k)
}

// untilArrival is how many passes are begun before the next arrival that could join them.
func (p *play) untilArrival(b batch, first, slope float64) int64 {
	at, ok := p.source.next()
	_, queued := p.head()
	if !ok || b.prompts > 0 && b.rest > 0 || queued || p.running >= p.maxSeqs {
		return math.MaxInt64
	}
	return passesUntil(at-p.now, first, slope)
}

// passesUntil is the least k with k first + slope k (k-1) / 2 of at least d.
func passesUntil(d, first, slope float64) int64 {
	if d <= first {
		return 1
	}
	k := d / first
	if a, h := slope/2, first-slope/2; math.Abs(a)*k > 1e-12*first {
		// The greater root of a k^2 + h k = d, in the form that loses no digits.
		k = 2 * d / (h + math.Sqrt(max(0, h*h+4*a*d)))
	}
	if !(k < math.MaxInt32) {
		return math.MaxInt32
	}
	return max(1, int64(math.Ceil(k-1e-9)))
}

// time is how long the pass takes that comes after so many like it.
func (p *play) time(b batch, after int64) float64 {
	k := float64(after)
	x := Batch{Decodes: b.decodes, Prompt: b.prompt, Before: b.before, Prompts: b.prompts}
	if b.decodes > 0 {
		x.Context = p.context + k*p.grow
		x.Verify = p.s.Drafts
	}
	if after > 0 && b.prompts > 0 {
		x.Before += k * float64(b.chunk) * float64(b.chunk)
	}
	t := p.s.Pass(x)
	if !counts(t) {
		p.broken = true
		return 1
	}
	return t
}

// run plays k passes that take so long together.
func (p *play) run(b batch, k int64, took float64) {
	p.spend(took)
	if b.decodes > 0 {
		n := float64(k)
		p.step += k
		p.context += n * p.grow
		p.used += n * p.grow
		p.sum.tokens += n * p.grow
	}
	if p.partial >= 0 && b.prompts > 0 {
		// Earlier prompts of this pass end in it, so all passes of a stretch work on this one.
		p.seqs[p.partial].done += k * b.chunk
	}
	if b.decodes > 0 {
		p.answered()
	}
	for _, i := range p.decoding.next {
		p.sampled(i)
	}
	p.decoding.next = p.decoding.next[:0]
}

func (p *play) spend(dt float64) {
	p.now += dt
	p.sum.time += dt
	p.sum.busy += dt
	p.sum.running += dt * float64(p.running)
	p.sum.system += dt * float64(p.sum.inSystem)
	if p.blocked {
		p.sum.held += dt
	}
	if _, ok := p.head(); ok {
		p.sum.queued += dt
	}
}

// answered ends the sequences that have made their last step.
func (p *play) answered() {
	for len(p.decoding.heap) > 0 {
		i := p.decoding.heap[0]
		q := &p.seqs[i]
		if q.ends > p.step {
			return
		}
		p.leave(q)
		p.finish(i)
	}
}

// sampled gives a sequence whose prompt has been computed its next token.
func (p *play) sampled(i int) {
	q := &p.seqs[i]
	if q.first < 0 {
		q.first = p.now
		p.sum.tokens++
	} else {
		q.steps--
		p.sum.tokens += q.gain
	}
	if q.steps <= 0 {
		p.used -= float64(q.need)
		p.finish(i)
		return
	}
	q.ends = p.step + q.steps
	has := p.holds(q)
	p.used += has - float64(q.need)
	p.context += has
	p.grow += q.gain
	heap.Push(&p.decoding, i)
}

func (p *play) finish(i int) {
	q := &p.seqs[i]
	q.running = false
	p.running--
	p.sum.inSystem--
	p.finished++
	p.sum.requests++
	if q.index >= p.l.Warmup && q.index < p.l.Requests {
		p.counted++
		p.taken.add(q, p.now)
	}
	if p.finished == p.l.Warmup {
		p.from = p.sum
	}
	if p.finished == p.l.Requests {
		p.to = p.sum
	}
	p.source.answered(p.now)
	p.free = append(p.free, i)
}

func (t *samples) add(q *sequence, now float64) {
	t.ttft = append(t.ttft, q.first-q.arrived)
	t.total = append(t.total, now-q.arrived)
	t.waiting = append(t.waiting, q.begun-q.arrived)
	if q.output > 1 {
		t.tpot = append(t.tpot, (now-q.first)/float64(q.output-1))
	}
}

// decoders are the sequences that decode, the next to be answered first.
type decoders struct {
	p    *play
	heap []int
	next []int // those whose prompt ends in the pass that is played
}

func (d *decoders) Len() int { return len(d.heap) }

func (d *decoders) Less(i, j int) bool {
	a, b := &d.p.seqs[d.heap[i]], &d.p.seqs[d.heap[j]]
	if a.ends != b.ends {
		return a.ends < b.ends
	}
	return a.index < b.index
}

func (d *decoders) Swap(i, j int) {
	d.heap[i], d.heap[j] = d.heap[j], d.heap[i]
	d.p.seqs[d.heap[i]].place, d.p.seqs[d.heap[j]].place = i, j
}

func (d *decoders) Push(x any) {
	i := x.(int)
	d.p.seqs[i].place = len(d.heap)
	d.heap = append(d.heap, i)
}

func (d *decoders) Pop() any {
	n := len(d.heap) - 1
	i := d.heap[n]
	d.heap = d.heap[:n]
	d.p.seqs[i].place = -1
	return i
}

// fifo is a queue that gives back the room of what has left it.
type fifo struct {
	items []int
	from  int
}

func (f *fifo) push(i int) {
	if f.from > 64 && f.from > len(f.items)/2 {
		f.items = f.items[:copy(f.items, f.items[f.from:])]
		f.from = 0
	}
	f.items = append(f.items, i)
}

func (f *fifo) head() (int, bool) {
	if f.from >= len(f.items) {
		return 0, false
	}
	return f.items[f.from], true
}

func (f *fifo) pop() { f.from++ }
