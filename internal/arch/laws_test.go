package arch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// models are the configurations that laws are held against: those with a published total, and the corpus if it is there.
func models(t testing.TB) map[string]strictjson.Value {
	t.Helper()
	all := map[string]strictjson.Value{}
	for _, row := range published() {
		v, err := strictjson.Parse(strings.NewReader(row.config), 0)
		if err != nil {
			t.Fatal(err)
		}
		all[row.name] = v
	}
	files, err := filepath.Glob("../../../shared/corpus/configs/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".hf_quant_config.json") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := strictjson.Parse(bytes.NewReader(data), 0, "id2label", "label2id")
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".json")] = v
	}
	return all
}

func TestLaws(t *testing.T) {
	for name, v := range models(t) {
		t.Run(name, func(t *testing.T) {
			s, err := Of(v)
			if err != nil {
				t.Skip(err) // TestCorpus says which must be known
			}
			lawOfNames(t, s)
			lawOfSums(t, s)
			for n, tensor := range s.Named() {
				if fault := fault(tensor); fault != "" {
					t.Errorf("%s: %s", n, fault)
				}
			}
			for i := range s.Blocks {
				if fault := s.Blocks[i].Mixer.fault(i); fault != "" {
					t.Errorf("block %d: %s", i, fault)
				}
			}
		})
	}
}

func lawOfNames(t *testing.T, s *Shape) {
	t.Helper()
	seen := map[string]bool{}
	for n := range s.Named() {
		if seen[n.String()] {
			t.Errorf("%s is there twice", n)
		}
		seen[n.String()] = true
	}
	letters := map[string]bool{}
	for _, l := range s.Symbols {
		if letters[l.Text] || l.Text == "" {
			t.Errorf("the letter %q stands for more than one key", l.Text)
		}
		letters[l.Text] = true
	}
}

func lawOfSums(t *testing.T, s *Shape) {
	t.Helper()
	var sum Params
	for _, part := range Components() {
		if part != MTPPart {
			sum.Total += s.Of(part).Total
			sum.Active += s.Of(part).Active
		}
	}
	if sum != s.Params() {
		t.Errorf("the components have %v, the model %v", sum, s.Params())
	}
	if sum.Active <= 0 || sum.Active > sum.Total {
		t.Errorf("%d of %d parameters are active", sum.Active, sum.Total)
	}
}

// fault is what is wrong with a tensor, "" for nothing.
func fault(t *Tensor) string {
	switch {
	case t.Name == "" || t.Component == "" || t.Rows.Text == "" || t.Cols.Text == "":
		return "it is not named or has no formula"
	case t.Rows.N <= 0 || t.Cols.N <= 0 || t.Copies.N <= 0:
		return "it has nothing in it"
	case t.Visited.N < 0 || t.Visited.N > t.Copies.N:
		return "more of it is visited than there is"
	case t.KVUnits != 0 && t.Split != ByQKV, t.Split == ByQKV && (t.Units <= 0 || t.KVUnits <= 0):
		return "its heads are not said, or where none are meant"
	case t.Split == ByQKV && t.Rows.N%(t.Units+2*t.KVUnits) != 0:
		return "its rows are no whole heads"
	case t.Units == 0:
		return ""
	case (t.Split == ByRows || t.Split == ByKVHeads) && t.Rows.N%t.Units != 0:
		return "its rows are no whole units"
	case t.Split == ByCols && t.Cols.N%t.Units != 0:
		return "its columns are no whole units"
	}
	return ""
}

func (m Mixer) fault(block int) string {
	windowed := m.Kind == Sliding || m.Kind == Chunked
	switch {
	case windowed && m.Window <= 0:
		return "it sees a window of no width"
	case m.Kind == Full && (m.Heads <= 0 || m.KVHeads <= 0 || m.KeyWidth <= 0 || m.ValueWidth <= 0):
		return "its heads are not known"
	case m.KVHeads > 0 && m.Heads%m.KVHeads != 0:
		return "its query heads are no multiple of its key-value heads"
	case m.SharesWith >= block:
		return "it reads the cache of a block that comes after it"
	}
	return ""
}

