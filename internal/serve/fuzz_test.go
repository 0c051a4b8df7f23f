package serve_test

import (
	"math"
	"testing"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// FuzzPlan asks for plans that nobody would: each is refused, or its account adds up to the device and holds the laws
// of one account.
func FuzzPlan(f *testing.F) {
	profiles, err := serve.Engines()
	if err != nil {
		f.Fatal(err)
	}
	var models []*serve.Prepared
	names := []string{"dense", "tied", "windows", "one window", "experts", "latent", "states"}
	for _, name := range names {
		models = append(models, serve.Prepare(modelOf(f, shapes[name], "fp8")))
	}
	engines := []serve.Kind{serve.VLLM, serve.SGLang, serve.TensorRT, serve.Transformers, "exllamav2", "tgi"}
	f.Add(uint8(0), uint8(0), "0.19.0", int64(8192), int64(256), int64(8192), 2, 1, 1, 1, 0.9, 79.19, "fp8")
	f.Add(uint8(6), uint8(1), "", int64(math.MaxInt64), int64(-1), int64(0), 1<<40, -3, 7, 2, 1e-300, 1e6, "")
	f.Add(uint8(5), uint8(0), "0.7.2", int64(1<<31), int64(1<<31), int64(1<<31), 16, 27, 1, 1, 1.0, 80.0, "nvfp4")
	f.Add(uint8(2), uint8(3), "x", int64(1), int64(1), int64(1), 1, 42, 2, 1, 0.5, 0.001, "q4_0")
	f.Fuzz(func(t *testing.T, which, kind uint8, version string, n, seqs, batch int64, tp, pp, ep, dp int, util, gib float64, kv string) {
		e, err := profiles.Find(string(engines[int(kind)%len(engines)]), version)
		if err != nil || math.IsNaN(gib) || math.Abs(gib) > 1e6 || pp > 64 {
			return
		}
		m, err := models[int(which)%len(models)].Fit(serve.Plan{
			Engine: e, GPU: card(gib), Tensor: tp, Pipeline: pp, Expert: ep, Data: dp, KV: kv, Utilization: util, MaxModelLen: n, MaxSeqs: seqs, BatchedTokens: batch,
		})
		if err != nil {
			return
		}
		var sum int64
		for _, term := range m.Terms {
			sum += term.Bytes.Mid
			if term.Part != serve.Unused && (term.Bytes.Low < 0 || term.Bytes.Low > term.Bytes.Mid || term.Bytes.Mid > term.Bytes.High) {
				t.Errorf("%s is %v", term.Name, term.Bytes)
			}
		}
		if sum != m.Capacity {
			t.Errorf("the terms add up to %d of %d", sum, m.Capacity)
		}
		c := m.Cache
		if c.Pool < 0 || c.PerRequest <= 0 || c.Tokens < 0 || c.Concurrency < 0 || math.IsNaN(c.Concurrency) || c.Blocks < 0 || c.MaxContext < 0 {
			t.Errorf("%+v", c)
		}
		if m.Verdict == serve.Fits && c.Concurrency < 1 {
			t.Errorf("fits with %v requests", c.Concurrency)
		}
	})
}
