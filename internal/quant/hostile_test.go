package quant_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// TestStoredRefusesGarbage holds that words nobody knows are not taken for others, and that long lists end in time.
func TestStoredRefusesGarbage(t *testing.T) {
	modules := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"model.layers.%d.x":{"bits":4}`, i)
		}
		return b.String()
	}
	group := func(weights string) string {
		return `"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"a":{"targets":["Linear"],"weights":{"num_bits":4,` + weights + `}}}}`
	}
	for name, c := range map[string]struct {
		config  string
		unknown bool
	}{
		"kind of weights":  {group(`"type":"zzz"`), true},
		"strategy":         {group(`"strategy":"zzz"`), true},
		"number format":    {`"torch_dtype":"float64"`, true},
		"bits of the head": {`"quantization_config":{"quant_method":"exl2","bits":4,"head_bits":-1}`, false},
		"too many modules": {`"quantization":{"bits":4,"group_size":64` + modules(300_000) + `}`, false},
		"a negative group": {`"quantization_config":{"quant_method":"gptq","bits":4,"group_size":-7}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			text := "{" + tiny + "," + c.config + "}"
			if name == "number format" {
				text = strings.Replace(text, `, "torch_dtype": "bfloat16"`, "", 1)
			}
			v, err := strictjson.Parse(strings.NewReader(text), 0)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = quant.Stored(shape(t, text), v, strictjson.Value{})
			if err == nil || errors.Is(err, quant.ErrUnknown) != c.unknown {
				t.Errorf("%v, want an error, not known: %v", err, c.unknown)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestFromGGUFContradiction holds that tensors which are not those of the keys are refused.
func TestFromGGUFContradiction(t *testing.T) {
	sh := shape(t, "{"+tiny+"}")
	names := map[string]string{
		"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
		"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
	}
	header := func(change func(*gguf.Tensor)) *gguf.Header {
		h := &gguf.Header{Alignment: 32}
		for name, x := range sh.Named() {
			stored := map[string]string{"model.embed_tokens.weight": "token_embd.weight", "lm_head.weight": "output.weight", "model.norm.weight": "output_norm.weight"}[name.String()]
			if rest, ok := strings.CutPrefix(name.Prefix, "model.layers."); ok {
				stored = "blk." + rest + names[strings.TrimSuffix(name.Rest, ".weight")] + ".weight"
			}
			one := gguf.Tensor{Name: stored, Type: gguf.F16, Dims: []uint64{uint64(x.Cols.N), uint64(x.Rows.N)}, Bytes: uint64(2 * x.Elements())}
			if change != nil {
				change(&one)
			}
			if one.Name != "" {
				h.Tensors = append(h.Tensors, one)
			}
		}
		return h
	}
	if _, err := quant.FromGGUF(sh, header(nil)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*gguf.Tensor){
		"a narrower matrix of keys": func(x *gguf.Tensor) {
			if strings.HasSuffix(x.Name, "attn_k.weight") {
				x.Dims[1] /= 2
			}
		},
		"one tensor of all": func(x *gguf.Tensor) {
			if x.Name != "token_embd.weight" {
				x.Name = ""
			}
		},
		"an unknown type": func(x *gguf.Tensor) {
			if x.Name == "output.weight" {
				x.Type = 999
			}
		},
	} {
		if _, err := quant.FromGGUF(sh, header(change)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestContradicts holds that weights of another model are no mere difference.
func TestContradicts(t *testing.T) {
	sh := shape(t, "{"+tiny+"}")
	scheme := quant.Unquantized(sh)
	stored := func(times int64, more string) *model.Stored {
		s := &model.Stored{}
		add := func(name string, shape ...int64) {
			one := model.StoredTensor{Name: name, Type: "BF16", Shape: shape, Bytes: 2}
			for _, n := range shape {
				one.Bytes *= n
			}
			s.Tensors, s.Bytes = append(s.Tensors, one), s.Bytes+one.Bytes
		}
		for name, x := range sh.Named() {
			cols := x.Cols.N
			if strings.Contains(name.Rest, "k_proj") {
				cols *= times
			}
			add(name.String(), x.Rows.N, cols)
		}
		if more != "" {
			add(more, 1<<20, 1<<10)
		}
		return s
	}
	for name, c := range map[string]struct {
		stored *model.Stored
		want   bool
	}{
		"the same":           {stored(1, ""), false},
		"wider keys":         {stored(4, ""), true},
		"another tensor":     {stored(1, "extra.weight"), true},
		"blocks without end": {stored(1, "model.layers.99.mlp.up_proj.weight"), true},
	} {
		if d := quant.Reconcile(sh, c.stored, scheme); d.Contradicts(false) != c.want {
			t.Errorf("%s: %+v, want %v", name, d, c.want)
		}
	}
}
