package diligence

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llmcheck/llmcheck/internal/license"
	licenses "github.com/llmcheck/llmcheck/internal/license/catalog"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/source"
)

// shelf serves models from memory; what it lacks is not found, and what is nil does not answer.
type shelf map[string]fstest.MapFS

func (s shelf) Open(_ context.Context, ref model.Ref) (*source.Snapshot, error) {
	fsys, ok := s[ref.Name]
	switch {
	case !ok:
		return nil, fmt.Errorf("opening %s: %w", ref, source.ErrNotFound)
	case fsys == nil:
		return nil, fmt.Errorf("opening %s: %w", ref, source.ErrUnreachable)
	}
	return &source.Snapshot{Ref: ref, Revision: "1111111111111111111111111111111111111111", FS: fsys}, nil
}

func deps(s shelf) Deps {
	return Deps{
		Models: s, Licenses: licenses.Default(), Known: models.Default(), Texts: identify.Default, Version: "test",
		Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) },
	}
}

func card(lines ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("---\n" + strings.Join(lines, "\n") + "\n---\n# Model\n")}
}

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

// own is the project's own license text, Apache-2.0, the one real text that is kept in this repository.
func own(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var hosted = license.Use{Purpose: license.ForProduct, Shipping: []license.Shipping{license.Hosted}, TrainOthers: license.TrainNone, Modify: new(false)}

func ask(t *testing.T, s shelf, name string, u license.Use) (*report.License, *report.Document, error) {
	t.Helper()
	doc, err := License(t.Context(), deps(s), LicenseQuestion{Ref: model.Ref{Scheme: model.SchemeHub, Name: name}, Use: u})
	if doc == nil {
		t.Fatalf("no document: %v", err)
	}
	return doc.License, doc, err
}

func codes(l *report.License) []string {
	var out []string
	for _, r := range l.Reasons {
		if !slices.Contains(out, r.Code) {
			out = append(out, r.Code)
		}
	}
	return out
}

func TestWeighing(t *testing.T) {
	apache := own(t)
	for _, c := range []struct {
		name    string
		files   fstest.MapFS
		outcome string
		ids     []string
		code    string // a reason that must be given
		not     string // a reason that must not
	}{
		{"card alone", fstest.MapFS{"README.md": card("license: mit")}, "allowed", []string{"mit"}, "grant", "contradiction"},
		{"text alone", fstest.MapFS{"LICENSE": file(apache)}, "allowed", []string{"apache-2.0"}, "grant", "no_license"},
		{"card and text agree", fstest.MapFS{"README.md": card("license: apache-2.0"), "LICENSE": file(apache)}, "allowed", []string{"apache-2.0"}, "grant", "contradiction"},
		{"card and text differ", fstest.MapFS{"README.md": card("license: cc-by-nc-4.0"), "LICENSE": file(apache)}, "prohibited", []string{"apache-2.0", "cc-by-nc-4.0"}, "contradiction", ""},
		{"nothing is stated", fstest.MapFS{"README.md": card("tags: [text]")}, "undetermined", nil, "no_license", ""},
		{"unknown is stated", fstest.MapFS{"README.md": card("license: unknown")}, "undetermined", nil, "no_license", ""},
		{"other without a name", fstest.MapFS{"README.md": card("license: other")}, "undetermined", nil, "unknown_license", ""},
		{"other with a known name", fstest.MapFS{"README.md": card("license: other", "license_name: gemma-terms-nobody-knows")}, "undetermined", nil, "unknown_license", ""},
		{"other, and the text tells", fstest.MapFS{"README.md": card("license: other", "license_name: our-own"), "LICENSE": file(apache)}, "allowed", []string{"apache-2.0"}, "grant", "unknown_license"},
		{"editions: the tag does not say which", fstest.MapFS{"README.md": card("license: gemma")}, "conditional", []string{"gemma-2024-02-21", "gemma-2024-04-01", "gemma-2025-03-24"}, "use_policy", ""},
		{"a choice", fstest.MapFS{"README.md": card("license: [mit, cc-by-nc-4.0]")}, "prohibited", []string{"mit", "cc-by-nc-4.0"}, "grant", ""},
		{"a changed text", fstest.MapFS{"LICENSE": file(apache + "\n\nYou may not use the Work if your annual revenue exceeds USD 5,000,000.\n")}, "undetermined", []string{"apache-2.0"}, "modified_text", ""},
		{"half a text", fstest.MapFS{"LICENSE": file(apache[:len(apache)/2])}, "undetermined", []string{"apache-2.0"}, "modified_text", ""},
		{"a text of nobody", fstest.MapFS{"README.md": card("license: mit"), "LICENSE": file("You may use this model on Tuesdays only, and never for commercial purposes. Ask us before you do anything else with it, in writing.\n")}, "undetermined", []string{"mit"}, "unknown_text", ""},
		{"an empty text", fstest.MapFS{"LICENSE": file(" \n")}, "undetermined", nil, "no_license", ""},
		{"a policy of nobody", fstest.MapFS{"README.md": card("license: mit"), "USE_POLICY.md": file("# Policy\nDo not use the model to harm people or to break laws, in any place or at any time.\n")}, "conditional", []string{"mit"}, "policy_text", ""},
		{"front matter that cannot be read", fstest.MapFS{"README.md": file("---\nlicense: [mit\n---\n")}, "undetermined", nil, "unread", ""},
		{"a data set at risk", fstest.MapFS{"README.md": card("license: mit", "datasets: [tatsu-lab/alpaca]")}, "allowed", []string{"mit"}, "dataset", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, _, err := ask(t, shelf{"acme/x": c.files}, "acme/x", hosted)
			if err != nil {
				t.Fatal(err)
			}
			got := codes(l)
			if l.Outcome != c.outcome || !slices.Equal(l.Effective, append([]string{}, c.ids...)) || !slices.Contains(got, c.code) || slices.Contains(got, c.not) {
				t.Errorf("got %s under %q for %q, want %s under %q for %q and not for %q\n%+v", l.Outcome, l.Effective, got, c.outcome, c.ids, c.code, c.not, l.Reasons)
			}
		})
	}
}

