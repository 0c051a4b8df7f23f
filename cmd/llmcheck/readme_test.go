package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const readme = "../../README.md"

// console is a block of README.md that shows commands and what they print.
var console = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestReadme runs every example of README.md from the top of the repository and compares what it prints, word for word.
// With UPDATE=1 it writes what they print today.
func TestReadme(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the examples are for a POSIX shell")
	}
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	blocks := console.FindAllSubmatchIndex(data, -1)
	if len(blocks) < 5 {
		t.Fatalf("%d examples in README.md, want at least 5", len(blocks))
	}
	var out bytes.Buffer
	last := 0
	for _, b := range blocks {
		shown := string(data[b[2]:b[3]])
		printed := session(t, shown)
		if diff := cmp.Diff(shown, printed); diff != "" && !update() {
			t.Errorf("README.md shows something else than is printed (-README +printed); UPDATE=1 go test ./cmd/llmcheck writes it:\n%s", diff)
		}
		out.Write(data[last:b[2]])
		out.WriteString(printed)
		last = b[3]
	}
	out.Write(data[last:])
	if update() {
		if err := os.WriteFile(readme, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// session runs the commands of a block, the lines that begin with "$ ", and returns the block as it prints today.
func session(t *testing.T, shown string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(shown) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		out.WriteString(line)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.TrimSpace(command))
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "COLUMNS=100", "HF_ENDPOINT=http://127.0.0.1:9", "NO_COLOR=1", "NO_PROXY=*")
		printed, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		out.Write(waiting.ReplaceAll(printed, nil))
	}
	return out.String()
}

// waiting is what a command says on a slow machine while it works; it is no part of the answer.
var waiting = regexp.MustCompile(`(?m)^llmcheck: \d+ of \d+ read.*\n`)