// TestWindows counts the layers that see a window.
func TestWindows(t *testing.T) {
	const small = `"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100`
	for _, row := range []struct {
		name, config     string
		sliding, full, w int64
	}{
		{"Llama has none", `{"architectures": ["LlamaForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": 64}`, 0, 4, 0},
		{"Mistral on all layers", `{"architectures": ["MistralForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": 64}`, 4, 0, 64},
		// The window of the class is not believed where a copy of a configuration may have lost the null.
		{"Mistral without a word", `{"architectures": ["MistralForCausalLM"], ` + small + `, "num_hidden_layers": 4}`, 0, 4, 0},
		{"Mistral with null", `{"architectures": ["MistralForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": null}`, 0, 4, 0},
		{"Qwen 2 switched off", `{"architectures": ["Qwen2ForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": 64,
			"use_sliding_window": false, "max_window_layers": 2}`, 0, 4, 0},
		{"Qwen 2 from a layer on", `{"architectures": ["Qwen2ForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": 64,
			"use_sliding_window": true, "max_window_layers": 3}`, 1, 3, 64},
		{"Gemma 2 every other", `{"architectures": ["Gemma2ForCausalLM"], ` + small + `, "num_hidden_layers": 5, "sliding_window": 64}`, 3, 2, 64},
		{"Gemma 3 five of six", `{"architectures": ["Gemma3ForCausalLM"], ` + small + `, "num_hidden_layers": 26, "sliding_window": 512}`, 22, 4, 512},
		{"Gemma 3 by its list", `{"architectures": ["Gemma3ForCausalLM"], ` + small + `, "num_hidden_layers": 2, "sliding_window": 512,
			"layer_types": ["full_attention", "sliding_attention"]}`, 1, 1, 512},
		{"Cohere 2 three of four", `{"architectures": ["Cohere2ForCausalLM"], ` + small + `, "num_hidden_layers": 32}`, 24, 8, 4096},
		{"OLMo 3 three of four", `{"architectures": ["Olmo3ForCausalLM"], ` + small + `, "num_hidden_layers": 32}`, 24, 8, 4096},
		{"EXAONE 4 by letters, the last full", `{"architectures": ["Exaone4ForCausalLM"], ` + small + `, "num_hidden_layers": 6, "sliding_window": 64,
			"sliding_window_pattern": "LLLG"}`, 4, 2, 64},
		{"EXAONE 4 without", `{"architectures": ["Exaone4ForCausalLM"], ` + small + `, "num_hidden_layers": 6, "sliding_window": null,
			"sliding_window_pattern": null}`, 0, 6, 0},
		{"Phi 3", `{"architectures": ["Phi3ForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": 2047}`, 4, 0, 2047},
		{"StarCoder 2", `{"architectures": ["Starcoder2ForCausalLM"], ` + small + `, "num_hidden_layers": 4, "sliding_window": 4096}`, 4, 0, 4096},
		{"GPT-Neo by its list", `{"architectures": ["GPTNeoForCausalLM"], ` + small + `, "num_layers": 4, "max_position_embeddings": 64, "window_size": 8,
			"attention_types": [[["global"], 1], [["local"], 3]]}`, 3, 1, 8},
		{
			"GPT-Neo every other", `{"architectures": ["GPTNeoForCausalLM"], ` + small + `, "num_layers": 4, "max_position_embeddings": 64, "window_size": 8}`,
			2, 2, 8,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := Of(parsed(t, row.config))
			if err != nil {
				t.Fatal(err)
			}
			var sliding, full int64
			for i := range s.Blocks {
				switch m := s.Blocks[i].Mixer; m.Kind {
				case Sliding:
					sliding++
					if m.Window != row.w {
						t.Errorf("block %d sees %d, want %d", i, m.Window, row.w)
					}
				case Full:
					full++
				}
			}
			if sliding != row.sliding || full != row.full {
				t.Errorf("%d sliding and %d full, want %d and %d", sliding, full, row.sliding, row.full)
			}
		})
	}
}

