package spelling

import "testing"

func TestSlips(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       int
	}{
		{"nothing", "", "", 0},
		{"the same", "h100", "h100", 0},
		{"all of it", "", "h100", 4},
		{"one too few", "gpt", "gpts", 1},
		{"one in the middle", "max-len", "maxlen", 1},
		{"another", "a100", "h100", 1},
		{"two exchanged", "quatn", "quant", 1},
		{"two exchanged at the end", "fp8", "f8p", 1},
		{"nothing in common", "abc", "xyz", 3},
		{"two apart", "4909", "4090", 2},
		{"the classic", "kitten", "sitting", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, back := Slips(c.a, c.b), Slips(c.b, c.a); got != c.want || back != c.want {
				t.Errorf("%d and %d the other way round, want %d", got, back, c.want)
			}
		})
	}
}

func FuzzSlips(f *testing.F) {
	f.Add("kitten", "sitting")
	f.Add("ab", "ba")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = a[:min(len(a), 60)], b[:min(len(b), 60)]
		got := Slips(a, b)
		if got != Slips(b, a) {
			t.Errorf("%d, and %d the other way round", got, Slips(b, a))
		}
		if (got == 0) != (a == b) || got > max(len(a), len(b)) || got < max(len(a), len(b))-min(len(a), len(b)) {
			t.Errorf("%d slips between %d and %d bytes", got, len(a), len(b))
		}
		if n := Slips(a+"x", b+"x"); n > got {
			t.Errorf("%d slips, and %d with the same letter behind both", got, n)
		}
	})
}
