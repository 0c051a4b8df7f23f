package arch

import (
	"math"
	"math/bits"
	"strconv"
)

// Dim is a size with the formula that it comes from. Arithmetic saturates; Of refuses what saturated.
type Dim struct {
	N    int64
	Text string
}

// N is a number without a name.
func number(n int64) Dim { return Dim{n, strconv.FormatInt(n, 10)} }

var one = Dim{1, "1"}

// Times is the product.
func (a Dim) Times(b Dim) Dim { return Dim{mul(a.N, b.N), a.factor() + "·" + b.factor()} }

// Plus is the sum.
func (a Dim) Plus(b Dim) Dim { return Dim{add(a.N, b.N), a.Text + "+" + b.Text} }

// factor is the text as it stands in a product.
func (a Dim) factor() string {
	for i := range len(a.Text) {
		if a.Text[i] == '+' {
			return "(" + a.Text + ")"
		}
	}
	return a.Text
}

func mul(a, b int64) int64 {
	if a < 0 || b < 0 {
		return math.MaxInt64
	}
	high, low := bits.Mul64(uint64(a), uint64(b))
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
