package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
)

// estimated runs llmcheck estimate with its work replaced, and returns what would have been asked.
func estimated(t *testing.T, args ...string) (diligence.EstimateQuestion, error) {
	t.Helper()
	a, _, _ := world(t, "")
	var got diligence.EstimateQuestion
	cmd := newEstimate(&global{app: a}, func(_ context.Context, o *estimateOptions) error {
		got = o.asked[0]
		return nil
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{"acme/x"}, args...))
	return got, cmd.ExecuteContext(t.Context())
}

func TestPlanFromFlags(t *testing.T) {
	all := serve.LlamaOptions{GPULayers: allLayers}
	for _, c := range []struct {
		name string
		args []string
		want serve.Plan
	}{
		{"nothing is said", nil, serve.Plan{Llama: all}},
		{
			"ranks",
			[]string{"--gpus", "16", "--tp", "8", "--pp", "2", "--ep", "8", "--dp", "1"},
			serve.Plan{GPUs: 16, Tensor: 8, Pipeline: 2, Expert: 8, Data: 1, Llama: all},
		},
		{"binary and decimal letters", []string{"--max-model-len", "32K", "--max-batched-tokens", "2k"}, serve.Plan{MaxModelLen: 32768, BatchedTokens: 2000, Llama: all}},
		{"prompt and answer", []string{"--input-tokens", "1_000", "--output-tokens", "24"}, serve.Plan{MaxModelLen: 1024, Llama: all}},
		{"the cache in any case", []string{"--kv-dtype", "FP8"}, serve.Plan{KV: "fp8", Llama: all}},
		{
			"no layer on the card is not all of them",
			[]string{"--engine", "llama-cpp", "--n-gpu-layers", "0"},
			serve.Plan{Llama: serve.LlamaOptions{HostOnly: true}},
		},
		{
			"a flag of llama.cpp chooses it",
			[]string{"--n-cpu-moe", "4"},
			serve.Plan{
				Llama:   serve.LlamaOptions{GPULayers: allLayers, CPUExperts: 4},
				Assumed: []serve.Setting{{Name: "engine", Value: "llama.cpp", Why: "--n-cpu-moe is a flag of it"}},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := estimated(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, q.Plan); diff != "" {
				t.Error("-want +got\n" + diff)
			}
		})
	}
}

func TestWholeNumber(t *testing.T) {
	for _, c := range []struct {
		s    string
		want int64
	}{
		{"0", 0}, {"-1", -1}, {"32768", 32768}, {"32k", 32_000}, {"32K", 32_768}, {"1m", 1e6}, {"1M", 1 << 20}, {" 8_192 ", 8192}, {"-2k", -2000},
	} {
		if got, ok := wholeNumber(c.s); !ok || got != c.want {
			t.Errorf("%q: got %d, %v, want %d", c.s, got, ok, c.want)
		}
	}
	for _, s := range []string{"", "k", "1.5k", "0x10", "1e3", "ten", "9223372036854775807K", "9223372036854775808", "1kk", "--1"} {
		if got, ok := wholeNumber(s); ok {
			t.Errorf("%q is read as %d", s, got)
		}
	}
}

// Law: every flag that only llama.cpp has chooses it where no engine is named, and is refused for every other.
func TestFlagsOfLlama(t *testing.T) {
	for _, args := range [][]string{
		{"--n-gpu-layers", "0"}, {"--n-gpu-layers", "7"}, {"--n-cpu-moe", "1"}, {"--ubatch-size", "64"}, {"--flash-attn", "on"}, {"--swa-full"}, {"--all-logits"},
	} {
		if q, err := estimated(t, args...); err != nil || q.Kind != serve.LlamaCPP {
			t.Errorf("%q: got %q, %v, want llama.cpp", args, q.Kind, err)
		}
		for _, kind := range serve.Kinds() {
			_, err := estimated(t, append([]string{"--engine", kind}, args...)...)
			if (err == nil) != (kind == string(serve.LlamaCPP)) {
				t.Errorf("%q with --engine %s: got %v", args, kind, err)
			}
		}
	}
}

// The name that an engine has for a flag leads to one that is there.
func TestEngineFlags(t *testing.T) {
	a, _, _ := world(t, "")
	cmd := newEstimate(&global{app: a}, nil)
	for theirs, ours := range engineFlags() {
		if cmd.Flags().Lookup(ours) == nil || cmd.Flags().Lookup(theirs) != nil {
			t.Errorf("--%s leads to --%s: want a flag that is there in the place of one that is not", theirs, ours)
		}
	}
	for slip, want := range map[string]string{"gpuss": "gpus", "max_model_len": "max-model-len", "formt": "format", "x": "", "nonsense": "", "ngl": "n-gpu-layers"} {
		if got := meantFlag(cmd, slip); got != want {
			t.Errorf("--%s: got %q, want %q", slip, got, want)
		}
	}
}

