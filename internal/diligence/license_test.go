package diligence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/license"
	licenses "github.com/llmcheck/llmcheck/internal/license/catalog"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/units"
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

// prose is a card with front matter and a section on the license.
func prose(front, section string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("---\n" + front + "\n---\n# Model\n\n## License\n\n" + section + "\n")}
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
		{"a list names what holds together", fstest.MapFS{"README.md": card("license:", "- apache-2.0", "- mit")}, "allowed", []string{"apache-2.0", "mit"}, "grant", "contradiction"},
		{"a license file that points elsewhere than the card", fstest.MapFS{"README.md": card("license: mit"), "LICENSE": file("https://creativecommons.org/licenses/by-nc/4.0/\n")}, "prohibited", []string{"mit", "cc-by-nc-4.0"}, "contradiction", ""},
		{"a license file that points at two", fstest.MapFS{"LICENSE": file("MIT License\n\nhttps://creativecommons.org/licenses/by-nc/4.0/\n")}, "prohibited", []string{"mit", "cc-by-nc-4.0"}, "grant", ""},
		{"the card's words name a stricter license", fstest.MapFS{"README.md": prose("license: mit", "CC BY-NC 4.0")}, "undetermined", []string{"mit"}, "mention", ""},
		{"the card's words name a license that allows it too", fstest.MapFS{"README.md": prose("license: mit", "Apache License 2.0")}, "allowed", []string{"mit"}, "grant", ""},
		{"the card's words are all there is", fstest.MapFS{"README.md": prose("tags: [x]", "MIT License")}, "conditional", []string{"mit"}, "mention", "no_license"},
		{"the card's words bar business", fstest.MapFS{"README.md": prose("license: apache-2.0", "The weights are for **non-commercial** use.")}, "undetermined", []string{"apache-2.0"}, "restriction", ""},
		{"the card's words invite business", fstest.MapFS{"README.md": prose("license: apache-2.0", "You can use it commercially without any restrictions. There are no limits on commercial use.")}, "allowed", []string{"apache-2.0"}, "grant", "restriction"},
		{"the card bars business where it does not speak of the license", fstest.MapFS{"README.md": file("---\nlicense: mit\n---\n# Model\n\n## Uses\n\nFor research\npurposes only.\n")}, "conditional", []string{"mit"}, "restriction", ""},
		{"a name that says more than the license", fstest.MapFS{"README.md": card("license: apache-2.0", "license_name: apache-2.0-with-commons-clause")}, "conditional", []string{"apache-2.0"}, "contradiction", ""},
		{"a name that says the same", fstest.MapFS{"README.md": card("license: apache-2.0", "license_name: Apache License 2.0")}, "allowed", []string{"apache-2.0"}, "grant", "contradiction"},
		{"a notice that bars business", fstest.MapFS{"README.md": card("license: mit"), "NOTICE": file("The weights may be used for research purposes only.\n")}, "undetermined", []string{"mit"}, "restriction", ""},
		{"a notice that credits", fstest.MapFS{"README.md": card("license: mit"), "NOTICE": file("Acme\nCopyright 2024 Acme Inc.\n")}, "allowed", []string{"mit"}, "grant", ""},
		{"a notice with the license of a part", fstest.MapFS{"README.md": card("license: mit"), "THIRD_PARTY_NOTICES.txt": file(apache)}, "allowed", []string{"mit"}, "grant", "contradiction"},
		{"a notice is all there is", fstest.MapFS{"NOTICE": file(apache)}, "conditional", []string{"apache-2.0"}, "mention", "no_license"},
		{"a policy that bars business", fstest.MapFS{"README.md": card("license: mit"), "USE_POLICY.md": file("# Policy\nYou must not use the model for any commercial purpose.\n")}, "undetermined", []string{"mit"}, "restriction", ""},
		{"name and link of two licenses", fstest.MapFS{"README.md": card("license: other", "license_name: mit", "license_link: https://creativecommons.org/licenses/by-nc/4.0/")}, "prohibited", []string{"mit", "cc-by-nc-4.0"}, "grant", ""},
		{"a link to another license than the one declared", fstest.MapFS{"README.md": card("license: apache-2.0", "license_link: https://creativecommons.org/licenses/by-nc/4.0/")}, "prohibited", []string{"apache-2.0", "cc-by-nc-4.0"}, "grant", ""},
		{"a link to terms that nobody read, beside a text", fstest.MapFS{"README.md": card("license: other", "license_name: acme", "license_link: https://acme.example/terms"), "LICENSE": file(apache)}, "undetermined", []string{"apache-2.0"}, "unknown_license", ""},
		{"a link to the text, as the hub shows it", fstest.MapFS{"README.md": card("license: other", "license_name: acme", "license_link: https://huggingface.co/acme/y/blob/main/LICENSE"), "LICENSE": file(apache)}, "allowed", []string{"apache-2.0"}, "grant", "unknown_license"},
		{"a name that bars business, beside a text", fstest.MapFS{"README.md": card("license: other", "license_name: acme-non-commercial"), "LICENSE": file(apache)}, "undetermined", []string{"apache-2.0"}, "restriction", ""},
		{"a license with an addition, beside its text", fstest.MapFS{"README.md": card("license: apache-2.0 with commons clause"), "LICENSE": file(apache)}, "undetermined", []string{"apache-2.0"}, "unknown_license", ""},
		{"an addition of somebody's own", fstest.MapFS{"README.md": card("license: Apache-2.0 WITH AdditionRef-Commons-Clause")}, "undetermined", []string{"apache-2.0"}, "unknown_license", ""},
		{"an exception that SPDX lists", fstest.MapFS{"README.md": card("license: Apache-2.0 WITH LLVM-exception")}, "allowed", []string{"apache-2.0"}, "grant", "unknown_license"},
		{"a value that sends to the text", fstest.MapFS{"README.md": card("license: see license file"), "LICENSE": file(apache)}, "allowed", []string{"apache-2.0"}, "grant", "unknown_license"},
		{"a text of a part does not settle a choice of pairs", fstest.MapFS{"README.md": card("license: (Apache-2.0 AND CC-BY-NC-4.0) OR (Apache-2.0 AND CC-BY-NC-SA-4.0)"), "LICENSE": file(apache)}, "prohibited", []string{"apache-2.0", "cc-by-nc-4.0"}, "grant", ""},
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
		"acme/child":     {"README.md": card("license: apache-2.0", "base_model: acme/parent")},
		"acme/parent":    {"README.md": card("license: apache-2.0", "base_model: acme/root")},
		"acme/root":      {"README.md": card("license: cc-by-nc-4.0")},
		"acme/merge":     {"README.md": card("license: mit", "base_model: [acme/free, acme/root]", "base_model_relation: merge")},
		"acme/free":      {"README.md": card("license: mit")},
		"acme/lost":      {"README.md": card("license: mit", "base_model: acme/gone")},
		"acme/silent":    {"README.md": card("license: mit", "base_model: acme/down")},
		"acme/down":      nil,
		"acme/path":      {"README.md": card("license: mit", "base_model: ../../etc/passwd")},
		"acme/loop":      {"README.md": card("license: mit", "base_model: acme/pool")},
		"acme/pool":      {"README.md": card("license: mit", "base_model: acme/loop")},
		"acme/self":      {"README.md": card("license: mit", "base_model: acme/self")},
		"acme/llama":     {"README.md": card("license: apache-2.0", "base_model: meta-llama/Llama-3.1-8B")},
		"acme/fixed":     {"README.md": card("license: cc-by-nd-4.0")},
		"acme/changed":   {"README.md": card("license: mit", "base_model: acme/fixed", "base_model_relation: finetune")},
		"acme/lora":      {"README.md": card("license: mit", "base_model: acme/free"), "adapter_config.json": file(`{"base_model_name_or_path": "/data/models/free"}`)},
		"acme/cached":    {"README.md": card("license: mit"), "adapter_config.json": file(`{"base_model_name_or_path": "/root/.cache/huggingface/hub/models--acme--root/snapshots/abc"}`)},
		"acme/elsewhere": {"README.md": card("license: mit", "base_model: acme/free"), "adapter_config.json": file(`{"base_model_name_or_path": "/data/models/other"}`)},
		"acme/run":       {"README.md": card("license: mit", "base_model: acme/free"), "config.json": file(`{"_name_or_path": "acme/private-run-3"}`)},
		"acme/secret":    {"README.md": card("license: mit"), "config.json": file(`{"_name_or_path": "acme/private-run-3"}`)},
		"acme/down-run":  {"README.md": card("license: mit", "base_model: acme/free"), "config.json": file(`{"_name_or_path": "acme/down"}`)},
		"acme/nc-run":    {"README.md": card("license: mit", "base_model: acme/free"), "config.json": file(`{"_name_or_path": "acme/root"}`)},
		"acme/credits":   {"README.md": prose("license: mit\nbase_model: acme/root2", "Made from a model under Apache License 2.0.")},
		"acme/root2":     {"README.md": card("license: apache-2.0")},
		"acme/imitator":  {"README.md": card("license: mit", "base_model: meta-IIama/Llama-3.1-8B")},
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
		{"what may not be changed was changed", "acme/changed", "prohibited", []string{"acme/fixed"}, "grant"},
		{"an adapter trained from a copy of the base model that the card names", "acme/lora", "allowed", []string{"acme/free"}, "grant"},
		{"an adapter trained from a cache of the hub", "acme/cached", "prohibited", []string{"acme/root"}, "base_model_conflict"},
		{"an adapter trained from something else", "acme/elsewhere", "undetermined", []string{"acme/free", "/data/models/other"}, "base_model"},
		{"a card that credits its base model", "acme/credits", "allowed", []string{"acme/root2"}, "grant"},
		{"a checkpoint that is not public, beside a base model that is", "acme/run", "conditional", []string{"acme/free", "acme/private-run-3"}, "base_model"},
		{"a checkpoint that is not public is all there is", "acme/secret", "undetermined", []string{"acme/private-run-3"}, "base_model"},
		{"a checkpoint that did not answer", "acme/down-run", "undetermined", []string{"acme/free", "acme/down"}, "base_model"},
		{"a checkpoint that is public binds", "acme/nc-run", "prohibited", []string{"acme/free", "acme/root"}, "base_model_conflict"},
		{"a loop ends", "acme/loop", "allowed", []string{"acme/pool"}, "grant"},
		{"a model that names itself", "acme/self", "allowed", nil, "grant"},
		{"the catalog knows what cannot be fetched", "acme/llama", "undetermined", []string{"meta-llama/Llama-3.1-8B"}, "threshold"},
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

