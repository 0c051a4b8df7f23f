package serve_test

import (
	"testing"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// TestBlocks holds the layout of the cache against figures that follow from the sizes by hand.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name, shape, version   string
		plan                   serve.Plan
		block, perToken, model int64
		request                int64
	}{
		// 2·8·128·2 B in each of 32 layers.
		{"grouped heads", "dense", "0.19.0", serve.Plan{MaxModelLen: 8192}, 16, 131072, 131072, 8192 * 131072},
		{"heads divide", "dense", "0.19.0", serve.Plan{MaxModelLen: 8192, Tensor: 4}, 16, 32768, 131072, 8192 * 32768},
		{"heads are repeated", "dense", "0.19.0", serve.Plan{MaxModelLen: 8192, Tensor: 16}, 16, 16384, 131072, 8192 * 16384},
		{"a block that is begun counts", "dense", "0.19.0", serve.Plan{MaxModelLen: 8193}, 16, 131072, 131072, 513 * 16 * 131072},
		{"half of the layers", "dense", "0.19.0", serve.Plan{MaxModelLen: 8192, Pipeline: 2}, 16, 65536, 131072, 8192 * 65536},
		{"fp8", "dense", "0.19.0", serve.Plan{MaxModelLen: 8192, KV: "fp8"}, 16, 65536, 65536, 8192 * 65536},
		// 21 windowed and 21 full layers of 8,192 B: two tables, the windowed one holds window and batch with one block more.
		{"two groups", "windows", "0.19.0", serve.Plan{MaxModelLen: 8192}, 16, 21 * 8192, 21 * 8192, (512 + 512 + 1) * 16 * 21 * 8192},
		{"windows kept whole", "windows", "0.6.6", serve.Plan{MaxModelLen: 8192}, 16, 42 * 8192, 21 * 8192, 8192 * 42 * 8192},
		// 576 elements of 2 B in 27 layers, on every rank.
		{"latent", "latent", "0.19.0", serve.Plan{MaxModelLen: 8192, Tensor: 4}, 16, 27 * 1152, 27 * 1152, 8192 * 27 * 1152},
		{"latent, padded to 640", "latent", "0.7.3", serve.Plan{MaxModelLen: 8192}, 16, 27 * 1280, 27 * 1280, 8192 * 27 * 1280},
		{"latent, not yet compressed", "latent", "0.6.6", serve.Plan{MaxModelLen: 8192}, 16, 27 * 16 * 320 * 2, 27 * 16 * 320 * 2, 8192 * 27 * 16 * 320 * 2},
		// 12 full layers of 2,048 B; a state of 3·8,192·2 + 32·128·128·4 B takes blocks of 1,056 tokens in three more groups.
		{"states raise the block", "states", "0.19.0", serve.Plan{MaxModelLen: 8192}, 1056, 12 * 2048, 12 * 2048, (8 + 3) * 12 * 1056 * 2048},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := serve.FindEngine("vllm", c.version)
			if err != nil {
				t.Fatal(err)
			}
			p := c.plan
			p.Engine, p.GPU = e, card(139.8)
			m, err := serve.Fit(modelOf(t, shapes[c.shape], "bf16"), p)
			if err != nil {
				t.Fatal(err)
			}
			got := [4]int64{m.Cache.BlockTokens, m.Cache.BytesPerToken, m.Cache.ModelPerToken, m.Cache.PerRequest}
			if want := [4]int64{c.block, c.perToken, c.model, c.request}; got != want {
				t.Errorf("block, bytes a token, of the model, a request: %d, want %d", got, want)
			}
			if m.Cache.Tokens > m.Cache.Blocks*m.Cache.BlockTokens {
				t.Errorf("%d tokens in %d blocks", m.Cache.Tokens, m.Cache.Blocks)
			}
		})
	}
}

// TestStages gives what is left over to the stages that the engine gives it to.
func TestStages(t *testing.T) {
	e, err := serve.FindEngine("vllm", "0.19.0")
	if err != nil {
		t.Fatal(err)
	}
	m, err := serve.Fit(modelOf(t, shapes["dense"], "bf16"), serve.Plan{Engine: e, GPU: card(79.19), Pipeline: 3, MaxModelLen: 8192})
	if err != nil {
		t.Fatal(err)
	}
	// 11, 11 and 10 layers; the last one samples and has the head, the middle ones have more layers.
	if m.Rank != "stage 3 of 3" && m.Rank != "stage 2 of 3" && m.Rank != "stage 1 of 3" {
		t.Errorf("rank %q", m.Rank)
	}
	whole, err := serve.Fit(modelOf(t, shapes["dense"], "bf16"), serve.Plan{Engine: e, GPU: card(79.19), MaxModelLen: 8192})
	if err != nil {
		t.Fatal(err)
	}
	if 3*m.Sum(serve.Weights).Mid < whole.Sum(serve.Weights).Mid {
		t.Errorf("the stage that binds holds %d of %d, less than a third", m.Sum(serve.Weights).Mid, whole.Sum(serve.Weights).Mid)
	}
}
