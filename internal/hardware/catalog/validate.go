package catalog

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	idForm  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	formats = []string{"fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4"}
	// faster lists pairs of number formats of which the second is never slower: it needs no more of the same multipliers.
	// INT8 stands outside: some makers cut it.
	faster   = [][2]string{{"fp32", "tf32"}, {"fp32", "fp16"}, {"fp32", "bf16"}, {"tf32", "bf16"}, {"bf16", "fp8"}, {"fp16", "fp8"}, {"fp8", "fp4"}}
	supports = []string{"bf16", "fp8", "fp4"}
	vendors  = []string{"nvidia", "amd", "apple", "intel", "google", "aws", "huawei", "other"}
)

// The figures that a record may call derived.
const (
	maxPerNode = 1024 // of one machine, or of what links as one
	usable     = "usable_mib"
	visible    = "visible_mib"
)

// Check reports every fault of a record at once. The id is the name of its file, without the ending.
func Check(id string, r *Record) error {
	f := faults{}
	f.want(r.ID == id, "id %q: the file wants %q", r.ID, id)
	f.want(idForm.MatchString(r.ID), "id %q: want small letters and digits, parted by dashes", r.ID)
	f.want(fold(r.Name) != "", "name %q: give the name that the maker uses", r.Name)
	f.want(slices.Contains(vendors, r.Vendor), "vendor %q is not one of %s", r.Vendor, strings.Join(vendors, ", "))
	f.want(r.Arch != "", "arch is missing")
	f.want(r.Year == 0 || r.Year > 2010 && r.Year < 2100, "year %d is no year of an accelerator", r.Year)
	for _, n := range slices.Concat(r.Aliases, r.Shared) {
		f.want(fold(n) != "", "name %q says nothing", n)
	}
	f.memory(r)
	f.speed(r)
	f.want(r.Link.GBs >= 0 && r.Link.GBs <= 5_000, "link.gb_s_one_way %g: want the sum of all links, one direction, in GB/s", r.Link.GBs)
	f.want(r.Link.All == 0 || r.Link.All > r.MaxPerNode && r.Link.All <= 100_000, "link.joins %d: want the devices of several machines, or nothing", r.Link.All)
	f.want(r.Link.GBs == 0 || r.Link.Type != "", "link.type is missing")
	f.want(r.PCIe.Gen >= 0 && r.PCIe.Gen <= 8 && r.PCIe.Lanes >= 0 && r.PCIe.Lanes <= 32, "pcie %v is no slot", r.PCIe)
	f.want(r.MaxPerNode <= maxPerNode, "max_per_node %d: want at most %d", r.MaxPerNode, maxPerNode)
	f.want(r.MaxPerNode >= 0 && r.Watts >= 0 && r.MatmulBF16 >= 0, "a count or a power is negative")
	f.want(len(r.Sources) > 0 || r.Unsourced, "sources: say where the figures are from, or unsourced: true")
	for _, s := range r.Sources {
		f.want(s.Title != "", "sources: a title is missing")
	}
	f.want(!r.Checked.IsZero(), "checked is missing")
	return errors.Join(f.all...)
}

type faults struct{ all []error }

func (f *faults) want(ok bool, format string, args ...any) {
	if !ok {
		f.all = append(f.all, fmt.Errorf(format, args...))
	}
}

