package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llmcheck/llmcheck/internal/cli"
	"github.com/llmcheck/llmcheck/internal/source/hub/hubtest"
	"github.com/llmcheck/llmcheck/internal/source/oci/ocitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"llmcheck": func() { os.Exit(int(cli.Main(context.Background(), os.Args[1:], process()))) }, //nolint:forbidigo // the main of the program in a script
	})
}

// noWaiting is a variable of scripts, in which nobody waits for a server that is tried again. How long the program waits
// is tested where it is measured.
const noWaiting = "NO_WAITING"

// process is the world of the program under test.
func process() *cli.App {
	a := cli.System()
	if os.Getenv(noWaiting) != "" {
		c := &clock{}
		a.Now, a.Sleep = c.Now, c.Sleep
	}
	return a
}

// clock jumps where the program would sleep.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.ahead.Add(int64(d))
	return ctx.Err()
}

const scripts = "../../testdata/script"

// TestScripts runs what a person types and compares what a person sees, folder by folder.
func TestScripts(t *testing.T) {
	folders, err := os.ReadDir(scripts)
	if err != nil || len(folders) == 0 {
		t.Fatalf("no folder with scripts in %s: %v", scripts, err)
	}
	for _, f := range folders {
		dir := filepath.Join(scripts, f.Name())
		files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no script in %s: %v", dir, err)
		}
		t.Run(f.Name(), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: dir, Setup: setup, Cmds: commands(), Condition: condition,
				RequireExplicitExec: true, UpdateScripts: update(),
			})
		})
	}
}

// shared is a folder beside the repository with real license texts, which are not kept in it.
const shared = "../../../shared"

// condition knows [shared]: the folder is there.
func condition(cond string) (bool, error) {
	if cond == "shared" {
		return exists(filepath.Join(shared, "corpus", "licenses")), nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

func update() bool { return os.Getenv("UPDATE") != "" }

// setup gives each script a home of its own, the sample models, and a hub that serves the folder hub of its archive.
// Without that folder the hub is an address where nobody answers.
func setup(env *testscript.Env) error {
	samples, err := filepath.Abs("../../testdata")
	if err != nil {
		return err
	}
	w := &world{}
	env.Values[worldKey{}] = w
	env.Setenv("TESTDATA", samples)
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("USERPROFILE", env.WorkDir)
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
	env.Setenv("HF_ENDPOINT", "http://127.0.0.1:9")
	env.Setenv("NO_PROXY", "*")
	env.Setenv(noWaiting, "1")
	if dir := filepath.Join(env.WorkDir, "hub"); exists(dir) {
		w.hub = hubtest.Start(os.DirFS(dir))
		env.Setenv("HF_ENDPOINT", w.hub.URL)
		env.Setenv("HUB", strings.TrimPrefix(w.hub.URL, "http://"))
		env.Defer(w.hub.Close)
	}
	w.registry = ocitest.New()
	host, stop := serve(w.registry)
	env.Setenv("LLMCHECK_OLLAMA_REGISTRY", host)
	env.Setenv("REGISTRY", host)
	env.Defer(stop)
	return nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
