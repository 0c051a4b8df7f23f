package catalog

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/records"
)

// all decodes every record that is built in, and so checks each of them.
func all(t *testing.T) map[string]*license.Terms {
	t.Helper()
	m, err := records.Load(embedded, folder, check)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTableIsCurrent(t *testing.T) {
	if diff := cmp.Diff(aliases, string(Table(all(t)))); diff != "" {
		t.Errorf("aliases.tsv is stale; run go generate here (-file +records):\n%s", diff)
	}
}

// TestIdentity holds that an id, of ours or of SPDX, never names more than one license.
func TestIdentity(t *testing.T) {
	c := Default()
	for id, terms := range all(t) {
		for _, name := range []string{id, terms.SPDX} {
			if name == "" {
				continue
			}
			if got := c.Resolve(name); !slices.Equal(got, []string{id}) {
				t.Errorf("Resolve(%q) = %q, want %q alone", name, got, id)
			}
		}
	}
}

func TestScancodeKeysAreUnique(t *testing.T) {
	owner := make(map[string]string)
	for id, terms := range all(t) {
		key := terms.Scancode
		if key == "" {
			continue
		}
		if other, taken := owner[key]; taken {
			t.Errorf("ScanCode key %q is claimed by %s and %s", key, id, other)
		}
		owner[key] = id
		if got := Default().Resolve("LicenseRef-scancode-" + key); !slices.Contains(got, id) {
			t.Errorf("Resolve(LicenseRef-scancode-%s) = %q, want %s", key, got, id)
		}
	}
}

// TestEveryNameResolves holds that each name that a record claims leads back to it, whatever the case.
func TestEveryNameResolves(t *testing.T) {
	c := Default()
	for id, terms := range all(t) {
		for _, name := range slices.Concat([]string{terms.Name}, terms.Hub, terms.Names, terms.Links) {
			if got := c.Resolve(strings.ToUpper(name)); !slices.Contains(got, id) {
				t.Errorf("Resolve(%q) = %q, want %s among them", strings.ToUpper(name), got, id)
			}
		}
	}
}

func TestHub(t *testing.T) {
	ids := HubIDs()
	if len(ids) != 83 {
		t.Errorf("%d identifiers of the hub, want 83", len(ids))
	}
	known := make(map[string]bool)
	for _, h := range ids {
		known[h.ID] = true
		n := len(Default().Resolve(h.ID))
		var ok bool
		switch h.Kind {
		case HubSingle:
			ok = n == 1 && h.Why == ""
		case HubEditions, HubFamily:
			ok = n > 1 && h.Why == ""
		case HubNone:
			ok = n == 0 && h.Why != ""
		}
		if !ok {
			t.Errorf("%s is listed as %s (%q) and resolves to %d licenses", h.ID, h.Kind, h.Why, n)
		}
	}
	for id, terms := range all(t) {
		for _, h := range terms.Hub {
			if !known[h] {
				t.Errorf("%s: the hub has no identifier %q", id, h)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	for _, row := range []struct {
		name string
		in   string
		want []string
	}{
		{"SPDX id", "Apache-2.0", []string{"apache-2.0"}},
		{"blanks and case", " apache  LICENSE version_2.0\t", []string{"apache-2.0"}},
		{"comma", "Apache License, Version 2.0", []string{"apache-2.0"}},
		{"quotes", `BSD 2-clause "Simplified" license`, []string{"bsd-2-clause"}},
		{"dash of print", "Community Data License Agreement – Sharing, Version 1.0", []string{"cdla-sharing-1.0"}},
		{"or later", "GPL-3.0-or-later", []string{"gpl-3.0"}},
		{"deprecated SPDX id", "AGPL-3.0", []string{"agpl-3.0"}},
		{"ScanCode reference", "LicenseRef-scancode-bsd-new", []string{"bsd-3-clause"}},
		{"plain http, www and slash", "http://www.opensource.org/licenses/MIT/", []string{"mit"}},
		{"query and fragment", "https://choosealicense.com/licenses/mit/?utm=1#x", []string{"mit"}},
		{
			"raw file of the hub", "https://huggingface.co/facebook/fair-noncommercial-research-license/raw/main/LICENSE",
			[]string{"fair-noncommercial-research-license"},
		},
		{"Creative Commons deed", "https://creativecommons.org/licenses/by-nc/4.0/deed.en", []string{"cc-by-nc-4.0"}},
		{"family", "gfdl", []string{"gfdl-1.1", "gfdl-1.2", "gfdl-1.3"}},
		{"family by its long name", "BSD license family", []string{"bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "bsd-4-clause"}},
		{"SPDX id without a record", "Sendmail", nil},
		{"no information", "unknown", nil},
		{"said elsewhere", "other", nil},
		{"empty", "", nil},
		{"blank", " - ", nil},
		{"prefix of a name", "apache", nil},
		{"look-alike letters", "МIT", nil},
		{"a line of the table", "mit\tmit", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, Default().Resolve(row.in)); diff != "" {
				t.Errorf("Resolve(%q) (-want +got):\n%s", row.in, diff)
			}
		})
	}
}

func TestGet(t *testing.T) {
	c := Default()
	if terms, err := c.Get("mit"); err != nil || terms.SPDX != "MIT" {
		t.Errorf("Get(mit) = %+v, %v", terms, err)
	}
	for _, id := range []string{"", "MIT", "nowhere", "../catalog", "terms/mit", "mit.yaml", "/mit", "mit\x00"} {
		if _, err := c.Get(id); !errors.Is(err, ErrUnknown) {
			t.Errorf("Get(%q): %v, want ErrUnknown", id, err)
		}
	}
}

func TestIDs(t *testing.T) {
	ids, err := Default().IDs()
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(all(t))); !slices.Equal(ids, want) {
		t.Errorf("IDs:\n%s", cmp.Diff(want, ids))
	}
}

// record is a small valid record with more lines at its end.
func record(id, more string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(`id: ` + id + `
name: Terms of ` + id + `
class: proprietary
source: {title: contract of Acme, checked: 2026-11-24}
read: whole
grants:
  product: {permission: yes, clause: {section: "1"}}
copyleft: {reach: none}
patent: {grant: unknown}
termination: {}
outputs: {}
` + more)}
}

func overlay(t *testing.T, c *Catalog, files fs.FS) *Catalog {
	t.Helper()
	out, err := c.Overlay(files)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOverlay(t *testing.T) {
	c := overlay(t, Default(), fstest.MapFS{
		"acme.yaml":     record("acme", "names: [Acme EULA, WTFPL]\n"),
		"acme-2.yaml":   record("acme-2", "names: [Acme EULA]\n"),
		"mit.yaml":      record("mit", "names: [House MIT]\n"),
		"gfdl-1.2.yaml": record("gfdl-1.2", "hub: [gfdl]\n"),
		"readme.md":     {Data: []byte("not a record")},
	})
	for name, want := range map[string][]string{
		"acme":        {"acme"},
		"acme eula":   {"acme", "acme-2"},                   // two records of the user share a name
		"WTFPL":       {"acme"},                             // taken from ours
		"wtfpl-2.0":   {"wtfpl-2.0"},                        // the id stays
		"House MIT":   {"mit"},                              // a new name of a replaced record
		"MIT License": {"mit"},                              // its old names stay
		"gfdl":        {"gfdl-1.1", "gfdl-1.2", "gfdl-1.3"}, // replacing one edition does not settle which is meant
		"Apache-2.0":  {"apache-2.0"},
	} {
		if diff := cmp.Diff(want, c.Resolve(name)); diff != "" {
			t.Errorf("Resolve(%q) (-want +got):\n%s", name, diff)
		}
	}
	terms, err := c.Get("mit")
	if err != nil || terms.Name != "Terms of mit" {
		t.Errorf("Get(mit) = %v, %v, want the user's record", terms, err)
	}
	if terms, err := Default().Get("mit"); err != nil || terms.Name != "MIT License" {
		t.Errorf("the built-in catalog changed: %v, %v", terms, err)
	}
	ids, err := c.IDs()
	if err != nil || !slices.IsSorted(ids) || len(ids) != len(all(t))+2 {
		t.Errorf("IDs = %d ids (sorted %v), %v, want two more than ours", len(ids), slices.IsSorted(ids), err)
	}
}

func TestOverlayOfOverlay(t *testing.T) {
	first := overlay(t, Default(), fstest.MapFS{"acme.yaml": record("acme", "names: [deal]\n"), "base.yaml": record("base", "")})
	second := overlay(t, first, fstest.MapFS{"team.yaml": record("team", "names: [deal]\n")})
	if got := second.Resolve("deal"); !slices.Equal(got, []string{"team"}) {
		t.Errorf("Resolve(deal) = %q, want the record laid on last", got)
	}
	if _, err := second.Get("base"); err != nil {
		t.Errorf("a record of the first overlay is lost: %v", err)
	}
	if got := first.Resolve("deal"); !slices.Equal(got, []string{"acme"}) {
		t.Errorf("the first overlay changed: %q", got)
	}
}

func TestOverlayFaults(t *testing.T) {
	for _, row := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"unknown key", fstest.MapFS{"acme.yaml": record("acme", "licence: x\n")}, []string{`acme.yaml:12: unknown key "licence"`}},
		{
			"wrong word",
			fstest.MapFS{"acme.yaml": record("acme", "duties: [{kind: dance, text: x, clause: {section: '1'}}]\n")},
			[]string{"acme.yaml: ", `duties[0].kind: "dance" is not one of`},
		},
		{"foreign id", fstest.MapFS{"acme.yaml": record("other-id", "")}, []string{`id "other-id" is not the file's name "acme"`}},
		{
			"faults of two files",
			fstest.MapFS{"a.yaml": record("a", "x: 1\n"), "b.yaml": record("b", "y: 1\n")},
			[]string{"a.yaml:12: ", "b.yaml:12: "},
		},
		{"not YAML", fstest.MapFS{"acme.yaml": {Data: []byte("id: [")}}, []string{"acme.yaml: reading YAML"}},
		{"no record", fstest.MapFS{"readme.md": {}}, []string{"there is no file *.yaml"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Default().Overlay(row.files)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range row.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error lacks %q:\n%v", w, err)
				}
			}
		})
	}
}

func FuzzNormal(f *testing.F) {
	for _, s := range []string{"MIT License", "https://www.a.b/c/?d#e", "www. https://x", "a_-–b", "\x00", "huggingface.co/a/raw/b", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normal(s)
		if again := Normal(n); again != n {
			t.Errorf("Normal(%q) = %q, and of that %q", s, n, again)
		}
		if len(n) > 3*len(s) { // a byte that is no text becomes three
			t.Errorf("Normal(%q) grows to %d bytes", s, len(n))
		}
		if strings.ContainsAny(n, "\t\n") {
			t.Errorf("Normal(%q) = %q holds a separator of the table", s, n)
		}
		Default().Resolve(s)
	})
}

func BenchmarkResolve(b *testing.B) {
	for b.Loop() {
		Default().Resolve("Apache License, Version 2.0")
	}
}

func BenchmarkGet(b *testing.B) {
	for b.Loop() {
		if _, err := Default().Get("agpl-3.0"); err != nil {
			b.Fatal(err)
		}
	}
}