func TestLineage(t *testing.T) {
	s := shelf{
		"acme/child":    {"README.md": card("license: apache-2.0", "base_model: acme/parent")},
		"acme/parent":   {"README.md": card("license: apache-2.0", "base_model: acme/root")},
		"acme/root":     {"README.md": card("license: cc-by-nc-4.0")},
		"acme/merge":    {"README.md": card("license: mit", "base_model: [acme/free, acme/root]", "base_model_relation: merge")},
		"acme/free":     {"README.md": card("license: mit")},
		"acme/lost":     {"README.md": card("license: mit", "base_model: acme/gone")},
		"acme/silent":   {"README.md": card("license: mit", "base_model: acme/down")},
		"acme/down":     nil,
		"acme/path":     {"README.md": card("license: mit", "base_model: ../../etc/passwd")},
		"acme/loop":     {"README.md": card("license: mit", "base_model: acme/pool")},
		"acme/pool":     {"README.md": card("license: mit", "base_model: acme/loop")},
		"acme/self":     {"README.md": card("license: mit", "base_model: acme/self")},
		"acme/llama":    {"README.md": card("license: apache-2.0", "base_model: meta-llama/Llama-3.1-8B")},
		"acme/imitator": {"README.md": card("license: mit", "base_model: meta-IIama/Llama-3.1-8B")},
	}
	for _, c := range []struct {
		name, model, outcome string
		lineage              []string
		code                 string
	}{
		{"to the root", "acme/child", "prohibited", []string{"acme/parent", "acme/root"}, "base_model_conflict"},
		{"a merge has several parents", "acme/merge", "prohibited", []string{"acme/free", "acme/root"}, "base_model_conflict"},
		{"a base model that is gone", "acme/lost", "undetermined", []string{"acme/gone"}, "base_model"},
		{"a base model that does not answer", "acme/silent", "undetermined", []string{"acme/down"}, "base_model"},
		{"a path on another disk is not opened", "acme/path", "undetermined", []string{"../../etc/passwd"}, "base_model"},
		{"a loop ends", "acme/loop", "allowed", []string{"acme/pool"}, "grant"},
		{"a model that names itself", "acme/self", "allowed", nil, "grant"},
		{"the catalogue knows what cannot be fetched", "acme/llama", "undetermined", []string{"meta-llama/Llama-3.1-8B"}, "threshold"},
		{"a publisher that looks like another inherits nothing", "acme/imitator", "undetermined", []string{"meta-IIama/Llama-3.1-8B"}, "lookalike"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, _, err := ask(t, s, c.model, hosted)
			if err != nil {
				t.Fatal(err)
			}
			var line []string
			for _, a := range l.Lineage {
				line = append(line, a.Ref)
			}
			if l.Outcome != c.outcome || !slices.Equal(line, c.lineage) || !slices.Contains(codes(l), c.code) {
				t.Errorf("got %s over %q for %q, want %s over %q for %q", l.Outcome, line, codes(l), c.outcome, c.lineage, c.code)
			}
		})
	}
}

