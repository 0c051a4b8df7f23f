// Package cost says what a plan costs and how much electricity it takes: rented, bought, and at the wall. It gets prices
// and figures as arguments, each with its source and date, and leaves what a plan needs and how fast it is to others.
//
// Money is US dollars, without taxes, egress, storage, support and the people who run it.
package cost

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Range is meant to hold the true value in eight of ten cases; an exact value has one number three times.
type Range struct{ Low, Mid, High float64 }

// Exactly is a value without doubt.
func Exactly(v float64) Range { return Range{v, v, v} }

// Times multiplies by a number that is known.
func (r Range) Times(f float64) Range { return Range{r.Low * f, r.Mid * f, r.High * f} }

// Plus adds what may be at its bad end at the same time.
func (r Range) Plus(s Range) Range { return Range{r.Low + s.Low, r.Mid + s.Mid, r.High + s.High} }

// Valid reports whether the three numbers are finite, in order and not negative.
func (r Range) Valid() bool {
	return r.Low >= 0 && r.Low <= r.Mid && r.Mid <= r.High && !math.IsInf(r.High, 0)
}

// Positive reports whether the range is valid and leaves zero out.
func (r Range) Positive() bool { return r.Valid() && r.Low > 0 }

// Figure is a number with where it is from.
type Figure struct {
	ID         string
	Name       string
	Value      Range
	Unit       string
	Formula    string // how it follows from what the source says; "" where the source says it
	Of         string // the day, month or year that it holds for
	Source     evidence.Source
	Confidence Confidence
	Note       string
}

// Confidence says how far a figure is to be trusted.
type Confidence string

// The confidences.
const (
	High    Confidence = "high"    // an official figure, a measurement or a large sample
	Medium  Confidence = "medium"  // one named compilation
	Low     Confidence = "low"     // a secondary page
	Assumed Confidence = "assumed" // our judgment; no source says it
)

// Part is one cause of cost or energy.
type Part struct {
	What    string
	Value   Range
	Unit    string
	Formula string // with the numbers filled in
	Source  string
}

// Hours of a month, a twelfth of a year.
const Hours = 730

// perMillion is how many answers of tokens a price is given for.
const perMillion = 1e6

// PerMillion is what a million output tokens cost where the plan costs perHour, makes output tokens a second when it is
// fully loaded, and is loaded to the share busy: the reservation is paid for, not the busy seconds. The doubts of the
// three are independent, so that they add up as logarithms do, in squares. Nothing comes of a plan that makes nothing.
func PerMillion(perHour, output, busy Range) (Range, bool) {
	if !perHour.Valid() || !output.Positive() || !busy.Positive() || busy.High > 1 {
		return Range{}, false
	}
	return quotient(perHour, output, busy).Times(perMillion / 3600), true
}

// PerMillionTokens is PerMillion of prompts and answers together, where a request has so many of each.
func PerMillionTokens(perMillionOutput Range, input, output float64) (Range, bool) {
	if !perMillionOutput.Valid() || !(input >= 0) || !(output > 0) || math.IsInf(input+output, 0) {
		return Range{}, false
	}
	return perMillionOutput.Times(output / (input + output)), true
}

// quotient divides a range by others whose doubts are independent of it and of each other. All but the first are above
// zero.
func quotient(r Range, by ...Range) Range {
	mid := r.Mid
	for _, b := range by {
		mid /= b.Mid
	}
	if r.Low <= 0 {
		out := r
		for _, b := range by {
			out = Range{out.Low / b.High, out.Mid / b.Mid, out.High / b.Low}
		}
		return out
	}
	down, up := square(r.Mid/r.Low), square(r.High/r.Mid)
	for _, b := range by {
		down += square(b.High / b.Mid)
		up += square(b.Mid / b.Low)
	}
	return Range{mid / math.Exp(math.Sqrt(down)), mid, mid * math.Exp(math.Sqrt(up))}
}

// product multiplies ranges above zero whose doubts are independent of each other.
func product(r Range, by ...Range) Range {
	inverse := make([]Range, len(by))
	for i, b := range by {
		if b.Low <= 0 {
			return interval(r, by)
		}
		inverse[i] = Range{1 / b.High, 1 / b.Mid, 1 / b.Low}
	}
	return quotient(r, inverse...)
}

func interval(r Range, by []Range) Range {
	for _, b := range by {
		r = Range{r.Low * b.Low, r.Mid * b.Mid, r.High * b.High}
	}
	return r
}

func square(ratio float64) float64 {
	l := math.Log(ratio)
	return l * l
}
