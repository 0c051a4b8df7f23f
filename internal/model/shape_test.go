package model

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/safetensors/safetensorstest"
)

func shapeOf(t *testing.T, fsys fs.FS, ref Ref, quant string) *Model {
	t.Helper()
	m, err := ReadShape(fsys, ref, "", quant)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func fileRef(name string) Ref { return Ref{Scheme: SchemeFile, Name: "/somewhere/" + name} }

func safe(names ...string) string {
	var ts []safetensorstest.Tensor
	for _, n := range names {
		ts = append(ts, safetensorstest.Tensor{Name: n, DType: "BF16", Shape: []uint64{2, 3}})
	}
	return string(safetensorstest.Write(nil, ts))
}

func ggufFile(kv []gguftest.KV, names ...string) string {
	var ts []gguftest.Tensor
	for _, n := range names {
		ts = append(ts, gguftest.Tensor{Name: n, Type: gguf.Q8_0, Dims: []uint64{32, 2}})
	}
	return string(gguftest.Write(append([]gguftest.KV{{Key: "general.architecture", Value: "llama"}}, kv...), ts))
}

// part is what the header of a part says of two.
func part(no, tensors int) []gguftest.KV {
	return []gguftest.KV{
		{Key: "split.no", Value: uint16(no)}, {Key: "split.count", Value: uint16(2)}, {Key: "split.tensors.count", Value: int32(tensors)},
	}
}

const (
	llamaConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":64}`
	export      = `{"quantization":{"quant_algo":"NVFP4"}}`
	adapter     = `{"peft_type":"LORA","r":8,"base_model_name_or_path":"acme/base"}`
	twoShards   = `{"metadata":{"total_size":24},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`
)

// summary is what was stored as text: where, bytes, names, copies.
func summary(m *Model) string {
	if m.Stored == nil {
		return "nothing"
	}
	var names []string
	for _, t := range m.Stored.Tensors {
		names = append(names, fmt.Sprintf("%s %s %d", t.Name, t.Type, t.Shape))
	}
	out := fmt.Sprintf("%s: %d bytes: %s", m.Stored.Where, m.Stored.Bytes, strings.Join(names, ", "))
	if len(m.Stored.Copies) > 0 {
		out += "; copies " + strings.Join(m.Stored.Copies, ", ")
	}
	return out
}

func TestShapeOfFolders(t *testing.T) {
	pointerTo := func(size int) string {
		return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", strings.Repeat("a", 64), size)
	}
	for _, row := range []struct {
		name  string
		files fstest.MapFS
		quant string
		want  string
		gaps  []string // of kind Unread
	}{
		{
			"one file", files("config.json", llamaConfig, "model.safetensors", safe("b", "a")), "",
			"1 safetensors headers: 24 bytes: a BF16 [2 3], b BF16 [2 3]", nil,
		},
		{
			"shards with an index", files("model-00001-of-00002.safetensors", safe("a"), "model-00002-of-00002.safetensors", safe("b"),
				"model.safetensors.index.json", twoShards, "mtp.safetensors", safe("c")), "",
			"2 safetensors headers: 24 bytes: a BF16 [2 3], b BF16 [2 3]; copies mtp.safetensors", nil,
		},
		{
			"copies", files("model.safetensors", safe("a"), "consolidated.safetensors", safe("a"), "original/model.safetensors", safe("a"),
				"metal/model.bin", "x", "pytorch_model.bin", "x", "onnx/model.onnx", "x"), "",
			"1 safetensors headers: 12 bytes: a BF16 [2 3]; copies consolidated.safetensors, metal/model.bin, onnx/model.onnx, " +
				"original/model.safetensors, pytorch_model.bin", nil,
		},
		{"only consolidated", files("consolidated.safetensors", safe("a")), "", "1 safetensors headers: 12 bytes: a BF16 [2 3]", nil},
		{
			"another precision", files("model.safetensors", safe("a"), "model.fp16.safetensors", safe("a")), "",
			"1 safetensors headers: 12 bytes: a BF16 [2 3]; copies model.fp16.safetensors", nil,
		},
		{
			"a part is missing", files("model-00001-of-00002.safetensors", safe("a")), "", "nothing",
			[]string{"weights: the tensors are not known: 1 of the parts are not here"},
		},
		{
			"a part is missing and the index has the sum", files("model-00001-of-00002.safetensors", safe("a"), "model.safetensors.index.json", twoShards), "",
			"model.safetensors.index.json: 24 bytes: ", nil,
		},
		{"pointers", files("model.safetensors", pointerTo(1234)), "", "sizes of 1 files: 1234 bytes: ", nil},
		{"pointers with an index", files("model-00001-of-00002.safetensors", pointerTo(20), "model-00002-of-00002.safetensors", pointerTo(20),
			"model.safetensors.index.json", twoShards), "", "model.safetensors.index.json: 24 bytes: ", nil},
		{"cut header", files("model.safetensors", safe("a")[:20]), "", "nothing", []string{"weights: the tensors are not known: model.safetensors: "}},
		{
			"twice", files("a.safetensors", safe("x"), "b.safetensors", safe("x")), "",
			"2 safetensors headers: 24 bytes: x BF16 [2 3], x BF16 [2 3]",
			[]string{`weights: tensor "x" is in two of the files`},
		},
		{"pickles", files("pytorch_model.bin", strings.Repeat("x", 5000)), "", "sizes of 1 files: 5000 bytes: ", nil},
		{
			"negative sum", files("model.safetensors.index.json", `{"metadata":{"total_size":-5},"weight_map":{"a":"x.safetensors"}}`), "", "nothing",
			[]string{"model.safetensors.index.json: it states no metadata.total_size"},
		},
		{
			"empty shape", files("model.safetensors", string(safetensorstest.Write(nil, []safetensorstest.Tensor{{Name: "a", DType: "F32", Shape: []uint64{0, 5}}}))), "",
			"1 safetensors headers: 0 bytes: a F32 [0 5]", nil,
		},
		{"one GGUF", files("m.gguf", ggufFile(nil, "token_embd.weight")), "", "1 GGUF headers: 68 bytes: token_embd.weight Q8_0 [32 2]", nil},
		{
			"split GGUF", files("q/m-00001-of-00002.gguf", ggufFile(part(0, 2), "a"), "q/m-00002-of-00002.gguf", ggufFile(part(1, 2), "b")), "",
			"2 GGUF headers: 136 bytes: a Q8_0 [32 2], b Q8_0 [32 2]", nil,
		},
		{"split GGUF without a part", files("m-00001-of-00002.gguf", ggufFile(part(0, 2), "a")), "", "nothing", []string{"m.gguf: 1 of its 2 parts are here"}},
		{
			"split GGUF with too few tensors", files("m-00001-of-00002.gguf", ggufFile(part(0, 3), "a"), "m-00002-of-00002.gguf", ggufFile(part(1, 3), "b")), "",
			"nothing",
			[]string{"weights: the first part promises 2 parts with 3 tensors"},
		},
		{
			"several quantizations", files("m-Q4_K_M.gguf", ggufFile(nil, "a"), "m-Q8_0.gguf", ggufFile(nil, "a"), "mmproj-m.gguf", ggufFile(nil, "v")), "",
			"nothing",
			[]string{"weights: there are 2 GGUF models here, and it was not said which one is meant; name its quantization with --quant, or the file: m-Q4_K_M.gguf, m-Q8_0.gguf"},
		},
		{
			"chosen", files("m-Q4_K_M.gguf", ggufFile(nil, "a"), "m-Q4_K.gguf", ggufFile(nil, "b"), "m-Q8_0.gguf", ggufFile(nil, "c")), "q4_k",
			"1 GGUF headers: 68 bytes: b Q8_0 [32 2]; copies m-Q4_K_M.gguf, m-Q8_0.gguf", nil,
		},
		{
			"safetensors beside GGUF", files("model.safetensors", safe("a"), "m-Q8_0.gguf", ggufFile(nil, "b")), "",
			"1 safetensors headers: 12 bytes: a BF16 [2 3]; copies m-Q8_0.gguf", nil,
		},
		{
			"GGUF asked for beside safetensors", files("model.safetensors", safe("a"), "m-Q8_0.gguf", ggufFile(nil, "b")), "Q8_0",
			"1 GGUF headers: 68 bytes: b Q8_0 [32 2]; copies model.safetensors", nil,
		},
		{
			"a type of a fork", files("m.gguf", string(gguftest.Write([]gguftest.KV{{Key: "general.architecture", Value: "x"}},
				[]gguftest.Tensor{{Name: "a", Type: 99, Dims: []uint64{32}, Data: make([]byte, 32)}}))), "", "nothing",
			[]string{`m.gguf: its header could not be read: tensor "a" is of type 99, whose size is not known`},
		},
		{"no weights", files("config.json", llamaConfig), "", "nothing", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := shapeOf(t, row.files, folderRef, row.quant)
			if got := summary(m); got != row.want {
				t.Errorf("%s\nwant %s\n%v", got, row.want, m.Gaps)
			}
			wantGaps(t, m, Unread, row.gaps...)
		})
	}
}

