package quant_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// listing is the headers of a model as its configuration describes it.
func listing(sh *arch.Shape, s *quant.Scheme) *model.Stored {
	st := &model.Stored{}
	for name, x := range sh.Named() {
		st.Tensors = append(st.Tensors, model.StoredTensor{Name: name.String(), Type: "BF16", Shape: []int64{x.Rows.N, x.Cols.N}, Bytes: s.Bytes(name, x)})
	}
	return total(st)
}

func total(st *model.Stored) *model.Stored {
	st.Bytes = 0
	for _, x := range st.Tensors {
		st.Bytes += x.Bytes
	}
	return st
}

func TestReconcile(t *testing.T) {
	sh := shape(t, strings.Replace("{"+tiny+"}", `"tie_word_embeddings": false`, `"tie_word_embeddings": true`, 1))
	s := quant.Unquantized(sh)
	for _, row := range []struct {
		name   string
		change func(*model.Stored)
		want   map[quant.CauseKind]int64
	}{
		{"nothing differs", func(*model.Stored) {}, map[quant.CauseKind]int64{}},
		{"the tied head is stored", func(st *model.Stored) {
			st.Tensors = append(st.Tensors, model.StoredTensor{Name: "lm_head.weight", Type: "BF16", Shape: []int64{1000, 256}, Bytes: 512000})
		}, map[quant.CauseKind]int64{quant.TiedHead: 512000}},
		{"rotary tables of an old file", func(st *model.Stored) {
			for _, n := range []string{"model.layers.0.self_attn.rotary_emb.inv_freq", "model.layers.1.self_attn.rotary_emb.inv_freq"} {
				st.Tensors = append(st.Tensors, model.StoredTensor{Name: n, Type: "F32", Shape: []int64{32}, Bytes: 128})
			}
		}, map[quant.CauseKind]int64{quant.Buffers: 256}},
		{"a norm in 32 bits", func(st *model.Stored) {
			for i := range st.Tensors {
				if st.Tensors[i].Name == "model.norm.weight" {
					st.Tensors[i].Bytes, st.Tensors[i].Type = 1024, "F32"
				}
			}
		}, map[quant.CauseKind]int64{quant.Wider: 512}},
		{
			"a shard is missing", func(st *model.Stored) { st.Tensors = st.Tensors[:len(st.Tensors)-2] },
			map[quant.CauseKind]int64{quant.Missing: -2 * 512},
		},
		{"blocks after the last", func(st *model.Stored) {
			st.Tensors = append(st.Tensors, model.StoredTensor{Name: "model.layers.2.eh_proj.weight", Type: "BF16", Shape: []int64{2, 2}, Bytes: 8})
		}, map[quant.CauseKind]int64{quant.MTPExtra: 8}},
		{"something else", func(st *model.Stored) {
			st.Tensors = append(st.Tensors, model.StoredTensor{Name: "model.surprise.weight", Type: "BF16", Shape: []int64{2, 2}, Bytes: 8})
		}, map[quant.CauseKind]int64{quant.Unexpected: 8}},
		{"only the sum is known, with the tied head", func(st *model.Stored) {
			st.Bytes += 512000
			st.Tensors = nil
		}, map[quant.CauseKind]int64{quant.TiedHead: 512000}},
	} {
		t.Run(row.name, func(t *testing.T) {
			st := listing(sh, s)
			row.change(st)
			if len(st.Tensors) > 0 {
				total(st)
			}
			d := quant.Reconcile(sh, st, s)
			got := map[quant.CauseKind]int64{}
			for _, c := range d.Causes {
				got[c.Kind] += c.Bytes
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff, d.Causes)
			}
			if d.Unexplained != 0 || d.Stored != st.Bytes || d.Described != s.Total(sh) {
				t.Errorf("%d unexplained of %d stored and %d described", d.Unexplained, d.Stored, d.Described)
			}
		})
	}
}

// TestReconcilePacked holds that the parts of a packed matrix are one matrix, and count as its parameters.
func TestReconcilePacked(t *testing.T) {
	sh, s, err := stored(t, `"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "meta": {}}`, "")
	if err != nil {
		t.Fatal(err)
	}
	st := &model.Stored{Copies: []string{"original/consolidated.00.pth"}}
	for name, x := range sh.Named() {
		stem, r, c := strings.TrimSuffix(name.String(), ".weight"), x.Rows.N, x.Cols.N
		add := func(part string, bytes int64) {
			st.Tensors = append(st.Tensors, model.StoredTensor{Name: stem + part, Type: "I32", Shape: []int64{bytes / 4}, Bytes: bytes})
		}
		if !strings.HasPrefix(s.Format(name, x).Name, "gptq") {
			add(".weight", s.Bytes(name, x))
			continue
		}
		add(".qweight", r*c/2)
		add(".qzeros", c/128*r/2)
		add(".scales", c/128*r*2)
		add(".g_idx", 4*c)
	}
	d := quant.Reconcile(sh, total(st), s)
	if d.Unexplained != 0 || d.Stored != d.Described || d.Params != sh.Params().Total {
		t.Errorf("%+v, want %d parameters", d, sh.Params().Total)
	}
	if len(d.Causes) != 1 || d.Causes[0].Kind != quant.Copies {
		t.Errorf("%v, want the copies", d.Causes)
	}
}

