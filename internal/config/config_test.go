package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// flags declares what llmcheck license declares, and parses args.
func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	d := Default()
	fl := pflag.NewFlagSet("license", pflag.ContinueOnError)
	fl.String("format", d.Format, "")
	fl.String("fail-on", d.FailOn, "")
	fl.String("catalog", "", "")
	fl.String("cache", "", "")
	fl.String("use", "", "")
	fl.Bool("offline", false, "")
	fl.Int("jobs", d.Jobs, "")
	fl.Duration("timeout", d.Timeout, "")
	fl.String("color", d.Color, "")
	if err := fl.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fl
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// clean takes away what the machine that tests has set.
func clean(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "LLMCHECK_") {
			t.Setenv(name, "")
		}
	}
}

func with(change func(*Config)) *Config {
	c := Default()
	change(&c)
	return &c
}

// Flag before variable before file before default, for each kind of setting.
func TestPrecedence(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want *Config
	}{
		{"nothing said", nil, nil, "", with(func(*Config) {})},
		{
			"the file", nil, nil, "format: json\nfail_on: prohibited\njobs: 2\ntimeout: 30s\noffline: true\ncache: none\nuse: u.yaml\ncatalog: c\ncolor: never\n",
			&Config{"json", "prohibited", "c", "u.yaml", "none", true, 2, 30 * time.Second, "never"},
		},
		{
			"the variable over the file", nil,
			map[string]string{"LLMCHECK_FORMAT": "html", "LLMCHECK_FAIL_ON": "none", "LLMCHECK_JOBS": "3", "LLMCHECK_TIMEOUT": "1m", "LLMCHECK_OFFLINE": "true"},
			"format: json\nfail_on: prohibited\njobs: 2\ntimeout: 30s\n",
			with(func(c *Config) {
				c.Format, c.FailOn, c.Jobs, c.Timeout, c.Offline = "html", "none", 3, time.Minute, true
			}),
		},
		{
			"the flag over the variable",
			[]string{"--format", "sarif", "--jobs", "5", "--fail-on", "conditional", "--timeout", "2s", "--offline=false"},
			map[string]string{"LLMCHECK_FORMAT": "html", "LLMCHECK_JOBS": "3", "LLMCHECK_FAIL_ON": "none", "LLMCHECK_TIMEOUT": "1m", "LLMCHECK_OFFLINE": "true"},
			"format: json\n",
			with(func(c *Config) { c.Format, c.Jobs, c.FailOn, c.Timeout = "sarif", 5, "conditional", 2*time.Second }),
		},
		{"a flag that says the default is said", []string{"--format", "text"}, map[string]string{"LLMCHECK_FORMAT": "html"}, "", with(func(*Config) {})},
		{"an empty variable says nothing", nil, map[string]string{"LLMCHECK_FORMAT": ""}, "format: json\n", with(func(c *Config) { c.Format = "json" })},
		{"a file of comments", nil, nil, "# format: json\n", with(func(*Config) {})},
		{"an empty file", nil, nil, "\n", with(func(*Config) {})},
	} {
		t.Run(c.name, func(t *testing.T) {
			clean(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			named := ""
			if c.file != "" {
				named = file(t, c.file)
			}
			got, err := Load(flags(t, c.args...), named, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error("-want +got\n" + diff)
			}
		})
	}
}

func TestStandardFile(t *testing.T) {
	clean(t)
	standard := file(t, "format: json\n")
	if c, err := Load(flags(t), "", standard); err != nil || c.Format != "json" {
		t.Errorf("the standard file: got %+v, %v", c, err)
	}
	if c, err := Load(flags(t), file(t, "jobs: 2\n"), standard); err != nil || c.Format != "text" || c.Jobs != 2 {
		t.Errorf("a named file is read alone: got %+v, %v", c, err)
	}
	if _, err := Load(flags(t), "", standard+".gone"); err != nil {
		t.Errorf("no standard file: %v, want none needed", err)
	}
}

// What is wrong is refused with its file and line, all at once.
func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want []string
	}{
		{"unknown keys", nil, nil, "format: json\nformt: x\n\nfailon: none\n", []string{`config.yaml:2: unknown key "formt"`, `config.yaml:4: unknown key "failon"`}},
		{"a list for a number", nil, nil, "jobs: [1]\n", []string{"config.yaml:1: "}},
		{"a word for yes or no", nil, nil, "\noffline: perhaps\n", []string{"config.yaml:2: "}},
		{"a bare number for a time", nil, nil, "timeout: soon\n", []string{"config.yaml: timeout: \"soon\" is not a time like 5m"}},
		{"no YAML", nil, nil, "a: b: c\n", []string{"config.yaml"}},
		{"a variable that is no number", nil, map[string]string{"LLMCHECK_JOBS": "many"}, "", []string{"LLMCHECK_*", "jobs"}},
		{"no job at all", []string{"--jobs", "0"}, nil, "", []string{"jobs: 0 is not between"}},
		{"no time at all", []string{"--timeout", "0"}, nil, "", []string{"timeout: 0s is not above zero"}},
		{"a color", nil, nil, "color: blue\n", []string{`color: "blue" is not one of auto, always, never`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clean(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			named := ""
			if c.file != "" {
				named = file(t, c.file)
			}
			_, err := Load(flags(t, c.args...), named, "")
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want an error with %q", err, want)
				}
			}
		})
	}
	if _, err := Load(flags(t), filepath.Join(t.TempDir(), "gone.yaml"), ""); err == nil || !strings.Contains(err.Error(), "gone.yaml") {
		t.Errorf("a named file that is not there: got %v, want an error that names it", err)
	}
}
