package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/units"
)

// world is an App without a machine around it.
func world(t *testing.T, in string) (a *App, out, errs *bytes.Buffer) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "LLMCHECK_") {
			t.Setenv(name, "")
		}
	}
	out, errs = new(bytes.Buffer), new(bytes.Buffer)
	return &App{
		In: strings.NewReader(in), Out: out, Err: errs, Width: 80, Getenv: func(string) string { return "" },
		Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) },
	}, out, errs
}

func input(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// asked runs llmcheck license with its work replaced, and returns what would have been done.
func asked(t *testing.T, in string, args ...string) (*licenseOptions, error) {
	t.Helper()
	a, _, _ := world(t, in)
	var got *licenseOptions
	cmd := newLicense(&global{app: a}, func(_ context.Context, o *licenseOptions) error {
		got = o
		return nil
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	return got, cmd.ExecuteContext(t.Context())
}

// givenUse reads one use from flags.
func givenUse(t *testing.T, args ...string) license.Use {
	t.Helper()
	o, err := asked(t, "", append([]string{"license:mit"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return o.asked[0].Use
}

func TestUseFromFlags(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want license.Use
	}{
		{"nothing but the purpose that is assumed", nil, license.Use{Purpose: license.ForProduct}},
		{
			"ways of shipping add up",
			[]string{"--ship", "hosted,weights", "--ship", "on-device"},
			license.Use{Purpose: license.ForProduct, Shipping: []license.Shipping{license.Hosted, license.Weights, license.OnDevice}},
		},
		{
			"no is the next word",
			[]string{"--modify", "no", "--accept-branding", "yes", "--commercial=false"},
			license.Use{Purpose: license.ForProduct, Modify: new(false), AcceptBranding: new(true), Commercial: new(false)},
		},
		{"none of the fields", []string{"--field", "none"}, license.Use{Purpose: license.ForProduct, Fields: []license.Field{}}},
		{
			"countries as people write them",
			[]string{"--country", "de,uk,worldwide", "--domicile", "us"},
			license.Use{Purpose: license.ForProduct, Countries: []string{"DE", "GB", license.Worldwide}, Domicile: "US"},
		},
		{
			"figures with units",
			[]string{"--monthly-users", "1.5k", "--revenue", "4M USD"},
			license.Use{Purpose: license.ForProduct, MonthlyUsers: new(units.Count(1500)), Revenue: &units.Money{Amount: 4e6, Currency: "USD"}},
		},
		{"zero is said", []string{"--users-at-release", "0"}, license.Use{Purpose: license.ForProduct, UsersAtRelease: new(units.Count(0))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, givenUse(t, c.args...)); diff != "" {
				t.Error("-want +got\n" + diff)
			}
		})
	}
}

// Law: every key of use.yaml has a flag, every flag of it reaches its key, and help names both.
func TestEveryFactHasAFlag(t *testing.T) {
	values := map[string]string{
		"purpose": "research", "shipping": "hosted", "organization": "company", "train_others": "any", "domicile": "DE", "countries": "DE",
		"fields": "gambling", "accept_copyleft": "file", "agreements": "mit",
	}
	flags := map[string]string{"shipping": "--ship", "countries": "--country", "fields": "--field", "agreements": "--agreement"}
	help, err := topics.ReadFile("help/use.md")
	if err != nil {
		t.Fatal(err)
	}
	use := reflect.TypeFor[license.Use]()
	for i := range use.NumField() {
		f := use.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		value := values[key]
		switch f.Type {
		case reflect.TypeFor[*bool]():
			value = "yes"
		case reflect.TypeFor[*units.Count]():
			value = "7"
		case reflect.TypeFor[*units.Money]():
			value = "7 USD"
		}
		flag := flags[key]
		if flag == "" {
			flag = "--" + strings.ReplaceAll(key, "_", "-")
		}
		if reflect.ValueOf(givenUse(t, flag, value)).Field(i).IsZero() {
			t.Errorf("%s %s does not reach %s", flag, value, key)
		}
		if !regexp.MustCompile(`(?m)^  ` + key + ` +` + flag + ` `).Match(help) {
			t.Errorf("llmcheck help use has no line for %s and %s", key, flag)
		}
	}
}

// Flags win over the file, each by itself.
func TestUseFile(t *testing.T) {
	file := input(t, "use.yaml", "purpose: internal\nshipping: [weights]\nmonthly_users: 5M\nfields: []\n")
	got := givenUse(t, "--use", file, "--ship", "hosted")
	want := license.Use{Purpose: license.ForInternal, Shipping: []license.Shipping{license.Hosted}, MonthlyUsers: new(units.Count(5e6)), Fields: []license.Field{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-want +got\n" + diff)
	}
	o, err := asked(t, "purpose: research\n", "license:mit", "--use", "-")
	if err != nil || o.asked[0].Use.Purpose != license.ForResearch {
		t.Errorf("a use from the standard input: got %+v, %v", o, err)
	}
}

// A list gives each model its own use, with the same assumption as on the command line, said in the same way.
func TestList(t *testing.T) {
	const list = "models:\n  - ref: license:mit\n  - ref: acme/x@v1\n    use: {shipping: [hosted], fields: [none]}\n  - ref: license:mit\n"
	for _, c := range []struct{ name, in, file string }{
		{"a file", "", input(t, "models.yaml", list)},
		{"the standard input", list, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := asked(t, c.in, "./first", "-f", c.file, "--purpose", "research")
			if err != nil {
				t.Fatal(err)
			}
			var refs []string
			for _, r := range o.refs() {
				refs = append(refs, r.String())
			}
			if want := []string{"./first", "license:mit", "acme/x@v1", "license:mit"}; !slices.Equal(refs, want) {
				t.Errorf("asked for %q, want %q: in order, and twice what is there twice", refs, want)
			}
			own := o.asked[2]
			if own.Use.Purpose != license.ForProduct || len(own.Assumed) != 1 || own.Use.Fields == nil || len(own.Use.Fields) != 0 {
				t.Errorf("a use of its own: got %+v assuming %q, want the product assumed and no field", own.Use, own.Assumed)
			}
			if o.asked[1].Use.Purpose != license.ForResearch || o.asked[1].Assumed != nil {
				t.Errorf("without one: got %+v, want that of the command line", o.asked[1])
			}
		})
	}
}

// A wrong command line costs no work, ends with 2, and says what is possible.
func TestRefused(t *testing.T) {
	list := func(text string) []string { return []string{"-f", input(t, "models.yaml", text)} }
	use := func(text string) []string { return []string{"license:mit", "--use", input(t, "use.yaml", text)} }
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no model", nil, "no model is named"},
		{"an answer is missing", []string{"license:mit", "--modify"}, "flag needs an argument"},
		{"an answer that is none", []string{"license:mit", "--modify", "./x"}, "want yes or no"},
		{"an empty --fail-on lets nothing pass", []string{"license:mit", "--fail-on", ""}, `outcome "" is not one of`},
		{"none beside another", []string{"license:mit", "--fail-on", "none,prohibited"}, `outcome "none" is not one of`},
		{"an empty word", []string{"license:mit", "--fail-on", "prohibited,"}, `outcome "" is not one of`},
		{"no country", []string{"license:mit", "--country", ""}, "countries: the list is empty"},
		{"an empty file", list(""), "the file is empty"},
		{"an empty list", list("models: []\n"), "lists no model"},
		{"a model without a name", list("models:\n  - ref: license:mit\n  - use: {purpose: product}\n"), "models[1]: reading a model reference: it is empty"},
		{"a use that is wrong", list("models:\n  - ref: license:mit\n    use: {purpose: fun}\n"), `models[0]: reading the use: purpose: "fun"`},
		{"an unknown key in a list", list("models:\n  - ref: license:mit\n    uses: {}\n"), `models.yaml:3: unknown key "uses"`},
		{"an unknown key in a use", use("purpose: product\nmonthly_user: 5\n"), `use.yaml:2: unknown key "monthly_user"`},
		{"no way in a use", use("shipping: []\n"), "shipping: the list is empty"},
		{"a file that is not there", []string{"license:mit", "--use", "gone.yaml"}, "gone.yaml"},
		{"a format", []string{"license:mit", "--format", "pdf"}, `unknown --format "pdf"`},
		{"no time", []string{"license:mit", "--timeout", "0"}, "timeout: 0s is not above zero"},
		{"a color that does not exist", []string{"license:mit", "--jobs", "65"}, "jobs: 65 is not between 1 and 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, out, errs := world(t, "")
			code := Main(t.Context(), append([]string{"license"}, c.args...), a)
			if code != Usage || !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
				t.Errorf("got status %d, %q on stderr and %q on stdout, want 2, %q and nothing", code, errs, out, c.want)
			}
		})
	}
}

func TestCode(t *testing.T) {
	failing := []license.Outcome{license.Prohibited, license.Undetermined}
	gap := func(kind model.GapKind, of string) report.Gap { return report.Gap{Kind: string(kind), Of: of} }
	for _, c := range []struct {
		name    string
		outcome string
		failOn  []license.Outcome
		gaps    []report.Gap
		err     error
		want    Code
	}{
		{"allowed", "allowed", failing, nil, nil, OK},
		{"conditional", "conditional", failing, nil, nil, OK},
		{"undetermined", "undetermined", failing, nil, nil, NotEnough},
		{"prohibited", "prohibited", failing, nil, nil, No},
		{"conditional that fails", "conditional", []license.Outcome{license.Conditional}, nil, nil, No},
		{"prohibited, and only conditional fails", "prohibited", []license.Outcome{license.Conditional}, nil, nil, OK},
		{"nothing fails", "prohibited", nil, nil, nil, OK},
		{"nothing fails, but a source did not answer", "allowed", nil, []report.Gap{gap(model.Unreachable, "")}, nil, Unreachable},
		{"a base model did not answer", "allowed", failing, []report.Gap{gap(model.Unreachable, "acme/base")}, nil, Unreachable},
		{"a gate before the model", "allowed", failing, []report.Gap{gap(model.Restricted, "")}, nil, Unreachable},
		{"a gate before a base model", "conditional", failing, []report.Gap{gap(model.Restricted, "acme/base")}, nil, OK},
		{"something is absent", "allowed", failing, []report.Gap{gap(model.Absent, ""), gap(model.Unread, "")}, nil, OK},
		{"an error of a source", "prohibited", failing, nil, source.ErrUnreachable, Unreachable},
		{"not found on the hub", "undetermined", failing, nil, source.ErrNotFound, Unreachable},
		{"a path that is not there", "undetermined", nil, nil, errors.Join(source.ErrNotFound, fs.ErrNotExist), Usage},
		{"an outcome that nobody knows", "perhaps", nil, nil, nil, Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &licenseOptions{failOn: c.failOn}
			doc := &report.Document{Gaps: c.gaps, License: &report.License{Outcome: c.outcome}}
			if got := o.code(doc, c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	order := []Code{Failed, Usage, Unreachable, No, NotEnough, OK}
	for i, a := range order {
		for j, b := range order {
			if got, want := Worst(a, b), order[min(i, j)]; got != want {
				t.Errorf("Worst(%d, %d) = %d, want %d", a, b, got, want)
			}
		}
	}
	if Worst() != OK {
		t.Error("nothing asked is not a failure")
	}
}

func TestOutcomes(t *testing.T) {
	for s, want := range map[string][]license.Outcome{
		"none": nil, " none ": nil, "prohibited": {license.Prohibited},
		"conditional, undetermined": {license.Conditional, license.Undetermined}, "allowed": {license.Allowed},
	} {
		got, err := outcomes(s)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v, want %v", s, got, err, want)
		}
	}
}

// Completion offers the words of every flag that has words, and each of them is taken.
func TestCompletion(t *testing.T) {
	a, _, _ := world(t, "")
	root := newRoot(a)
	cmd, _, err := root.Find([]string{"license"})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete, ok := cmd.GetFlagCompletionFunc(f.Name)
		if !ok {
			return
		}
		found++
		offered, _ := complete(cmd, nil, "")
		for _, w := range offered {
			if _, err := asked(t, "", "license:mit", "--"+f.Name, w); err != nil {
				t.Errorf("--%s %s is offered and refused: %v", f.Name, w, err)
			}
		}
	})
	if found < 10 {
		t.Errorf("%d flags have words, want at least 10", found)
	}
}

// An agreement is found under every name of its license; one for nothing is an error.
func TestAgreements(t *testing.T) {
	a, out, errs := world(t, "")
	if code := Main(t.Context(), []string{"license", "license:llama-3.1-community", "--agreement", "llama3.1"}, a); code != OK || !strings.Contains(out.String(), "separate agreement") {
		t.Errorf("got status %d and %q", code, out)
	}
	if code := Main(t.Context(), []string{"license", "license:mit", "--agreement", "lama"}, a); code != Usage || !strings.Contains(errs.String(), `no license "lama"`) {
		t.Errorf("got status %d and %q, want 2 and the name", code, errs)
	}
}

// What a stranger wrote is printable wherever it is printed.
func TestHostileReference(t *testing.T) {
	for _, ref := range []string{"ac\u202eme/x/y/z", "./\x1b[31mred", "license:a\x1b[2J", "::error::x", "./a\n::error::b"} {
		a, out, errs := world(t, "")
		Main(t.Context(), []string{"license", ref, "--offline"}, a)
		for _, text := range []string{out.String(), errs.String()} {
			if strings.ContainsAny(text, "\x1b\u202e") || strings.HasPrefix(text, "::") || strings.Contains(text, "\n::") {
				t.Errorf("%q is printed as %q", ref, text)
			}
		}
		if errs.Len()+out.Len() == 0 {
			t.Errorf("%q: nothing is printed", ref)
		}
	}
}

// Paths of Windows are paths, and ~ is the home of the user.
func TestResolveRef(t *testing.T) {
	a, _, _ := world(t, "")
	a.Home = "/home/u"
	for s, want := range map[string]string{`C:\models\x`: `C:\models\x`, `..\x`: `..\x`, "~/x": "/home/u/x", "~": "/home/u", `~\x`: `/home/u\x`, "./~": "./~"} {
		ref, err := a.resolveRef(s)
		if err != nil || ref.Scheme != model.SchemePath || ref.Name != want {
			t.Errorf("%q: got %+v, %v, want the path %q", s, ref, err, want)
		}
	}
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.MkdirAll(filepath.Join("org", "name"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := a.resolveRef("org/name"); err == nil || !strings.Contains(err.Error(), "write ./org/name or hf:org/name") {
		t.Errorf("a repository that is a folder too: got %v, want to be asked which", err)
	}
	for _, s := range []string{"hf:org/name", "HF:org/name", "./org/name"} {
		if _, err := a.resolveRef(s); err != nil {
			t.Errorf("%s says which: %v", s, err)
		}
	}
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		setting  string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"auto", true, nil, true},
		{"auto", false, nil, false},
		{"auto", true, map[string]string{"NO_COLOR": "1"}, false},
		{"auto", true, map[string]string{"TERM": "dumb"}, false},
		{"auto", false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"auto", false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{"auto", true, map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false},
		{"always", false, map[string]string{"NO_COLOR": "1"}, true},
		{"never", true, map[string]string{"CLICOLOR_FORCE": "1"}, false},
	} {
		a := &App{OutTTY: c.terminal, Getenv: func(k string) string { return c.env[k] }}
		if got := a.color(c.setting); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

// An output file is whole or not there, keeps its rights, and is never put in the place of a device.
func TestWrite(t *testing.T) {
	a, out, _ := world(t, "")
	for _, name := range []string{"", "-"} {
		out.Reset()
		if err := a.write(name, []byte("x")); err != nil || out.String() != "x" {
			t.Errorf("%q: got %q, %v", name, out, err)
		}
	}
	kept := input(t, "report", "old")
	if err := a.write(kept, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(kept); string(data) != "new" {
		t.Errorf("got %q", data)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(kept), ".llmcheck-*")); len(left) > 0 {
		t.Errorf("%q is left behind", left)
	}
	if err := a.write(filepath.Join(t.TempDir(), "gone", "report"), nil); codeOf(err) != Usage {
		t.Errorf("a folder that is not there: got %v, want an error of the command line", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("rights %v, %v, want those it had", info.Mode(), err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(kept, link); err != nil {
		t.Fatal(err)
	}
	if err := a.write(link, []byte("through")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if data, _ := os.ReadFile(kept); err != nil || info.Mode()&fs.ModeSymlink == 0 || string(data) != "through" {
		t.Errorf("through a link: got %v and %q, want the link and what it leads to", info, data)
	}
	before, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.write(os.DevNull, []byte("x")); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat(os.DevNull); err != nil || after.Mode() != before.Mode() {
		t.Errorf("%s is %v, want the device", os.DevNull, after.Mode())
	}
}

func TestDays(t *testing.T) {
	for s, want := range map[string]int{"": -1, "0d": 0, "365d": 365, "30": 30} {
		if got, err := days(s); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"5y", "365x", "-1d", "d", "1.5d"} {
		if _, err := days(s); err == nil {
			t.Errorf("%q is read as a number of days", s)
		}
	}
}

// A clock behind the catalog hides no license.
func TestCatalogOfTomorrow(t *testing.T) {
	a, out, _ := world(t, "")
	a.Now = func() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }
	if code := Main(t.Context(), []string{"catalog", "licenses"}, a); code != OK || !strings.Contains(out.String(), "apache-2.0") {
		t.Errorf("got status %d and %q", code, out)
	}
}

// A record has the same keys in every format.
func TestCatalogShowJSON(t *testing.T) {
	a, out, _ := world(t, "")
	if code := Main(t.Context(), []string{"catalog", "show", "llama3.1", "--format", "json"}, a); code != OK {
		t.Fatalf("status %d", code)
	}
	for _, want := range []string{`"id": "llama-3.1-community"`, `"checked": "2026-11-24"`, `"limit": 700000000`, `"at_release"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}

// The settings of a catalog hold for every command that reads one.
func TestCatalogSetting(t *testing.T) {
	a, _, errs := world(t, "")
	t.Setenv("LLMCHECK_CATALOG", filepath.Join(t.TempDir(), "gone"))
	for _, args := range [][]string{{"catalog", "licenses"}, {"catalog", "show", "mit"}, {"license", "license:mit"}} {
		errs.Reset()
		if code := Main(t.Context(), args, a); code != Usage || !strings.Contains(errs.String(), "gone") {
			t.Errorf("%q: got status %d and %q, want 2 and the folder", args, code, errs)
		}
	}
}

// What is read back is what was written, or an error.
func TestRenderReads(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		code           Code
	}{
		{"one document", `{"schema":"llmcheck.report/1","license":{"outcome":"allowed"}}`, "ALLOWED", OK},
		{"two lines", `{"schema":"llmcheck.report/1","license":{"outcome":"allowed"}}` + "\n" + `{"schema":"llmcheck.report/1","license":{"outcome":"prohibited"}}`, "2 models", OK},
		{"nothing", "", "EOF", Usage},
		{"another schema", `{"schema":"x/1"}`, `its schema is "x/1"`, Usage},
		{"a document that is null", `{"schema":"llmcheck.reports/1","documents":[null]}`, "is null", Usage},
		{"no JSON", "{", "EOF", Usage},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, out, errs := world(t, c.in)
			if code := Main(t.Context(), []string{"render"}, a); code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
				t.Errorf("got status %d, %q, %q, want %d and %q", code, out, errs, c.code, c.want)
			}
		})
	}
}

// Progress says nothing before a second has passed, and on a terminal leaves nothing behind.
func TestProgress(t *testing.T) {
	a, _, errs := world(t, "")
	p := a.progress(2)
	p.hear(fetch.Event{Kind: fetch.Asking, Text: "asking"})
	p.done()
	p.stop()
	p.stop()
	if errs.Len() > 0 {
		t.Errorf("a quick command says %q", errs)
	}
	p = a.progress(2)
	p.hear(fetch.Event{Kind: fetch.Waiting, Text: "waiting \x1b[31m for acme"})
	p.stop()
	p.print()
	if got, want := errs.String(), "llmcheck: 0 of 2 read; waiting \\x1b[31m for acme\n"; got != want {
		t.Errorf("in a log: got %q, want %q", got, want)
	}
	errs.Reset()
	a.ErrTTY, a.Width = true, 40
	p = a.progress(2)
	p.hear(fetch.Event{Kind: fetch.Waiting, Text: strings.Repeat("é", 100)})
	p.stop()
	lines := strings.Split(errs.String(), "\r\x1b[K")
	if len(lines) != 3 || len([]rune(lines[1])) != 39 || lines[2] != "" {
		t.Errorf("on a terminal: got %q, want one line of 39 columns that is wiped", errs)
	}
}

// Who interrupts gets no answer, and one line.
func TestInterrupt(t *testing.T) {
	a, out, errs := world(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := Main(ctx, []string{"license", "./x", "--offline"}, a); code != Failed || out.Len() > 0 || errs.String() != "llmcheck: interrupted\n" {
		t.Errorf("got status %d, %q, %q", code, out, errs)
	}
}

// Errors have a hint where one is known, and every command that reads a file says which.
func TestReport(t *testing.T) {
	a, _, errs := world(t, "")
	for _, c := range []struct {
		err  error
		code Code
		want string
	}{
		{errors.New("x"), Failed, "llmcheck: x\n"},
		{usage(errors.New("x"), "do y"), Usage, "llmcheck: x\nhint: do y\n"},
		{fmt.Errorf("around: %w", usage(errors.New("x"), "")), Usage, "llmcheck: around: x\n"},
		{answered(No), No, ""},
		{fmt.Errorf("reading: %w", context.Canceled), Failed, "llmcheck: interrupted\n"},
	} {
		errs.Reset()
		if code := a.report(c.err); code != c.code || errs.String() != c.want {
			t.Errorf("%v: got %d and %q, want %d and %q", c.err, code, errs, c.code, c.want)
		}
	}
	if usage(nil, "x") != nil || answered(OK) != nil {
		t.Error("no error is no error")
	}
}

// Every command says in one line what it answers, and in an example how to ask.
func TestEveryCommandIsExplained(t *testing.T) {
	a, _, _ := world(t, "")
	var visit func(*cobra.Command)
	n := 0
	visit = func(c *cobra.Command) {
		if c.RunE != nil && !c.HasSubCommands() {
			n++
			if c.Short == "" || c.Example == "" && c.Name() != "version" {
				t.Errorf("%s: short %q, example %q; want both", c.CommandPath(), c.Short, c.Example)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(a))
	if n < 5 {
		t.Errorf("%d commands, want at least 5", n)
	}
}
