package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Spread is a range as factors of what was computed, meant to hold what is measured in eight of ten cases.
type Spread struct{ Low, High float64 }

// Residual is a measurement of the user's beside what is computed for its very setting.
type Residual struct {
	Measurement Measurement
	Computed    float64
	Spread      Spread // of that computation; the zero Spread is the one of the question
}

// Narrowed is what the user's measurements make of a range.
type Narrowed struct {
	Shift     float64 // factor of the middle; 1 is not shifted
	Low, High float64 // factors of the middle that was computed, before the shift
	Used      int     // measurements on the same card with the same engine
	Exact     int     // of Used: also of the same model
	Doubts    []string
}

// How the error of a computation is made up, as shares of its variance, and how far measurements of one thing differ.
// The shares are those of what the fitted computation left unexplained of published measurements that were left out of its
// fit, by cell or by model; `make calibrate` prints the correlations that it finds beside those that are taken here. For two
// models on one card with one engine they are 0.06 to 0.08, and 0.19 where nothing of the same source was in the fit, so
// that what the card and the engine do was not known; for one model divided otherwise 0.24 to 0.29; with the same division
// 0.92 where loads and lengths are alike, 0.76, 0.6 and 0.45 where 0.70, 0.53 and 0.41 are taken. Those of two metrics are
// less certain: from nothing to 0.4.
const (
	ofCardAndEngine = 0.15 // common to all models on a card with an engine: kernels, launches, bandwidth that is reached
	ofModel         = 0.15 // common to all settings of a model on them
	ofSetting       = 1 - ofCardAndEngine - ofModel
	reach           = 4.0  // how far a setting tells of others, as the logarithm of the factor between them
	acrossMetrics   = 0.35 // time to the first token and between tokens of one run correlate so

	runToRun = 0.03 // standard deviation of the logarithm, same version and host
	// drift between versions of an engine: the range of a setting over its versions is 12 % of its median at the
	// median, and 1.5 standard deviations of the two or three versions that were measured.
	drift = 0.08

	tenth    = 1.2815515655446004 // quantile of the normal distribution for a tenth above
	hundred  = 2.3263478740408408 // and for a hundredth, one side
	wild     = 2.5758293035489004 // and for half a hundredth: what one of a hundred exceeds on either side
	mostUsed = 32                 // that match best; more hardly narrow, and the work grows with the square
)

// Narrow combines the range of a computation with measurements of the user's. In logarithms, the error of what is
// computed for a setting is normal around 0 with the width of its range, and is the sum of three parts, of which two
// settings share those of the card and engine, of the model, and of their loads as far as they are near; a measurement
// adds its own noise, and one of another version of the engine the drift between versions. The range is that of a new
// measurement given those that were made.
//
// Without a measurement the range is what it was. Measurements that agree never widen it, and never narrow it below the
// noise. Where they contradict it so that one of a hundred would, the range holds both what was computed and what was
// measured, and Doubts says which measurement does: its setting may not be what it is said to be.
func Narrow(q *Measurement, prior Spread, residuals []Residual) Narrowed {
	out := Narrowed{Shift: 1, Low: prior.Low, High: prior.High}
	down, up, ok := prior.deviations()
	if !ok {
		out.Doubts = append(out.Doubts, "the range to be narrowed is none")
		return out
	}
	sd := (down + up) / 2
	used := out.relevant(q, prior, residuals)
	if len(used) == 0 {
		return out
	}
	p := posterior(q, sd, used)
	out.doubt(used)
	mean, width := p.mean, min(sd, max(p.sd, floor(q, used)))
	strain := math.Sqrt(p.chi2 / surprising(len(used)))
	if strain > 1 {
		width *= strain
	}
	if q.Metric.Seconds() {
		mean = -mean
	}
	out.Shift = math.Exp(mean)
	out.Low = math.Exp(mean - tenth*width*down/sd)
	out.High = math.Exp(mean + tenth*width*up/sd)
	if strain > 1 {
		out.Low, out.High = min(out.Low, prior.Low), max(out.High, prior.High)
	}
	return out
}

// deviations are the standard deviations of the logarithm below and above.
func (s Spread) deviations() (down, up float64, ok bool) {
	down, up = -math.Log(s.Low)/tenth, math.Log(s.High)/tenth
	return down, up, down >= 0 && up >= 0 && down+up > 0 && down+up < 100
}

// observed is a residual with its logarithm, more than 0 where the machine is faster than computed, and the standard
// deviation of the error of its computation.
type observed struct {
	m     *Measurement
	y, sd float64
}

// relevant picks the residuals of the card and the engine that tell most.
func (n *Narrowed) relevant(q *Measurement, prior Spread, residuals []Residual) []observed {
	var used []observed
	for i := range residuals {
		r := &residuals[i]
		if r.Measurement.GPU != q.GPU || r.Measurement.Engine != q.Engine {
			continue
		}
		y := math.Log(r.Measurement.Value / r.Computed)
		down, up, ok := cmp.Or(r.Spread, prior).deviations()
		if !ok || math.IsNaN(y) || math.IsInf(y, 0) {
			n.Doubts = append(n.Doubts, r.Measurement.ID+" has no figure to compare and is left out")
			continue
		}
		if r.Measurement.Metric.Seconds() {
			y = -y
		}
		used = append(used, observed{&r.Measurement, y, (down + up) / 2})
		if strings.EqualFold(r.Measurement.Model, q.Model) {
			n.Exact++
		}
	}
	n.Used = len(used)
	slices.SortStableFunc(used, func(a, b observed) int { return cmp.Compare(shared(q, b.m), shared(q, a.m)) })
	return used[:min(len(used), mostUsed)]
}

