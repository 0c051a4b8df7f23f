package train

import "math"

// A cluster that stands in for too few devices is done in so many seconds at a usual share of the peak, if anybody said for
// how many tokens.
const (
	patience  = 60 * 86400.0
	usualPace = 0.4
	mostStand = 16384
)

// elsewhere finds the cluster that pre-training is timed on where the devices of one machine could not hold the model in any
// division: the smallest that holds it and is done in two months.
func (f *filler) elsewhere(j Job, p Plan) {
	if f.Method != Pretrain || f.GPUs > f.node() || f.Elsewhere != nil || f.GPU.Usable() == 0 {
		return
	}
	least := float64(2 * f.GPUs)
	if peak := Peak(&f.Job, &f.Plan); peak > 0 && f.Tokens > 0 {
		least = max(least, 6*float64(f.Shape.Params().Active)*f.Tokens/(usualPace*peak*patience))
	}
	j.Framework = f.Framework
	for n := int(math.Exp2(math.Ceil(math.Log2(min(least, mostStand))))); n <= mostStand; n *= 2 {
		q := p
		q.GPUs, q.Data = n, 0
		g := &filler{Job: j, Plan: q, account: f.account}
		if g.complete() != nil {
			continue
		}
		if f.verdict(&g.Job, &g.Plan) != DoesNot {
			f.Elsewhere = &Elsewhere{g.Job, g.Plan}
			return
		}
	}
}
