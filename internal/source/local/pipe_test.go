//go:build unix

package local

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A pipe, a socket and a device are gaps at once; nobody waits for somebody to write into the pipe.
func TestSpecialFiles(t *testing.T) {
	dir := write(t, "NOTICE", "->"+"pipe")
	for _, name := range []string{"LICENSE", "pipe", "README.md", "m.gguf", "config.json"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o644); err != nil {
			t.Skip("no pipes here:", err)
		}
	}
	if l, err := net.Listen("unix", filepath.Join(dir, "COPYING")); err == nil {
		defer l.Close()
	} else {
		t.Log("no socket:", err)
	}
	start := time.Now()
	m, s := read(t, Disk{}, pathRef(dir))
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
	got := sorted(unread(m))
	var want []string
	for _, name := range []string{"COPYING", "LICENSE", "NOTICE", "README.md", "config.json", "m.gguf"} {
		want = append(want, name+": it is not a regular file, and was not opened")
	}
	if diff := cmp.Diff(want, got); diff != "" && len(got) != len(want)-1 {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	for _, name := range []string{"LICENSE", "NOTICE", "pipe"} {
		if _, err := s.FS.Open(name); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("opening %s: %v", name, err)
		}
	}
}

func TestSpecialFileByName(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "LICENSE")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no pipes here:", err)
	}
	for _, name := range []string{pipe, os.DevNull, "/dev/zero"} {
		if _, err := (Disk{}).Open(context.Background(), pathRef(name)); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}

func TestNoPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := write(t, "LICENSE", "x", "d/LICENSE", "x")
	for _, name := range []string{"LICENSE", "d"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := os.Chmod(filepath.Join(dir, "d"), 0o755); err != nil {
			t.Error(err)
		}
	})
	m, _ := read(t, Disk{}, pathRef(dir))
	if diff := cmp.Diff([]string{"LICENSE: it could not be read: permission denied", "d: the folder could not be read: permission denied"},
		sorted(unread(m))); diff != "" {
		t.Error(diff)
	}
}
