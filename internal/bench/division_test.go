package bench

import "testing"

func TestParseDivision(t *testing.T) {
	for _, tt := range []struct {
		text string
		gpus int
		want Division
	}{
		{"", 8, Division{}},
		{"single", 1, Division{}},
		{"TP4", 4, Division{Tensor: 4}},
		{"TP8PP1", 8, Division{Tensor: 8, Pipeline: 1}},
		{"TP1PP8", 8, Division{Tensor: 1, Pipeline: 8}},
		{"TP4 moeTP1 EP4", 4, Division{Tensor: 4, Expert: 4}},
		{"TP4 moeTP2 EP2", 4, Division{Tensor: 4, Expert: 2}},
		{"TP8 moeTP8 EP1", 8, Division{Tensor: 8, Expert: 1}},
		{"DEP4", 4, Division{Tensor: 1, Expert: 4, Data: 4}},
		{"TP2 DP4", 8, Division{Tensor: 2, Data: 4}},
		{"layer split", 4, Division{Pipeline: 4}},
		{"row split", 4, Division{Tensor: 4}},
		{"layer split", 1, Division{}},
		{"2 node(s), parallelism chosen by submitter", 16, Division{}},
		{"TP", 4, Division{}},
		{"TP99999999999999999999", 4, Division{}},
		{"TP4TP", 4, Division{Tensor: 4}},
	} {
		if got := ParseDivision(tt.text, tt.gpus); got != tt.want {
			t.Errorf("%q on %d: %+v, want %+v", tt.text, tt.gpus, got, tt.want)
		}
	}
}

func TestDivisionString(t *testing.T) {
	for _, d := range []Division{{}, {Tensor: 4}, {Tensor: 1, Expert: 4, Data: 4}, {2, 3, 4, 5}} {
		if got := ParseDivision(d.String(), 120); got != d {
			t.Errorf("%+v is written %q and read %+v", d, d.String(), got)
		}
	}
}

func TestWhat(t *testing.T) {
	m := setting()
	if got, want := m.What("H100 SXM"), "org/dense-70b in fp8 on 4 x H100 SXM (TP4), vllm 0.19.0"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.GPUs, m.Tensor, m.Version = 1, 1, ""
	if got, want := m.What("L4"), "org/dense-70b in fp8 on L4, vllm"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
