// Package units holds counts and amounts of money with their units, how people write them, and how we print them.
package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Count is a number of things: users, employees, tokens.
type Count int64

// ParseCount reads 700000000, 700_000_000, 700,000,000, 700M, 1.5k, 2B.
func ParseCount(s string) (Count, error) {
	v, err := parseNumber(s)
	if err != nil {
		return 0, err
	}
	if v != math.Trunc(v) {
		return 0, fmt.Errorf("count %q is not a whole number", s)
	}
	return Count(v), nil
}

// String prints the count as people say it: 650M, 12.5k, 999.
func (c Count) String() string { return human(float64(c)) }

// UnmarshalText reads a count from YAML, JSON or a flag.
func (c *Count) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCount(string(b))
	return err
}

// Money is an amount in one currency. Amounts of different currencies are never compared.
type Money struct {
	Amount   float64
	Currency string // ISO 4217: USD, EUR, CNY
}

// ParseMoney reads "20M USD", "USD 20,000,000", "20000000 usd". A bare number has no currency and is refused.
func ParseMoney(s string) (Money, error) {
	var m Money
	for f := range strings.FieldsSeq(s) {
		if code := strings.ToUpper(f); isCurrency(code) && m.Currency == "" {
			m.Currency = code
			continue
		}
		v, err := parseNumber(f)
		if err != nil || m.Amount != 0 {
			return Money{}, fmt.Errorf("amount %q is not a number and a currency, like 20M USD", s)
		}
		m.Amount = v
	}
	if m.Currency == "" {
		return Money{}, fmt.Errorf("amount %q has no currency; write it like 20M USD", s)
	}
	return m, nil
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, r := range s {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return true
}

// String prints the amount as "20M USD".
func (m Money) String() string { return human(m.Amount) + " " + m.Currency }

// MarshalText writes the amount without rounding, in the form that UnmarshalText reads.
func (m Money) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(m.Amount, 'f', -1, 64) + " " + m.Currency), nil
}

// UnmarshalText reads an amount from YAML, JSON or a flag.
func (m *Money) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMoney(string(b))
	return err
}

var suffixes = []struct {
	factor float64
	name   string
}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}}

// human prints at most three decimals of the largest fitting suffix; it never rounds a number across a limit that it
// does not reach, because it cuts instead of rounding.
func human(v float64) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	for _, s := range suffixes {
		if v >= s.factor {
			q := math.Floor(v/s.factor*1000) / 1000
			return sign + strconv.FormatFloat(q, 'f', -1, 64) + s.name
		}
	}
	return sign + strconv.FormatFloat(v, 'f', -1, 64)
}

// parseNumber reads a non-negative number with optional separators and a suffix k, M, B (or bn), T.
func parseNumber(s string) (float64, error) {
	t := strings.NewReplacer("_", "", ",", "", " ", "").Replace(strings.TrimSpace(s))
	factor := 1.0
	for _, u := range []struct {
		suffix string
		factor float64
	}{{"bn", 1e9}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"m", 1e6}, {"B", 1e9}, {"b", 1e9}, {"T", 1e12}, {"t", 1e12}} {
		if rest, ok := strings.CutSuffix(t, u.suffix); ok {
			t, factor = rest, u.factor
			break
		}
	}
	v, err := strconv.ParseFloat(t, 64)
	if err != nil || strings.ContainsAny(t, "xXpPiInN") {
		return 0, fmt.Errorf("%q is not a number, write it like 700000000 or 700M", s)
	}
	v *= factor
	if v < 0 || v > math.MaxInt64/2 {
		return 0, fmt.Errorf("number %q is out of range", s)
	}
	return v, nil
}