// TestRefused are files that contradict themselves or want more than any model has.
func TestRefused(t *testing.T) {
	const rest = `"intermediate_size": 128, "vocab_size": 100`
	for name, config := range map[string]string{
		"10^9 layers":            `{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 1000000000, ` + rest + `}`,
		"5000 layers":            `{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 5000, ` + rest + `}`,
		"no layer":               `{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 0, ` + rest + `}`,
		"negative":               `{"architectures": ["LlamaForCausalLM"], "hidden_size": -64, "num_attention_heads": 4, "num_hidden_layers": 4, ` + rest + `}`,
		"no size":                `{"architectures": ["LlamaForCausalLM"], "num_attention_heads": 4, "num_hidden_layers": 4, ` + rest + `}`,
		"heads that do not fit":  `{"architectures": ["LlamaForCausalLM"], "hidden_size": 65, "num_attention_heads": 4, "num_hidden_layers": 4, ` + rest + `}`,
		"groups that do not fit": `{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 3, "num_hidden_layers": 4, ` + rest + `}`,
		"types of too few":       `{"architectures": ["Gemma3ForCausalLM"], "num_hidden_layers": 3, "layer_types": ["full_attention"]}`,
		"a type that is not":     `{"architectures": ["Gemma3ForCausalLM"], "num_hidden_layers": 1, "layer_types": ["linear_attention"]}`,
		"itself inside":          `{"architectures": ["LlavaForConditionalGeneration"], "text_config": {"model_type": "llava", "hidden_size": 64}}`,
		"nobody inside":          `{"architectures": ["LlavaForConditionalGeneration"], "hidden_size": 64}`,
		"an encoder-decoder":     `{"architectures": ["T5ForConditionalGeneration"], "d_model": 64}`,
		"widest there is": `{"architectures": ["LlamaForCausalLM"], "hidden_size": 134217728, "num_attention_heads": 4, "num_hidden_layers": 4096,
			"intermediate_size": 134217728, "vocab_size": 134217728}`,
		"integer that is none": `{"architectures": ["LlamaForCausalLM"], "hidden_size": 9223372036854775807, "num_attention_heads": 4, "num_hidden_layers": 4, ` + rest + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := Of(parsed(t, config)); err == nil {
				t.Errorf("it has %d parameters", s.Params().Total)
			}
		})
	}
}

// TestTopDecides are files whose parts disagree about the head.
func TestTopDecides(t *testing.T) {
	for name, row := range map[string]struct {
		top, text string
		tied      bool
	}{
		"both say no":      {`"tie_word_embeddings": false,`, `"tie_word_embeddings": false,`, false},
		"the top wins":     {`"tie_word_embeddings": true,`, `"tie_word_embeddings": false,`, true},
		"the text decides": {``, `"tie_word_embeddings": true,`, true},
		"the class":        {``, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Of(parsed(t, `{"architectures": ["Qwen3VLForConditionalGeneration"], "model_type": "qwen3_vl", `+row.top+`
				"text_config": {`+row.text+` "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2,
					"num_hidden_layers": 2, "vocab_size": 100, "max_position_embeddings": 777}}`))
			if err != nil {
				t.Fatal(err)
			}
			if s.Tied != row.tied || s.MaxContext != 777 {
				t.Errorf("tied %v, context %d", s.Tied, s.MaxContext)
			}
		})
	}
}

