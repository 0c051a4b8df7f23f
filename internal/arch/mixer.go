package arch

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// String names the kind for people: "sliding attention over 4,096 tokens".
func (m Mixer) String() string {
	name := m.Kind.name(m.Window)
	if m.Index > 0 {
		name += " with an indexer"
	}
	if m.SharesWith >= 0 && m.Kind != NoMixer && m.Kind != State {
		name += ", reading the cache of another layer"
	}
	return name
}

func (k Kind) name(window int64) string {
	switch k {
	case Full:
		return "full attention"
	case Sliding:
		return "sliding attention over " + units.Thousands(window) + " tokens"
	case Chunked:
		return "attention within chunks of " + units.Thousands(window) + " tokens"
	case Latent:
		return "latent attention (MLA)"
	case Compressed:
		return "compressed attention"
	case State:
		return "recurrent state"
	case Cross:
		return "cross attention"
	}
	return "no attention"
}

// Held is how many tokens the compressor of a Compressed mixer holds back until an entry is full: those of one entry,
// and of two where entries overlap, which those with an indexer do.
func (m *Mixer) Held() int64 {
	if m.Kind != Compressed || m.State == 0 {
		return 0
	}
	if m.Index > 0 {
		return mul(2, m.Ratio)
	}
	return m.Ratio
}

// Keeps is what a layer keeps, in numbers: the formula of the cache before a number format, ranks and pages; "" for
// nothing.
func (m *Mixer) Keeps() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case m.SharesWith >= 0 || m.Kind == NoMixer:
		return ""
	case m.Latent+m.Rope > 0:
		add("%d + %d of a token", m.Latent, m.Rope)
	case m.KVHeads > 0 && m.Kind != State:
		add("%d heads × (%d + %d) of a token", m.KVHeads, m.KeyWidth, m.ValueWidth)
	}
	if m.Ratio > 1 {
		add("one entry for %d tokens", m.Ratio)
	}
	if m.Index > 0 {
		add("%d of the indexer", m.Index)
	}
	if m.Conv+m.State > 0 && m.Kind != Compressed {
		add("%d + %d of a request as state", m.Conv, m.State)
	}
	return strings.Join(parts, ", ")
}
