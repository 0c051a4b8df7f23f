package units

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/quick"
)

func TestParseCount(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Count
	}{
		{"0", 0},
		{"7", 7},
		{" 7 ", 7},
		{"700000000", 700_000_000},
		{"700_000_000", 700_000_000},
		{"700,000,000", 700_000_000},
		{"700 000 000", 700_000_000},
		{"700M", 700_000_000},
		{"700m", 700_000_000},
		{"1.5k", 1500},
		{"2B", 2_000_000_000},
		{"2bn", 2_000_000_000},
		{"0.001k", 1},
		{"1T", 1_000_000_000_000},
		{"700 M", 700_000_000},
		{"9007199254740993", 9007199254740993}, // 2^53+1, which a float64 cannot hold
		{"4.35M", 4_350_000},
		{"1.1k", 1100},
		{"0.3M", 300_000},
		{"2.007M", 2_007_000},
		{"1.0", 1},
	} {
		got, err := ParseCount(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseCount(%q) = %d, %v, want %d", tt.in, int64(got), err, int64(tt.want))
		}
	}
}

func TestParseCountRefuses(t *testing.T) {
	for _, s := range []string{
		"", " ", "-1", "+1", "1.5", "0.0001k", "1e3", "1E6", "0x10", "NaN", "Inf", "many", "M", "k5", "5kk", "5MB", "5 USD", "1.2.3",
		"99999999999T", "9223372036854775808", "9223372036854775807", "٣", "1.", ".5k", "1,5M", "1,,0", "1_", "_1", ",1", "1,00", "12,34,567", "1.5,000",
		"1 2", "0b1", "infinity", "1.234,5k",
	} {
		if got, err := ParseCount(s); err == nil {
			t.Errorf("ParseCount(%q) = %d, want an error", s, int64(got))
		}
	}
}

func TestCountString(t *testing.T) {
	for _, tt := range []struct {
		in   Count
		want string
	}{
		{0, "0"},
		{999, "999"},
		{1000, "1k"},
		{1500, "1.5k"},
		{12_500, "12.5k"},
		{650_000_000, "650M"},
		{2_000_000_000, "2B"},
		{999_999, "999.999k"},
		{699_999_999, "699.999M"},
		{-1500, "-1.5k"},
		{1_234_567, "1.234M"},
		{4_350_000, "4.35M"},
		{math.MaxInt64, "9223372.036T"},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("%d prints as %q, want %q", int64(tt.in), got, tt.want)
		}
	}
}

// A count never prints as having reached a limit that it has not reached, and what is printed is read back as no more.
func TestCountNeverReachesALimitByPrinting(t *testing.T) {
	law := func(n uint64) bool {
		c := Count(n % 1e18)
		back, err := ParseCount(c.String())
		return err == nil && back <= c && c-back <= c/1000
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
}

func TestCountText(t *testing.T) {
	law := func(n uint64) bool {
		c := Count(n % 1e18)
		var back Count
		return back.UnmarshalText(strconv.AppendUint(nil, uint64(c), 10)) == nil && back == c
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
}

func TestParseMoney(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Money
	}{
		{"20M USD", Money{20e6, "USD"}},
		{"USD 20,000,000", Money{20e6, "USD"}},
		{"20000000 usd", Money{20e6, "USD"}},
		{"0 EUR", Money{0, "EUR"}},
		{"1.5k cny", Money{1500, "CNY"}},
		{"0.25 USD", Money{0.25, "USD"}},
		{"EUR 1bn", Money{1e9, "EUR"}},
		{"20 M USD", Money{20e6, "USD"}},
		{"20 000 000 EUR", Money{20e6, "EUR"}},
	} {
		got, err := ParseMoney(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseMoney(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	for _, s := range []string{
		"", "20M", "USD", "20M USD EUR", "USD USD", "0 0 USD", "0 20 USD", "20 20 USD", "-5 USD", "20M DOLLAR", "$20", "20 US", "five USD", //nolint:dupword // the second currency is the fault
		"NaN USD", "1e6 USD", "Inf USD", "USD NaN", "12,34 EUR",
	} {
		if got, err := ParseMoney(s); err == nil {
			t.Errorf("ParseMoney(%q) = %v, want an error", s, got)
		}
	}
}

func TestMoneyText(t *testing.T) {
	for _, m := range []Money{{0, "USD"}, {0.1, "EUR"}, {1234567.89, "CNY"}, {20e6, "USD"}, {1e15, "USD"}} {
		b, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Money
		if err := back.UnmarshalText(b); err != nil || back != m {
			t.Errorf("%v is written %q, read back %v, %v", m, b, back, err)
		}
	}
}

func FuzzCount(f *testing.F) {
	for _, s := range []string{"700M", "1.5k", "700,000,000", "2bn", "0", "1_000", "9007199254740993"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCount(s)
		if err != nil {
			if len(err.Error()) > 400 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if c < 0 || strings.Contains(s, "-") {
			t.Fatalf("%q is %d", s, int64(c))
		}
		if back, err := ParseCount(strconv.FormatInt(int64(c), 10)); err != nil || back != c {
			t.Fatalf("%q is %d, read back %d, %v", s, int64(c), int64(back), err)
		}
		if shown, err := ParseCount(c.String()); err != nil || shown > c {
			t.Fatalf("%q prints %q, read back %d, %v", s, c, int64(shown), err)
		}
	})
}

func FuzzMoney(f *testing.F) {
	for _, s := range []string{"20M USD", "USD 20,000,000", "1.5k cny", "0.01 EUR"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMoney(s)
		if err != nil {
			return
		}
		if m.Amount < 0 || math.IsNaN(m.Amount) || math.IsInf(m.Amount, 0) || len(m.Currency) != 3 {
			t.Fatalf("%q is %v", s, m)
		}
		b, err := m.MarshalText()
		var back Money
		if err != nil || back.UnmarshalText(b) != nil || back != m {
			t.Fatalf("%q is %v, written %q, read back %v", s, m, b, back)
		}
		if shown, err := ParseMoney(m.String()); err != nil || shown.Amount > m.Amount {
			t.Fatalf("%q prints %q, read back %v, %v", s, m, shown, err)
		}
	})
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", -999: "-999", -1000: "-1,000", 1234567: "1,234,567", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
