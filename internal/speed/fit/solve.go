package main

import (
	"math"
	"sync"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// fitted finds the values of the constants that bring the rows nearest to what was measured: least squares of the
// logarithm of computed over measured, by Gauss and Newton, where rows far off count less, and every constant is drawn
// to its prior.
type fitted struct {
	constants *speed.Constants
	rows      []*row
	weights   []float64 // by family, so that a large table does not drown a small one
	prior     []float64
	loose     []float64
}

func newFit(c *speed.Constants, rows []*row) *fitted {
	f := &fitted{constants: c, rows: rows}
	for i, one := range c.List() {
		f.prior = append(f.prior, c.Added(i, one.Prior))
		f.loose = append(f.loose, one.Loose)
	}
	count := map[string]float64{}
	for _, r := range rows {
		count[r.family]++
	}
	for _, r := range rows {
		f.weights = append(f.weights, math.Pow(60/count[r.family], familyPower)*trust(r.family))
	}
	return f
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

// run fits from some values on.
func (f *fitted) run(values []float64, most int) []float64 {
	loss := f.loss(values)
	damp := 1e-2
	for range most {
		a, b := f.normal(values)
		improved := false
		for range 6 {
			next := f.step(values, a, b, damp)
			if l := f.loss(next); l < loss {
				gain := loss - l
				values, loss, improved = next, l, true
				damp = max(1e-6, damp/4)
				if gain < 1e-4*loss {
					return values
				}
				break
			}
			damp *= 5
		}
		if !improved {
			return values
		}
	}
	return values
}

// residual is the logarithm of computed over measured.
func (r *row) residual(m *speed.Model) float64 {
	return math.Log(m.Mid(r.Metric, r.load) / r.Value)
}

func scale(family string) float64 {
	if family == "ttft" {
		return 2.5 * usual
	}
	return usual
}

// loss is half the sum of squares, with rows far off counted by their distance, as a median does.
func (f *fitted) loss(values []float64) float64 {
	sums := make([]float64, workers)
	f.each(func(worker, i int) {
		r := f.rows[i]
		u := r.residual(r.model.With(values)) / scale(r.family)
		sums[worker] += f.weights[i] * (math.Sqrt(1+u*u) - 1)
	})
	var sum float64
	for _, s := range sums {
		sum += s
	}
	sum *= within
	for i, v := range values {
		u := (v - f.prior[i]) / f.loose[i]
		sum += u * u / 2
	}
	return sum
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

// normal is the matrix and the right side of the normal equations.
func (f *fitted) normal(values []float64) ([][]float64, []float64) {
	n := len(values)
	as, bs := make([][][]float64, workers), make([][]float64, workers)
	for w := range workers {
		as[w], bs[w] = square(n), make([]float64, n)
	}
	f.each(func(w, i int) { f.add(as[w], bs[w], i, values) })
	for w := 1; w < workers; w++ {
		for i := range n {
			bs[0][i] += bs[w][i]
			for j := range n {
				as[0][i][j] += as[w][i][j]
			}
		}
	}
	a, b := as[0], bs[0]
	for i := range n {
		p := 1 / (f.loose[i] * f.loose[i])
		a[i][i] += p
		b[i] -= (values[i] - f.prior[i]) * p
	}
	return a, b
}

// add one row: its slope in every constant that it uses.
func (f *fitted) add(a [][]float64, b []float64, i int, values []float64) {
	const h = 1e-3
	r := f.rows[i]
	near := append([]float64(nil), values...)
	m := r.model.With(values)
	at := r.residual(m)
	slopes := make([]float64, len(r.uses))
	for k, j := range r.uses {
		near[j] = values[j] + h
		m.Retune(near)
		slopes[k] = (r.residual(m) - at) / h
		near[j] = values[j]
	}
	s := scale(r.family)
	u := at / s
	w := within * f.weights[i] / (s * s) / math.Sqrt(1+u*u)
	for k, j := range r.uses {
		b[j] -= w * slopes[k] * at
		for l, o := range r.uses {
			a[j][o] += w * slopes[k] * slopes[l]
		}
	}
}

// step solves the damped equations; no constant moves far at once.
func (f *fitted) step(values []float64, a [][]float64, b []float64, damp float64) []float64 {
	n := len(values)
	m := square(n)
	for i := range n {
		copy(m[i], a[i])
		m[i][i] *= 1 + damp
	}
	d := solve(m, append([]float64(nil), b...))
	next := make([]float64, n)
	for i := range n {
		next[i] = values[i] + max(-0.7, min(0.7, d[i]))
	}
	return next
}

func square(n int) [][]float64 {
	a := make([][]float64, n)
	all := make([]float64, n*n)
	for i := range a {
		a[i] = all[i*n : (i+1)*n]
	}
	return a
}

// solve is Cholesky's way; the matrix has its priors on the diagonal, so it is positive.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for j := range n {
		for k := range j {
			a[j][j] -= a[j][k] * a[j][k]
		}
		a[j][j] = math.Sqrt(max(1e-12, a[j][j]))
		for i := j + 1; i < n; i++ {
			for k := range j {
				a[i][j] -= a[i][k] * a[j][k]
			}
			a[i][j] /= a[j][j]
		}
	}
	for i := range n {
		for k := range i {
			b[i] -= a[i][k] * b[k]
		}
		b[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			b[i] -= a[k][i] * b[k]
		}
		b[i] /= a[i][i]
	}
	return b
}
