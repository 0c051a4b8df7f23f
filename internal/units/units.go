// Package units holds counts and amounts of money with their units, how people write them, and how we print them.
package units

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Count is a number of things: users, employees, tokens.
type Count int64

// ParseCount reads 700000000, 700_000_000, 700,000,000, 700M, 1.5k, 2B. It is exact: nothing is rounded.
func ParseCount(s string) (Count, error) {
	d, err := parseDecimal(s)
	if err != nil {
		return 0, err
	}
	whole, rest := d.split(0)
	if rest != "" {
		return 0, fmt.Errorf("count %q is not a whole number", shorten(s))
	}
	n, err := strconv.ParseInt("0"+whole, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("count %q is out of range", shorten(s))
	}
	return Count(n), nil
}

// String prints the count as people say it: 650M, 12.5k, 999. It cuts instead of rounding, so that a number never
// appears to have reached a limit that it has not reached.
func (c Count) String() string { return human(strconv.FormatInt(int64(c), 10)) }

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
	var number []string
	for f := range strings.FieldsSeq(s) {
		if code := strings.ToUpper(f); isCurrency(code) && m.Currency == "" {
			m.Currency = code
			continue
		}
		number = append(number, f)
	}
	d, err := parseDecimal(strings.Join(number, " "))
	switch {
	case err != nil:
		return Money{}, fmt.Errorf("amount %q is not a number and a currency, like 20M USD", shorten(s))
	case m.Currency == "":
		return Money{}, fmt.Errorf("amount %q has no currency; write it like 20M USD", shorten(s))
	}
	m.Amount = d.float()
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

// String prints the amount as "20M USD". Like a count, it is cut and not rounded.
func (m Money) String() string {
	return human(strconv.FormatFloat(m.Amount, 'f', -1, 64)) + " " + m.Currency
}

// MarshalText writes the amount without rounding, in the form that UnmarshalText reads.
func (m Money) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(m.Amount, 'f', -1, 64) + " " + m.Currency), nil
}

// UnmarshalText reads an amount from YAML, JSON or a flag.
func (m *Money) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMoney(string(b))
	return err
}

// human prints a number written in decimal with the largest suffix that fits and at most three decimals of it. It works
// on digits, because 4.35 times a million is not 4350000 in binary.
func human(s string) string {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	group := min((len(whole)-1)/3, len(suffixes)-1)
	if group > 0 {
		at := len(whole) - 3*group
		whole, fraction = whole[:at], whole[at:at+3]
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return whole + suffixes[group]
}

// suffixes are those of the powers of a thousand.
var suffixes = [...]string{"", "k", "M", "B", "T"}

// decimal is the number digits times ten to the power of exp.
type decimal struct {
	digits string // without leading zeros; "" is zero
	exp    int
}

// split divides a decimal at ten to the power of exp; rest is without trailing zeros.
func (d decimal) split(exp int) (whole, rest string) {
	n := len(d.digits) + d.exp - exp
	switch {
	case n <= 0:
		return "", strings.TrimRight(d.digits, "0")
	case n >= len(d.digits):
		return d.digits + strings.Repeat("0", n-len(d.digits)), ""
	}
	return d.digits[:n], strings.TrimRight(d.digits[n:], "0")
}

// float is the nearest float64. parseDecimal has seen to it that there is one.
func (d decimal) float() float64 {
	f, err := strconv.ParseFloat("0"+d.digits+"e"+strconv.Itoa(d.exp), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// maxDigits is the longest number read, separators not counted. The largest number is 10^18, before the suffix.
const (
	maxDigits = 40
	maxPower  = 18
)

// number is what people write: digits, or groups of three with one kind of separator, and perhaps a fraction. "1,5" is
// refused: it is one and a half to some and means nothing to others.
var number = regexp.MustCompile(`^([0-9]+|[0-9]{1,3}(?:(?:,[0-9]{3})+|(?:_[0-9]{3})+|(?: [0-9]{3})+))(?:\.([0-9]+))? ?(k|m|b|bn|t)?$`)

// parseDecimal reads a number that is not negative, with a suffix k, M, B (or bn), T or none.
func parseDecimal(s string) (decimal, error) {
	if len(s) > 2*maxDigits {
		return decimal{}, fmt.Errorf("number %q is too long", shorten(s))
	}
	m := number.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s)))
	if m == nil {
		return decimal{}, fmt.Errorf("%q is not a number, write it like 700000000 or 700M", s)
	}
	whole := strings.NewReplacer(",", "", "_", "", " ", "").Replace(m[1])
	d := decimal{digits: strings.TrimLeft(whole+m[2], "0"), exp: power(m[3]) - len(m[2])}
	if len(d.digits)+d.exp > maxPower {
		return decimal{}, fmt.Errorf("number %q is out of range", s)
	}
	return d, nil
}

func power(suffix string) int {
	switch suffix {
	case "k":
		return 3
	case "m":
		return 6
	case "b", "bn":
		return 9
	case "t":
		return 12
	}
	return 0
}

// shorten keeps what a stranger wrote from filling an error.
func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// Thousands writes a number with a comma between groups of three digits: 131,072.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
