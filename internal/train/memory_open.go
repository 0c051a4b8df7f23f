package train

import (
	"fmt"
	"math"
	"slices"
)

// widens are the settings whose other values change what is held by enough to be counted.
const widens = OpenMicro | OpenSequence | OpenRecompute | OpenLoss | OpenTargets | OpenRank | OpenOptimizer | OpenQuantized | OpenDivision | OpenZero

// peaks is what comes and goes of a stage.
type peaks struct {
	kept    Range   // of all passes in flight
	passing float64 // tokens of them
	live    Range   // of one layer in its backward pass
	logits  Range
}

// spread is how much less and how much more there would be if what is open were otherwise. Settings are open by themselves,
// so that their squares add up.
type spread struct{ less, more float64 }

func (w *spread) open(less, more float64) {
	w.less = math.Hypot(w.less, max(0, less))
	w.more = math.Hypot(w.more, max(0, more))
}

// The usual other choices of what nobody said.
const (
	shorter   = 0.25 // of the sequence that is assumed
	longer    = 2
	wider     = 2    // of the sequences of a pass
	bits8     = 2.04 // bytes of the states of 8-bit optimizers for each parameter
	divisions = 0.25 // of all, by how devices may share it otherwise
	higher    = 4    // of the rank of adapters
	plainNF4  = 0.09 // what scales that are not quantized add to weights of 4 bits
)

// widen lowers the low ends of what could be less, and adds what could be more. What is left open is chosen so that it
// fits: beyond the capacity goes only what is beyond it already.
func (s *stage) widen() {
	if !s.job.Unsaid.Has(widens) {
		return
	}
	less, share, open := s.constant("open_less").Mid, s.constant("open_more"), s.job.Unsaid
	passing, states, all := s.passing(open), s.stated(open), spread{}
	if open.Has(OpenDivision|OpenZero) && s.plan.GPUs != 1 {
		all.open(divisions*s.likely.Low, divisions*s.likely.High)
	}
	s.lower(less*passing.less, Activations, Logits)
	s.lower(less*states.less, States)
	s.lower(less*all.less, Weights, Gradients, States, Activations, Logits, Overhead)
	more := passing.more + states.more + all.more
	bytes := Range{0, share.Mid * states.more, share.High * more} // what passes through is as recipes have it
	if s.plan.GPU != nil {
		room := max(0, float64(s.plan.GPU.Usable())-s.likely.High)
		bytes.High = max(bytes.Mid, min(bytes.High, room))
	}
	s.add(Overhead, "what the settings that were left open may add", bytes, s.source("open_more"), func() string {
		return fmt.Sprintf("%g of %.4g B that the usual other choices would add", share.Mid, more)
	})
}

// passing is of activations and logits.
func (s *stage) passing(open Open) spread {
	var w spread
	var now Range
	for i := range s.lines {
		if p := s.lines[i].part; p == Activations || p == Logits {
			now = now.Plus(s.lines[i].bytes)
		}
	}
	if open.Has(OpenSequence) {
		w.open((1-shorter)*now.Low, (longer-1)*now.High)
	}
	if open.Has(OpenMicro) {
		w.open((1-1/float64(max(1, s.plan.Micro)))*now.Low, (wider-1)*now.High)
	}
	if open.Has(OpenRecompute) {
		none, whole := s.ends()
		w.open(s.peaks.kept.Low-whole, none-s.peaks.kept.High)
	}
	if open.Has(OpenLoss) && s.last {
		fused, _ := s.eachLogit(Fused)
		plain, _ := s.eachLogit(Plain)
		w.open(max(s.peaks.logits.Low, s.peaks.live.Low)-max(fused.Low*s.tokens, s.peaks.live.Low),
			max(plain.High*s.tokens, s.peaks.live.High)-max(s.peaks.logits.High, s.peaks.live.High))
	}
	if open.Has(OpenTargets) {
		sum := 0.0
		for _, l := range s.layers {
			sum += min(s.keeping.Low*l.adapted, s.keeps(l).Low)
		}
		w.open(sum*s.peaks.passing/2, 0)
	}
	return w
}

// ends are what is kept without recomputation, at its high end, and with all of it, at its low end.
func (s *stage) ends() (none, whole float64) {
	for _, l := range s.layers {
		all := s.all(l)
		none += all.High
		whole += min(l.input, all.Low)
	}
	return none * s.peaks.passing, whole * s.peaks.passing
}

// stated is of what is trained, and of frozen weights.
func (s *stage) stated(open Open) spread {
	var w spread
	n := s.num
	each := n.Weights + n.Gradients + n.Master + n.Moments
	if open.Has(OpenOptimizer) && !s.offloaded(States) {
		count := s.flat(s.adapters, 1) + s.outerTrained()
		if s.job.Trained() {
			count = s.by(s.count, 1)
		}
		bytes, _ := s.momentBytes(s.count, n)
		if !s.job.Trained() {
			bytes = count * s.momentsEach(n)
		}
		w.open(bytes-count*min(bits8, n.Moments), 0)
	}
	if s.job.Trained() {
		return w
	}
	if open.Has(OpenRank) {
		w.open(0, s.flat(s.adapters, s.weightStage())*each*(higher-1))
	}
	if open.Has(OpenTargets) && !s.job.TrainOuter && s.job.Method == LoRA { // recipes for quantized weights leave them
		w.open(0, s.flat(s.count.outer, s.weightStage())*each)
	}
	if open.Has(OpenQuantized) {
		packed, _, format, _ := s.frozenParts()
		w.open(0, s.by(packed, s.weightStage())*format.Bytes*plainNF4)
	}
	return w
}

// lower takes bytes from the low ends of parts, from each by its share.
func (s *stage) lower(bytes float64, parts ...Part) {
	sum := 0.0
	for i := range s.lines {
		if slices.Contains(parts, s.lines[i].part) {
			sum += s.lines[i].bytes.Low
		}
	}
	if bytes <= 0 || sum <= 0 {
		return
	}
	left := max(0, 1-bytes/sum)
	for i := range s.lines {
		if slices.Contains(parts, s.lines[i].part) {
			s.lines[i].bytes.Low *= left
		}
	}
}