func TestShapeOfConfigs(t *testing.T) {
	m := shapeOf(t, files("config.json", llamaConfig, "hf_quant_config.json", export, "adapter_config.json", adapter, "sub/config.json", "{"), folderRef, "")
	for _, row := range []struct{ what, got, want string }{
		{"config", m.Config.Raw(), llamaConfig},
		{"quant", m.Quant.Raw(), export},
		{"adapter", m.Adapter.Raw(), adapter},
		{"architecture", m.Weights.Architecture, "LlamaForCausalLM"},
	} {
		if row.got != row.want {
			t.Errorf("%s is %s, want %s", row.what, row.got, row.want)
		}
	}
	if diff := cmp.Diff([]Parent{{Ref: "acme/base", Relation: Adapter, Where: "adapter_config.json base_model_name_or_path"}}, m.Parents); diff != "" {
		t.Error(diff)
	}
	wantGaps(t, m, Unread)
}

func TestShapeOfFilesAlone(t *testing.T) {
	for _, row := range []struct {
		name   string
		files  fstest.MapFS
		config bool
		quant  bool
		stored string
	}{
		{"config.json", files("config.json", llamaConfig, "hf_quant_config.json", export), true, true, "nothing"},
		{"Qwen3-8B.json", files("Qwen3-8B.json", llamaConfig, "Qwen3-8B.hf_quant_config.json", export), true, true, "nothing"},
		{"export.json", files("export.json", export), false, true, "nothing"},
		{"x.index.json", files("x.index.json", twoShards), false, false, "x.index.json: 24 bytes: "},
		{"model.safetensors.index.json", files("model.safetensors.index.json", twoShards, "config.json", llamaConfig), true, false, "model.safetensors.index.json: 24 bytes: "},
		{"model.safetensors", files("model.safetensors", safe("a")), false, false, "1 safetensors headers: 12 bytes: a BF16 [2 3]"},
		{"weights", files("weights", safe("a")), false, false, "1 safetensors headers: 12 bytes: a BF16 [2 3]"},
		{"blob", files("blob", ggufFile(nil, "a")), false, false, "1 GGUF headers: 68 bytes: a Q8_0 [32 2]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := shapeOf(t, row.files, fileRef(row.name), "")
			if got := summary(m); got != row.stored {
				t.Errorf("%s, want %s", got, row.stored)
			}
			if c, q := m.Config.Raw() != "null", m.Quant.Raw() != "null"; c != row.config || q != row.quant {
				t.Errorf("config %v, want %v; quant %v, want %v", c, row.config, q, row.quant)
			}
			wantGaps(t, m, Unread)
		})
	}
}

