//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func link(t *testing.T, dir, name, target string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestHostileFolders(t *testing.T) {
	runAttacks(t, []attack{
		{name: "pipe named LICENSE", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			mkfifo(t, dir, "LICENSE")
		}, want: atBestUndetermined, says: "not a regular file"},
		{name: "pipes for every file", make: func(t *testing.T, dir string) {
			for _, n := range []string{"README.md", "config.json", "model.gguf", "model.safetensors", "LICENSE.pdf", "mergekit_config.yml"} {
				mkfifo(t, dir, n)
			}
		}, want: atBestUndetermined},
		{name: "socket named LICENSE", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			t.Chdir(dir)
			l, err := net.Listen("unix", "LICENSE")
			if err != nil {
				t.Skip(err)
			}
			t.Cleanup(func() { l.Close() })
		}, want: atBestUndetermined},
		{name: "link to /dev/zero", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			link(t, dir, "LICENSE", "/dev/zero")
			link(t, dir, "model.gguf", "/dev/zero")
		}, want: atBestUndetermined, says: "was not followed"},
		{name: "card is a link to /dev/zero", make: func(t *testing.T, dir string) { link(t, dir, "README.md", "/dev/zero") }, want: atBestUndetermined},
		{name: "links out", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			link(t, dir, "LICENSE", "/etc/passwd")
			link(t, dir, "NOTICE", strings.Repeat("../", 30)+"etc/passwd")
			link(t, dir, "config.json", "/proc/self/environ")
			link(t, dir, "licenses", "/etc")
		}, want: atBestUndetermined, says: "was not followed"},
		{name: "folder of links out", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			link(t, dir, "original", "/etc")
		}, want: atBestUndetermined},
		{name: "loops", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			link(t, dir, "LICENSE", "NOTICE")
			link(t, dir, "NOTICE", "LICENSE")
			link(t, dir, "sub", ".")
			link(t, dir, "up", "..")
		}, want: atBestUndetermined},
		{name: "license_link to a link out", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", "---\nlicense: other\nlicense_link: terms.bin\n---\n")
			link(t, dir, "terms.bin", "/etc/passwd")
		}, want: atBestUndetermined},
		{name: "license_link to a pipe", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", "---\nlicense: other\nlicense_link: terms.bin\n---\n")
			mkfifo(t, dir, "terms.bin")
		}, want: atBestUndetermined},
		{name: "license_link through a folder link", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", "---\nlicense: other\nlicense_link: etc/passwd\n---\n")
			link(t, dir, "etc", "/etc")
		}, want: atBestUndetermined},
		{name: "folder named LICENSE", make: files("README.md", mitCard, "LICENSE/x.txt", "You may not use it commercially."), want: atBestUndetermined},
		{name: "folder named README.md", make: files("README.md/x.txt", "x"), want: atBestUndetermined},
		{name: "folder named model.gguf and config.json", make: files("README.md", mitCard, "model.gguf/x", "x", "config.json/y", "y"), want: anyOutcome},
		{name: "poisoned names", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			for _, n := range []string{
				"LICENSE\x1b[31m", "LICENSE\n::error::x", "LICENSE-\u202etxt", "::error::LICENSE.txt", "LICENSE\xff\xfe",
				"##[error]LICENSE.md", "LICENSE-\u200b.txt", "LICENSE\r.md", "LICENSE <img src=x onerror=alert(1)>.md", "LICENSE `|](x).md",
			} {
				write(t, dir, n, "You may not use it commercially.")
			}
		}, want: atBestUndetermined},
		{name: "poisoned weights", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			for _, n := range []string{"a\x1b[31m.gguf", "b\n::error::.gguf", "c\u202e.safetensors", "d\xff.gguf", "d\xfe.gguf"} {
				write(t, dir, n, "GGUF")
			}
		}, want: atBestUndetermined},
		{name: "no right to read", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard, "LICENSE", "x", "licenses/y.txt", "y")
			if os.Getuid() == 0 {
				t.Skip("root reads everything")
			}
			for _, n := range []string{"LICENSE", "licenses"} {
				if err := os.Chmod(filepath.Join(dir, n), 0); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "licenses"), 0o755) })
		}, want: atBestUndetermined},
		{name: "20,000 files", make: func(t *testing.T, dir string) { many(t, dir, 19_990, "f%d.txt") }, want: "allowed", memory: 150},
		{name: "5,000 weights", make: func(t *testing.T, dir string) { many(t, dir, 5_000, "w%d.gguf") }, want: anyOutcome, memory: 150},
		{name: "25,000 weights", make: func(t *testing.T, dir string) { many(t, dir, 25_000, "w%d-q4_0.gguf") }, want: atBestUndetermined, memory: 150},
		{name: "5,000 licenses", make: func(t *testing.T, dir string) { many(t, dir, 5_000, "LICENSE-%d.md") }, want: atBestUndetermined, memory: 150},
		{name: "5,000 poisoned folders", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			for i := range 5_000 {
				if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("d%d\n::error::", i)), 0o755); err != nil {
					t.Fatal(err)
				}
			}
		}, want: anyOutcome, memory: 150, time: 3 * time.Second},
		{name: "5,000 links out", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			for i := range 5_000 {
				link(t, dir, fmt.Sprintf("LICENSE-%d", i), "/etc/passwd")
			}
		}, want: atBestUndetermined, memory: 150},
		{name: "deep folders", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard, strings.Repeat("d/", 200)+"LICENSE", "You may not use it.")
		}, want: atBestUndetermined},
		{name: "weights of 40 GB", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			sparse(t, dir, "model.gguf", "GGUF\x03\x00\x00\x00")
			sparse(t, dir, "pytorch_model.bin", "\x80\x02}q\x00.")
		}, want: anyOutcome},
		{name: "license of 40 GB", make: func(t *testing.T, dir string) {
			write(t, dir, "README.md", mitCard)
			sparse(t, dir, "LICENSE", "MIT License\n")
		}, want: atBestUndetermined, memory: 120},
		{name: "card and configs of 40 GB", make: func(t *testing.T, dir string) {
			for _, n := range []string{"README.md", "config.json", "adapter_config.json", "tokenizer_config.json", "mergekit_config.yml"} {
				sparse(t, dir, n, "---\nlicense: mit\n---\n")
			}
		}, want: atBestUndetermined, memory: 200},
		{name: "reference to a pipe", make: func(t *testing.T, dir string) {
			t.Chdir(dir)
			mkfifo(t, dir, "p")
		}, args: []string{"--offline", "/dev/zero"}, status: []int{2, 4, 5}},
	})
}

func mkfifo(t *testing.T, dir, name string) {
	t.Helper()
	if err := syscall.Mkfifo(filepath.Join(dir, name), 0o644); err != nil {
		t.Skip("no pipes here:", err)
	}
}

func many(t *testing.T, dir string, n int, form string) {
	t.Helper()
	write(t, dir, "README.md", mitCard)
	for i := range n {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf(form, i)))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

// sparse is a file that begins with head and is said to be of 40 GB.
func sparse(t *testing.T, dir, name, head string) {
	t.Helper()
	write(t, dir, name, head)
	if err := os.Truncate(filepath.Join(dir, name), 40<<30); err != nil {
		t.Skip("no sparse files here:", err)
	}
}