// shared is the correlation of the errors of two settings. It is a sum and product of kernels, each of which is positive
// semidefinite, and so is the matrix of all.
func shared(a, b *Measurement) float64 {
	k := ofCardAndEngine
	if strings.EqualFold(a.Model, b.Model) {
		k += ofModel + ofSetting*likeSetting(a, b)
	}
	if a.Metric != b.Metric {
		k *= acrossMetrics
	}
	return k
}

// Shared is the correlation of errors that Narrow takes two settings on one card with one engine to have, for whoever
// holds it against what was measured.
func Shared(a, b *Measurement) float64 { return shared(a, b) }

// likeSetting falls with the logarithms of the load and the lengths, from 1 for the same setting.
func likeSetting(a, b *Measurement) float64 {
	if half(a.Precision) != half(b.Precision) || cacheFormat(a) != cacheFormat(b) || max(1, a.GPUs) != max(1, b.GPUs) ||
		divisionOf(a) != divisionOf(b) || (a.Concurrency > 0) != (b.Concurrency > 0) || (a.Rate > 0) != (b.Rate > 0) {
		return 0
	}
	apart := func(x, y float64) float64 { return math.Abs(math.Log1p(x) - math.Log1p(y)) }
	return math.Exp(-(apart(float64(a.Concurrency), float64(b.Concurrency)) + apart(100*a.Rate, 100*b.Rate) +
		apart(float64(a.Input), float64(b.Input)) + apart(float64(a.Output), float64(b.Output))) / reach)
}

func divisionOf(m *Measurement) Division {
	return Division{m.Tensor, m.Pipeline, m.Expert, m.Data}.whole()
}

// sameVersion reports whether no drift lies between two measurements. An unknown version is another.
func sameVersion(a, b *Measurement) bool { return a.Version == b.Version && a.Version != "" }

// floor is the standard deviation below which no measurement narrows.
func floor(q *Measurement, used []observed) float64 {
	if slices.ContainsFunc(used, func(o observed) bool { return sameVersion(q, o.m) }) {
		return runToRun
	}
	return math.Hypot(runToRun, drift)
}

// normal is a distribution, and how strange the measurements are that it was made from.
type normal struct{ mean, sd, chi2 float64 }

// posterior is the distribution of a new measurement of the question. All measurements of other versions are taken to be
// of one other version, so that their number does not average the drift away.
func posterior(q *Measurement, sd float64, used []observed) normal {
	n := len(used)
	cov := make([][]float64, n)
	toQ, y := make([]float64, n), make([]float64, n)
	for i, a := range used {
		cov[i] = make([]float64, i+1)
		toQ[i], y[i] = bias(sd)*bias(a.sd)*shared(q, a.m), a.y
		for j, b := range used[:i+1] {
			cov[i][j] = bias(a.sd) * bias(b.sd) * shared(a.m, b.m)
			if !sameVersion(q, a.m) && !sameVersion(q, b.m) {
				cov[i][j] += drift * drift
			}
		}
		cov[i][i] += runToRun * runToRun
	}
	decompose(cov)
	solve(cov, toQ)
	solve(cov, y)
	return normal{
		mean: dot(toQ, y), sd: math.Sqrt(max(0, sd*sd-dot(toQ, toQ))), chi2: dot(y, y),
	}
}

// bias is the standard deviation of an error without the noise of measuring.
func bias(sd float64) float64 { return math.Sqrt(max(0, sd*sd-runToRun*runToRun)) }

// decompose replaces the lower half of a symmetric, positive matrix by its Cholesky factor.
func decompose(m [][]float64) {
	for i := range m {
		for j := range i + 1 {
			sum := m[i][j] - dot(m[i][:j], m[j][:j])
			if i == j {
				m[i][i] = math.Sqrt(max(sum, 1e-12))
			} else {
				m[i][j] = sum / m[j][j]
			}
		}
	}
}

// solve divides a vector by a Cholesky factor.
func solve(m [][]float64, v []float64) {
	for i := range v {
		v[i] = (v[i] - dot(m[i][:i], v[:i])) / m[i][i]
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// surprising is what the chi squared of n numbers exceeds in one of a hundred cases, after Wilson and Hilferty; of one
// number exactly.
func surprising(n int) float64 {
	if n == 1 {
		return wild * wild
	}
	v := 2 / (9 * float64(n))
	return float64(n) * math.Pow(1-v+hundred*math.Sqrt(v), 3)
}

// doubt names the measurements that contradict the range that was computed for them.
func (n *Narrowed) doubt(used []observed) {
	for _, o := range used {
		if math.Abs(o.y) > wild*math.Hypot(o.sd, runToRun) {
			ratio := math.Exp(o.y)
			if o.m.Metric.Seconds() {
				ratio = 1 / ratio
			}
			n.Doubts = append(n.Doubts, fmt.Sprintf(
				"%s: the %s that was measured is %.2g times what is computed, further off than one of a hundred is: "+
					"check that its setting is right", o.m.ID, o.m.Metric, ratio))
		}
	}
}
