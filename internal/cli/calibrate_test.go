package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/report"
)

// served is what vllm bench serve writes of a benchmark with 16 requests at once, with milliseconds between tokens.
func served(tpot string) string {
	return `{"date": "20261120-101500", "backend": "vllm", "model_id": "x", "num_prompts": 200, "request_rate": "inf", "max_concurrency": 16,
 "duration": 100.0, "completed": 200, "failed": 0, "total_input_tokens": 204800, "total_output_tokens": 51200, "request_throughput": 2.0,
 "mean_ttft_ms": 250.0, "median_ttft_ms": 240.0, "mean_tpot_ms": ` + tpot + `, "median_tpot_ms": ` + tpot + `}`
}

// calibrated runs llmcheck calibrate on results, with the setting that the tests ask for again.
func calibrated(t *testing.T, in string, args ...string) (Code, string, string) {
	t.Helper()
	a, out, errs := world(t, in)
	all := append([]string{"calibrate", "-", "--offline", "--model", "Qwen/Qwen3-32B", "--gpu", "h100-sxm", "--tp", "2", "--engine", "vllm"}, args...)
	code := Main(t.Context(), all, a)
	return code, out.String(), errs.String()
}

func speedWith(t *testing.T, catalog string) *report.Speed {
	t.Helper()
	a, out, errs := world(t, "")
	args := []string{"estimate", "Qwen/Qwen3-32B", "--offline", "--gpu", "h100-sxm", "--tp", "2", "--concurrency", "16", "--format", "json"}
	if catalog != "" {
		args = append(args, "--catalog", catalog)
	}
	if code := Main(t.Context(), args, a); code != OK {
		t.Fatalf("status %d: %s", code, errs)
	}
	var doc report.Document
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Estimate.Speed
}

// Law: measurements of the very setting that agree with what is computed narrow its ranges, and never move them off what
// was measured.
func TestCalibrateNarrows(t *testing.T) {
	before := speedWith(t, "")
	dir := filepath.Join(t.TempDir(), "company")
	if code, _, errs := calibrated(t, served("20.0"), "--catalog", dir); code != OK {
		t.Fatalf("status %d: %s", code, errs)
	}
	after := speedWith(t, dir)
	if before.Narrowed != "" || after.Narrowed == "" {
		t.Errorf("calibrated is %q before and %q after, want nothing and something", before.Narrowed, after.Narrowed)
	}
	for _, c := range []struct {
		name          string
		before, after *report.Range
		measured      float64
	}{{"tpot", before.TPOT, after.TPOT, 0.020}, {"ttft", before.TTFT, after.TTFT, 0.250}} {
		if wide, narrow := c.before.High/c.before.Low, c.after.High/c.after.Low; narrow >= wide {
			t.Errorf("%s: a range of x%.2f after and x%.2f before, want a narrower one", c.name, narrow, wide)
		}
		if c.after.Low > c.measured || c.after.High < c.measured {
			t.Errorf("%s: %g to %g does not hold what was measured, %g", c.name, c.after.Low, c.after.High, c.measured)
		}
	}
}

// A measurement that cannot be true of the setting makes nobody surer of it.
func TestCalibrateContradicted(t *testing.T) {
	before := speedWith(t, "")
	dir := filepath.Join(t.TempDir(), "company")
	code, out, errs := calibrated(t, served("0.2"), "--catalog", dir)
	if code != OK || !strings.Contains(out, "\ndoubt: ") {
		t.Fatalf("got status %d, %q, %q, want a doubt", code, out, errs)
	}
	after := speedWith(t, dir)
	if after.TPOT.High/after.TPOT.Low < before.TPOT.High/before.TPOT.Low {
		t.Errorf("%+v after and %+v before, want no narrower range", after.TPOT, before.TPOT)
	}
}

func TestRecordName(t *testing.T) {
	for _, c := range []struct{ name, file, given, want string }{
		{"the name of the file", "runs/Result 1.json", "", "result-1"},
		{"of Windows", `C:\Users\x\H100 Run.JSON`, "", "h100-run"},
		{"a share of Windows", `\\server\share\a.b.json`, "", "a-b"},
		{"no name", "-", "", "run-0123"},
		{"letters of other alphabets", "測定.json", "", "run-0123"},
		{"a name that was given", "result.json", "../../Etc/passwd", "etc-passwd"},
		{"a device of Windows", "con.json", "", "run-con"},
		{"a device with a number", "x.json", "LPT1", "run-lpt1"},
		{"control characters", "a\x1b[31m\nb.json", "", "a-31m-b"},
		{"a long one", strings.Repeat("ab-", 100) + ".json", "", strings.TrimSuffix(strings.Repeat("ab-", 27)[:80], "-")},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &calibrateOptions{file: c.file, name: c.given}
			if got := o.recordName("0123"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFlagsOf(t *testing.T) {
	for _, c := range []struct {
		fields []string
		want   string
	}{
		{[]string{"engine", "gpu", "gpus"}, "--engine --gpu --gpus"},
		{[]string{"precision", "input", "output"}, "--quant --input-tokens --output-tokens"},
		{[]string{"model", "precision"}, "--model"}, // which is published in some format
	} {
		if got := flagsOf(c.fields); got != c.want {
			t.Errorf("%q: got %q, want %q", c.fields, got, c.want)
		}
	}
	a, _, _ := world(t, "")
	cmd := newCalibrate(&global{app: a})
	for flag := range strings.FieldsSeq(flagsOf([]string{"precision", "kv", "version", "engine", "gpu", "gpus", "division", "concurrency", "input", "output", "model"})) {
		if cmd.Flags().Lookup(strings.TrimPrefix(flag, "--")) == nil {
			t.Errorf("%s is named and is no flag", flag)
		}
	}
}

func TestLoose(t *testing.T) {
	dir := t.TempDir()
	put := func(name string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("id: x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("fresh/.keep")
	put("loose/acme.yaml")
	put("sorted/licenses/acme.yaml")
	for name, refused := range map[string]bool{"gone": false, "fresh": false, "loose": true, "sorted": false, "loose/acme.yaml": true} {
		if err := loose(filepath.Join(dir, filepath.FromSlash(name))); (err != nil) != refused || refused && codeOf(err) != Usage {
			t.Errorf("%s: got %v, want an error of the command line: %v", name, err, refused)
		}
	}
}
