package tune

import (
	"math"
	"sync"
)

// Fit finds the values of the constants that bring rows nearest to what was measured: least squares of the logarithm of
// computed over measured, by Gauss and Newton, where rows far off count less, and every constant is drawn to its prior.
type Fit struct {
	Table *Table
	Rows  []Row
	prior []float64
	loose []float64
}

// Row is a measurement as a fit sees it.
type Row struct {
	Uses   []int   // the constants that it depends on
	Weight float64 // against priors and other rows
	Usual  float64 // a residual of this size is no surprise

	// Open gives a function that computes the logarithm of computed over measured for some values; what it does is not
	// asked for twice at the same time.
	Open func() func(values []float64) float64
}

// NewFit prepares a fit.
func NewFit(t *Table, rows []Row) *Fit {
	f := &Fit{Table: t, Rows: rows}
	for i, one := range t.list {
		f.prior = append(f.prior, t.Added(i, one.Prior))
		f.loose = append(f.loose, one.Loose)
	}
	return f
}

// Prior is where no constant is moved by a row.
func (f *Fit) Prior() []float64 { return append([]float64(nil), f.prior...) }

// Run fits from some values on, in so many steps at most.
func (f *Fit) Run(values []float64, most int) []float64 {
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

// Residuals are those of all rows.
func (f *Fit) Residuals(values []float64) []float64 {
	out := make([]float64, len(f.Rows))
	f.each(func(_, i int) { out[i] = f.Rows[i].Open()(values) })
	return out
}

// loss is half the sum of squares, with rows far off counted by their distance, as a median does.
func (f *Fit) loss(values []float64) float64 {
	sums := make([]float64, workers)
	f.each(func(worker, i int) {
		r := &f.Rows[i]
		u := r.Open()(values) / r.Usual
		sums[worker] += r.Weight * (math.Sqrt(1+u*u) - 1)
	})
	var sum float64
	for _, s := range sums {
		sum += s
	}
	for i, v := range values {
		u := (v - f.prior[i]) / f.loose[i]
		sum += u * u / 2
	}
	return sum
}

const workers = 2

// each visits every row, several at a time.
func (f *Fit) each(visit func(worker, i int)) {
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(f.Rows); i += workers {
				visit(w, i)
			}
		})
	}
	group.Wait()
}

// normal is the matrix and the right side of the normal equations.
func (f *Fit) normal(values []float64) ([][]float64, []float64) {
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
func (f *Fit) add(a [][]float64, b []float64, i int, values []float64) {
	const h = 1e-3
	r := &f.Rows[i]
	near := append([]float64(nil), values...)
	residual := r.Open()
	at := residual(values)
	slopes := make([]float64, len(r.Uses))
	for k, j := range r.Uses {
		near[j] = values[j] + h
		slopes[k] = (residual(near) - at) / h
		near[j] = values[j]
	}
	u := at / r.Usual
	w := r.Weight / (r.Usual * r.Usual) / math.Sqrt(1+u*u)
	for k, j := range r.Uses {
		b[j] -= w * slopes[k] * at
		for l, o := range r.Uses {
			a[j][o] += w * slopes[k] * slopes[l]
		}
	}
}

// step solves the damped equations; no constant moves far at once.
func (f *Fit) step(values []float64, a [][]float64, b []float64, damp float64) []float64 {
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