// TestRealNames are names as published files have them, against which lists of exclusions are matched.
func TestRealNames(t *testing.T) {
	all := models(t)
	for model, want := range map[string][]string{
		"llava-1.5-7b": {
			"language_model.model.embed_tokens.weight", "language_model.lm_head.weight", "language_model.model.layers.31.mlp.up_proj.weight",
			"vision_tower.vision_model.encoder.layers.*.self_attn.q_proj.weight", "multi_modal_projector.linear_1.bias",
		},
		"Llama-3.2-11B-Vision": {
			"language_model.model.layers.3.cross_attn.q_proj.weight", "language_model.model.layers.4.self_attn.q_proj.weight",
			"vision_model.global_transformer.layers.*.gate_ffn",
		},
		"Qwen2.5-VL-7B": {"visual.blocks.*.attn.qkv.weight", "model.layers.0.self_attn.q_proj.bias", "lm_head.weight", "visual.merger.mlp.2.weight"},
		"chatglm3-6b":   {"transformer.encoder.layers.27.self_attention.query_key_value.bias", "transformer.output_layer.weight"},
		"opt-350m":      {"model.decoder.project_in.weight", "model.decoder.embed_positions.weight"},
		"starcoder":     {"transformer.h.39.attn.c_attn.weight", "transformer.ln_f.bias"},
		"SmolVLM-256M":  {"model.text_model.layers.0.input_layernorm.weight", "model.connector.modality_projection.proj.weight", "lm_head.weight"},
	} {
		t.Run(model, func(t *testing.T) {
			s, err := Of(all[model])
			if err != nil {
				t.Fatal(err)
			}
			has := map[string]bool{}
			for n := range s.Named() {
				has[n.String()] = true
			}
			for _, n := range want {
				if !has[n] {
					t.Errorf("%s is not there", n)
				}
			}
		})
	}
}

func BenchmarkOf(b *testing.B) {
	v, err := strictjson.Parse(strings.NewReader(`{"architectures": ["LlamaForCausalLM"], "hidden_size": 16384, "intermediate_size": 53248,
		"num_attention_heads": 128, "num_key_value_heads": 8, "num_hidden_layers": 126, "vocab_size": 128256}`), 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Of(v); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzOf changes real configurations: whatever they say, the answer is an error or a shape that obeys the laws.
func FuzzOf(f *testing.F) {
	for _, row := range published() {
		f.Add(row.config)
	}
	files, _ := filepath.Glob("../../../shared/corpus/configs/*.json")
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil && len(data) < 4096 {
			f.Add(string(data))
		}
	}
	f.Fuzz(func(t *testing.T, config string) {
		v, err := strictjson.Parse(strings.NewReader(config), 1<<20, "id2label", "label2id")
		if err != nil || v.Kind() != strictjson.Object {
			return
		}
		s, err := Of(v)
		if err != nil {
			return
		}
		if len(s.Blocks) > maxLayers || len(s.MTP) > maxLayers {
			t.Fatalf("%d blocks, %d further", len(s.Blocks), len(s.MTP))
		}
		if p := s.Params(); p.Total <= 0 || p.Active < 0 || float64(p.Total) > maxParams {
			t.Fatalf("%v", p)
		}
		for n, tensor := range s.Named() {
			if fault := fault(tensor); fault != "" {
				t.Fatalf("%s: %s", n, fault)
			}
		}
	})
}

// TestAbsentKeys holds that every key that a configuration lacks is named with what took its place.
func TestAbsentKeys(t *testing.T) {
	v, err := strictjson.Parse(strings.NewReader(`{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2,
		"vocab_size": 100, "intermediate_size": 128, "num_attention_heads": 4}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Of(v)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, a := range s.Assumed {
		if a.Why == "" {
			t.Errorf("%s is assumed without a reason", a.Key)
		}
		named[a.Key] = a.Value
	}
	want := map[string]string{
		"num_key_value_heads": "4", "tie_word_embeddings": "false", "attention_bias": "false", "mlp_bias": "false",
		"torch_dtype": "bfloat16", "max_position_embeddings": "2048",
	}
	for key, value := range want {
		if named[key] != value {
			t.Errorf("%s is named as %q, want %q", key, named[key], value)
		}
	}
}
