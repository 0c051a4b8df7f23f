package quant

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// TestPatterns holds the ways in which published files name modules.
func TestPatterns(t *testing.T) {
	for _, row := range []struct {
		pattern, path string
		want          bool
	}{
		{"lm_head", "lm_head", true},
		{"language_model.lm_head", "lm_head", true},
		{"model.layers.1", "layers.1.mlp.up_proj", true},
		{"model.layers.1", "layers.10.mlp.up_proj", false},
		{"model.layers.0.mlp.gate", "layers.0.mlp.gate", true},
		{"model.layers.0.mlp.gate", "layers.0.mlp.gate_proj", false},
		{"gate", "layers.7.block_sparse_moe.gate", true},
		{"mlp.gate", "layers.7.mlp.gate", true},
		{"visual", "visual.blocks.0.attn.qkv", true},
		{"vision_tower", "layers.0.mlp.up_proj", false},
		{"model.layers.0*", "layers.0.self_attn.q_proj", true},
		{"model.layers.1*", "layers.12.self_attn.q_proj", true},
		{"model.layers.1.*", "layers.12.self_attn.q_proj", false},
		{"model.language_model.layers.3.mlp.shared_expert*", "layers.3.mlp.shared_expert.up_proj", true},
		{"*.mlp.shared_expert.*", "layers.3.mlp.shared_expert.up_proj", true},
		{"model.layers.*.self_attn", "layers.12.self_attn.q_proj", true},
		{"mtp*", "mtp.layers.0.mlp.up_proj", true},
		{"re:.*self_attn.*", "layers.3.self_attn.q_proj", true},
		{`re:.*mlp\.(gate|up|gate_up|down)_proj.*`, "layers.0.mlp.up_proj", true},
		{`re:.*mlp\.(gate|up|gate_up|down)_proj.*`, "layers.0.mlp.experts.*.up_proj", false},
		{`re:model\.layers\.3\..*`, "layers.3.mlp.up_proj", true},
		{`re:model\.layers\.3\..*`, "layers.30.mlp.up_proj", false},
		{`re:.*experts\.\d+\.up_proj`, "layers.3.mlp.experts.*.up_proj", true},
		{"model.layers.3.mlp.experts.0.up_proj", "layers.3.mlp.experts.*.up_proj", true},
		{"model.layers.3.mlp.experts", "layers.3.mlp.experts.*.up_proj", true},
		{"model.layers.3.self_attn.qkv_proj", "layers.3.self_attn.q_proj", true},
		{"layers.[0-2].mlp*", "layers.1.mlp.up_proj", true},
		{"layers.[!0-2].mlp*", "layers.1.mlp.up_proj", false},
	} {
		t.Run(row.pattern+" "+row.path, func(t *testing.T) {
			p := newPatterns(&budget{maxWork})
			if err := p.add(row.pattern); err != nil {
				t.Fatal(err)
			}
			m := &module{name: arch.Name{Rest: row.path + ".weight"}, path: row.path, t: &arch.Tensor{Copies: arch.Dim{N: 1}}}
			if got := p.match(m) > 0; got != row.want {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}

// TestManyPatterns holds that lists of a stranger are bounded.
func TestManyPatterns(t *testing.T) {
	p := newPatterns(&budget{maxWork})
	for i := range maxAnywhere {
		if err := p.add(fmt.Sprintf("*x%d*", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.add("*one more*"); err == nil {
		t.Error("no error for more patterns than are read")
	}
	if matchGlob(strings.Repeat("*a", 500)+"b", strings.Repeat("a", 1000)) {
		t.Error("a pattern matches what it does not")
	}
}
