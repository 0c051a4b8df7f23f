package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// answer is what one run of the program gave.
type answer struct {
	status         int
	outcome        string
	stdout, stderr []byte
	took           time.Duration
	peak           int64 // KiB of memory at most in use; 0 where the system does not tell
}

func (a answer) String() string {
	return fmt.Sprintf("status %d %-12s %6d ms %5d MiB", a.status, a.outcome, a.took.Milliseconds(), a.peak>>10)
}

// runProgram starts the program as a person does, in a home of its own, with no hub to ask.
func runProgram(t *testing.T, env []string, args ...string) answer {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "llmcheck", args...)
	cmd.Dir = home
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "USERPROFILE=" + home, "XDG_CACHE_HOME=" + home + "/.cache",
		"XDG_CONFIG_HOME=" + home + "/.config", "HF_ENDPOINT=http://127.0.0.1:9", "NO_PROXY=*", "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"),
	}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- watch(cmd.Process.Pid, done) }()
	err := cmd.Wait()
	a := answer{took: time.Since(start)}
	close(done)
	a.peak = <-peak
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		t.Fatal(err)
	}
	a.status, a.stdout, a.stderr = cmd.ProcessState.ExitCode(), out.Bytes(), errs.Bytes()
	return a
}

// watch follows the largest memory of a process until done. The kernel keeps the largest value itself, so looking now
// and then is enough; what the exit status carries is of no use, because it begins with the memory of the parent.
func watch(pid int, done <-chan struct{}) (peak int64) {
	if runtime.GOOS != "linux" {
		<-done
		return 0
	}
	name := "/proc/" + strconv.Itoa(pid) + "/status"
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return peak
		case <-tick.C:
		}
		status, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			if n, err := strconv.ParseInt(number, 10, 64); err == nil {
				peak = max(peak, n)
			}
		}
	}
}

// slow tells that the race detector is on, which takes several times the time and the memory.
func slow() bool {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}

// license asks about one model in JSON, which tells the outcome, and in other formats, and scans what was printed.
func license(t *testing.T, env, formats []string, args ...string) answer {
	t.Helper()
	var first answer
	for _, format := range append([]string{"json"}, formats...) {
		a := runProgram(t, env, append([]string{"license", "--format", format}, args...)...)
		for _, fault := range scan(format, a.stdout) {
			t.Errorf("%s on stdout: %s", format, fault)
		}
		for _, fault := range scan("text", a.stderr) {
			t.Errorf("%s on stderr: %s", format, fault)
		}
		if bytes.Contains(a.stderr, []byte("goroutine ")) || a.status < 0 || a.status > 5 || a.status == 1 {
			t.Errorf("%s: status %d: %.3000s", format, a.status, a.stderr)
		}
		if format == "json" {
			first = a
			continue
		}
		if a.status != first.status {
			t.Errorf("%s: status %d, in JSON %d", format, a.status, first.status)
		}
		first.took, first.peak = max(first.took, a.took), max(first.peak, a.peak)
	}
	var doc struct {
		License struct {
			Outcome string `json:"outcome"`
		} `json:"license"`
	}
	if err := json.Unmarshal(first.stdout, &doc); err == nil {
		first.outcome = doc.License.Outcome
	}
	return first
}

// scan looks for bytes that must not reach a terminal, a log or a page: it knows nothing of how they are kept away.
func scan(format string, out []byte) (faults []string) {
	add := func(what string, at int) {
		if len(faults) < 5 {
			faults = append(faults, fmt.Sprintf("%s in %q", what, out[max(0, at-60):min(len(out), at+60)]))
		}
	}
	if !utf8.Valid(out) {
		add("invalid UTF-8", 0)
	}
	for i, r := range string(out) {
		switch {
		case r == '\n', r == '\t' && format != "json" && format != "jsonl" && format != "sarif":
		case r < 0x20, r >= 0x7f && r < 0xa0:
			add(fmt.Sprintf("control character %#x", r), i)
		case r == '\u200b' && format == "markdown" && broken(out[:i]):
		case misleading(r) && format != "json" && format != "jsonl" && format != "sarif":
			add(fmt.Sprintf("misleading character %#x", r), i)
		}
	}
	if format == "json" || format == "jsonl" || format == "sarif" {
		for part := range bytes.SplitSeq(bytes.TrimSpace(out), []byte("\n")) {
			if format == "jsonl" && len(part) > 0 && !json.Valid(part) {
				add("a line that is no JSON", 0)
			}
		}
		if format != "jsonl" && len(out) > 0 && !json.Valid(out) {
			add("invalid JSON", 0)
		}
	}
	at := 0
	for line := range bytes.SplitSeq(out, []byte("\n")) {
		if bytes.HasPrefix(bytes.TrimLeftFunc(line, unicode.IsSpace), []byte("::")) {
			add("workflow command", at)
		}
		at += len(line) + 1
	}
	if i := bytes.Index(out, []byte("##[")); i >= 0 && format != "json" && format != "jsonl" {
		add("old workflow command", i)
	}
	if format == "html" {
		low := bytes.ToLower(out)
		for _, bad := range []string{"<script", "<img", "<iframe", `="javascript:`, "<link"} {
			if i := bytes.Index(low, []byte(bad)); i >= 0 {
				add(bad, i)
			}
		}
	}
	return faults
}