// A lineage that strangers made endless is cut, and the answer says so.
func TestEndlessLineage(t *testing.T) {
	s := shelf{}
	for i := range 100 {
		s[fmt.Sprintf("acme/m%d", i)] = fstest.MapFS{"README.md": card("license: mit", fmt.Sprintf("base_model: acme/m%d", i+1))}
	}
	l, _, err := ask(t, s, "acme/m0", hosted)
	if err != nil || l.Outcome != "undetermined" || len(l.Lineage) > maxAncestors+1 {
		t.Errorf("got %s over %d models, %v; want undetermined over a bounded number", l.Outcome, len(l.Lineage), err)
	}
}

// A model that cannot be read is answered from the catalogue, and never without saying so.
func TestUnreadable(t *testing.T) {
	for _, c := range []struct {
		name, model, outcome string
		gap                  string
	}{
		{"known", "mistralai/Mistral-7B-v0.1", "allowed", "unreachable"},
		{"not known", "acme/nobody", "undetermined", "unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, doc, err := ask(t, shelf{c.model: nil}, c.model, hosted)
			if err == nil || l.Outcome != c.outcome || len(doc.Gaps) == 0 || doc.Gaps[0].Kind != c.gap {
				t.Errorf("got %s, gaps %+v, error %v; want %s, a gap %s and an error", l.Outcome, doc.Gaps, err, c.outcome, c.gap)
			}
		})
	}
}

// The same question gives the same document.
func TestSameInputSameDocument(t *testing.T) {
	s := shelf{"acme/x": {"README.md": card("license: gemma", "base_model: [meta-llama/Llama-2-7b-hf, acme/y]"), "LICENSE": file(own(t))}, "acme/y": nil}
	_, first, _ := ask(t, s, "acme/x", hosted)
	for range 20 {
		_, again, _ := ask(t, s, "acme/x", hosted)
		if fmt.Sprintf("%+v", again.License.Reasons) != fmt.Sprintf("%+v", first.License.Reasons) ||
			fmt.Sprintf("%+v", again.License.Changes) != fmt.Sprintf("%+v", first.License.Changes) {
			t.Fatal("two answers to one question differ")
		}
	}
}

// Law: adding a base model, a text or a claim never makes an answer milder.
func TestMoreEvidenceIsNeverMilder(t *testing.T) {
	base := fstest.MapFS{"README.md": card("license: mit")}
	order := []string{"allowed", "conditional", "undetermined", "prohibited"}
	before, _, _ := ask(t, shelf{"acme/x": base}, "acme/x", hosted)
	for _, id := range []string{"apache-2.0", "gpl-3.0", "llama3.1", "cc-by-nc-4.0", "openrail", "gemma", "nobody-knows", "bsd"} {
		s := shelf{"acme/x": {"README.md": card("license: mit", "base_model: acme/base")}, "acme/base": {"README.md": card("license: " + id)}}
		after, _, _ := ask(t, s, "acme/x", hosted)
		if slices.Index(order, after.Outcome) < slices.Index(order, before.Outcome) {
			t.Errorf("base model under %s: %s became %s", id, before.Outcome, after.Outcome)
		}
	}
}

// Every license that the catalogue of models names has a record, so that a well-known model is answered offline.
func TestCataloguesAgree(t *testing.T) {
	l, m := licenses.Default(), models.Default()
	ids, err := m.IDs()
	if err != nil || len(ids) < 250 {
		t.Fatalf("%d well-known models, want at least 250: %v", len(ids), err)
	}
	for _, id := range ids {
		k, ok, err := m.Get(id)
		if err != nil || !ok {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if k.License == "unknown" || strings.HasPrefix(k.License, "unlisted:") {
			continue
		}
		if _, err := l.Get(k.License); err != nil {
			t.Errorf("%s: license %q: %v", id, k.License, err)
		}
	}
}

// Every license whose text the index knows should be judged, not only named.
func TestIndexedAILicensesHaveTerms(t *testing.T) {
	index := filepath.Join("..", "..", "..", "shared", "corpus", "licenses", "INDEX.tsv")
	data, err := os.ReadFile(index)
	if err != nil {
		t.Skip("the corpus of texts is not here")
	}
	l := licenses.Default()
	n := 0
	for line := range strings.Lines(string(data)) {
		f := strings.Split(line, "\t")
		if len(f) < 11 || f[10] == "policy" || f[0] == "id" {
			continue
		}
		n++
		if _, err := l.Get(f[0]); err != nil {
			t.Errorf("%s: %v", f[0], err)
		}
	}
	if n != 164 {
		t.Errorf("%d texts, want 164", n)
	}
}
