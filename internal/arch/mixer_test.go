package arch

import "testing"

func TestKeeps(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mixer Mixer
		want  string
	}{
		{"heads", Mixer{Kind: Full, KVHeads: 8, KeyWidth: 128, ValueWidth: 128, SharesWith: -1}, "8 heads × (128 + 128) of a token"},
		{"a latent", Mixer{Kind: Latent, Heads: 128, KVHeads: 128, KeyWidth: 192, ValueWidth: 128, Latent: 512, Rope: 64, SharesWith: -1}, "512 + 64 of a token"},
		{"a latent with an indexer", Mixer{Kind: Latent, Latent: 512, Rope: 64, Index: 128, SharesWith: -1}, "512 + 64 of a token, 128 of the indexer"},
		{"entries", Mixer{Kind: Compressed, Latent: 512, Ratio: 4, SharesWith: -1}, "512 + 0 of a token, one entry for 4 tokens"},
		{"a state", Mixer{Kind: State, KVHeads: 8, Conv: 10, State: 20, SharesWith: -1}, "10 + 20 of a request as state"},
		{"the cache of another layer", Mixer{Kind: Full, KVHeads: 8, KeyWidth: 128, ValueWidth: 128, SharesWith: 3}, ""},
		{"nothing", Mixer{SharesWith: -1}, ""},
	} {
		if got := tt.mixer.Keeps(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
