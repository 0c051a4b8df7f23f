package train

import (
	"fmt"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// shared is what one device keeps of parameters that data ranks share: experts among those ranks that hold the same.
func (s *stage) shared(c count) float64 {
	return c.linear/s.shard + c.rest/s.shard + c.outer/s.shard + c.tower/s.shard + c.experts/s.expertShard()
}

func (s *stage) expertShard() float64 {
	ways := max(s.tensor, s.expert)
	return max(1, s.shard*s.tensor/ways)
}

// by is what one device keeps of parameters, shared from a stage of ZeRO on.
func (s *stage) by(c count, zero int) float64 {
	if s.plan.Zero >= zero {
		return s.shared(c)
	}
	return c.all()
}

// flat is by for parameters that are no expert.
func (s *stage) flat(n float64, zero int) float64 {
	if s.plan.Zero >= zero {
		return n / s.shard
	}
	return n
}

// gathers reports whether the framework keeps shards and shows products a gathered copy of 16 bits.
func (s *stage) gathers() bool { return s.job.Framework != Megatron && s.job.Framework != DeepSpeed }

func (s *stage) weights() {
	s.copies()
	if s.job.Trained() {
		s.trained(s.count)
		return
	}
	s.frozen()
	var c count
	if s.job.TrainOuter {
		c.outer = s.count.outer
		c.embed = s.count.embed
	}
	s.adapted(c)
}

// trained are weights, gradients and states of a model of which all is trained.
func (s *stage) trained(c count) {
	n := s.num
	why := cited(n.Why, n.Source)
	held := func(part Part, name string, each float64, zero int) {
		count := s.by(c, zero)
		s.place(part, name, count*each, why, func() string { return product(count, each, s.sharing(zero)) })
	}
	held(Weights, "weights", n.Weights, s.weightStage())
	s.gradients(c, why)
	held(States, "fp32 copy of weights", n.Master, 1)
	s.states(c, n)
}

// place puts a line on the device or on the host.
func (s *stage) place(part Part, name string, bytes float64, why string, formula func() string) {
	if s.offloaded(part) {
		s.host = s.host.Plus(Exactly(bytes))
		return
	}
	s.add(part, name, Exactly(bytes), why, formula)
}

func (s *stage) offloaded(part Part) bool {
	switch s.job.Offload {
	case OffAll:
		return part == Weights || part == Gradients || part == States
	case OffOptimizer:
		return part == States
	}
	return false
}

func (s *stage) sharing(zero int) string {
	if s.plan.Zero >= zero && s.shard > 1 {
		return fmt.Sprintf(", shared by %g ranks", s.shard)
	}
	return ""
}

func product(count, each float64, more string) string {
	return fmt.Sprintf("%.4g parameters on this device%s × %g B", count, more, each)
}

// gradients are gone layer by layer where the optimizer steps inside the backward pass.
func (s *stage) gradients(c count, why string) {
	each := s.num.Gradients
	if s.job.InBackward {
		most := max(s.biggest, c.embed)
		s.add(Gradients, "gradients of one layer", Exactly(most*each), "the optimizer steps inside the backward pass", func() string {
			return product(most, each, "")
		})
		return
	}
	n := s.by(c, 2)
	if s.accumulates() {
		n += c.all() // and the shards of what was reduced
	}
	s.place(Gradients, "gradients", n*each, why, func() string { return product(n, each, s.sharing(2)) })
}

// accumulates reports whether gradients stay whole between the passes of a pipeline: shards are reduced after the last.
func (s *stage) accumulates() bool { return s.of > 1 && s.gathers() && s.plan.Zero >= 2 }

// states are the moments.
func (s *stage) states(c count, n numerics) {
	bytes, words := s.momentBytes(c, n)
	s.place(States, "optimizer states, "+string(s.job.Optimizer), bytes, n.Why, func() string { return words + s.sharing(1) })
}

func (s *stage) momentBytes(c count, n numerics) (bytes float64, words string) {
	all := s.by(c, 1)
	one := n.Moments / 2
	switch s.job.Optimizer {
	case AdamW8bit:
		// Blocks of 256 share a fp32 maximum; embeddings keep 32 bits under Trainer.
		const each = 2 * (1 + 4.0/256)
		wide := 0.0
		if s.job.Framework == HF || s.job.Framework == Axolotl {
			wide = s.flat(c.embed, 1)
		}
		wide = min(wide, all)
		return min((all-wide)*each+wide*8, all*max(n.Moments, each)), fmt.Sprintf("%.4g parameters × %.4g B, %.4g of them × 8 B", all, each, wide)
	case Adafactor:
		factors := s.factors()
		return min(factors*4, all*n.Moments), fmt.Sprintf("%.4g row and column means × 4 B", factors)
	case Muon:
		wide := s.flat(c.outer+c.rest+c.tower, 1)
		return (all-min(wide, all))*one + min(wide, all)*2*one, fmt.Sprintf("%.4g parameters × %g B, and again for %.4g that are no matrix of a layer", all, one, wide)
	case SGD:
		return all * one, fmt.Sprintf("%.4g parameters × %g B of momentum", all, one)
	}
	return all * n.Moments, fmt.Sprintf("%.4g parameters × %g B", all, n.Moments)
}

// factors counts rows and columns of all matrices, which are not shared.
func (s *stage) factors() float64 {
	n, seen := 0.0, map[*arch.Tensor]float64{}
	for i := range s.job.Shape.Blocks {
		ts := s.job.Shape.Blocks[i].Tensors
		if len(ts) == 0 {
			continue
		}
		if _, ok := seen[&ts[0]]; !ok {
			seen[&ts[0]] = sides(ts)
		}
		n += seen[&ts[0]]
	}
	return n/float64(s.of) + sides(s.job.Shape.Outer)
}

func sides(ts []arch.Tensor) float64 {
	n := 0.0
	for i := range ts {
		n += (float64(ts[i].Rows.N) + float64(ts[i].Cols.N)) * float64(ts[i].Copies.N)
	}
	return n
}

// weightStage is the stage of ZeRO from which on weights are shared: FSDP shards them at the second too, and keeps a
// gathered copy until the backward pass is over.
func (s *stage) weightStage() int {
	if s.gathers() {
		return 2
	}
	return 3
}

// frozenParts are the frozen weights that are packed and the others, with what each of them takes.
func (s *stage) frozenParts() (packed, rest count, format *stored, other float64) {
	format, other = s.data.formats["bf16"], 2
	if s.job.Method == QLoRA {
		format = s.data.formats["nf4"]
		if f := s.data.formats[s.job.Quantized]; f != nil {
			format = f
		}
		if s.widens() && !s.job.PureBF16 {
			other = 4
		}
	}
	c := s.count
	if s.job.TrainOuter && !s.saves() {
		c.outer, c.embed = 0, 0
	}
	return count{linear: c.linear, experts: c.experts}, count{rest: c.rest, outer: c.outer, tower: c.tower}, format, other
}

// frozen are weights that adapters stand beside.
func (s *stage) frozen() {
	packed, rest, format, other := s.frozenParts()
	zero := s.weightStage()
	n, m := s.by(packed, zero), s.by(rest, zero)
	if !s.offloaded(Weights) && s.shard <= 1 {
		s.exact = n*format.Bytes + m*other
	}
	s.place(Weights, "frozen weights, "+format.Name, n*format.Bytes, cited(format.Why, format.Source), func() string {
		return product(n, format.Bytes, s.sharing(zero))
	})
	why := "16 bits, as published"
	if other == 4 {
		why = "made fp32 beside weights of 4 and 8 bits (peft: prepare_model_for_kbit_training)"
	}
	s.place(Weights, "frozen embedding, head and norms", m*other, why, func() string { return product(m, other, s.sharing(zero)) })
}

func cited(why, source string) string {
	if source == "" {
		return why
	}
	return why + " (" + source + ")"
}

// widens reports whether what is not quantized is made fp32.
func (s *stage) widens() bool {
	return s.job.Quantized != "int4" && (s.job.Framework == HF || s.job.Framework == Axolotl || s.job.Framework == "")
}

// part of what is trained beside frozen weights.
type trainedPart struct {
	part  Part
	name  string
	count float64
	each  float64
	zero  int
	why   string
}

// adapted are the adapters, and embedding and head where they are trained beside them.
func (s *stage) adapted(outer count) {
	n := s.num
	why := cited(n.Why, n.Source)
	parts := []trainedPart{
		{Weights, "adapters", s.adapters, n.Weights, s.weightStage(), why},
		{Gradients, "gradients of adapters", s.adapters, n.Gradients, 2, why},
		{States, "fp32 copy of adapters", s.adapters, n.Master, 1, why},
		{States, "adapters, optimizer states", s.adapters, s.momentsEach(n), 1, why},
	}
	for _, x := range append(parts, s.outerParts(outer.outer)...) {
		count := s.flat(x.count, x.zero)
		s.place(x.part, x.name, count*x.each, x.why, func() string { return product(count, x.each, s.sharing(x.zero)) })
	}
}

// saves reports whether embedding and head that are trained are copies beside the frozen ones, in the format of the model:
// peft calls that modules_to_save.
func (s *stage) saves() bool {
	return s.job.Framework == HF || s.job.Framework == Axolotl || s.job.Framework == DeepSpeed
}

func (s *stage) outerParts(outer float64) []trainedPart {
	n := s.num
	why := cited(n.Why, n.Source)
	if outer == 0 {
		return nil
	}
	if s.saves() && n.Master == 0 {
		n.Weights, n.Gradients, n.Moments = 2, 2, 4
		why = "peft keeps the frozen ones and trains copies in 16 bits (peft: utils/other.py, ModulesToSaveWrapper)"
	}
	parts := []trainedPart{
		{Weights, "trained embedding and head", outer, n.Weights, s.weightStage(), why},
		{Gradients, "gradients of embedding and head", outer, n.Gradients, 2, why},
		{States, "fp32 copy of embedding and head", outer, n.Master, 1, why},
		{States, "embedding and head, optimizer states", outer, s.momentsEach(n), 1, why},
	}
	return parts
}

// outerTrained is how many parameters of embedding and head are trained beside adapters, of one device.
func (s *stage) outerTrained() float64 {
	if s.job.Trained() || !s.job.TrainOuter {
		return 0
	}
	return s.flat(s.count.outer, 1)
}

func (s *stage) momentsEach(n numerics) float64 {
	switch s.job.Optimizer {
	case AdamW8bit:
		return min(2.04, n.Moments)
	case SGD, Muon:
		return n.Moments / 2
	case Adafactor:
		return n.Moments / 4
	}
	return n.Moments
}

// copies are those that products of fewer bits read, and what autocast keeps.
func (s *stage) copies() {
	matrices := s.count.linear + s.count.experts
	each, why := 0.0, ""
	switch {
	case s.job.Framework == Megatron && s.job.Precision == FP8:
		each, why = 2, "each weight in 8 bits and transposed (Transformer Engine: module/base.py)"
	case s.job.Framework == Megatron && s.job.Precision == NVFP4:
		each, why = 1.125, "each weight in 4 bits by rows and by columns, with scales (Transformer Engine)"
	case s.job.Trained() && s.num.Weights == 4 && s.job.Precision != FP32 && s.whole():
		each, why = 2, "autocast keeps a copy in 16 bits until the pass ends (PyTorch: autocast cache)"
	}
	s.add(Weights, "copies of weights for products", Exactly(matrices*each), why, func() string { return product(matrices, each, "") })
}

// whole reports whether weights lie whole on the device.
func (s *stage) whole() bool {
	return s.plan.Zero < 2 || s.shard <= 1 || s.job.Framework == DeepSpeed && s.plan.Zero < 3
}
