package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSpeedNeeds: a card whose speed is told has a bandwidth, power, a peak for each number format in which it computes,
// and a way to others.
func TestSpeedNeeds(t *testing.T) {
	for _, r := range all(t) {
		if r.Vendor != "nvidia" && r.Vendor != "amd" && r.Vendor != "apple" && r.Vendor != "intel" || r.ID == "rtx-5090-d" { // whose tensor cores are slowed by nobody knows how much
			continue
		}
		if r.Bandwidth == 0 || r.Dense["fp32"]+r.Dense["fp16"]+r.Dense["bf16"] == 0 {
			t.Errorf("%s: bandwidth %v, peaks %v", r.ID, r.Bandwidth, r.Dense)
		}
		for format, has := range r.Supports {
			if has && r.Dense[format] == 0 {
				t.Errorf("%s computes in %s, and no peak is known", r.ID, format)
			}
		}
		if !r.Unified && r.PCIe.Gen == 0 {
			t.Errorf("%s: no PCIe", r.ID)
		}
		if r.Watts == 0 && r.Vendor != "apple" {
			t.Errorf("%s: no power", r.ID)
		}
	}
}

// TestPublishedCards: the cards of published measurements have a power too, whoever makes them.
func TestPublishedCards(t *testing.T) {
	path := filepath.Join("..", "..", "..", "..", "shared", "groundtruth", "gpu_names.tsv")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("no names of cards beside the project")
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		name, id, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok || strings.HasPrefix(line, "#") || name == "name" {
			continue
		}
		n++
		m, err := Default().Resolve(id)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.GPU.Watts == 0 || m.GPU.BandwidthGBs == 0 || m.GPU.DenseTFLOPS["fp16"] == 0 {
			t.Errorf("%s: %g W, %g GB/s, %v", id, m.GPU.Watts, m.GPU.BandwidthGBs, m.GPU.DenseTFLOPS)
		}
	}
	if n < 40 {
		t.Errorf("%d cards", n)
	}
}
