package bench

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func setting() Measurement {
	return Measurement{
		ID: "x/1", Model: "org/dense-70b", Precision: "fp8", Engine: "vllm", Version: "0.19.0", GPU: "h100-sxm", GPUs: 4,
		Tensor: 4, Concurrency: 16, Input: 1024, Output: 512, Metric: TPOT, Value: 0.02,
	}
}

func question() *Question {
	return &Question{Measurement: setting(), Size: Size{70e9, 70e9}, Card: knownCards()["h100-sxm"]}
}

func knownCards() map[string]Card {
	return map[string]Card{
		"h100-sxm":  {"H100", "nvidia", "hopper", 3350, 989},
		"h200-sxm":  {"H200", "nvidia", "hopper", 4800, 989},
		"b200-sxm":  {"B200", "nvidia", "blackwell", 8000, 2250},
		"mi300x":    {"MI300X", "amd", "cdna3", 5300, 1307},
		"rtx-4090":  {"RTX 4090", "nvidia", "ada", 1008, 165},
		"no-bright": {Name: "no figures", Vendor: "nvidia", Arch: "hopper"},
	}
}

func lookup() Lookup {
	sizes := map[string]Size{
		"org/dense-70b": {70e9, 70e9}, "org/tuned-70b": {70e9, 70e9}, "org/dense-32b": {32e9, 32e9},
		"org/dense-1b": {1e9, 1e9}, "org/moe-235b": {235e9, 22e9}, "org/broken": {math.Inf(1), math.NaN()},
	}
	cards := knownCards()
	return Lookup{
		Size: func(model string) (Size, bool) { s, ok := sizes[model]; return s, ok },
		Card: func(id string) (Card, bool) { c, ok := cards[id]; return c, ok },
	}
}

func changed(change func(*Measurement)) Measurement {
	m := setting()
	change(&m)
	return m
}

func TestNearestSays(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Measurement)
		want   []string // none: the same
	}{
		"the same":          {func(*Measurement) {}, nil},
		"case of model":     {func(m *Measurement) { m.Model = "Org/Dense-70B" }, nil},
		"card":              {func(m *Measurement) { m.GPU = "h200-sxm" }, []string{"card H200 instead of H100"}},
		"input":             {func(m *Measurement) { m.Input = 4096 }, []string{"4096 instead of 1024 input tokens"}},
		"output":            {func(m *Measurement) { m.Output = 128 }, []string{"128 instead of 512 output tokens"}},
		"model":             {func(m *Measurement) { m.Model = "org/dense-32b" }, []string{"model org/dense-32b instead of org/dense-70b"}},
		"tuned":             {func(m *Measurement) { m.Model = "org/tuned-70b" }, []string{"model org/tuned-70b instead of org/dense-70b"}},
		"precision":         {func(m *Measurement) { m.Precision = "bf16" }, []string{"bf16 instead of fp8"}},
		"cache":             {func(m *Measurement) { m.KV = "fp8" }, []string{"cache in fp8 instead of 16 bits"}},
		"engine":            {func(m *Measurement) { m.Engine = "sglang" }, []string{"engine sglang instead of vllm"}},
		"version":           {func(m *Measurement) { m.Version = "0.17.0" }, []string{"version 0.17.0 instead of 0.19.0"}},
		"unsaid version":    {func(m *Measurement) { m.Version = "" }, nil},
		"GPUs":              {func(m *Measurement) { m.GPUs, m.Tensor = 8, 8 }, []string{"8 GPUs instead of 4"}},
		"division":          {func(m *Measurement) { m.Tensor, m.Pipeline = 2, 2 }, []string{"TP2 PP2 instead of TP4"}},
		"unsaid division":   {func(m *Measurement) { m.Tensor = 0 }, nil},
		"concurrency":       {func(m *Measurement) { m.Concurrency = 1 }, []string{"1 instead of 16 requests at once"}},
		"rate":              {func(m *Measurement) { m.Concurrency, m.Rate = 0, 2.5 }, []string{"2.5 requests a second instead of 16 requests at once"}},
		"several at a time": {func(m *Measurement) { m.GPU, m.Input = "h200-sxm", 4096 }, []string{"card H200 instead of H100", "4096 instead of 1024 input tokens"}},
	} {
		near, why := Nearest([]Measurement{changed(tt.change)}, question(), 3, lookup())
		if len(near) != 1 {
			t.Errorf("%s: nothing is close: %s", name, why)
			continue
		}
		if diff := cmp.Diff(tt.want, near[0].Differs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if same := near[0].Distance == 0; same != (tt.want == nil && name != "unsaid version") {
			t.Errorf("%s: distance %g", name, near[0].Distance)
		}
	}
}

