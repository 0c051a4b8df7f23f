package train

// Open is a set of settings that nobody said, though memory or time hang on them. What a question leaves open makes its
// answer less certain, whatever took the place of it.
type Open uint32

// What may be left open.
const (
	OpenMethod Open = 1 << iota
	OpenFramework
	OpenPrecision
	OpenOptimizer
	OpenRank      // of adapters
	OpenTargets   // of adapters
	OpenQuantized // format of frozen weights
	OpenSequence
	OpenMicro
	OpenGlobal
	OpenRecompute
	OpenLoss
	OpenOffload
	OpenGPUs
	OpenDivision // how many ranks of tensor, pipeline, context or experts
	OpenVirtual
	OpenZero
)

// Has reports whether any of some settings is open.
func (o Open) Has(some Open) bool { return o&some != 0 }

// open is what a job and a plan leave open, as far as it makes a difference for them.
func open(j *Job, p *Plan) Open {
	adapters := (j.Method == LoRA || j.Method == QLoRA)
	divided := p.Tensor > 0 && p.Pipeline > 0 && (p.Expert > 0 || j.Shape == nil || expertsOf(j.Shape) == 0)
	several := p.GPUs > 1 || p.GPUs == 0
	var set Open
	for one, holds := range map[Open]bool{
		OpenMethod: j.Method == "", OpenFramework: j.Framework == "", OpenPrecision: j.Precision == "", OpenOptimizer: j.Optimizer == "",
		OpenRank: adapters && j.Rank == 0, OpenTargets: (adapters || j.Rank > 0) && len(j.Targets) == 0,
		OpenQuantized: j.Method == QLoRA && j.Quantized == "", OpenSequence: j.Sequence == 0, OpenMicro: p.Micro == 0,
		OpenGlobal: j.Global == 0, OpenRecompute: j.Recompute == "", OpenLoss: j.Loss == "", OpenOffload: j.Offload == "", OpenGPUs: p.GPUs == 0,
		OpenDivision: several && !divided, OpenVirtual: p.Virtual == 0 && p.Pipeline != 1 && several, OpenZero: p.Zero < 0 && several,
	} {
		if holds {
			set |= one
		}
	}
	return set
}
