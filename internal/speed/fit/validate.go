package main

import (
	"hash/fnv"

	"github.com/llmcheck/llmcheck/internal/speed"
)

const folds = 6

// held is what rows that were left out of a fit show.
type held struct {
	residual []float64
	seen     []bool // whether the fit had the engine on that generation of devices, in the same family
}

// validate fits without each sixth of the groups and looks at those.
func validate(c *speed.Constants, list []*row, by string, start []float64) held {
	h := held{make([]float64, len(list)), make([]bool, len(list))}
	for fold := range folds {
		var in []*row
		var left []int
		for i, r := range list {
			if foldOf(r.group[by]) == fold {
				left = append(left, i)
			} else {
				in = append(in, r)
			}
		}
		if len(left) == 0 || len(in) == 0 {
			continue
		}
		values := newFit(c, in).run(start, 15)
		known := seenIn(in)
		for _, i := range left {
			h.residual[i] = list[i].residual(list[i].model.With(values))
			h.seen[i] = known[list[i].family+" "+list[i].model.Where()]
		}
	}
	return h
}

func seenIn(list []*row) map[string]bool {
	known := map[string]bool{}
	for _, r := range list {
		known[r.family+" "+r.model.Where()] = true
	}
	return known
}

func foldOf(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32()>>3) % folds
}
