package catalog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/records"
)

// all reads the records of the source tree, each with its checks.
func all(t testing.TB) map[string]*Record {
	t.Helper()
	m, err := records.Load(os.DirFS("accelerators"), ".", Check)
	if err != nil {
		t.Fatal(err)
	}
	if len(m) < 57 {
		t.Fatalf("%d records", len(m))
	}
	return m
}

func TestNamesAreDistinct(t *testing.T) {
	if err := Distinct(all(t)); err != nil {
		t.Error(err)
	}
}

func TestAliasesAreCurrent(t *testing.T) {
	if string(Table(all(t))) != aliases {
		t.Error("aliases.tsv is stale: run go generate in this folder")
	}
}

func TestIndexIsCurrent(t *testing.T) {
	want, err := Index(all(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, index) {
		t.Error("index.jsonl is stale: run go generate in this folder")
	}
	for id, written := range all(t) {
		held, err := Default().Record(id)
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(written, held); diff != "" {
			t.Errorf("%s in the index (-record +index):\n%s", id, diff)
		}
	}
}

// A shared name is that of two or more, and each group of the same memory has at most one that is meant.
func TestSharedNames(t *testing.T) {
	bearers := make(map[string][]*Record)
	for _, r := range all(t) {
		for _, n := range names(r) {
			bearers[n] = append(bearers[n], r)
		}
		for _, s := range r.Shared {
			if len(records.Names(aliases).IDs(fold(s))) < 2 {
				t.Errorf("%s: nobody shares %q: write it under aliases", r.ID, s)
			}
		}
	}
	for n, rs := range bearers {
		common := make(map[float64]string)
		for _, r := range rs {
			if !r.Common {
				continue
			}
			if other := common[r.MemoryGB]; other != "" {
				t.Errorf("%q: both %s and %s are common", n, other, r.ID)
			}
			common[r.MemoryGB] = r.ID
		}
	}
}

// What leaflets print is with structured sparsity, for two GPUs, or for both directions. No record repeats it.
func TestTraps(t *testing.T) {
	for _, tt := range []struct {
		id, format string
		sparse     float64 // or otherwise wrong
	}{
		{"h100-sxm", "bf16", 1979},
		{"h200-sxm", "bf16", 1979},
		{"h100-pcie", "bf16", 1513},
		{"b200-sxm", "bf16", 4500},
		{"b300-sxm", "bf16", 3750},
		{"gb200", "bf16", 5000},
		{"gb200", "fp4", 20000},
		{"gb300", "bf16", 5000},
		{"mi300x", "fp8", 5230},
		{"mi355x", "fp8", 10100},
		{"mi350x", "fp8", 9200},
		{"rtx-4090", "fp8", 1321},
		{"rtx-4090", "bf16", 330},
		{"rtx-3090", "bf16", 142},
		{"rtx-5090", "fp4", 3352},
		{"rtx-5080", "fp4", 1801},
		{"rtx-5080", "fp8", 900},
		{"rtx-5070-ti", "fp8", 703},
		{"rtx-5000-ada", "bf16", 522},
		{"rtx-4000-ada", "fp8", 427},
		{"l40", "bf16", 362},
		{"l40s", "bf16", 733},
		{"a10g", "bf16", 125},
		{"a100-80-sxm", "bf16", 624},
		{"mi210", "int8", 362},
		{"trainium2", "bf16", 2563},
		{"trainium3", "bf16", 2517},
		{"gaudi-3", "bf16", 1835},
		{"dgx-spark-gb10", "fp4", 1000},
		{"jetson-thor", "fp4", 2070},
		{"jetson-agx-orin-64", "int8", 275},
	} {
		r, err := Default().Record(tt.id)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Dense[tt.format]; got == 0 || got >= 0.95*tt.sparse {
			t.Errorf("%s: %s is %g, and %g is not the dense peak of one device", tt.id, tt.format, got, tt.sparse)
		}
	}
}

// Links are counted in one direction: no more than the generation can carry.
func TestLinksAreOneWay(t *testing.T) {
	most := map[string]float64{"nvlink1": 80, "nvlink2": 150, "nvlink3": 300, "nvlink4": 450, "nvlink5": 900, "ici": 600, "infinity": 540}
	for _, r := range all(t) {
		for kind, gbs := range most {
			if strings.HasPrefix(r.Link.Type, kind) && r.Link.GBs > gbs {
				t.Errorf("%s: %g GB/s on %s is more than %g, one direction", r.ID, r.Link.GBs, r.Link.Type, gbs)
			}
		}
	}
}

// Every figure of the memory that the engines print lies within a hundredth of what the record says, and never above it
// by more.
func TestVisible(t *testing.T) {
	for _, tt := range []struct {
		name string
		gib  float64
	}{
		{"H100-80GB", 79.19},
		{"A100-80GB", 79.15},
		{"A100-40GB", 39.5},
		{"T4-16GB", 14.65},
		{"L4", 22.2},
		{"A10G", 22.06},
		{"RTX3090-24GB", 23.58},
		{"RTX4090D-24GB", 23.6},
		{"RTX 4090", 23.6},
		{"RTX5090-32GB (inferred)", 31.4},
		{"V100-16GB", 15.8},
		{"H20-141GB", 139.7},
		{"GB10-128GB unified (121.7 GiB)", 121.7},
		{"H200-141GB", 139.8},
		{"MI300X", 191.98},
		{"RTX4070-8GB", 7.65},
		{"A10G/L4-24GB (22.06 GiB)", 22.06},
		{"80GB card (A100/H100)", 79.15},
		{"288GB card (MI35x class, inferred)", 287.98},
	} {
		m, err := Default().Resolve(tt.name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := float64(m.GPU.Usable()) / (1 << 30); got > 1.001*tt.gib || got < 0.99*tt.gib {
			t.Errorf("%s is %s with %.2f GiB, want %.2f", tt.name, m.GPU.ID, got, tt.gib)
		}
	}
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct{ name, id, assumed string }{
		{"h100-sxm", "h100-sxm", ""},
		{"NVIDIA H100 80GB HBM3", "h100-sxm", ""},
		{"NVIDIA H100 PCIe", "h100-pcie", ""},
		{"NVIDIA H100 NVL", "h100-nvl", ""},
		{"H100 SXM", "h100-sxm", ""},
		{"H100-80GB", "h100-sxm", "h100-pcie (80 GB) or h100-sxm (80 GB)"},
		{"h100", "h100-sxm", "of equal memory"},
		{"A100-SXM4-40GB", "a100-40-sxm", ""},
		{"NVIDIA A100-SXM4-80GB", "a100-80-sxm", ""},
		{"NVIDIA A100 80GB PCIe", "a100-80-pcie", ""},
		{"NVIDIA A100-PCIE-40GB", "a100-40-pcie", ""},
		{"A100-80GB", "a100-80-sxm", "a100-80-pcie"},
		{"A100-40GB", "a100-40-sxm", "a100-40-pcie"},
		{"a100-80", "a100-80-sxm", "of equal memory"},
		{"Tesla V100-SXM2-16GB", "v100-16-sxm", ""},
		{"Tesla V100-SXM2-32GB", "v100-32-sxm", ""},
		{"Tesla T4", "t4", ""},
		{"T4-16GB", "t4", ""},
		{"RTX 4090", "rtx-4090", ""},
		{"NVIDIA GeForce RTX 4090", "rtx-4090", ""},
		{"rtx4090", "rtx-4090", ""},
		{"RTX4090D-24GB", "rtx-4090-d", ""},
		{"NVIDIA GeForce RTX 4090 D", "rtx-4090-d", ""},
		{"RTX 4070 Laptop", "rtx-4070-laptop", ""},
		{"RTX 4060 Ti 16GB", "rtx-4060-ti-16", ""},
		{"RTX 3080", "rtx-3080", ""},
		{"RTX 3080 12GB", "rtx-3080-12", ""},
		{"NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada", ""},
		{"NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000-blackwell", ""},
		{"RTX PRO 6000", "rtx-pro-6000-blackwell", "of equal memory"},
		{"NVIDIA GH200 480GB", "gh200-96", ""},
		{"NVIDIA GH200 144G HBM3e", "gh200-144", ""},
		{"NVIDIA B200", "b200-sxm", ""},
		{"NVIDIA B300 SXM6 AC", "b300-sxm", ""},
		{"NVIDIA H20", "h20", ""},
		{"NVIDIA H20-3e", "h20-141", ""},
		{"NVIDIA GB10", "dgx-spark-gb10", ""},
		{"GB10-128GB unified (121.7 GiB)", "dgx-spark-gb10", "taken at its word"},
		{"AMD Instinct MI300X OAM", "mi300x", ""},
		{"AMD Radeon RX 7900 XTX", "rx-7900-xtx", ""},
		{"m3-max-40c-128gb", "m3-max-40c-128gb", ""},
		{"M3 Max 128GB", "m3-max-40c-128gb", ""},
		{"M3 Max 36GB", "m3-max-30c-36gb", ""},
		{"M4 Max 36 GB", "m4-max-32c-36gb", ""},
		{"Apple M2 Ultra 192GB", "m2-ultra-192gb", ""},
		{"m3-ultra", "m3-ultra-96gb", "the smallest is assumed; name another as m3-ultra-512gb"},
		{"Apple M4 Max", "m4-max-48gb", "the smallest is assumed"},
		{"AMD RYZEN AI MAX+ 395 w/ Radeon 8060S 128GB", "strix-halo-128gb", ""},
		{"A10G/L4-24GB (22.06 GiB)", "l4", "of equal memory"},
		{"80GB card (A100/H100)", "generic-80gb", "as on h100-"},
		{"288GB card (MI35x class, inferred)", "generic-288gb", "as on mi35"},
		{"32GB card (V100/5090)", "generic-32gb", "as on rtx-5090"},
		{"32GB card (V100/9090)", "generic-32gb", ""},
		{"Mac Studio M3 Ultra 512GB", "m3-ultra-512gb", ""},
		{"AMD Instinct MI250X / MI250", "mi250", "of equal memory"},
		{"B200-192GB", "b200-sxm", ""},
		{"3090 Ti", "rtx-3090-ti", ""},
		{"24GB", "generic-24gb", "names no card that is known"},
		{"24 GB GPU", "generic-24gb", "one of 24 GB is assumed"},
		{"a card of ours, 37GB", "generic-37gb", "of every card that is known"},
		{"H100 (78.9 GiB)", "h100-sxm", "taken at its word"},
	} {
		m, err := Default().Resolve(tt.name)
		switch {
		case err != nil:
			t.Error(err)
		case m.GPU.ID != tt.id:
			t.Errorf("%q is %s, want %s", tt.name, m.GPU.ID, tt.id)
		case !strings.Contains(m.Assumed, tt.assumed) || tt.assumed == "" && m.Assumed != "" && m.GPU.Vendor != "":
			t.Errorf("%q assumes %q, want %q", tt.name, m.Assumed, tt.assumed)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		want error
		text string
	}{
		{"", ErrUnknown, ""},
		{"unknown (4 GPUs)", ErrUnknown, ""},
		{"gpu", ErrUnknown, ""},
		{"A100", ErrAmbiguous, "a100-40-sxm (40 GB)"},
		{"V100", ErrAmbiguous, ""},
		{"M3 Max", ErrAmbiguous, "m3-max-30c (36, 96 GB) or m3-max-40c (48, 64, 128 GB)"},
		{"RTX 4060 Ti", ErrAmbiguous, ""},
		{"NVIDIA RTX 4909", ErrUnknown, "nearest: rtx-4"},
		{"8x H100", ErrUnknown, "nearest: h100"},
		{"RTX 4909 24GB", ErrUnknown, "24GB is a card of which only the memory is known"},
		{"RTX 4090 48GB", ErrUnknown, "rtx-4090 has 24 GB, not 48 GB"},
		{"A100-SXM4-40GB MIG 1g.5gb", ErrAmbiguous, "two sizes"},
		{"H100 (12 GiB)", ErrAmbiguous, "shows 79.09 GiB, not 12"},
		{"24GB or 48GB", ErrAmbiguous, "two sizes"},
		{"0GB", ErrUnknown, ""},
		{"0.5GB", ErrUnknown, "want a memory of"},
		{"999999GB", ErrUnknown, "want a memory of"},
		{"../../etc/passwd", ErrUnknown, ""},
		{"h100-\u212a", ErrUnknown, ""},
		{strings.Repeat("x", 1<<20), ErrUnknown, "bytes"},
		{strings.Repeat("h100/", 50), ErrUnknown, ""},
	} {
		m, err := Default().Resolve(tt.name)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || !IsUnknown(err) {
			t.Errorf("%.60q is %+v, error %v; want %v with %q", tt.name, m.GPU, err, tt.want, tt.text)
		}
	}
}

// Every name that a record lists, however it is written, leads to it or to a choice in which it stands.
func TestEveryNameResolves(t *testing.T) {
	c := Default()
	for id, r := range all(t) {
		for _, n := range slices.Concat([]string{r.ID, r.Name}, r.Aliases) {
			for _, spelled := range []string{n, strings.ToUpper(n), strings.ReplaceAll(n, "-", " "), "NVIDIA " + n} {
				m, err := c.Resolve(spelled)
				if err != nil {
					t.Errorf("%s: %v", id, err)
				} else if !strings.HasPrefix(m.GPU.ID, id) {
					t.Errorf("%q is %s, want %s", spelled, m.GPU.ID, id)
				}
			}
		}
		for _, n := range r.Shared {
			if m, err := c.Resolve(n); err != nil && !errors.Is(err, ErrAmbiguous) {
				t.Errorf("%q of %s is %+v, %v", n, id, m.GPU, err)
			}
		}
	}
}

func TestGet(t *testing.T) {
	c := Default()
	list, err := c.All()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, a := range list {
		if seen[a.ID] {
			t.Errorf("%s is there twice", a.ID)
		}
		seen[a.ID] = true
		got, err := c.Get(a.ID)
		if err != nil || got.ID != a.ID || got.VisibleMiB != a.VisibleMiB {
			t.Errorf("Get(%q) is %+v, %v", a.ID, got, err)
		}
		if m, err := c.Resolve(a.ID); err != nil || m.GPU.ID != a.ID || m.Assumed != "" {
			t.Errorf("Resolve(%q) is %+v, %v", a.ID, m, err)
		}
	}
	for _, id := range []string{"", "nobody", "m3-ultra-100gb", "h100-sxm-80gb", "../catalog", "H100-SXM"} {
		if _, err := c.Get(id); !errors.Is(err, ErrUnknown) {
			t.Errorf("Get(%q): %v", id, err)
		}
	}
}

// A generic card never has more than the least of the cards of its size.
func TestGenericIsCareful(t *testing.T) {
	c := Default()
	list, err := c.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Unified || a.Devices > 1 {
			continue
		}
		m, err := c.Resolve(plain(a.MemoryGB) + "GB")
		if err != nil {
			t.Errorf("%s: %v", a.ID, err)
		} else if m.GPU.VisibleMiB > a.VisibleMiB {
			t.Errorf("%s shows %g MiB, the card that is assumed for its size %g", a.ID, a.VisibleMiB, m.GPU.VisibleMiB)
		}
		if m.GPU.BandwidthGBs != 0 || m.GPU.DenseTFLOPS != nil || m.GPU.Vendor != "" {
			t.Errorf("%+v claims more than a memory", m.GPU)
		}
	}
}

const mine = `id: acme-npu
name: Acme NPU
aliases: [H100]
vendor: other
arch: acme
memory_gb: 64
usable_mib: 65000
visible_mib: 64000
bandwidth_gb_s: 1000
dense_tflops: {bf16: 100}
supports: {bf16: true}
sources: [{title: our purchase}]
checked: 2026-11-24
`

func TestOverlay(t *testing.T) {
	c, err := Default().Overlay(fstest.MapFS{"acme-npu.yaml": {Data: []byte(mine)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acme-npu", "ACME NPU", "H100", "h100 64GB"} {
		if m, err := c.Resolve(name); err != nil || m.GPU.ID != "acme-npu" || m.Assumed != "" {
			t.Errorf("%q: %+v, %v", name, m, err)
		}
	}
	if m, err := c.Resolve("H100 SXM"); err != nil || m.GPU.ID != "h100-sxm" {
		t.Errorf("ours is hidden: %+v, %v", m, err)
	}
	ids := c.IDs()
	if !slices.Contains(ids, "acme-npu") || !slices.Contains(ids, "h100-sxm") || !slices.IsSorted(ids) {
		t.Errorf("%v", ids)
	}
	if m, err := Default().Resolve("acme-npu"); err == nil {
		t.Errorf("the catalog below changed: %+v", m)
	}
	again, err := c.Overlay(fstest.MapFS{"h100-sxm.yaml": {Data: []byte(strings.ReplaceAll(mine, "acme-npu", "h100-sxm"))}})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := again.Get("h100-sxm"); err != nil || a.Vendor != "other" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := again.Get("acme-npu"); err != nil {
		t.Error(err)
	}
}

func TestOverlayRefuses(t *testing.T) {
	other := strings.ReplaceAll(mine, "acme-npu", "b")
	for name, tt := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"nothing there": {fstest.MapFS{"README.md": {}}, "no file *.yaml"},
		"unknown key":   {fstest.MapFS{"a.yaml": {Data: []byte("idd: a\n")}}, `unknown key "idd"`},
		"two of a name": {fstest.MapFS{"acme-npu.yaml": {Data: []byte(mine)}, "b.yaml": {Data: []byte(other)}}, `the name "h100" is that of acme-npu.yaml too`},
	} {
		if _, err := Default().Overlay(tt.files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"file of another name", "id: acme-npu", "id: other", `the file wants "acme-npu"`},
		{"no bandwidth", "bandwidth_gb_s: 1000", "bandwidth_gb_s: 0", "bandwidth_gb_s 0"},
		{"bytes instead of GB", "bandwidth_gb_s: 1000", "bandwidth_gb_s: 1000000000", "want decimal GB/s"},
		{"more usable than sold", "usable_mib: 65000", "usable_mib: 66000", "no more than was sold"},
		{"more visible than usable", "visible_mib: 64000", "visible_mib: 65001", "no more than usable_mib"},
		{"half of what was sold", "usable_mib: 65000\nvisible_mib: 64000", "usable_mib: 32000\nvisible_mib: 32000", "nine tenths"},
		{"GiB for MiB", "usable_mib: 65000\nvisible_mib: 64000", "usable_mib: 63\nvisible_mib: 62", "nine tenths"},
		{"a smaller format is slower", "{bf16: 100}", "{bf16: 100, fp8: 99}", "fp8 with 99 is slower than bf16 with 100"},
		{"a peak without support", "{bf16: true}", "{bf16: false}", "bf16 is false, but has a peak"},
		{"a peak of nothing", "{bf16: 100}", "{bf16: 0}", "leave out what is not known"},
		{"a format that nobody knows", "{bf16: 100}", "{bf15: 100}", `"bf15" is not one of`},
		{"no source", "sources: [{title: our purchase}]\n", "", "say where the figures are from"},
		{"no day", "checked: 2026-11-24\n", "", "checked is missing"},
		{"measured above the peak", "arch: acme", "arch: acme\nmatmul_bf16_tflops: 200", "above the peak"},
		{"derived from nothing", "arch: acme", "arch: acme\nderived: [visible_mib]", "say from what"},
		{"sizes of a card", "arch: acme", "arch: acme\nmemory_options: [{memory_gb: 64, visible_mib: 64000}]", "unless it is unified memory"},
		{"a board as one device", "arch: acme", "arch: acme\ndevices: 2", "of a board of 2 devices, want that of one"},
	} {
		text := strings.Replace(mine, tt.from, tt.to, 1)
		var r Record
		if err := records.Decode("acme-npu.yaml", []byte(text), &r); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err := Check("acme-npu", &r); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{
		"H100-80GB", "A10G/L4-24GB (22.06 GiB)", "80GB card (A100/H100)", "m3-max-40c-128gb", "unknown (4 GPUs)", "24GB", "((", "1e9GB", "24 G G", "\x00GB",
	} {
		f.Add(s)
	}
	c := Default()
	f.Fuzz(func(t *testing.T, name string) {
		m, err := c.Resolve(name)
		if err != nil {
			if !IsUnknown(err) || m.GPU != nil {
				t.Fatalf("%q: %+v, %v", name, m, err)
			}
			return
		}
		g := m.GPU
		if g.MemoryGB < 1 || g.VisibleMiB <= 0 || g.VisibleMiB > g.UsableMiB || g.UsableMiB > g.MemoryGB*1024 {
			t.Fatalf("%q: %+v", name, g)
		}
		if again, err := c.Resolve(strings.ToUpper(name)); len(strings.ToUpper(name)) == len(name) && (err != nil || again.GPU.ID != g.ID) {
			t.Fatalf("%q is %s, in capitals %+v, %v", name, g.ID, again.GPU, err)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	for _, name := range []string{"h100-sxm", "NVIDIA H100 80GB HBM3", "A100-80GB", "24GB"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Default().Resolve(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAll(b *testing.B) {
	var list []*hardware.Accelerator
	for b.Loop() {
		var err error
		if list, err = Default().All(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(list)), "accelerators")
}

// shared finds a table beside the repository; without it the test is skipped.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no ../shared")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// column reads one column of a table, without repeats.
func column(t *testing.T, text, name string) []string {
	t.Helper()
	var out []string
	at := -1
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case at < 0:
			at = slices.Index(cells, name)
			if at < 0 {
				t.Fatalf("no column %q in %q", name, cells)
			}
		case at < len(cells) && cells[at] != "":
			out = append(out, cells[at])
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 {
		t.Fatalf("column %q is empty", name)
	}
	return out
}

// Every card of the facts and of the tables has a record, or is refused on purpose.
func TestNamesOfTables(t *testing.T) {
	for _, tt := range []struct{ file, column string }{
		{"groundtruth/gpu_names.tsv", "name"},
		{"groundtruth/gpu_names.tsv", "id"},
		{"groundtruth/serving_memory.tsv", "gpu"},
		{"groundtruth/inference_speed.tsv", "gpu"},
		{"groundtruth/training.tsv", "gpu"},
	} {
		for _, name := range column(t, shared(t, tt.file), tt.column) {
			m, err := Default().Resolve(name)
			if refused := strings.HasPrefix(name, "unknown"); (err != nil) != refused {
				t.Errorf("%s: %q is %+v, %v", tt.file, name, m.GPU, err)
			}
		}
	}
}

// mended are the figures of the facts that the makers contradict: what the facts say, and what the records say.
var mended = map[string][2]float64{
	"rtx-pro-6000-blackwell bandwidth_gb_s": {1792, 1597}, // that of the workstation edition; the datasheet of the server edition has 1597
	"tpu-v5p link":                          {300, 600},   // 4800 Gbit/s are one direction; the documentation now says 1200 GB/s in both
}

// The records say what the facts say.
func TestFacts(t *testing.T) {
	front, err := records.Front("gpus.yaml", []byte(shared(t, "facts/gpus.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	list, _ := front["accelerators"].([]any)
	if len(list) < 57 {
		t.Fatalf("%d facts", len(list))
	}
	for _, e := range list {
		text, err := records.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := records.Front("fact", text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Default().Record(keys["id"].(string))
		if err != nil {
			t.Error(err)
			continue
		}
		same := func(key string, fact any, got float64) {
			want, ok := number(fact)
			if m, known := mended[r.ID+" "+key]; known {
				if want != m[0] {
					t.Errorf("%s: the facts say %g of %s now, and not %g: this is mended no more", r.ID, want, key, m[0])
				}
				want = m[1]
			}
			if ok && want != got {
				t.Errorf("%s: %s is %g, want %g", r.ID, key, got, want)
			}
		}
		same("memory_gb", keys["memory_gb"], r.MemoryGB)
		same("usable_mib", keys["usable_mib"], r.UsableMiB)
		same("bandwidth_gb_s", keys["bandwidth_gb_s"], r.Bandwidth)
		same("matmul_bf16_tflops", keys["measured_bf16_tflops"], r.MatmulBF16)
		same("watts", keys["tdp_w"], r.Watts)
		same("max_per_node", keys["max_per_node"], float64(r.MaxPerNode))
		same("link", keys["interconnect"].(map[string]any)["gb_s_one_way_per_gpu"], r.Link.GBs)
		for k, v := range keys["dense_tflops"].(map[string]any) {
			if want, _ := number(v); want != r.Dense[k] {
				t.Errorf("%s: %s is %g, the facts say %g", r.ID, k, r.Dense[k], want)
			}
		}
	}
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
