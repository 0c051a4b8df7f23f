package catalog

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// update writes aliases.txt from the records: go test ./internal/model/catalog -run TestAliases -update.
var update = flag.Bool("update", false, "write aliases.txt from the records")

// TestAliases holds that the list says what the records say, and that a name never stands for two models.
func TestAliases(t *testing.T) {
	all := sub(t, modelFolder, check)
	var lines []string
	owner := make(map[string]string)
	for _, r := range all {
		if !r.shaped() {
			continue
		}
		lines = append(lines, strings.Join(append([]string{r.ID}, r.Aliases...), " ")+"\n")
		for _, a := range append([]string{strings.ToLower(r.ID)}, r.Aliases...) {
			if other, twice := owner[a]; twice {
				t.Errorf("%s stands for %s and %s", a, other, r.ID)
			}
			owner[a] = r.ID
		}
	}
	slices.Sort(lines)
	if *update {
		if err := os.WriteFile("aliases.txt", []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(lines) < 500 {
		t.Errorf("%d models with a configuration, want at least 500", len(lines))
	}
	if aliases != strings.Join(lines, "") {
		t.Error("aliases.txt is not what the records say; run go test ./internal/model/catalog -run TestAliases -update")
	}
}

func TestResolve(t *testing.T) {
	c := Default()
	for name, want := range map[string]string{
		"Qwen/Qwen3-32B":       "Qwen/Qwen3-32B",
		"qwen/qwen3-32b":       "Qwen/Qwen3-32B",
		"qwen3-32b":            "Qwen/Qwen3-32B",
		"Qwen3-8B-Q4_K_M.gguf": "Qwen/Qwen3-8B",
		"Qwen3-235B-A22B-UD-Q4_K_XL-00001-of-00003.gguf": "Qwen/Qwen3-235B-A22B",
		"Qwen3-8B-IQ4_XS.gguf":                           "Qwen/Qwen3-8B",
		"llama-3.1-8b":                                   "meta-llama/Llama-3.1-8B",
		"meta-llama/Meta-Llama-3.1-8B":                   "meta-llama/Llama-3.1-8B",
		"deepseek-r1":                                    "deepseek-ai/DeepSeek-R1",
		"Llama-3.2-3B-Instruct":                          "meta-llama/Llama-3.2-3B-Instruct",
		"DeepSeek-R1-0528-Qwen3-8B":                      "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
		"r1-distill-32b":                                 "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
		"llama-3.1-8b-instruct":                          "meta-llama/Llama-3.1-8B-Instruct",
		"gpt-oss-20b":                                    "openai/gpt-oss-20b",
		"glm-4.5-air":                                    "zai-org/GLM-4.5-Air",
		"neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w8a8": "RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w8a8",
	} {
		if got := c.Resolve(name); len(got) != 1 || got[0] != want {
			t.Errorf("Resolve(%s) = %q, want %s", name, got, want)
		}
	}
	for _, id := range c.IDsWithConfig() {
		if last := id[strings.IndexByte(id, '/')+1:]; len(c.Resolve(last)) != 1 {
			t.Errorf("Resolve(%s) = %q, want one: alias the original", last, c.Resolve(last))
		}
	}
	for _, name := range []string{"", "/", ".gguf", "-Q4_K_M.gguf", "acme/tiny", "qwen3-33b", strings.Repeat("x", 1<<20)} {
		if got := c.Resolve(name); len(got) != 0 {
			t.Errorf("Resolve(%.20q) = %q, want none", name, got)
		}
	}
}

func TestSimilar(t *testing.T) {
	c := Default()
	for name, want := range map[string]string{
		"qwen3-33b": "Qwen/Qwen3-32B", "meta-llama/Llama-3.1-8": "meta-llama/Llama-3.1-8B", "deepseekv3": "deepseek-ai/DeepSeek-V3",
	} {
		if got := c.Similar(name, 5); !slices.Contains(got, want) {
			t.Errorf("Similar(%s) = %q, want %s among them", name, got, want)
		}
	}
	for _, name := range []string{"", "x", "completely-different", strings.Repeat("q", 1<<20)} {
		if got := c.Similar(name, 5); len(got) != 0 {
			t.Errorf("Similar(%.20q) = %q, want none", name, got)
		}
	}
}

const shaped = acme + `aliases: [tiny]
config_source: {title: our own config.json}
config: {architectures: [LlamaForCausalLM], hidden_size: 64}
`

func TestOverlayShape(t *testing.T) {
	from := strings.Replace(strings.ReplaceAll(shaped, "Acme/Tiny", "Acme/Tiny-FP8"), "config: {architectures: [LlamaForCausalLM], hidden_size: 64}",
		"config_from: Acme/Tiny\nconfig: {hidden_size: null, quantization_config: {ignore: ['a.{0-2,5}.b', 're:x{2}']}}", 1)
	c, err := Default().Overlay(fstest.MapFS{
		"Acme__Tiny.yaml":     {Data: []byte(shaped)},
		"Acme__Tiny-FP8.yaml": {Data: []byte(strings.Replace(from, "[tiny]", "[tiny8]", 1))},
		"Qwen__Qwen3-8B.yaml": {Data: []byte("id: Qwen/Qwen3-8B\nlicense: unlisted:contract\nsource: {title: contract}\nseen: '2026'\nconfidence: high\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	config, _, ok, err := c.Config("acme/tiny-fp8")
	want := `{"architectures":["LlamaForCausalLM"],"quantization_config":{"ignore":["a.0.b","a.1.b","a.2.b","a.5.b","re:x{2}"]}}`
	if err != nil || !ok || config.Raw() != want {
		t.Errorf("Config(acme/tiny-fp8) = %s, %v, %v, want %s", config.Raw(), ok, err, want)
	}
	twin, err := Default().Overlay(fstest.MapFS{"Acme__GLM-5.yaml": {Data: []byte(strings.Replace(strings.ReplaceAll(shaped, "Acme/Tiny", "Acme/GLM-5"), "[tiny]", "[acme-glm]", 1))}})
	if got := twin.Resolve("glm-5"); err != nil || len(got) != 2 {
		t.Errorf("a name of two organizations gives %q, %v, want both", got, err)
	}
	if _, _, ok, err := c.Config("Qwen/Qwen3-8B"); !ok || err != nil {
		t.Errorf("a record of the user's that is about the license hides the shape: %v, %v", ok, err)
	}
	if got := c.Resolve("TINY"); !slices.Equal(got, []string{"Acme/Tiny"}) {
		t.Errorf("Resolve(TINY) = %q", got)
	}
	if n := len(c.IDsWithConfig()) - len(Default().IDsWithConfig()); n != 2 {
		t.Errorf("the overlay adds %d configurations, want 2", n)
	}
	for _, id := range []string{"acme/none", "", "a/b\x00"} {
		if _, _, ok, err := c.Config(id); ok || err != nil {
			t.Errorf("Config(%q) = %v, %v, want nothing", id, ok, err)
		}
	}
}

func TestShapeFaults(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"alias in capitals", strings.Replace(shaped, "[tiny]", "[Tiny]", 1), `alias "Tiny"`},
		{"aliases alone", acme + "aliases: [x]\n", "only a model with a config has aliases"},
		{"totals alone", acme + "totals: {params: 1, kind: derived}\n", "there is none"},
		{"no source", strings.Replace(shaped, "config_source: {title: our own config.json}\n", "", 1), "config_source is missing"},
		{"from itself", acme + "config_from: acme/tiny\n", "config_from"},
		{"brace", shaped + "hf_quant: {quantization: {exclude_modules: ['a.{0-']}}\n", "not closed"},
		{"backwards", shaped + "hf_quant: {quantization: {exclude_modules: ['a.{9-3}']}}\n", "no list of numbers"},
		{"billions", shaped + "hf_quant: {quantization: {exclude_modules: ['{0-9999}.{0-9999}.{0-9999}']}}\n", "100,000 modules"},
		{"kind", shaped + "totals: {params: 1, kind: guessed}\n", "totals.kind"},
		{"below zero", shaped + "totals: {params: -1, kind: derived}\n", "below zero"},
		{"whole number", shaped + "totals: {params: 1.5e9, kind: derived}\n", "want a whole number"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Default().Overlay(fstest.MapFS{"Acme__Tiny.yaml": {Data: []byte(row.text)}})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want it to say %q", err, row.want)
			}
		})
	}
	c, err := Default().Overlay(fstest.MapFS{"Acme__Tiny.yaml": {Data: []byte(acme + "config_from: acme/none\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := c.Config("Acme/Tiny"); err == nil || !strings.Contains(err.Error(), "config_from acme/none") {
		t.Errorf("error %v, want it to name config_from", err)
	}
}

// FuzzSpread holds that no name costs more than the limit, and that a name without braces stays itself.
func FuzzSpread(f *testing.F) {
	for _, s := range []string{"a.{0-59}.b", "{1,3,5-7}", "re:x{2}", "{", "{}", "{0-9999}{0-9999}", "a{1}{2}{3}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := spreader{left: 1000}
		names, err := s.names(text)
		if err == nil && (len(names) == 0 || len(names) > 1000) {
			t.Errorf("%d names of %q", len(names), text)
		}
		if !strings.Contains(text, "{") && (err != nil || names[0] != text) {
			t.Errorf("%q became %q, %v", text, names, err)
		}
	})
}

func BenchmarkConfig(b *testing.B) {
	c := Default()
	for _, id := range []string{"Qwen/Qwen3-32B", "nvidia/Qwen3.6-27B-NVFP4", "nvidia/MiniMax-M3-NVFP4", "nvidia/Llama-3_3-Nemotron-Super-49B-v1"} {
		b.Run(id, func(b *testing.B) {
			for b.Loop() {
				if _, _, ok, err := c.Config(id); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkResolve(b *testing.B) {
	c := Default()
	for b.Loop() {
		if len(c.Resolve("qwen3-32b")) != 1 {
			b.Fatal("not found")
		}
	}
}