func TestNearestOrder(t *testing.T) {
	nearer := []struct {
		name   string
		change func(*Measurement)
	}{
		{"same", func(*Measurement) {}},
		{"another version", func(m *Measurement) { m.Version = "0.15.1" }},
		{"a card of the generation", func(m *Measurement) { m.GPU = "h200-sxm" }},
		{"the next generation", func(m *Measurement) { m.GPU = "b200-sxm" }},
		{"another model on it", func(m *Measurement) { m.GPU, m.Model = "b200-sxm", "org/dense-32b" }},
	}
	var all []Measurement
	for _, n := range slices.Backward(nearer) {
		m := changed(n.change)
		m.ID = n.name
		all = append(all, m)
	}
	near, _ := Nearest(all, question(), 10, lookup())
	for i, n := range near {
		if n.Measurement.ID != nearer[i].name {
			t.Errorf("%d is %q at %g, want %q", i, n.Measurement.ID, n.Distance, nearer[i].name)
		}
	}
	if len(near) < 4 {
		t.Errorf("%d are close", len(near))
	}
	if near, _ := Nearest(all, question(), 2, lookup()); len(near) != 2 {
		t.Errorf("%d for two", len(near))
	}
}

func TestNearestIsNotFar(t *testing.T) {
	for name, change := range map[string]func(*Measurement){
		"unknown model":       func(m *Measurement) { m.Model = "org/who" },
		"unknown card":        func(m *Measurement) { m.GPU = "who" },
		"far smaller":         func(m *Measurement) { m.Model = "org/dense-1b" },
		"mixture of experts":  func(m *Measurement) { m.Model = "org/moe-235b" },
		"sizes that are none": func(m *Measurement) { m.Model = "org/broken" },
	} {
		near, why := Nearest([]Measurement{changed(change)}, question(), 3, lookup())
		if len(near) != 0 || !strings.HasPrefix(why, "the nearest measurement is too far: ") {
			t.Errorf("%s: %+v, %q", name, near, why)
		}
	}
	for name, change := range map[string]func(*Measurement){
		"other metric": func(m *Measurement) { m.Metric = Decode },
		"broken":       func(m *Measurement) { m.Broken = "the host was slow" },
	} {
		if near, why := Nearest([]Measurement{changed(change)}, question(), 3, lookup()); len(near) != 0 || why == "" {
			t.Errorf("%s: %+v, %q", name, near, why)
		}
	}
	if near, why := Nearest(nil, question(), 3, Lookup{}); near != nil || why == "" {
		t.Errorf("%+v, %q", near, why)
	}
}

// The most under limits answers for the most, at a distance; the user's own comes first.
func TestNearestPrefers(t *testing.T) {
	q := question()
	q.Metric = MaxOutput
	limited := changed(func(m *Measurement) { m.ID, m.Metric = "limited", UnderLimits })
	most := changed(func(m *Measurement) { m.ID, m.Metric = "most", MaxOutput })
	own := changed(func(m *Measurement) { m.ID, m.Metric, m.Own = "own", MaxOutput, true })
	near, _ := Nearest([]Measurement{limited, most, own}, q, 3, lookup())
	var got []string
	for _, n := range near {
		got = append(got, n.Measurement.ID+": "+n.Sentence())
	}
	const same = "the same in all that both say"
	want := []string{
		"own: " + same, "most: " + same,
		"limited: differs in: the most within limits of latency instead of the most without limits",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Laws: the distance is the same from both sides, and a further difference never brings nearer.
func TestDistanceLaws(t *testing.T) {
	changes := []func(*Measurement){
		func(m *Measurement) { m.Model = "org/dense-32b" },
		func(m *Measurement) { m.GPU = "mi300x" },
		func(m *Measurement) { m.GPU = "rtx-4090" },
		func(m *Measurement) { m.Precision = "q4_k_m" },
		func(m *Measurement) { m.KV = "fp8" },
		func(m *Measurement) { m.Engine = "sglang" },
		func(m *Measurement) { m.Version = "" },
		func(m *Measurement) { m.GPUs = 1 },
		func(m *Measurement) { m.Concurrency = 64 },
		func(m *Measurement) { m.Input = 8192 },
		func(m *Measurement) { m.Output = 0 },
	}
	known := lookup()
	distance := func(a, b Measurement) float64 {
		q := &Question{Measurement: a}
		q.Size, _ = known.Size(a.Model)
		q.Card, _ = known.Card(a.GPU)
		f := finder{q: q, known: known, cards: make(map[string]cardDistance), models: make(map[string]float64)}
		return f.distance(&b)
	}
	for i, first := range changes {
		one := changed(first)
		d := distance(setting(), one)
		if back := distance(one, setting()); math.Abs(back-d) > 1e-12 || d <= 0 {
			t.Errorf("change %d: %g and back %g", i, d, back)
		}
		for j, second := range changes {
			if i == j || one.GPU != "h100-sxm" && changed(second).GPU != "h100-sxm" {
				continue
			}
			two := one
			second(&two)
			if further := distance(setting(), two); further < d {
				t.Errorf("changes %d and %d: %g is nearer than %g", i, j, further, d)
			}
		}
	}
}

func TestBits(t *testing.T) {
	for format, want := range map[string]float64{
		"bf16": 16, "fp8": 8, "fp4": 4, "mxfp4": 4, "nf4": 4, "int4-g32": 4, "q4_k_m": 4, "gptq-4bit-g128": 4,
		"awq-int4": 4, "exl2-4.0bpw": 4, "EXL2-3.0bpw": 3, "w4a16": 4, "w8a8": 8, "": 0, "mixed": 0, "fp999": 0,
	} {
		if got := bits(format); got != want {
			t.Errorf("%s: %g bits, want %g", format, got, want)
		}
	}
}
