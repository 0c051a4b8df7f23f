package arch_test

import (
	"errors"
	"math"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
)

func sketched(t *testing.T, params, active int64) *arch.Shape {
	t.Helper()
	v, err := arch.Sketch(params, active)
	if err != nil {
		t.Fatalf("%d of %d: %v", active, params, err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatalf("%d of %d: %v\n%s", active, params, err, v.Raw())
	}
	return s
}

// sizes from 10 million to 10 trillion, closer than any rounding of a sketch.
func sizes() []int64 {
	var all []int64
	for x := 10e6; x <= 10e12; x *= 1.013 {
		all = append(all, int64(x))
	}
	return append(all, 10_000_000_000_000)
}

func TestSketchLaws(t *testing.T) {
	var before arch.Params
	var width, asked int64
	for _, n := range sizes() {
		s := sketched(t, n, 0)
		p := s.Params()
		if off := float64(p.Total)/float64(n) - 1; math.Abs(off) > 0.02 {
			t.Errorf("%d parameters are asked for, the sketch has %.2f %% more", n, 100*off)
		}
		if p.Total < before.Total && float64(n) > 1.04*float64(asked) || s.Hidden.N < width {
			t.Errorf("%d parameters: %d and a width of %d after %d and %d", n, p.Total, s.Hidden.N, before.Total, width)
		}
		before, width, asked = p, s.Hidden.N, n
		if ratio := float64(s.Blocks[0].MLP.Width) / float64(s.Hidden.N); ratio < 1.5 || ratio > 5.5 {
			t.Errorf("%d parameters: the MLP is %.2f times as wide as the model; %d layers of %d", n, ratio, len(s.Blocks), s.Hidden.N)
		}
		if again := sketched(t, n, 0).Params(); again != p {
			t.Errorf("%d parameters: %v and %v", n, p, again)
		}
	}
}

func TestSketchOfExperts(t *testing.T) {
	for i, n := range sizes() {
		if n < 200_000_000 || i%5 > 0 {
			continue
		}
		for _, share := range []float64{0.9, 0.6, 0.4, 0.27, 0.15, 0.1, 0.05, 0.03, 0.02} {
			active := int64(share * float64(n))
			if active < 60_000_000 {
				continue
			}
			s := sketched(t, n, active)
			p, m := s.Params(), s.Blocks[0].MLP
			if n > 10_000_000_000 && share < 0.3 && (m.Experts%8 != 0 || len(s.Blocks)%4 != 0) {
				t.Errorf("%d of %d: ranks cannot divide %d experts or %d layers", active, n, m.Experts, len(s.Blocks))
			}
			total, seen := float64(p.Total)/float64(n)-1, float64(p.Active)/float64(active)-1
			if math.Abs(total) > 0.02 || math.Abs(seen) > 0.05 {
				t.Errorf("%d of %d: %.2f %% and %.2f %% more", active, n, 100*total, 100*seen)
			}
		}
	}
}

// A sketch is close to what makers chose for that size.
func TestSketchIsUsual(t *testing.T) {
	for _, tt := range []struct {
		name           string
		params, active int64
		layers, hidden int64
	}{
		{"Llama 3 8B", 8_030_261_248, 0, 32, 4096},
		{"Llama 3 70B", 70_553_706_496, 0, 80, 8192},
		{"Llama 3.1 405B", 405_853_388_800, 0, 126, 16384},
		{"Qwen3 30B-A3B", 30_532_122_624, 3_300_000_000, 48, 2048},
		{"Qwen3 235B-A22B", 235_093_634_560, 22_000_000_000, 94, 4096},
		{"OPT 1.3B", 1_315_758_080, 0, 24, 2048},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sketched(t, tt.params, tt.active)
			layers, hidden := float64(len(s.Blocks))/float64(tt.layers), float64(s.Hidden.N)/float64(tt.hidden)
			if math.Abs(math.Log(layers)) > 0.45 || math.Abs(math.Log(hidden)) > 0.3 {
				t.Errorf("%d layers of %d, want about %d of %d", len(s.Blocks), s.Hidden.N, tt.layers, tt.hidden)
			}
		})
	}
}

func TestSketchRefuses(t *testing.T) {
	for _, tt := range []struct {
		name           string
		params, active int64
	}{
		{"nothing", 0, 0},
		{"negative", -5, 0},
		{"tiny", 1000, 0},
		{"endless", math.MaxInt64, 0},
		{"more active than there are", 1e9, 2e9},
		{"negative active", 1e9, -1},
		{"next to none active", 1e13, 1000},
		{"one active", 1e10, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v, err := arch.Sketch(tt.params, tt.active); !errors.Is(err, arch.ErrSketch) {
				t.Errorf("%v: %s", err, v.Raw())
			}
		})
	}
}

func TestSketchOf(t *testing.T) {
	v, err := arch.SketchOf(32, 4096, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil || len(s.Blocks) != 32 || s.Hidden.N != 4096 || s.Vocab.N != 128_256 || s.Tied {
		t.Errorf("%d layers of %d, vocabulary %d: %v", len(s.Blocks), s.Hidden.N, s.Vocab.N, err)
	}
	if n := s.Params().Total; n != 8_030_261_248 {
		t.Errorf("the shape of Llama 3 8B has %d parameters", n)
	}
	for _, bad := range [][3]int64{{0, 4096, 0}, {-1, 64, 0}, {1, 0, 0}, {1, 100, 0}, {1, 64, -1}, {1e9, 64, 0}, {1, math.MaxInt64, 0}} {
		if _, err := arch.SketchOf(bad[0], bad[1], bad[2]); !errors.Is(err, arch.ErrSketch) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func FuzzSketch(f *testing.F) {
	f.Add(int64(8e9), int64(0))
	f.Add(int64(30e9), int64(3e9))
	f.Add(int64(1e13), int64(1e7))
	f.Fuzz(func(t *testing.T, params, active int64) {
		v, err := arch.Sketch(params, active)
		if err != nil {
			if !errors.Is(err, arch.ErrSketch) {
				t.Fatal(err)
			}
			return
		}
		s, err := arch.Of(v)
		if err != nil {
			t.Fatalf("%d of %d: %v", active, params, err)
		}
		if off := math.Abs(float64(s.Params().Total)/float64(params) - 1); off > 0.02 {
			t.Errorf("%d of %d: %.2f %% off", active, params, 100*off)
		}
	})
}