// Law: what is offered for a flag is taken, and every format of the cache is one of some engine.
func TestEstimateCompletion(t *testing.T) {
	a, _, _ := world(t, "")
	cmd := newEstimate(&global{app: a}, nil)
	found := 0
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete, ok := cmd.GetFlagCompletionFunc(f.Name)
		if !ok {
			return
		}
		found++
		offered, _ := complete(cmd, nil, "")
		if len(offered) == 0 {
			t.Errorf("nothing is offered for --%s", f.Name)
		}
		for _, w := range offered {
			word, _, _ := strings.Cut(w, "\t")
			if _, err := estimated(t, "--"+f.Name, word); err != nil {
				t.Errorf("--%s %s is offered and refused: %v", f.Name, word, err)
			}
		}
	})
	if found < 6 {
		t.Errorf("%d flags have words, want at least 6", found)
	}
	for _, format := range cacheFormats() {
		taken := slices.ContainsFunc([]string{"vllm", "llama.cpp"}, func(engine string) bool {
			a, out, _ := world(t, "")
			code := Main(t.Context(), []string{"estimate", "Qwen/Qwen3-8B", "--offline", "--gpu", "b200-sxm", "--gpus", "1", "--engine", engine, "--kv-dtype", format}, a)
			return code == OK && strings.HasPrefix(out.String(), "FITS")
		})
		if !taken {
			t.Errorf("no engine keeps a cache in %s", format)
		}
	}
}

