package report

import (
	"math"
	"slices"
	"strconv"
)

// unit is how amounts of one kind are written: in the step that suits their size.
type unit []step

// step is a unit for amounts below a size; per is how much one of it is.
type step struct {
	below, per    float64
	before, after string
}

// The units that figures of speed, cost and energy are written in.
var (
	seconds    = unit{{1e-3, 1e-6, "", " µs"}, {1, 1e-3, "", " ms"}, {120, 1, "", " s"}, {7200, 60, "", " min"}, {most, 3600, "", " h"}}
	tokenRate  = unit{{most, 1, "", " tokens/s"}}
	requestsPS = unit{{most, 1, "", " requests/s"}}
	dollars    = unit{{1e6, 1, "$", ""}, {most, 1e6, "$", " million"}}
	watts      = unit{{1e3, 1, "", " W"}, {1e6, 1e3, "", " kW"}, {most, 1e6, "", " MW"}}
	wattHours  = unit{{1e3, 1, "", " Wh"}, {1e6, 1e3, "", " kWh"}, {1e10, 1e6, "", " MWh"}, {most, 1e9, "", " GWh"}}
	kwHours    = unit{{1e4, 1, "", " kWh"}, {1e7, 1e3, "", " MWh"}, {most, 1e6, "", " GWh"}}
	carbonG    = unit{{1e3, 1, "", " gCO2e"}, {1e6, 1e3, "", " kgCO2e"}, {most, 1e6, "", " tCO2e"}}
	carbonKg   = unit{{1e4, 1, "", " kgCO2e"}, {most, 1e3, "", " tCO2e"}}
	perKWh     = unit{{most, 1, "", " gCO2e/kWh"}}
	byteRate   = unit{{1e9, 1e6, "", " MB/s"}, {most, 1e9, "", " GB/s"}}
	flopRate   = unit{{1e12, 1e9, "", " GFLOP/s"}, {most, 1e12, "", " TFLOP/s"}}
	percents   = unit{{most, .01, "", " %"}}
	times      = unit{{most, 1, "", ""}}
)

const most = math.MaxFloat64

// named is a unit that the document names.
func named(name string) unit { return unit{{most, 1, "", " " + name}} }

func (u unit) at(v float64) step {
	if i := slices.IndexFunc(u, func(s step) bool { return s.per == 1 }); v == 0 && i >= 0 {
		return u[i]
	}
	if rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', fine-1, 64), 64); err == nil {
		v = rounded // 999.9 µs is 1 ms
	}
	for _, s := range u {
		if v < s.below {
			return s
		}
	}
	return u[len(u)-1]
}

// number writes v in the step with so many significant digits. Money has cents where they matter.
func (s step) number(v float64, digits int) string {
	v /= s.per
	if s.before == "$" && v >= .095 && (v < 9.995 || digits > coarse && v < 99.995) {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return significant(v, digits)
}

// significant writes so many significant digits and no zeros behind them: 1900, 0.21, 14.
func significant(v float64, digits int) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case a != 0 && a < 1e-6, a >= 1e15:
		return strconv.FormatFloat(v, 'g', digits, 64)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	if err != nil {
		return unknown
	}
	return group(strconv.FormatFloat(rounded, 'f', -1, 64))
}

// one writes an exact figure.
func (u unit) one(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return unknown
	}
	s := u.at(v)
	return s.before + s.number(v, fine) + s.after
}

// Digits of a figure: two where it is only roughly known, three where it is known well.
const (
	coarse = 2
	fine   = 3
	narrow = 1.1 // high to low, below which three digits tell something
)

// between writes the range without its middle: "12-19 ms"; "" where it says nothing.
func (u unit) between(r *Range) string {
	low, _, high, s := u.shown(r)
	if low == "" {
		return ""
	}
	if low == high {
		return s.before + low + s.after
	}
	return s.before + low + "-" + high + s.after
}

// about writes the middle and the range: "about 1,900 tokens/s (1,500-2,400)"; "" where it says nothing.
func (u unit) about(r *Range) string {
	low, mid, high, s := u.shown(r)
	switch low {
	case "":
		return ""
	case high:
		return s.before + mid + s.after
	}
	return "about " + s.before + mid + s.after + " (" + low + "-" + high + ")"
}

// shown are the ends and the middle of a range in the unit that suits the middle.
func (u unit) shown(r *Range) (low, mid, high string, s step) {
	if r == nil || !r.Known() {
		return "", "", "", step{}
	}
	o := r.ordered()
	s = u.at(o.Mid)
	digits := fine
	if o.High > narrow*o.Low {
		digits = coarse
	}
	return s.number(o.Low, digits), s.number(o.Mid, digits), s.number(o.High, digits), s
}

// ordered has its ends in order and its middle between them, whatever a file holds.
func (r Range) ordered() Range {
	low, high := min(r.Low, r.High), max(r.Low, r.High)
	return Range{low, min(max(r.Mid, low), high), high}
}

// some is the range, or nil where it is empty: a figure that takes time, or that there has to be, is never nothing.
func some(r Range) *Range {
	if !r.Known() || max(r.Low, r.Mid, r.High) == 0 {
		return nil
	}
	return &r
}

// given is the same of a range that may be absent.
func given(r *Range) *Range {
	if r == nil {
		return nil
	}
	return some(*r)
}