// broken tells that an address or a name ends here, which the Markdown report breaks so that nothing links or pages.
func broken(before []byte) bool {
	return bytes.HasSuffix(before, []byte(":")) || bytes.HasSuffix(before, []byte("@")) || bytes.HasSuffix(before, []byte("www"))
}

func misleading(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r == 0xad
}

// write puts files into a folder.
func write(t *testing.T, dir string, nameAndContent ...string) {
	t.Helper()
	for i := 0; i < len(nameAndContent); i += 2 {
		name := filepath.Join(dir, nameAndContent[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(nameAndContent[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const mitCard = "---\nlicense: mit\n---\n# Model\n"

// mit is the text of the license, from a module that every machine has.
func mit(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/spf13/viper").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The outcomes that an attack may lead to.
const (
	atBestUndetermined = "undetermined prohibited"
	atBestConditional  = "conditional undetermined prohibited"
	anyOutcome         = "allowed conditional undetermined prohibited"
)

// attack is a folder that a stranger made.
type attack struct {
	name   string
	make   func(t *testing.T, dir string)
	want   string   // outcomes
	status []int    // nil: what belongs to the outcome
	args   []string // instead of the folder
	says   string   // what the answer has to speak of
	memory int64    // MiB; 0 is the limit for headers
	time   time.Duration
}

const poison = "\x1b]0;x\x07\x1b[31m\n::error::gotcha\n##[error]x\r\u202egnp.exe\u200b<script>alert(1)</script>![x](http://evil/)\u009b"

func (a attack) check(t *testing.T, got answer) {
	t.Helper()
	t.Logf("ATTACK %-48s %s", a.name, got)
	if !strings.Contains(" "+a.want+" ", " "+got.outcome+" ") && a.want != "" {
		t.Errorf("outcome %q, want one of %s\n%.2000s\n%.2000s", got.outcome, a.want, got.stdout, got.stderr)
	}
	expected := map[string]int{"allowed": 0, "conditional": 0, "undetermined": 4, "prohibited": 3}[got.outcome]
	if a.status == nil && got.status != expected {
		t.Errorf("status %d for %s, want %d: %.2000s", got.status, got.outcome, expected, got.stderr)
	} else if a.status != nil && !strings.Contains(fmt.Sprint(a.status), strconv.Itoa(got.status)) {
		t.Errorf("status %d, want one of %v: %.2000s", got.status, a.status, got.stderr)
	}
	if a.says != "" && !bytes.Contains(got.stdout, []byte(a.says)) && !bytes.Contains(got.stderr, []byte(a.says)) {
		t.Errorf("the answer does not speak of %q: %.3000s", a.says, got.stdout)
	}
	if slow() {
		return
	}
	limit := max(a.memory, 64)
	if got.peak>>10 > limit {
		t.Errorf("%d MiB, want at most %d", got.peak>>10, limit)
	}
	// Ten times what it takes, for machines that do other things too: what is tested is that it ends.
	if want := 10 * max(a.time, 2*time.Second); got.took > want {
		t.Errorf("took %s, want at most %s", got.took, want)
	}
}

// runAttacks makes each folder and asks about it.
func runAttacks(t *testing.T, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			if large := a.memory > 64 || a.time > 0; large && (slow() || testing.Short()) {
				t.Skip("large, and its limits are not looked at here")
			}
			dir := filepath.Join(t.TempDir(), "m")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			a.make(t, dir)
			args := append([]string{"--ship", "hosted", "--offline"}, dir)
			if a.args != nil {
				args = a.args
			}
			formats := []string{"text"}
			if strings.Contains(a.name, "poison") {
				formats = []string{"text", "jsonl", "markdown", "html", "sarif"}
			}
			a.check(t, license(t, nil, formats, args...))
		})
	}
}

func files(nameAndContent ...string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { write(t, dir, nameAndContent...) }
}

// card is a folder with a card whose front matter is given.
func card(front string) func(*testing.T, string) {
	return files("README.md", "---\n"+front+"\n---\n# Model\n")
}

func TestHostileCards(t *testing.T) {
	keys := func(n int, form string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, form, i)
		}
		return b.String()
	}
	var bomb, merge strings.Builder
	bomb.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c <= 'i'; c++ {
		fmt.Fprintf(&bomb, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	merge.WriteString("a: &a {x: 1}\nb: &b {<<: [*a,*a,*a,*a,*a,*a,*a,*a]}\n")
	for c := 'c'; c <= 'k'; c++ {
		fmt.Fprintf(&merge, "%c: &%c {<<: [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]}\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	runAttacks(t, []attack{
		{name: "plain", make: card("license: mit"), want: "allowed"},
		{name: "alias bomb", make: card("license: mit\n" + bomb.String()), want: anyOutcome},
		{name: "alias bomb as license", make: card(bomb.String() + "license: *i"), want: atBestUndetermined},
		{name: "merge bomb", make: card("license: mit\n" + merge.String()), want: anyOutcome},
		{name: "alias of itself", make: card("license: &a [*a]"), want: atBestUndetermined},
		{name: "license by alias", make: card("x: &a mit\nlicense: *a"), want: anyOutcome},
		{name: "license by merge", make: card("x: &a {license: mit}\n<<: *a"), want: anyOutcome},
		{name: "license by merge against one written", make: card("x: &a {license: mit}\n<<: *a\nlicense: cc-by-nc-4.0"), want: atBestUndetermined},
		{name: "40,000 keys", make: card("license: mit\n" + keys(40_000, "k%d: 1\n")), want: atBestUndetermined},
		{name: "40,000 keys without license", make: card(keys(40_000, "k%d: 1\n")), want: atBestUndetermined},
		{name: "300,000 keys", make: card("license: mit\n" + keys(300_000, "k%d: 1\n")), want: atBestUndetermined, memory: 128},
		{name: "8 MiB of front matter", make: card("license: mit\nx: " + strings.Repeat("y", 8<<20)), want: atBestUndetermined, memory: 128},
		{name: "3 MiB of commas", make: card("license: mit\nx: [" + strings.Repeat(",", 3<<20) + "]"), want: atBestUndetermined, memory: 128},
		{name: "3 MiB of brackets", make: card("license: mit\nx: " + strings.Repeat("[", 3<<20)), want: atBestUndetermined, memory: 128},
		{name: "3 MiB of indentation", make: card("license: mit\n" + indents(2400)), want: atBestUndetermined, memory: 128},
		{name: "3 MiB of anchors", make: card("license: mit\n" + keys(180_000, "- &a%d x\n")), want: atBestUndetermined, memory: 128},
		{name: "flow of depth 9,000", make: card("license: mit\nx: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)), want: anyOutcome},
		{name: "license twice, the same", make: card("license: mit\nlicense: mit"), want: atBestUndetermined},
		{name: "license twice, different", make: card("license: cc-by-nc-4.0\nlicense: mit"), want: atBestUndetermined},
		{name: "license in another case", make: card("license: mit\nLicense: cc-by-nc-4.0"), want: atBestUndetermined},
		{name: "license with a long s", make: card("licen\u017fe: mit"), want: atBestUndetermined},
		{name: "license quoted with an escape", make: card(`"licen\u0073e": mit` + "\nlicense: cc-by-nc-4.0"), want: atBestUndetermined},
		{name: "binary license", make: card("license: !!binary bWl0"), want: atBestUndetermined},
		{name: "binary key", make: card("!!binary bGljZW5zZQ==: mit"), want: atBestUndetermined},
		{name: "foreign tag", make: card("license: !python/object:os.system mit"), want: anyOutcome},
		{name: "null license", make: card("license: ~"), want: atBestUndetermined},
		{name: "license as a map", make: card("license: {name: mit}"), want: atBestUndetermined},
		{name: "license as a map in a list", make: card("license: [mit, {x: cc-by-nc-4.0}]"), want: atBestUndetermined},
		{name: "license of two lines", make: card("license: |\n  mit\n  cc-by-nc-4.0"), want: atBestUndetermined},
		{name: "second document", make: files("README.md", "---\nlicense: mit\n...\n---\nlicense: cc-by-nc-4.0\n---\n"), want: anyOutcome},
		{name: "second document inside", make: card("license: mit\n--- \nlicense: cc-by-nc-4.0"), want: atBestUndetermined},
		{name: "no end", make: files("README.md", "---\nlicense: mit\n"), want: atBestUndetermined},
		{name: "poisoned license", make: card("license: " + strconv.Quote(poison)), want: atBestUndetermined},
		{name: "poisoned everything", make: card("license: other\nlicense_name: " + strconv.Quote(poison) + "\nlicense_link: " + strconv.Quote(poison) +
			"\nbase_model: " + strconv.Quote(poison) + "\ndatasets: [" + strconv.Quote(poison) + "]\npipeline_tag: " + strconv.Quote(poison) +
			"\nbase_model_relation: " + strconv.Quote(poison)), want: atBestUndetermined},
		{name: "poisoned body", make: files("README.md", mitCard+"## License "+poison+"\n"+poison+"\n"), want: anyOutcome},
		{name: "invisible character in the id", make: card("license: mi\u200bt"), want: atBestUndetermined},
		{name: "Cyrillic letter in the id", make: card("license: m\u0456t"), want: atBestUndetermined},
		{name: "expression of 10,000 parts", make: card("license: mit" + strings.Repeat(" AND mit", 10_000)), want: anyOutcome},
		{name: "expression of 100,000 parentheses", make: card("license: " + strings.Repeat("(", 100_000) + "mit" + strings.Repeat(")", 100_000)), want: atBestUndetermined},
		{name: "alternatives of alternatives", make: card("license: (mit OR apache-2.0)" + strings.Repeat(" AND (mit OR apache-2.0)", 24)), want: anyOutcome},
		{name: "9,000 licenses", make: card("license:\n" + keys(9_000, "- l%d\n")), want: atBestUndetermined, memory: 128},
		{name: "9,000 base models", make: card("license: mit\nbase_model:\n" + keys(9_000, "- a/b%d\n")), want: atBestUndetermined, memory: 128},
		{name: "base model at an address", make: card("license: mit\nbase_model: http://169.254.169.254/latest/meta-data/x.gguf"), want: atBestUndetermined},
		{name: "base model on the disk", make: card("license: mit\nbase_model: /etc/passwd"), want: atBestUndetermined},
		{name: "base model above", make: card("license: mit\nbase_model: ../../../../etc/passwd"), want: atBestUndetermined},
		{name: "base model as a file address", make: card("license: mit\nbase_model: file:///etc/passwd"), want: atBestUndetermined},
		{name: "base model in a registry", make: card("license: mit\nbase_model: oci:127.0.0.1:9/x:y"), want: atBestUndetermined},
		{name: "base model as a license", make: card("license: mit\nbase_model: license:mit"), want: atBestUndetermined},
		{name: "base model that is a number", make: card("license: mit\nbase_model: 127.1/x"), want: atBestUndetermined},
		{name: "license_link inside", make: card("license: other\nlicense_link: http://169.254.169.254/LICENSE"), want: atBestUndetermined},
		{name: "license_link above", make: card("license: other\nlicense_link: ../../../etc/passwd"), want: atBestUndetermined},
		{name: "license_link to the disk", make: card("license: other\nlicense_link: /etc/passwd"), want: atBestUndetermined},
	})
}

func indents(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "k:\n")
	}
	return b.String()
}

func TestHostileTexts(t *testing.T) {
	text := mit(t)
	wide := func(order string) string {
		b := []byte{0xff, 0xfe}
		if order == "be" {
			b = []byte{0xfe, 0xff}
		}
		for _, r := range text {
			if order == "be" {
				b = append(b, byte(r>>8), byte(r))
			} else {
				b = append(b, byte(r), byte(r>>8))
			}
		}
		return string(b)
	}
	runAttacks(t, []attack{
		{name: "MIT", make: files("README.md", mitCard, "LICENSE", text), want: "allowed", memory: 60},
		{name: "LICENSE of 9 MiB", make: files("README.md", mitCard, "LICENSE", text+strings.Repeat("\n", 9<<20)), want: atBestUndetermined, memory: 350, time: 4 * time.Second},
		{name: "LICENSE of 9 MiB of words", make: files("README.md", mitCard, "LICENSE", text+strings.Repeat("nothing here but words ", 9<<20/23)), want: atBestUndetermined, memory: 700, time: 8 * time.Second},
		{name: "terms after 7 MiB of blanks", make: files("README.md", mitCard, "LICENSE", text+strings.Repeat(" ", 7<<20)+"\nNon-commercial use only.\n"), want: atBestUndetermined, memory: 350, time: 4 * time.Second},
		{name: "one line of 8 MiB", make: files("README.md", mitCard, "LICENSE", strings.Repeat("permission is hereby granted ", 8<<20/29)), want: atBestUndetermined, memory: 700, time: 8 * time.Second},
		{name: "UTF-16 little endian", make: files("README.md", mitCard, "LICENSE", wide("le")), want: "allowed"},
		{name: "UTF-16 big endian", make: files("README.md", mitCard, "LICENSE", wide("be")), want: "allowed"},
		{name: "Latin-1", make: files("README.md", mitCard, "LICENSE", "Copyright \xa9 2026 J\xfcrgen M\xfcller\n"+text), want: anyOutcome},
		{name: "NUL at the start", make: files("README.md", mitCard, "LICENSE", "\x00"+text), want: atBestUndetermined},
		{name: "NUL after 9,000 bytes", make: files("README.md", mitCard, "LICENSE", text+strings.Repeat("\n", 9000)+"\x00 non-commercial use only"), want: atBestUndetermined},
		{name: "HTML page in its place", make: files("README.md", mitCard, "LICENSE", "<!DOCTYPE html><html><title>Sign in</title><body>Please log in</body></html>"), says: "web page", want: atBestUndetermined},
		{name: "HTML page that names a license", make: files("README.md", mitCard, "LICENSE", "<!DOCTYPE html><html><title>Sign in</title><body>MIT License. <a href=/login>Sign in</a></body></html>"), want: atBestUndetermined},
		{name: "terms in an HTML comment", make: files("README.md", mitCard, "LICENSE", text+"\n<!-- Non-commercial use only. You may not use the model for commercial purposes. -->\n"), want: anyOutcome},
		{name: "terms in a script", make: files("README.md", mitCard, "LICENSE.html", "<html><body><pre>"+text+"</pre><script>You may not use the model for commercial purposes.</script></body></html>"), want: anyOutcome},
		{name: "terms hidden by invisible characters", make: files("README.md", mitCard, "LICENSE", text+"\nNon\u200bcommercial use on\u200bly; commer\u200bcial use is prohi\u200bbited.\n"), want: atBestUndetermined},
		{name: "PDF", make: files("README.md", mitCard, "LICENSE", "%PDF-1.7\n"+text), want: atBestUndetermined},
		{name: "PDF by name", make: files("README.md", mitCard, "LICENSE.pdf", "%PDF-1.7\n"), want: atBestUndetermined},
		{name: "PDF behind blanks", make: files("README.md", mitCard, "LICENSE", "\n\n%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"+strings.Repeat("\x01\x02\xff", 3000)), want: atBestUndetermined},
		{name: "Git LFS pointer", make: files("README.md", mitCard, "LICENSE", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("a", 64)+"\nsize 9\n"), want: atBestUndetermined},
		{name: "poisoned text", make: files("README.md", mitCard, "LICENSE", poison+text+poison), want: anyOutcome},
		{name: "poisoned words of an unknown text", make: files("README.md", mitCard, "LICENSE", strings.Repeat("You may not use it commercially "+poison+"\n", 50)), want: atBestUndetermined},
		{name: "300 license files", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			for i := range 300 {
				write(t, dir, fmt.Sprintf("LICENSE-%d.txt", i), text)
			}
		}, want: atBestUndetermined, memory: 200, time: 4 * time.Second},
		{name: "40 license files of 1 MiB", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			for i := range 40 {
				write(t, dir, fmt.Sprintf("LICENSE-%d.txt", i), text+strings.Repeat("and the terms go on, ", 1<<20/21))
			}
		}, want: atBestUndetermined, memory: 700, time: 20 * time.Second},
	})
}