func TestEstimateCode(t *testing.T) {
	gap := func(what string, kind model.GapKind) report.Gap { return report.Gap{What: what, Kind: string(kind)} }
	for _, c := range []struct {
		name    string
		origin  model.Scheme
		verdict serve.Verdict
		gaps    []report.Gap
		err     error
		want    Code
	}{
		{"fits", model.SchemeHub, serve.Fits, nil, nil, OK},
		{"fits, and headers were not read", model.SchemeHub, serve.Fits, []report.Gap{gap("model.safetensors", model.Unread)}, nil, OK},
		{"does not fit", model.SchemeHub, serve.DoesNot, nil, nil, No},
		{"tight", model.SchemeHub, serve.Tight, nil, nil, NotEnough},
		{"nothing is known of the card", model.SchemeHub, "undetermined", nil, nil, NotEnough},
		{"an architecture without a rule", model.SchemeHub, "undetermined", nil, fmt.Errorf("sizing: %w", arch.ErrUnknown), NotEnough},
		{"a quantization without a rule", model.SchemeHub, "undetermined", nil, fmt.Errorf("sizing: %w", quant.ErrUnknown), NotEnough},
		{"nobody was asked", model.SchemeHub, "undetermined", nil, fmt.Errorf("opening: %w", source.ErrOffline), NotEnough},
		{"a broken configuration", model.SchemeHub, "undetermined", []report.Gap{gap("acme/x", model.Unreachable)}, diligence.ErrShape, Usage},
		{"a configuration behind a gate", model.SchemeHub, "undetermined", []report.Gap{gap("config.json", model.Restricted)}, diligence.ErrShape, Unreachable},
		{"a configuration that was not sent", model.SchemeHub, "undetermined", []report.Gap{gap("config.json", model.Unreachable)}, diligence.ErrShape, Unreachable},
		{"a path that is not there", model.SchemePath, "undetermined", nil, errors.Join(source.ErrNotFound, fs.ErrNotExist), Usage},
		{"not found on the hub", model.SchemeHub, "undetermined", nil, source.ErrNotFound, Unreachable},
		{"a hub that does not answer", model.SchemeHub, "undetermined", nil, source.ErrUnreachable, Unreachable},
		{"out of time", model.SchemeHub, "undetermined", nil, context.DeadlineExceeded, Unreachable},
		{"a path that is no file", model.SchemePath, "undetermined", nil, errors.New("it is not a regular file"), Usage},
		{"a hub that has the base model and does not answer", model.SchemePath, "undetermined", nil, source.ErrUnreachable, Unreachable},
		{"a slow disk", model.SchemePath, "undetermined", nil, context.DeadlineExceeded, Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := &report.Document{
				Subject: report.Subject{Ref: "acme/x", Origin: string(c.origin)}, Gaps: c.gaps, Estimate: &report.Estimate{Outlook: report.Outlook{Verdict: string(c.verdict)}},
			}
			if got := estimateCode(doc, c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// Law: every flag of a command with sections is shown once by its help, in one of them.
func TestSections(t *testing.T) {
	a, out, _ := world(t, "")
	for _, name := range []string{"estimate", "estimate train", "calibrate"} {
		out.Reset()
		if code := Main(t.Context(), append(strings.Fields(name), "--help"), a); code != OK {
			t.Fatalf("status %d", code)
		}
		cmd, _, err := newRoot(a).Find(strings.Fields(name))
		if err != nil {
			t.Fatal(err)
		}
		cmd.InitDefaultHelpFlag()
		n := 0
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			n++
			shown := regexp.MustCompile(`(?m)^ +(-[a-z], )?--`+f.Name+`( |$)`).FindAllString(out.String(), -1)
			if len(shown) != 1 {
				t.Errorf("%s: --%s is shown %d times, want once", name, f.Name, len(shown))
			}
		})
		if n < 15 {
			t.Errorf("%s: %d flags, want at least 15", name, n)
		}
	}
}

func TestLoadFromFlags(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want diligence.Workload
	}{
		{"nothing is said", nil, diligence.Workload{}},
		{"none is played", []string{"--simulate", "0"}, diligence.Workload{Simulate: -1}},
		{"times as people write them", []string{"--ttft", "500ms", "--tpot", "0.05"}, diligence.Workload{TTFT: 0.5, TPOT: 0.05}},
		{"users who read", []string{"--users", "20", "--think-time", "1m30s"}, diligence.Workload{Users: 20, Think: 90}},
		{"as many as find room", []string{"--concurrency", "Max"}, diligence.Workload{Unlimited: true}},
		{"the last of two counts", []string{"--concurrency", "max", "--concurrency", "3"}, diligence.Workload{Concurrency: 3}},
		{"bursts with a seed", []string{"--request-rate", "2", "--burstiness", "3", "--seed", "9"}, diligence.Workload{Rate: 2, Burst: 3, Seed: 9}},
		{"drafts", []string{"--draft-tokens", "3", "--acceptance", "0.7"}, diligence.Workload{Drafts: 3, Accepted: 0.7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := estimated(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, q.Load); diff != "" {
				t.Error("-want +got\n" + diff)
			}
		})
	}
}

// Law: a flag of the load that nobody uses is refused, each by its name.
func TestIdleFlags(t *testing.T) {
	for _, c := range []struct {
		flag string
		args []string
	}{
		{"--spare", []string{"--spare", "1"}},
		{"--max-gpus", []string{"--max-gpus", "8"}},
		{"--spare", []string{"--spare", "1", "--users", "9", "--gpus", "2"}},
		{"--burstiness", []string{"--burstiness", "2"}},
		{"--simulate", []string{"--simulate", "9", "--concurrency", "max"}},
		{"--seed", []string{"--seed", "9"}},
		{"--seed", []string{"--seed", "9", "--request-rate", "2", "--simulate", "0"}},
		{"--price", []string{"--price", "2"}},
		{"--price", []string{"--price", "2", "--gpu", "all"}},
		{"--price", []string{"--price", "2", "--gpu", "h100,h200"}},
		{"--own", []string{"--own", "--seller", "neocloud"}},
		{"--purchase-price", []string{"--purchase-price", "9", "--gpu", "h100"}},
		{"--emit", []string{"--emit", "sglang", "--engine", "vllm"}},
		{"--explain", []string{"--emit", "vllm", "--explain"}},
		{"--emit", []string{"--emit", "vllm", "acme/y"}},
	} {
		if _, err := estimated(t, c.args...); codeOf(err) != Usage || !strings.Contains(err.Error(), c.flag) {
			t.Errorf("%q: got %v, want an error of the command line that names %s", c.args, err, c.flag)
		}
	}
}

// The format of a command line chooses its engine, where none is named.
func TestEmitChooses(t *testing.T) {
	for format, kind := range commands() {
		if q, err := estimated(t, "--emit", format); err != nil || q.Kind != kind || len(q.Plan.Assumed) != 1 {
			t.Errorf("%s: got %q with %+v, %v, want %s as assumed", format, q.Kind, q.Plan.Assumed, err, kind)
		}
	}
	if q, err := estimated(t, "--emit", "compose"); err != nil || q.Kind != "" {
		t.Errorf("compose: got %q, %v, want the engine left open", q.Kind, err)
	}
}

func TestPromiseCode(t *testing.T) {
	for _, c := range []struct {
		name  string
		speed *report.Speed
		want  Code
	}{
		{"nothing is known", nil, OK},
		{"no limits", &report.Speed{}, OK},
		{"saturated", &report.Speed{Saturated: true}, No},
		{"saturated, whatever its limits", &report.Speed{Saturated: true, Targets: &report.Targets{Met: "perhaps"}}, No},
		{"met", &report.Speed{Targets: &report.Targets{Met: "yes"}}, OK},
		{"perhaps", &report.Speed{Targets: &report.Targets{Met: "perhaps"}}, NotEnough},
		{"missed", &report.Speed{Targets: &report.Targets{Met: "no"}}, No},
		{"a word that nobody knows", &report.Speed{Targets: &report.Targets{Met: "?"}}, NotEnough},
	} {
		if got := promiseCode(c.speed); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
