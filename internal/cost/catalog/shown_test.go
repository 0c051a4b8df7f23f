package catalog

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"

	hardware "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/records"
)

// Law: what is shown of every record is the record: written to files and read again, it makes the same table.
func TestShownIsTheRecord(t *testing.T) {
	c, folder := Default(), fstest.MapFS{}
	for _, kind := range Kinds() {
		ids := c.IDs(kind)
		if len(ids) == 0 {
			t.Fatalf("no record of %s", kind)
		}
		for _, id := range ids {
			r, err := c.Record(kind, id)
			if err != nil {
				t.Fatal(err)
			}
			text, err := records.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			folder[kind+"/"+id+".yaml"] = &fstest.MapFile{Data: text}
		}
	}
	r, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Index(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(index, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
	if want := len(folder); r.Count() != want {
		t.Errorf("%d records, want %d", r.Count(), want)
	}
	cards := hardware.Default()
	known := func(card string) bool { _, err := cards.Get(card); return err == nil }
	if err := c.Foreign(folder, r, known); err != nil {
		t.Errorf("cards of ours that nobody knows: %v", err)
	}
}

func TestShownIsUnknown(t *testing.T) {
	c := Default()
	for _, kind := range append(Kinds(), "offers", "", "x") {
		for _, id := range []string{"", "nobody", "a\tb", "../prices/aws"} {
			if r, err := c.Record(kind, id); !errors.Is(err, ErrUnknown) {
				t.Errorf("%s/%s: %v, %v", kind, id, r, err)
			}
		}
	}
}

// The record of a user hides ours with all its offers, in what is shown too.
func TestShownOverlaid(t *testing.T) {
	c, err := Default().Overlay(fstest.MapFS{"prices/aws.yaml": {Data: []byte(`id: aws
name: AWS by contract
class: hyperscaler
sources: {contract: {title: our contract}}
offers:
- {card: h100-sxm, region: eu, gpus: 8, terms: reserved_1y, usd: [2.5], host: included, date: "2026-11-01", source: contract}
checked: 2026-11-24
`)}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Record(sellers, "aws")
	if err != nil {
		t.Fatal(err)
	}
	if s := r.(*Seller); s.Name != "AWS by contract" || len(s.Offers) != 1 || len(s.Offers[0].USD) != 1 {
		t.Errorf("shown is %+v", s)
	}
}

func TestCalled(t *testing.T) {
	c := Default()
	for name, want := range map[string][2]string{
		"DE": {"deu"}, "germany": {"deu"}, "europe-west3": {1: "gcp"}, "gcp:europe-west3": {1: "gcp"}, "": {}, "atlantis": {},
	} {
		countries, regions := c.Called(name)
		if got := [2]string{strings.Join(countries, " "), strings.Join(regions, " ")}; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A card that nobody knows is a fault of whatever record names it, with its line; a group will do for prices only.
func TestForeign(t *testing.T) {
	folder := fstest.MapFS{
		"prices/acme.yaml": {Data: []byte(`id: acme
name: Acme
class: neocloud
sources: {contract: {title: our contract}}
offers:
- {card: h100-sxm, region: eu, terms: on_demand, usd: [2], host: included, date: "2026-11-01", source: contract}
- {card: h1000, region: eu, terms: on_demand, usd: [2], host: included, date: "2026-11-01", source: contract}
- {card: h100-unspecified, region: eu, terms: on_demand, usd: [2], host: included, date: "2026-11-01", source: contract}
- {card: m3-ultra-512gb, region: eu, terms: on_demand, usd: [2], host: included, date: "2026-11-01", source: contract}
- {card: ours, region: eu, terms: on_demand, usd: [2], host: included, date: "2026-11-01", source: contract}
checked: 2026-11-24
`)},
		"groups/ours.yaml": {Data: []byte("id: ours\nname: Ours\ncards: [h100-pcie, h100-unspecified]\nnote: any\nchecked: 2026-11-24\n")},
	}
	r, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	cards := hardware.Default()
	err = Default().Foreign(folder, r, func(card string) bool { _, err := cards.Get(card); return err == nil })
	want := `groups/ours.yaml:3: cards: number 2: card "h100-unspecified" is not in the catalog of accelerators
prices/acme.yaml:7: offers: number 2: card "h1000" is not in the catalog of accelerators, and no group of cards has the name`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v, want\n%s", err, want)
	}
}

// What could steer a terminal is no name, and no title of a source.
func TestNamesAreOneLine(t *testing.T) {
	for _, odd := range []string{`\e[31m`, `\n`, `\u202e`, `\u0085`, `\u200b`} {
		_, err := Load(fstest.MapFS{"figures/x.yaml": {Data: []byte("id: x\nname: \"a" + odd + "b\"\nvalue: [1]\nunit: \"\"\nof: \"2026\"\n" +
			"confidence: low\nsource: {title: \"c" + odd + "d\"}\nchecked: 2026-11-24\n")}})
		if err == nil || !strings.Contains(err.Error(), "figures/x.yaml:2: name") || !strings.Contains(err.Error(), "source: a title is missing") {
			t.Errorf("%s: %v", odd, err)
		}
	}
}
