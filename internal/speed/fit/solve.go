package main

import (
	"math"
	"sync"

	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/tune"
)

// fitted is a fit with the rows that it is of.
type fitted struct {
	*tune.Fit
	constants *speed.Constants
	rows      []*row
}

// newFit weighs rows by family, so that a large table does not drown a small one.
func newFit(c *speed.Constants, rows []*row) *fitted {
	count := map[string]float64{}
	for _, r := range rows {
		count[r.family]++
	}
	var list []tune.Row
	for _, r := range rows {
		list = append(list, tune.Row{
			Uses: r.uses, Weight: within * math.Pow(60/count[r.family], familyPower) * trust(r.family), Usual: scale(r.family), Open: r.open,
		})
	}
	return &fitted{tune.NewFit(c.Table, list), c, rows}
}

const (
	familyPower = 0.5  // 0 counts rows, 1 counts families
	usual       = 0.12 // a residual of this size is no surprise
	within      = 0.5  // weight of a row against priors; less of it does worse on the rows of the fit, more on others
	steps       = 25
)

// trust is how much the rows of a family say of the constants, against their neighbors: the time to a first token hangs
// on how a benchmark sends its requests, which nobody writes down.
func trust(family string) float64 {
	if family == "ttft" {
		return 0.5
	}
	return 1
}

func scale(family string) float64 {
	if family == "ttft" {
		return 2.5 * usual
	}
	return usual
}

// open is the residual as a function of the values; one model is tuned again for each.
func (r *row) open() func(values []float64) float64 {
	var m *speed.Model
	return func(values []float64) float64 {
		if m == nil {
			m = r.model.With(values)
		} else {
			m.Retune(values)
		}
		return r.residual(m)
	}
}

// residual is the logarithm of computed over measured.
func (r *row) residual(m *speed.Model) float64 {
	return math.Log(m.Mid(r.Metric, r.load) / r.Value)
}

const workers = 2

// each visits every row, several at a time.
func (f *fitted) each(visit func(worker, i int)) {
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(f.rows); i += workers {
				visit(w, i)
			}
		})
	}
	group.Wait()
}
