package report

import (
	"math"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// unknown is shown in place of a figure that nobody has.
const unknown = "not known"

// group puts a comma before every third digit of the whole part.
func group(s string) string {
	s, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative {
		return "-" + whole
	}
	return whole
}

// decimal writes a number with a fixed number of decimals; beyond what a double holds exactly it is written with a power.
func decimal(v float64, decimals int) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case math.Abs(v) >= 1<<53:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return group(strconv.FormatFloat(v, 'f', decimals, 64))
}

// GiB writes an amount of memory of a device, always in the same unit, so that a column can be compared.
func GiB(n int64) string { return gibibytes(float64(n)) + " GiB" }

// gibibytes says of what is there and too little to show that it is little, not that it is nothing.
func gibibytes(n float64) string {
	if n > 0 && n < gib/200 {
		return "<0.01"
	}
	return decimal(n/gib, 2)
}

// Bytes writes an amount of memory in the unit that suits it: 256 KiB, 31.5 MiB, 61.03 GiB.
func Bytes(n int64) string {
	v := math.Abs(float64(n))
	switch {
	case v >= gib/10:
		return GiB(n)
	case v >= mib:
		return short(float64(n)/mib) + " MiB"
	case v >= kib:
		return short(float64(n)/kib) + " KiB"
	}
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// short has at most two decimals, and none that are zero.
func short(v float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

// Params writes a number of parameters: 32.76 B, 134.52 M.
func Params(n int64) string {
	v := float64(n)
	switch {
	case n <= 0:
		return unknown
	case v >= 1e9:
		return decimal(v/1e9, 2) + " B"
	case v >= 1e6:
		return decimal(v/1e6, 2) + " M"
	}
	return units.Thousands(n)
}

// Requests writes how many requests there is room for. It is cut, not rounded: room for 0.99 of a request is not room for
// one.
func Requests(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0) || v < 0:
		return unknown
	case v > 0 && v < .01:
		return "<0.01"
	case v < 10:
		return short(math.Trunc(v*100) / 100)
	case v < 100:
		return short(math.Trunc(v*10) / 10)
	}
	return decimal(math.Trunc(v), 0)
}

// Known reports whether the range says anything: amounts of memory, none of them negative.
func (r Range) Known() bool {
	for _, v := range [...]float64{r.Low, r.Mid, r.High} {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return false
		}
	}
	return true
}

// String writes the range of an amount of memory: "1.20-2.40 GiB", or one figure where the ends do not differ in print.
func (r Range) String() string {
	if !r.Known() {
		return unknown
	}
	low, high := gibibytes(min(r.Low, r.Mid, r.High)), gibibytes(max(r.Low, r.Mid, r.High))
	if low == high {
		return low + " GiB"
	}
	return low + "-" + high + " GiB"
}

// Steps writes the low, the middle and the high end of the range, or one figure where they do not differ in print.
func (r Range) Steps() string {
	low, mid, high := gibibytes(r.Low), gibibytes(r.Mid), gibibytes(r.High)
	switch {
	case !r.Known():
		return unknown
	case low == mid && mid == high:
		return low + " GiB"
	}
	return low + " / " + mid + " / " + high + " GiB"
}
