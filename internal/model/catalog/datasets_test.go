package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/records"
)

func TestDatasetRecords(t *testing.T) {
	all := sub(t, datasetFolder, checkDataset)
	if len(all) < 90 {
		t.Errorf("%d data sets, want at least 90", len(all))
	}
	folded, per := make(map[string]string), make(map[model.DatasetRisk]int)
	for name, d := range all {
		if other, ok := folded[strings.ToLower(name)]; ok {
			t.Errorf("%s and %s are one file on a disk that ignores case", name, other)
		}
		folded[strings.ToLower(name)] = name
		per[d.Risk]++
		if !strings.HasPrefix(d.Source.URL, "https://") {
			t.Errorf("%s: source.url %q cannot be opened", d.ID, d.Source.URL)
		}
		if !strings.HasSuffix(d.Text, ".") || strings.Contains(d.Text, "\n") {
			t.Errorf("%s: text %q is not a sentence on one line", d.ID, d.Text)
		}
	}
	for _, r := range risks {
		if per[r] == 0 {
			t.Errorf("no data set has the risk %s", r)
		}
	}
}

func TestDatasetIDs(t *testing.T) {
	c := Default()
	ids, err := c.DatasetIDs()
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != len(sub(t, datasetFolder, checkDataset)) || !slices.IsSorted(ids) {
		t.Errorf("%d ids, sorted %v", len(ids), slices.IsSorted(ids))
	}
	for _, id := range ids {
		if d, ok, err := c.Dataset(strings.ToLower(id)); err != nil || !ok || d.ID != id {
			t.Errorf("Dataset(%s) = %v, %v, %v, want %s", strings.ToLower(id), d, ok, err, id)
		}
	}
}

func TestDatasetNames(t *testing.T) {
	c := Default()
	for name, now := range map[string]string{
		"bookcorpus": "bookcorpus/bookcorpus", "bookcorpusopen": "defunct-datasets/bookcorpusopen",
		"empathetic_dialogues": "facebook/empathetic_dialogues", "imagenet-1k": "ILSVRC/imagenet-1k",
		"ms_marco": "microsoft/ms_marco", "the_pile": "EleutherAI/pile", "the_pile_books3": "defunct-datasets/the_pile_books3",
	} {
		if d, ok, err := c.Dataset(strings.ToUpper(name)); err != nil || !ok || d.ID != now {
			t.Errorf("Dataset(%s) = %v, %v, %v, want %s", strings.ToUpper(name), d, ok, err, now)
		}
	}
	for row, id := range map[string]string{
		"permissive": "nvidia/HelpSteer2", "no organization": "alpaca", "empty": "", "path": "../datasets/x", "deep": "tatsu-lab/alpaca/x",
		"file name": "tatsu-lab__alpaca", "Kelvin sign": "tatsu-lab/alpa\u212Aa", "address": "https://huggingface.co/datasets/GAIR/lima",
	} {
		if d, ok, err := c.Dataset(id); d != nil || ok || err != nil {
			t.Errorf("%s: Dataset(%q) = %v, %v, %v, want nothing", row, id, d, ok, err)
		}
	}
}

func TestDatasetFaults(t *testing.T) {
	day := evidence.Date{Year: 2026, Month: 11, Day: 24}
	good := model.KnownDataset{
		ID: "acme/data", License: "MIT", Risk: model.UnclearData, Text: "Nobody knows.", Source: evidence.Source{Title: "card", Checked: day},
	}
	if err := checkDataset("acme__data", &good); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		spoil func(*model.KnownDataset)
		want  string
	}{
		{"foreign file", func(d *model.KnownDataset) { d.ID = "acme/other" }, "belongs into the file acme__other.yaml"},
		{"no organization", func(d *model.KnownDataset) { d.ID = "data" }, `id "data" is not an id on the hub`},
		{"no license", func(d *model.KnownDataset) { d.License = "" }, "license is missing"},
		{"risk", func(d *model.KnownDataset) { d.Risk = "fine" }, `risk: "fine"`},
		{"no text", func(d *model.KnownDataset) { d.Text = "" }, "text is missing"},
		{"no source", func(d *model.KnownDataset) { d.Source.Title = "" }, "source.title is missing"},
		{"no day", func(d *model.KnownDataset) { d.Source.Checked = evidence.Date{} }, "source.checked is missing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := good
			row.spoil(&d)
			if err := checkDataset("acme__data", &d); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want it to say %q", err, row.want)
			}
		})
	}
}

func TestDatasetKeys(t *testing.T) {
	text := "id: acme/data\nlicense: MIT\nrisk: unclear\ntext: x.\nsource: {title: card, checked: 2026-11-24}\nnote: x\n"
	err := records.Decode("acme__data.yaml", []byte(text), new(model.KnownDataset))
	if err == nil || !strings.Contains(err.Error(), `acme__data.yaml:6: unknown key "note"`) {
		t.Errorf("error %v, want it to name the unknown key", err)
	}
}