// TestCompanions holds that the license of a file named alone is read of that file and of no other.
func TestCompanions(t *testing.T) {
	m := read(t, files("config.json", `{"auto_map":{"AutoModel":"x.Y"}}`, "model.safetensors", safe("a")), fileRef("model.safetensors"))
	if len(m.RemoteCode) > 0 {
		t.Errorf("config.json beside the named file was read: %v", m.RemoteCode)
	}
}

func TestShapeHostile(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"cut", `{"a":`, "config.json: "},
		{"list", `[]`, "config.json: want keys and values, it holds an array"},
		{"twice", `{"a":1,"a":2}`, "config.json: "},
		{"deep", strings.Repeat(`{"a":`, 100_000), "config.json: "},
		{"long", `{"a":"` + strings.Repeat("x", 17<<20) + `"}`, "config.json: it is longer than"},
		{"many", `{"a":[` + strings.Repeat("0,", 8<<20-100) + `0]}`, "config.json: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := shapeOf(t, files("config.json", row.text), folderRef, "")
			if m.Config.Raw() != "null" {
				t.Error("a broken file became a configuration")
			}
			wantGaps(t, m, Unread, row.want)
		})
	}
}

func TestShapeWithoutRanges(t *testing.T) {
	m := shapeOf(t, plainFS{files("model.safetensors", safe("a")), nil}, folderRef, "")
	if got := summary(m); !strings.HasPrefix(got, "sizes of 1 files") {
		t.Error(got)
	}
	m = shapeOf(t, plainFS{files("model.safetensors", safe("a"), "config.json", "{}"), map[string]error{"config.json": ErrUnreachable}}, folderRef, "")
	if got := gaps(m, Unreachable); len(got) != 1 {
		t.Errorf("gaps %v, want one that is unreachable", m.Gaps)
	}
}

func TestManyHeaders(t *testing.T) {
	m := fstest.MapFS{}
	for i := range maxShapeHeaders + 1 {
		m[fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, maxShapeHeaders+1)] = &fstest.MapFile{Data: []byte(safe(fmt.Sprint("t", i)))}
	}
	got := shapeOf(t, m, folderRef, "")
	if got.Stored == nil || len(got.Stored.Tensors) > 0 || !slices.ContainsFunc(got.Gaps, func(g Gap) bool { return strings.Contains(g.Why, "at most 200 headers") }) {
		t.Errorf("%s, %v", summary(got), got.Gaps)
	}
}

func FuzzShape(f *testing.F) {
	for _, s := range []string{llamaConfig, export, adapter, twoShards, safe("a"), ggufFile(nil, "a"), ggufFile(part(0, 2), "a"), `{"weight_map":{}}`} {
		f.Add([]byte(s), "q8_0")
	}
	f.Fuzz(func(t *testing.T, data []byte, quant string) {
		for _, name := range []string{"config.json", "hf_quant_config.json", "model.safetensors", "m-Q8_0.gguf", "model.safetensors.index.json", "x.json"} {
			for _, ref := range []Ref{folderRef, fileRef(name)} {
				start := time.Now()
				m, err := ReadShape(fstest.MapFS{name: {Data: data}}, ref, "", quant)
				if err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d > budget {
					t.Fatalf("%s took %v", name, d)
				}
				if m.Stored != nil && m.Stored.Bytes < 0 {
					t.Fatalf("%s holds %d bytes", name, m.Stored.Bytes)
				}
			}
		}
	})
}
