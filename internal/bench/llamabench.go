package bench

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// llamaBench reads one test of llama-bench -o json or jsonl: so many tokens of a prompt, or of an answer, or both.
func (f *File) llamaBench(v strictjson.Value) error {
	f.day(firstTen(said(v, "test_time")))
	if why, err := notOnCard(v); err != nil || why != "" {
		if why != "" {
			f.skip(v, "%s", why)
		}
		return err
	}
	m := Measurement{
		Model: modelOf(v), Precision: precisionOf(said(v, "model_type")), KV: cacheOf(v), Engine: "llama.cpp",
		Version: buildOf(v),
	}
	if layers, err := amount(v, "n_gpu_layers"); err == nil && layers > 0 && layers < 99 {
		f.note(fmt.Sprintf("n_gpu_layers is %g: if the model has more layers, the others ran on the CPU", layers))
	}
	m.GPU, m.GPUs = f.cards(v)
	if m.GPUs > 1 {
		m.Division = said(v, "split_mode") + " split"
	}
	rate, err := f.figure(v, "avg_ts")
	if err != nil {
		return err
	}
	return f.llamaBenchTest(v, m, rate)
}

// llamaBenchTest tells the kind of test by its lengths.
func (f *File) llamaBenchTest(v strictjson.Value, m Measurement, rate float64) error {
	var prompt, answer, depth int64
	for _, n := range []struct {
		key string
		to  *int64
	}{{"n_prompt", &prompt}, {"n_gen", &answer}, {"n_depth", &depth}} {
		tokens, err := length(v, n.key)
		if err != nil {
			return err
		}
		*n.to = tokens
	}
	m.Concurrency = 1
	switch {
	case prompt > 0 && depth > 0:
		f.skip(v, "a prompt of %d tokens behind %d others", prompt, depth)
	case prompt > 0 && answer > 0:
		m.Input, m.Output = prompt, answer
		f.add(v, m, WithPrompt, rate)
	case prompt > 0:
		m.Input = prompt
		f.add(v, m, Prefill, rate)
	case answer > 0:
		m.Input, m.Output = depth, answer
		f.add(v, m, Decode, rate)
	default:
		f.skip(v, "the test has no tokens")
	}
	return nil
}

// notOnCard says why a test does not measure a card.
func notOnCard(v strictjson.Value) (string, error) {
	embeds, _ := v.Get("embeddings")
	if raw := embeds.Raw(); raw == "true" || raw == "1" {
		return "the test computed embeddings", nil
	}
	if layers, ok := v.Get("n_gpu_layers"); ok && layers.Raw() == "0" {
		return "n_gpu_layers is 0: the model ran on the CPU", nil
	}
	experts, err := amount(v, "n_cpu_moe")
	if err != nil {
		return "", err
	}
	switch {
	case experts > 0:
		return fmt.Sprintf("n_cpu_moe is %g: experts ran on the CPU", experts), nil
	case slices.Contains([]string{"CPU", "BLAS", "BLAS,CPU", "CPU,BLAS"}, said(v, "backends")):
		return "the build has no GPU", nil
	}
	return "", nil
}

func firstTen(stamp string) string { return stamp[:min(len(stamp), len("2006-01-02"))] }

// modelOf is the name of the file, since its path is of the machine.
func modelOf(v strictjson.Value) string {
	name := strings.ReplaceAll(said(v, "model_filename"), `\`, "/")
	if name == "" {
		return ""
	}
	return path.Base(name)
}

func buildOf(v strictjson.Value) string {
	n, err := number(v, "build_number")
	if err != nil || n == 0 {
		return ""
	}
	return fmt.Sprint("b", n)
}

func cacheOf(v strictjson.Value) string {
	k, val := said(v, "type_k"), said(v, "type_v")
	if k != val {
		return k + "/" + val
	}
	return k
}

// cards are those that llama-bench saw: it lists every one by its name.
func (f *File) cards(v strictjson.Value) (name string, n int) {
	info := said(v, "gpu_info")
	if info == "" {
		return "", 0
	}
	all := strings.Split(info, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	n = len(all)
	if said(v, "split_mode") == "none" {
		n = 1
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > 1 && n > 1 {
		f.note("the model was spread over different cards: " + strings.Join(all, ", "))
		return "", n
	}
	return all[0], n
}

// precisionOf takes the format from the end of a type such as "llama 8B Q4_K - Medium", in the spelling of file names.
func precisionOf(kind string) string {
	kind = strings.ToLower(kind)
	words := strings.Fields(kind)
	at := slices.IndexFunc(words, func(w string) bool {
		for _, p := range []string{"q", "iq", "tq"} {
			if rest, ok := strings.CutPrefix(w, p); ok && rest != "" && isDigit(rune(rest[0])) && strings.Contains(w, "_") {
				return true
			}
		}
		return slices.Contains([]string{"f16", "bf16", "f32", "mxfp4", "nvfp4"}, w)
	})
	if at < 0 {
		return ""
	}
	format, rest := words[at], strings.Join(words[at+1:], " ")
	switch {
	case format == "iq3_s" && strings.HasPrefix(rest, "mix"):
		return "iq3_m"
	case !strings.HasSuffix(format, "_k") || format == "q2_k" && strings.HasPrefix(rest, "- medium"):
		return format
	}
	for word, letter := range map[string]string{"- small": "_s", "- medium": "_m", "- large": "_l"} {
		if strings.HasPrefix(rest, word) {
			return format + letter
		}
	}
	return format
}