// memory: a process sees no more than the driver reports, and the driver no more than was sold. Memory is sold in GB and
// built in GiB, so what is sold may be read as either.
func (f *faults) memory(r *Record) {
	const most = 4096 // GB
	f.want(r.MemoryGB > 0 && r.MemoryGB <= most, "memory_gb %g: want a size in GB", r.MemoryGB)
	f.want(r.UsableMiB > 0 && r.UsableMiB <= r.MemoryGB*1024, "usable_mib %g: want more than nothing and no more than was sold, %g",
		r.UsableMiB, r.MemoryGB*1024)
	f.want(r.VisibleMiB > 0 && r.VisibleMiB <= r.UsableMiB, "visible_mib %g: want more than nothing and no more than usable_mib, %g",
		r.VisibleMiB, r.UsableMiB)
	low := 0.9 * r.MemoryGB * 1e9 / (1 << 20)
	f.want(r.Unified || r.UsableMiB >= low, "usable_mib %g: want at least nine tenths of %g GB, %.0f", r.UsableMiB, r.MemoryGB, low)
	for _, d := range r.Derived {
		f.want(d == usable || d == visible, "derived: %q is neither %s nor %s", d, usable, visible)
	}
	f.want(len(r.Derived) == 0 || r.Note != "", "note: say from what %s follows", strings.Join(r.Derived, " and "))
	f.want(r.Devices == 0 || r.Devices > 1 && r.Devices <= 8, "devices %d: want 2 to 8, or none for one", r.Devices)
	f.want(r.Devices < 2 || r.VisibleMiB <= r.UsableMiB/float64(r.Devices), "visible_mib %g: of a board of %d devices, want that of one",
		r.VisibleMiB, r.Devices)
	f.options(r)
}

func (f *faults) options(r *Record) {
	f.want(len(r.Options) == 0 || r.Unified, "memory_options: write one record for each size, unless it is unified memory")
	for i, o := range r.Options {
		f.want(o.GB > 0 && o.VisibleMiB > 0 && o.VisibleMiB <= o.GB*1024, "memory_options: %g GB with %g MiB", o.GB, o.VisibleMiB)
		f.want(i == 0 || o.GB > r.Options[i-1].GB, "memory_options: %g GB is out of order", o.GB)
	}
	listed := slices.ContainsFunc(r.Options, func(o option) bool { return o.GB == r.MemoryGB && o.VisibleMiB == r.VisibleMiB })
	f.want(len(r.Options) == 0 || listed, "memory_options: memory_gb %g with visible_mib %g is not among them", r.MemoryGB, r.VisibleMiB)
}

// speed: more is never slower, and what a format cannot do has no peak.
func (f *faults) speed(r *Record) {
	f.want(r.Bandwidth > 0 && r.Bandwidth < 100_000, "bandwidth_gb_s %g: want decimal GB/s", r.Bandwidth)
	f.want(len(r.Dense) > 0, "dense_tflops is missing")
	for _, k := range slices.Sorted(maps.Keys(r.Dense)) {
		f.want(slices.Contains(formats, k), "dense_tflops: %q is not one of %s", k, strings.Join(formats, ", "))
		f.want(r.Dense[k] > 0, "dense_tflops: %s: leave out what is not known", k)
	}
	for _, p := range faster {
		slow, fast := r.Dense[p[0]], r.Dense[p[1]]
		if slow > 0 && fast > 0 {
			f.want(fast >= slow, "dense_tflops: %s with %g is slower than %s with %g", p[1], fast, p[0], slow)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Supports)) {
		f.want(slices.Contains(supports, k), "supports: %q is not one of %s", k, strings.Join(supports, ", "))
		f.want(r.Supports[k] || r.Dense[k] == 0, "supports: %s is false, but has a peak", k)
	}
	top := max(r.Dense["bf16"], r.Dense["fp16"], r.Dense["fp32"])
	f.want(top == 0 || r.MatmulBF16 <= 1.15*top, "matmul_bf16_tflops %g: above the peak of %g", r.MatmulBF16, top)
}

// Distinct reports the names that two records of one catalog claim for themselves.
func Distinct(all map[string]*Record) error {
	var out []error
	owner := make(map[string]string)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		for _, n := range own(all[id]) {
			if other, taken := owner[n]; taken {
				out = append(out, fmt.Errorf("%s.yaml: the name %q is that of %s.yaml too; write it under shared in both", id, n, other))
				continue
			}
			owner[n] = id
		}
	}
	return errors.Join(out...)
}
