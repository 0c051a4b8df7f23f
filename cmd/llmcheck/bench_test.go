package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program builds llmcheck as it is released and returns its path.
func program(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "llmcheck")
	cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// run starts a process for each round, as a person does, and reports its largest memory. Status 0, 3 and 4 are answers.
func run(b *testing.B, bytesRead int64, args ...string) {
	b.Helper()
	bin := program(b)
	b.SetBytes(bytesRead)
	var peak int64
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), bin, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if code := cmd.ProcessState.ExitCode(); err != nil && code != 3 && code != 4 {
			b.Fatalf("%v\n%s", err, stderr.Bytes())
		}
		peak = max(peak, peakBytes(cmd.ProcessState))
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

func BenchmarkStart(b *testing.B) { run(b, 0, "version") }

func BenchmarkModelFolder(b *testing.B) {
	run(b, 0, "license", "../../testdata/model/assistant", "--use", "../../testdata/use/company.yaml", "--offline", "--format", "json")
}

// BenchmarkEstimate is the default question, from start to exit.
func BenchmarkEstimate(b *testing.B) { run(b, 0, "estimate", "Qwen/Qwen3-32B", "--offline") }

// BenchmarkEstimateOnePlan is what a script asks for each model, with every number explained.
func BenchmarkEstimateOnePlan(b *testing.B) {
	run(b, 0, "estimate", "Qwen/Qwen3-32B", "--offline", "--gpu", "h100-sxm", "--gpus", "2", "--explain", "--format", "json")
}

// BenchmarkEstimateAllCards ranks the catalog of accelerators.
func BenchmarkEstimateAllCards(b *testing.B) {
	run(b, 0, "estimate", "openai/gpt-oss-120b", "--offline", "--gpu", "all", "--concurrency", "32", "--format", "json")
}

// BenchmarkComplete is what a shell waits for after a tab.
func BenchmarkComplete(b *testing.B) { run(b, 0, "__complete", "estimate", "Qwen/Qwen3-") }

// BenchmarkCorpus judges every text of the corpus, where it is present, in one process: MB/s with start-up included.
func BenchmarkCorpus(b *testing.B) {
	texts, err := filepath.Glob(filepath.Join(shared, "corpus", "licenses", "*.txt"))
	if err != nil || len(texts) == 0 {
		b.Skip("the corpus of texts is not here")
	}
	var size int64
	for _, t := range texts {
		info, err := os.Stat(t)
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	run(b, size, append([]string{"license", "--offline", "--format", "jsonl"}, texts...)...)
}
