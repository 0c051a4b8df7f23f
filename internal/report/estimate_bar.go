package report

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/units"
)

// MemoryPart is one part of the account of a device.
type MemoryPart struct {
	Key   string // as in the JSON: weights, kv_cache, …, unused, missing
	Name  string
	Bytes int64
	Range Range // of its terms, if they are no exact figures
}

var partNames = [...]struct{ key, name string }{
	{"weights", "weights"},
	{"activation", "activations"},
	{"non_torch", "non-torch"},
	{"graphs", "graphs"},
	{"kv_cache", "KV cache"},
	{"reserved", "reserved"},
	{"unused", "unused"},
}

func (m *DeviceMemory) bytes() [len(partNames)]int64 {
	return [...]int64{m.Weights, m.Activation, m.NonTorch, m.Graphs, m.KVCache, m.Reserved, m.Unused}
}

// Parts lists the parts of the account in the order of the bar; parts that are nothing are left out, but for the weights
// and, where something is known of the card, the cache. What is negative at the end is missing.
func (o *Outlook) Parts() []MemoryPart {
	if o.Memory == nil {
		return nil
	}
	var parts []MemoryPart
	for i, n := range o.Memory.bytes() {
		p := MemoryPart{Key: partNames[i].key, Name: partNames[i].name, Bytes: n}
		switch {
		case p.Key == "unused" && n < 0:
			p.Key, p.Name, p.Bytes = "missing", "missing", -max(n, -math.MaxInt64)
		case n == 0 && p.Key != "weights" && (p.Key != "kv_cache" || o.Memory.Capacity == 0):
			continue
		}
		p.Range = o.spread(p)
		parts = append(parts, p)
	}
	return parts
}

// spread adds up the ranges of the terms of a part, where they are about what the part is.
func (o *Outlook) spread(p MemoryPart) Range {
	exact := Range{float64(p.Bytes), float64(p.Bytes), float64(p.Bytes)}
	var sum Range
	for i := range o.Terms {
		if t := &o.Terms[i]; t.Part == p.Key && t.Bytes.Known() {
			sum.Low, sum.Mid, sum.High = sum.Low+t.Bytes.Low, sum.Mid+t.Bytes.Mid, sum.High+t.Bytes.High
		}
	}
	if !sum.Known() || sum.Low >= sum.High || exact.Mid < sum.Low || exact.Mid > sum.High {
		return exact
	}
	return Range{sum.Low, exact.Mid, sum.High}
}

// Amount is how large the part is, with its range if it has one.
func (p MemoryPart) Amount() string {
	if p.Bytes < 0 { // memory that was freed while it was measured
		return GiB(p.Bytes)
	}
	return p.Range.String()
}

// Share of the capacity in whole percent.
func (m *DeviceMemory) Share(bytes int64) string {
	if m.Capacity <= 0 || bytes < 0 {
		return ""
	}
	percent := 100 * float64(bytes) / float64(m.Capacity)
	switch {
	case percent > 0 && percent < 1:
		return "<1 %"
	case percent > 9999:
		return ">9,999 %"
	}
	return units.Thousands(int64(math.Round(percent))) + " %"
}

// Limits says what the device has and how much of it the engine uses.
func (m *DeviceMemory) Limits() string {
	if m.Capacity <= 0 {
		return "what the card has is not known"
	}
	s := "the card has " + GiB(m.Capacity)
	if m.Budget > 0 && m.Budget != m.Capacity {
		s += ", the engine lets itself use " + GiB(m.Budget)
	}
	return s
}

// Title says whose memory it is.
func (m *DeviceMemory) Title() string {
	if m.Rank == "" {
		return "Memory per GPU"
	}
	return "Memory per GPU (" + m.Rank + ")"
}

// Bar divides a width among the parts. What is there gets at least one column, as far as there are any. What does not
// fit makes the bar longer than the card, and the whole is drawn smaller; nothing is drawn for negative amounts.
func (m *DeviceMemory) Bar(width int) Bar {
	parts := m.bytes()
	segments := make([]Segment, len(parts))
	sizes := make([]float64, len(parts))
	used := 0.0
	for i, n := range parts {
		segments[i] = Segment{Key: partNames[i].key, Sign: Sign(partNames[i].key)}
		if i < len(sizes)-1 {
			sizes[i] = float64(max(n, 0))
			used += sizes[i]
		}
	}
	capacity := float64(max(m.Capacity, 0))
	sizes[len(sizes)-1] = max(capacity-used, 0)
	return divided(segments, sizes, capacity, width)
}

// Sign is the letter that stands for a part where a bar is drawn with letters.
func Sign(part string) string {
	switch part {
	case "weights":
		return "#"
	case "activation":
		return "a"
	case "non_torch":
		return "n"
	case "graphs":
		return "g"
	case "kv_cache":
		return "="
	case "reserved":
		return "r"
	case "missing":
		return "!"
	}
	return "."
}

// Stretches draws the bar with n letters, so that it needs no color. A mark is where the card ends, if more is needed.
func (m *DeviceMemory) Stretches(n int) []Stretch { return stretches(m.Bar, n) }

// Drawing is the bar as one line of n letters between brackets.
func (m *DeviceMemory) Drawing(n int) string { return lettered(m.Stretches(n - len("[]"))) }
