package serve

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"
)

func passFor(shape string, ctx int64, kv kvType, flash bool, gpu bool, outputs int64) *pass {
	on := host
	if gpu {
		on = 1
	}
	p := &pass{tokens: 512, outputs: outputs, cells: ctx, flash: flash, kvType: kv, transposed: !flash, outputOn: on}
	switch shape {
	case "llama-3.2-1b":
		p.d, p.vocab, p.vWidthMax, p.kWidth = 2048, 128256, 512, 64
		for range 16 {
			p.layers = append(p.layers, layerTraits{h: 32, k: 8, ek: 64, ev: 64, attention: true, rope: true, preNorm: true, ffnNorm: true, f: 8192, gated: true, on: on, home: on, store: on})
		}
	case "gemma-3-1b":
		p.d, p.vocab, p.vWidthMax, p.kWidth = 1152, 262144, 256, 256
		p.windowed, p.windowCells = true, roundUp(min(ctx, 1024), 256)
		for i := range 26 {
			p.layers = append(p.layers, layerTraits{h: 4, k: 1, ek: 256, ev: 256, attention: true, rope: true, headNorm: true, preNorm: true, postNorm: true, ffnNorm: true, ffnPostNorm: true, f: 6912, gated: true, on: on, home: on, store: on, window: i%6 != 5})
		}
	case "deepseek-v2-lite":
		p.d, p.vocab, p.latent = 2048, 102400, true
		for i := range 27 {
			t := layerTraits{h: 16, attention: true, preNorm: true, ffnNorm: true, gated: true, on: on, home: on, store: on, expert: on, latent: latentTraits{rank: 512, rope: 64, nope: 128, value: 128}}
			if i == 0 {
				t.f = 10944
			} else {
				t.experts, t.topK, t.fe, t.shared = 64, 6, 1408, 2816
			}
			p.layers = append(p.layers, t)
		}
	}
	return p
}

func TestX(t *testing.T) {
	data, err := os.ReadFile("/work/shared/groundtruth/llamacpp_memory.tsv")
	if err != nil {
		t.Skip()
	}
	_, s, _ := strings.Cut(string(data), "\n")
	r := csv.NewReader(strings.NewReader(s))
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if row[3] == "Q8_0" && row[1] != "deepseek-v2-lite" || row[3] == "Q4_K" {
			continue
		}
		ctx, _ := strconv.ParseInt(row[5], 10, 64)
		kv, _ := llamaKV(row[6])
		out := int64(512)
		if row[9] == "1" {
			out = 1
		}
		gpu := row[8] != "cpu"
		p := passFor(row[1], ctx, kv, row[7] == "on", gpu, out)
		g := p.build(2, 1)
		w := g.plan(32, -1)
		wc, _ := strconv.ParseInt(row[13], 10, 64)
		wg, _ := strconv.ParseInt(row[14], 10, 64)
		dc, dg := w.arenas[0].peak-wc, w.arenas[1].peak-wg
		t.Logf("%s %s %s %s fa=%s %s %s: cpu %d (%+d %.3f%%) gpu %d (%+d %.3f%%)", row[0], row[1], row[5], row[6], row[7], row[8], row[9], w.arenas[0].peak, dc, 100*float64(dc)/float64(wc), w.arenas[1].peak, dg, 100*float64(dg)/float64(wg+1))
	}
}
