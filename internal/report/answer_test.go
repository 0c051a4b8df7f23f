package report

import "testing"

// TestAnswer: the head says both verdicts, and is never milder than either.
func TestAnswer(t *testing.T) {
	met := func(word string) *Speed { return &Speed{Targets: &Targets{Met: word}} }
	full := &Speed{Saturated: true, Targets: &Targets{Met: "yes"}}
	for _, tt := range []struct {
		name    string
		verdict string
		speed   *Speed
		want    Answer
	}{
		{"memory alone", Fits, nil, Answer{"fits", Fits}},
		{"no targets", Fits, &Speed{}, Answer{"fits", Fits}},
		{"met", Fits, met("yes"), Answer{"meets its targets", Fits}},
		{"missed", Fits, met("no"), Answer{"fits, but too slow", DoesNotFit}},
		{"perhaps", Fits, met("perhaps"), Answer{"fits, perhaps too slow", Tight}},
		{"no such word", Fits, met("YES"), Answer{"fits, speed not known", Undetermined}},
		{"saturated, whatever the targets say", Fits, full, Answer{"fits, but saturated", DoesNotFit}},
		{"tight and met", Tight, met("yes"), Answer{"tight, but meets its targets", Tight}},
		{"tight and missed", Tight, met("no"), Answer{"tight, and too slow", DoesNotFit}},
		{"tight and perhaps", Tight, met("perhaps"), Answer{"tight, perhaps too slow", Tight}},
		{"tight and open", Tight, met(""), Answer{"tight, speed not known", Undetermined}},
		{"tight and saturated", Tight, full, Answer{"tight, and saturated", DoesNotFit}},
		{"no room", DoesNotFit, met("yes"), Answer{"does not fit", DoesNotFit}},
		{"room not known", Undetermined, met("yes"), Answer{"undetermined", Undetermined}},
	} {
		e := &Estimate{Outlook: Outlook{Verdict: tt.verdict, Fits: tt.verdict == Fits, Speed: tt.speed}}
		if got := e.Answer(); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// TestUnserved: a load that no plan serves is not told as memory that does not suffice, and the other way round.
func TestUnserved(t *testing.T) {
	e := &Estimate{Fleet: &Fleet{}, Outlook: Outlook{Verdict: DoesNotFit}}
	if got := e.Answer(); got != (Answer{"no plan serves it", DoesNotFit}) {
		t.Errorf("%+v", got)
	}
	e.Memory = &DeviceMemory{Unused: -1}
	if got := e.Answer(); got != (Answer{"does not fit", DoesNotFit}) {
		t.Errorf("%+v of memory that is missing", got)
	}
}

// TestCauses: causes have plain names and a color, by the word that their names begin with.
func TestCauses(t *testing.T) {
	for _, tt := range [][3]string{
		{"weights", "weights", "reading weights"},
		{"cache", "kv", "reading the KV cache"},
		{"Matrix products", "compute", "matrix products"},
		{"exchange over nvlink4", "network", "exchange between GPUs over nvlink4"},
		{"kernels", "overhead", "starting kernels"},
		{"logits", "sampler", "scores of all tokens (logits)"},
		{"weights: of experts", "weights", "weights: of experts"},
		{"weightsy", "other", "weightsy"},
		{"", "other", "other"},
		{"networ\u212a x", "other", "networ\u212a x"},
	} {
		if key, name := causeOf(tt[0]); key != tt[1] || name != tt[2] {
			t.Errorf("%q is %q, %q", tt[0], key, name)
		}
	}
}

// TestElsewhere: beside the headline stand what a hyperscaler takes and the cheapest spot price, complete ones first.
func TestElsewhere(t *testing.T) {
	at := func(v float64) Range { return Range{v, v, v} }
	c := Cost{PerHour: new(at(5)), Prices: []PriceUsed{
		{Seller: "hyperscaler", Terms: "on_demand", PerHour: at(10), AcceleratorsAlone: true},
		{Seller: "hyperscaler", Terms: "on_demand", PerHour: at(30)},
		{Seller: "hyperscaler", Terms: "spot", PerHour: at(1), AcceleratorsAlone: true},
		{Seller: "neocloud", Terms: "on_demand", PerHour: at(5)},
		{Seller: "neocloud", Terms: "spot", PerHour: at(3)},
		{Seller: "marketplace", Terms: "spot", PerHour: at(2)},
	}}
	if got, want := c.Elsewhere(), "hyperscaler on demand $30.00, marketplace spot $2.00 an hour"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c.Prices = c.Prices[:1]
	c.Prices = append(c.Prices, PriceUsed{Seller: "neocloud", Terms: "on_demand", PerHour: at(5)})
	if got, want := c.Elsewhere(), "hyperscaler on demand $10.00 (host not included) an hour"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
