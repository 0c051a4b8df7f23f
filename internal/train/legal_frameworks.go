package train

import "slices"

// habits are what a framework can do, and what it does where nobody says otherwise.
type habits struct {
	tensor, pipeline, context, expert bool
	replicates                        bool // keys and values where there are more tensor ranks than heads of them
	interleaves, zeroBubble           bool
	divides                           bool  // its users divide products over tensor ranks where nothing else is said
	zeros                             []int // stages that it has
	staged                            []int // those that it has together with a pipeline
	zero                              int   // what it takes by itself on several data ranks
	quantized                         bool  // trains adapters over weights of 4 bits
	aligns                            bool
	loss                              Loss
	rank                              int64
	linear                            bool   // adapters on every linear layer, where nobody names targets
	pass                              int64  // sequences of one pass that its recipes for fine-tuning take
	selective                         bool   // knows a kind of recomputation between none and all
	recomputes                        bool   // its recipes for fine-tuning recompute all
	pure                              bool   // its recipes for fine-tuning keep weights and states in bf16, without a copy in fp32
	is                                string // what it is built on, for sentences
}

// habits of a framework. The defaults are those of its recipes and of its arguments as of 2026.
func (f Framework) habits() habits {
	all := []int{0, 1, 2, 3}
	switch f {
	case Megatron:
		return habits{
			tensor: true, pipeline: true, context: true, expert: true, replicates: true, interleaves: true, zeroBubble: true, divides: true,
			zeros: all, staged: []int{0, 1}, zero: 1, aligns: true, loss: Plain, rank: 32, linear: true, pass: 1, selective: true,
			is: "the distributed optimizer of Megatron-Core",
		}
	case DeepSpeed:
		return habits{
			tensor: true, pipeline: true, context: true, expert: true, zeros: all, staged: []int{0, 1}, zero: 3, quantized: true,
			aligns: true, loss: Plain, rank: 16, pass: 8, is: "ZeRO",
		}
	case TorchTitan:
		return habits{
			tensor: true, pipeline: true, context: true, expert: true, interleaves: true, zeroBubble: true, divides: true,
			zeros: []int{0, 2, 3}, staged: []int{0, 2, 3}, zero: 3, aligns: true, loss: Chunked, rank: 8, linear: true, pass: 1, selective: true,
			is: "FSDP2",
		}
	case TorchTune:
		return habits{
			tensor: true, context: true, zeros: []int{0, 2, 3}, zero: 3, quantized: true, aligns: true, loss: Chunked, rank: 8, pass: 2,
			recomputes: true, pure: true, is: "FSDP2",
		}
	case Foundry:
		return habits{tensor: true, zeros: []int{0, 2, 3}, zero: 3, loss: Plain, rank: 16, linear: true, pass: 8, is: "FSDP"}
	case LitGPT:
		return habits{zeros: []int{0, 2, 3}, zero: 3, quantized: true, loss: Chunked, rank: 8, pass: 1, pure: true, is: "FSDP"}
	case Axolotl:
		return habits{
			tensor: true, context: true, zeros: all, zero: 3, quantized: true, aligns: true, loss: Plain, rank: 16, linear: true, pass: 2,
			recomputes: true, is: "FSDP or ZeRO",
		}
	case HF:
		return habits{
			tensor: true, context: true, zeros: all, zero: 3, quantized: true, aligns: true, loss: Plain, rank: 16, linear: true, pass: 8,
			is: "FSDP or ZeRO",
		}
	}
	return habits{
		tensor: true, context: true, zeros: []int{0, 2, 3}, zero: 3, quantized: true, aligns: true, loss: Plain, rank: 16, pass: 8,
		selective: true, is: "FSDP",
	}
}

// can says what a degree is called and whether the framework has it.
func (h *habits) can(p *Plan) []division {
	return []division{
		{"tensor parallelism", "--tp", p.Tensor, h.tensor},
		{"pipeline parallelism", "--pp", p.Pipeline, h.pipeline},
		{"context parallelism", "--cp", p.Context, h.context},
		{"expert parallelism", "--ep", p.Expert, h.expert},
	}
}

type division struct {
	name, flag string
	n          int
	has        bool
}

// having lists the frameworks that can do something, for advice.
func having(can func(habits) bool) []Framework {
	return slices.DeleteFunc(Frameworks(), func(f Framework) bool { return !can(f.habits()) })
}