// A model that cannot be read is answered from the catalog, and never without saying so.
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

// Every license that the catalog of models names has a record, so that a well-known model is answered offline.
func TestCatalogsAgree(t *testing.T) {
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

// Who passes on a model that was made of share-alike material passes on changes, though he changes nothing himself.
func TestShareAlikeIsInherited(t *testing.T) {
	s := shelf{
		"acme/tuned": {"README.md": card("license: mit", "base_model: acme/share", "base_model_relation: finetune")},
		"acme/share": {"README.md": card("license: cc-by-sa-4.0")},
	}
	u := hosted
	u.Shipping, u.AcceptCopyleft = []license.Shipping{license.Weights}, license.NoCopyleft
	if l, _, _ := ask(t, s, "acme/tuned", u); l.Outcome != "prohibited" {
		t.Errorf("not accepted: got %s, want prohibited: %+v", l.Outcome, l.Reasons)
	}
	u.AcceptCopyleft = ""
	l, _, _ := ask(t, s, "acme/tuned", u)
	if !slices.ContainsFunc(l.Duties, func(d report.Duty) bool { return d.Kind == "share-alike" && d.License == "cc-by-sa-4.0" }) || l.Outcome != "conditional" {
		t.Errorf("got %s with the duties %+v, want one to share alike", l.Outcome, l.Duties)
	}
}

// What has a name in the card and is "other" in a header is one license; a card that lists it beside another says two.
func TestOtherWithoutAName(t *testing.T) {
	header := gguftest.Write([]gguftest.KV{{Key: "general.architecture", Value: "llama"}, {Key: "general.license", Value: "other"}}, nil)
	s := shelf{
		"acme/named": {"README.md": card("license: other", "license_name: gemma"), "x.gguf": {Data: header}},
		"acme/two":   {"README.md": card("license: [mit, other]")},
	}
	for name, want := range map[string]string{"acme/named": "conditional", "acme/two": "undetermined"} {
		if l, _, _ := ask(t, s, name, hosted); l.Outcome != want {
			t.Errorf("%s: got %s, want %s: %+v", name, l.Outcome, want, l.Reasons)
		}
	}
}

// A sentence that bars business says nothing to research.
func TestRestrictionIsForBusiness(t *testing.T) {
	s := shelf{"acme/x": {"README.md": prose("license: apache-2.0", "For research use only.")}}
	u := hosted
	u.Purpose = license.ForResearch
	if l, _, _ := ask(t, s, "acme/x", u); l.Outcome != "allowed" {
		t.Errorf("research: got %s, want allowed", l.Outcome)
	}
	if l, _, _ := ask(t, s, "acme/x", hosted); l.Outcome != "undetermined" {
		t.Errorf("product: got %s, want undetermined", l.Outcome)
	}
}

// What restricts is found however it is worded, and what permits is not taken for it.
func TestRestrictedWords(t *testing.T) {
	for words, want := range map[string]bool{
		"for non-commercial use": true, "noncommercial purposes": true, "not for commercial use": true, "for research purposes only": true,
		"may only be used for academic purposes": true, "Commercial use is strictly prohibited": true, "commercial use is not allowed": true,
		"never use it in a commercial product": true, "仅限研究": true,
		"commercial use is permitted": false, "no restrictions on commercial use": false, "commercial use without limits": false,
		"commercial and research use": false, "supports commercial use": false, "not to mention its speed": false,
		"free of charge, no fee for commercial use": false,
	} {
		w := &weighing{}
		w.restricted("card", words)
		if got := len(w.restrictions) > 0; got != want {
			t.Errorf("%q restricts: got %v, want %v", words, got, want)
		}
	}
}

// A multimodal base model is one although what was made of it is not, and the other way round.
func TestTraitsAreEachModelsOwn(t *testing.T) {
	vision := `{"architectures": ["MllamaForConditionalGeneration"], "vision_config": {"x": 1}}`
	text := `{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}`
	s := shelf{
		"acme/text":   {"README.md": card("license: mit", "base_model: acme/vision"), "config.json": file(text)},
		"acme/vision": {"README.md": card("license: llama3.2"), "config.json": file(vision)},
		"acme/eyes":   {"README.md": card("license: mit", "base_model: acme/words"), "config.json": file(vision)},
		"acme/words":  {"README.md": card("license: llama3.2"), "config.json": file(text)},
	}
	u := hosted
	u.UsersAtRelease, u.Domicile = new(units.Count(5)), "DE"
	for name, want := range map[string]string{"acme/text": "prohibited", "acme/eyes": "conditional"} {
		if l, _, _ := ask(t, s, name, u); l.Outcome != want {
			t.Errorf("%s: got %s, want %s: %+v", name, l.Outcome, want, l.Reasons)
		}
	}
}

// No answer lifts a prohibition, so none is asked for.
func TestProhibitedAsksNothing(t *testing.T) {
	s := shelf{"acme/x": {"README.md": card("license: cc-by-nc-4.0", "base_model: acme/y")}, "acme/y": {"README.md": card("license: llama3.1")}}
	if l, _, _ := ask(t, s, "acme/x", hosted); l.Outcome != "prohibited" || len(l.Questions) > 0 {
		t.Errorf("got %s asking %+v, want prohibited and no question", l.Outcome, l.Questions)
	}
}

// slow does not answer in time.
type slow struct{}

func (slow) Open(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("opening %s: %w", ref, ctx.Err())
}

// Time that runs out is a source that did not answer; who interrupts wants no answer.
func TestTimeIsUp(t *testing.T) {
	d := deps(nil)
	d.Models = slow{}
	q := LicenseQuestion{Ref: model.Ref{Scheme: model.SchemeHub, Name: "acme/x"}, Use: hosted}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	doc, err := License(ctx, d, q)
	if doc == nil || doc.License.Outcome != "undetermined" || doc.Gaps[0].Kind != "unreachable" || err == nil {
		t.Errorf("got %+v, %v, want an undetermined answer with a gap", doc, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if doc, err := License(ctx, d, q); doc != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v, want no answer", doc, err)
	}
}

// The sentence on top says what the verdict hangs on.
func TestSummary(t *testing.T) {
	for _, c := range []struct{ name, front, want string }{
		{"allowed", "license: mit", "May be used under mit."},
		{"duties", "license: gemma", "May be used under gemma-2024-02-21 and gemma-2024-04-01 and gemma-2025-03-24, if the conditions below are met."},
		{"prohibited", "license: cc-by-nc-4.0", "May not be used: commercial use in a product is not granted (cc-by-nc-4.0, clause 2(a)(1))."},
		{"nothing", "tags: [x]", "Not decided: no license is stated: neither card nor files nor weights name one, and without a license no use is granted."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if l, _, _ := ask(t, shelf{"acme/x": {"README.md": card(c.front)}}, "acme/x", hosted); l.Summary != c.want {
				t.Errorf("got %q, want %q", l.Summary, c.want)
			}
		})
	}
	l, _, _ := ask(t, shelf{"acme/x": {"README.md": card("license: mit"), "USE_POLICY.md": file("# Policy\nBe kind to everybody whom you meet on the way.\n")}}, "acme/x", hosted)
	if want := "May be used under mit, but USE_POLICY.md is a use policy that is not known here: read it."; l.Summary != want {
		t.Errorf("got %q, want %q", l.Summary, want)
	}
}
