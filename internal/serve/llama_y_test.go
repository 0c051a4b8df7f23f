package serve

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

func shapeOf(tb testing.TB, text string) *arch.Shape {
	v, err := strictjson.Parse(strings.NewReader(text), 0)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

const l70 = `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_attention_heads":64,"num_key_value_heads":8,"intermediate_size":28672,"num_hidden_layers":80,"vocab_size":128256,"tie_word_embeddings":false,"torch_dtype":"bfloat16","max_position_embeddings":131072}`

func TestY(t *testing.T) {
	s := shapeOf(t, l70)
	m := Model{Shape: s, Weights: quant.Unquantized(s)}
	for _, n := range []int{-1, 20, 1} {
		mem, err := Fit(m, Plan{Engine: &Engine{Kind: LlamaCPP}, GPU: &hardware.Accelerator{Vendor: "nvidia", UsableMiB: 81000}, GPUs: 2, MaxModelLen: 8192, Llama: LlamaOptions{GPULayers: n}})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(mem.Verdict, mem.Why, mem.Rank)
		for _, x := range mem.Terms {
			t.Log(x.Part, x.Name, x.Bytes, x.Formula)
		}
		for _, x := range mem.Host {
			t.Log("host", x.Part, x.Name, x.Bytes, x.Formula)
		}
		t.Logf("%+v", mem.Cache)
	}
	n, err := m.MaxGPULayers(Plan{Engine: &Engine{Kind: LlamaCPP}, GPU: &hardware.Accelerator{Vendor: "nvidia", UsableMiB: 81000}, GPUs: 1, MaxModelLen: 8192})
	t.Log(n, err)
}

func BenchmarkFit(b *testing.B) {
	s := shapeOf(b, l70)
	m := Model{Shape: s, Weights: quant.Unquantized(s)}
	p := Plan{Engine: &Engine{Kind: LlamaCPP}, GPU: &hardware.Accelerator{Vendor: "nvidia", UsableMiB: 81000}, GPUs: 1, MaxModelLen: 8192}
	for b.Loop() {
		if _, err := Fit(m, p); err != nil {
			b.Fatal(err)
		}
	}
}
