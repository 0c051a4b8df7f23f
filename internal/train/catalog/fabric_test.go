package catalog

import (
	"errors"
	"flag"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
	cards "github.com/llmcheck/llmcheck/internal/hardware/catalog"
)

func card(t *testing.T, id string) *hardware.Accelerator {
	t.Helper()
	c, err := cards.Default().Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var update = flag.Bool("update", false, "write fabrics.tsv anew")

func TestIndexOfFabrics(t *testing.T) {
	all, err := fabricRecords()
	if err != nil {
		t.Fatal(err)
	}
	want := index(all)
	if *update {
		if err := os.WriteFile("fabrics.tsv", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if fabricIndex != want {
		t.Error("fabrics.tsv is not what the records say; run the test with -update")
	}
}

func TestFabrics(t *testing.T) {
	all, err := Fabrics()
	if err != nil || len(all) < 30 {
		t.Fatalf("%d networks: %v", len(all), err)
	}
	names, usual := make(map[string]string), make(map[string]string)
	recorded, err := fabricRecords()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recorded {
		for _, n := range append([]string{r.ID}, r.Aliases...) {
			if names[n] != "" || n != strings.ToLower(n) {
				t.Errorf("%s is a name of %s and of %s", n, r.ID, names[n])
			}
			names[n] = r.ID
		}
		for _, c := range r.Usual {
			if usual[c] != "" {
				t.Errorf("%s and %s are the usual one of %s", r.ID, usual[c], c)
			}
			usual[c] = r.ID
			card(t, c)
		}
	}
}

func TestFabricOfCard(t *testing.T) {
	for _, tt := range []struct {
		card, id, want string
		node, domain   int
		domainB, net   float64 // 1e9 bytes a second
		link           string
	}{
		{"a100-80-sxm", "", "dgx-a100", 8, 8, 300, 25, "nvlink3"},
		{"h100-sxm", "", "dgx-h100", 8, 8, 450, 50, "nvlink4"},
		{"h100-sxm", "aws-p5", "aws-p5", 8, 8, 450, 50, "nvlink4"},
		{"h100-sxm", "P5", "aws-p5", 8, 8, 450, 50, "nvlink4"},
		{"h100-sxm", "gcp-a3-mega", "gcp-a3-mega", 8, 8, 450, 25, "nvlink4"},
		{"h100-sxm", "tcp-100g", "tcp-100g", 8, 8, 450, 1.5625, "nvlink4"},
		{"a100-40-sxm", "aws-p4d", "aws-p4d", 8, 8, 300, 6.25, "nvlink3"},
		{"h800-sxm", "", "hgx-h800", 8, 8, 200, 50, "nvlink4-cut"},
		{"gb200", "", "gb200-nvl72", 4, 72, 900, 50, "nvlink5"},
		{"gb300", "", "gb300-nvl72", 4, 72, 900, 100, "nvlink5"},
		{"b300-sxm", "", "dgx-b300", 8, 8, 900, 100, "nvlink5"},
		{"mi300x", "", "hgx-mi300x", 8, 8, 448, 50, "infinity-fabric"},
		{"l40s", "", "pcie-server", 8, 8, 31.508, 6.25, "pcie4"},
		{"h100-pcie", "", "pcie-server", 8, 8, 63.015, 6.25, "pcie5"},
		{"rtx-4090", "", "workstation", 8, 8, 31.508, 0.15625, "pcie4"},
		{"rtx-3090", "", "workstation", 4, 4, 31.508, 0.3125, "pcie4"},
		{"v100-32-sxm", "", "dgx-1", 8, 8, 150, 6.25, "nvlink2"},
		{"m3-max-40c", "", "none", 1, 1, 0, 0, "unified memory"},
		{"rtx-4090-laptop", "", "none", 1, 1, 31.508, 0, "pcie4"},
	} {
		t.Run(tt.card+" "+tt.id, func(t *testing.T) {
			f, err := Fabric(card(t, tt.card), tt.id)
			if err != nil {
				t.Fatal(err)
			}
			if f.ID != tt.want || f.Node != tt.node || f.Domain != tt.domain || f.Link != tt.link || f.Why == "" || f.Source == "" {
				t.Errorf("%+v", f)
			}
			if math.Abs(f.DomainB/1e9-tt.domainB) > 0.001 || math.Abs(f.Net/1e9-tt.net) > 0.001 {
				t.Errorf("%v inside, %v out of a machine", f.DomainB, f.Net)
			}
		})
	}
}

// Every card has a usual network, none is faster out of its machine than inside, and only those that stand alone have none.
func TestEveryCardHasAFabric(t *testing.T) {
	all, err := cards.Default().All()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		f, err := Fabric(c, "")
		if err != nil || f.Why == "" {
			t.Errorf("%s: %v", c.ID, err)
		}
		if f.Net > f.DomainB && f.Domain > 1 && f.DomainB > 0 {
			t.Errorf("%s: %v inside and %v out of %d", c.ID, f.DomainB, f.Net, f.Node)
		}
		if (f.Net == 0) != (f.ID == "none") || f.Net > 0 && f.Latency == 0 || f.Domain < f.Node {
			t.Errorf("%s: %+v", c.ID, f)
		}
	}
}

func TestUnknownFabric(t *testing.T) {
	for name, want := range map[string]string{
		"dgx-h1000": "dgx-h100", "aws-p5x": "aws-p5", "gcp-a3": "gcp-a3-mega", "zzzzzzzzzzzzzz": "known are aws-p4d",
	} {
		_, err := Fabric(card(t, "h100-sxm"), name)
		if !errors.Is(err, ErrUnknownFabric) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := Fabric(card(t, "m3-max-40c"), "dgx-h100"); err == nil {
		t.Error("a laptop stands in a DGX")
	}
	if _, err := Fabric(card(t, "h100-sxm"), "../public/x"); !errors.Is(err, ErrUnknownFabric) {
		t.Errorf("a path: %v", err)
	}
}

func BenchmarkUsualFabric(b *testing.B) {
	c, err := cards.Default().Get("h100-sxm")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Fabric(c, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuestion(b *testing.B) {
	all, err := All()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := all[100].Question(false); err != nil {
			b.Fatal(err)
		}
	}
}

// index is the file fabrics.tsv.
func index(all []*fabricRecord) string {
	var lines []string
	for _, r := range all {
		for _, c := range r.Usual {
			lines = append(lines, "usual\t"+c+"\t"+r.ID+"\n")
		}
		for _, n := range r.Aliases {
			lines = append(lines, "name\t"+n+"\t"+r.ID+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