// TestReconcileStacked holds that experts which are stored in one tensor, gate with up, are those that are described.
func TestReconcileStacked(t *testing.T) {
	sh := shape(t, `{"architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
		"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1000, "tie_word_embeddings": false, "num_experts": 4,
		"num_experts_per_tok": 2, "moe_intermediate_size": 128, "decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": true}`)
	s := quant.Unquantized(sh)
	st := &model.Stored{}
	for name, x := range sh.Named() {
		n, bytes := "model.language_model."+strings.TrimPrefix(name.String(), "model."), s.Bytes(name, x)
		switch {
		case strings.HasSuffix(n, "experts.*.gate_proj.weight"):
			n, bytes = strings.Replace(n, "*.gate_proj.weight", "gate_up_proj", 1), 2*bytes
		case strings.HasSuffix(n, "experts.*.up_proj.weight"):
			continue
		case strings.HasSuffix(n, "experts.*.down_proj.weight"):
			n = strings.Replace(n, "mlp.experts.*", "mlp.switch_mlp", 1)
		case strings.HasSuffix(n, "q_proj.weight"):
			n, bytes = strings.Replace(n, "q_proj", "qkv_proj", 1), 2*bytes
		case strings.HasSuffix(n, "k_proj.weight"), strings.HasSuffix(n, "v_proj.weight"):
			continue
		}
		st.Tensors = append(st.Tensors, model.StoredTensor{Name: n, Type: "BF16", Bytes: bytes})
	}
	if d := quant.Reconcile(sh, total(st), s); len(d.Causes) > 0 || d.Unexplained != 0 || d.Params != sh.Params().Total {
		t.Errorf("%+v", d)
	}
}

// TestFromGGUF holds that each tensor gets the type of the header, and the total is that of the header.
func TestFromGGUF(t *testing.T) {
	sh := shape(t, "{"+tiny+"}")
	h := &gguf.Header{Alignment: 32}
	add := func(name string, kind gguf.Type, bytes uint64) {
		h.Tensors = append(h.Tensors, gguf.Tensor{Name: name, Type: kind, Bytes: bytes})
	}
	add("token_embd.weight", gguf.Q4_K, 1000)
	add("output.weight", gguf.Q6_K, 2000)
	add("output_norm.weight", gguf.F32, 1024)
	add("rope_freqs.weight", gguf.F32, 100)
	for _, b := range []string{"blk.0.", "blk.1."} {
		for _, n := range []string{"attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"} {
			add(b+n+".weight", gguf.Q4_K, 320)
		}
		add(b+"attn_v.weight", gguf.Q6_K, 640)
		add(b+"ffn_down.weight", gguf.Q5_K, 640)
		add(b+"attn_norm.weight", gguf.F32, 1024)
		add(b+"ffn_norm.weight", gguf.F32, 1024)
	}
	s, err := quant.FromGGUF(sh, h)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Total(sh), int64(1024+2016+1024+128+2*(5*320+2*640+2*1024)); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	got := map[string]string{}
	for name, x := range sh.Named() {
		if !strings.Contains(name.String(), "layers.0") && x.Matrix || x.Component == arch.Embedding {
			got[name.String()] = s.Format(name, x).Name
		}
	}
	const p = "model.layers.1."
	want := map[string]string{
		"model.embed_tokens.weight": "Q4_K", "lm_head.weight": "Q6_K", p + "self_attn.q_proj.weight": "Q4_K", p + "self_attn.k_proj.weight": "Q4_K",
		p + "self_attn.v_proj.weight": "Q6_K", p + "self_attn.o_proj.weight": "Q4_K", p + "mlp.gate_proj.weight": "Q4_K",
		p + "mlp.up_proj.weight": "Q4_K", p + "mlp.down_proj.weight": "Q5_K",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := quant.FromGGUF(sh, &gguf.Header{Alignment: 32}); err == nil {
		t.Error("no error for a header without tensors")
	}
}

// TestFromGGUFNames holds that the tensors of real shapes have GGUF names: what is not found would count as 16 bits.
func TestFromGGUFNames(t *testing.T) {
	sh := shape(t, llama31)
	parts := &model.Stored{}
	for _, n := range []string{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "attn_norm", "ffn_norm"} {
		parts.Tensors = append(parts.Tensors, model.StoredTensor{Name: "blk.31." + n + ".weight", Type: "Q4_K", Bytes: 144})
	}
	s, err := quant.FromParts(sh, parts)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range sh.Named() {
		if name.Prefix == "model.layers.31." && s.Format(name, x).Name != "Q4_K" {
			t.Errorf("%s is %s, want Q4_K", name, s.Format(name, x).Name)
		}
	}
	if !strings.Contains(strings.Join(s.Notes, " "), "not found") {
		t.Errorf("%q, want what is missing named", s.Notes)
	}
}
