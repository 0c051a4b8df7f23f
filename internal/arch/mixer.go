package arch

import (
	"strconv"
	"strings"
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
		return "sliding attention over " + thousands(window) + " tokens"
	case Chunked:
		return "attention within chunks of " + thousands(window) + " tokens"
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

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
