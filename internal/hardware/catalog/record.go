package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/hardware"
)

// Record is an accelerator as it is written in a file.
type Record struct {
	ID      string   `yaml:"id" json:"id"`
	Name    string   `yaml:"name" json:"name"`
	Aliases []string `yaml:"aliases,omitempty" json:"aliases,omitzero"` // names that mean this record and no other
	Shared  []string `yaml:"shared,omitempty" json:"shared,omitzero"`   // names that others bear too: "A100"
	Common  bool     `yaml:"common,omitempty" json:"common,omitzero"`   // of those that share a name and have the same memory, this one is meant
	Vendor  string   `yaml:"vendor" json:"vendor"`
	Arch    string   `yaml:"arch" json:"arch"`
	Compute string   `yaml:"compute,omitempty" json:"compute,omitzero"`
	Year    int      `yaml:"year,omitempty" json:"year,omitzero"`

	MemoryGB   float64  `yaml:"memory_gb" json:"memory_gb"`
	UsableMiB  float64  `yaml:"usable_mib" json:"usable_mib"`
	VisibleMiB float64  `yaml:"visible_mib" json:"visible_mib"`
	Derived    []string `yaml:"derived,flow,omitempty" json:"derived,omitzero"` // of usable_mib and visible_mib, those that nobody reported
	Unified    bool     `yaml:"unified,omitempty" json:"unified,omitzero"`
	Options    []option `yaml:"memory_options,omitempty" json:"memory_options,omitzero"`
	Devices    int      `yaml:"devices,omitempty" json:"devices,omitzero"`

	Bandwidth  float64            `yaml:"bandwidth_gb_s" json:"bandwidth_gb_s"`
	Dense      map[string]float64 `yaml:"dense_tflops,flow" json:"dense_tflops"`
	MatmulBF16 float64            `yaml:"matmul_bf16_tflops,omitempty" json:"matmul_bf16_tflops,omitzero"`
	Supports   map[string]bool    `yaml:"supports,flow" json:"supports"`
	Watts      float64            `yaml:"watts,omitempty" json:"watts,omitzero"`

	Link       link `yaml:"link,flow,omitempty" json:"link,omitzero"`
	PCIe       pcie `yaml:"pcie,flow,omitempty" json:"pcie,omitzero"`
	MaxPerNode int  `yaml:"max_per_node,omitempty" json:"max_per_node,omitzero"`

	Note      string            `yaml:"note,omitempty" json:"note,omitzero"`
	Sources   []evidence.Source `yaml:"sources,omitempty" json:"sources,omitzero"`
	Unsourced bool              `yaml:"unsourced,omitempty" json:"unsourced,omitzero"` // at least one figure was seen in no source
	Checked   evidence.Date     `yaml:"checked" json:"checked"`
}

type option struct {
	GB         float64 `yaml:"memory_gb" json:"memory_gb"`
	VisibleMiB float64 `yaml:"visible_mib" json:"visible_mib"`
}

type link struct {
	Type string  `yaml:"type" json:"type"`
	GBs  float64 `yaml:"gb_s_one_way,omitempty" json:"gb_s_one_way,omitzero"` // all links of one device together
	All  int     `yaml:"joins,omitempty" json:"joins,omitzero"`               // devices of several machines that it joins alike
}

type pcie struct {
	Gen   int `yaml:"gen" json:"gen"`
	Lanes int `yaml:"lanes" json:"lanes"`
}

func (r *Record) accelerator() *hardware.Accelerator {
	a := &hardware.Accelerator{
		ID: r.ID, Name: r.Name, Aliases: slices.Concat(r.Aliases, r.Shared), Vendor: r.Vendor, Arch: r.Arch, Compute: r.Compute,
		Year: r.Year, MemoryGB: r.MemoryGB, UsableMiB: r.UsableMiB, VisibleMiB: r.VisibleMiB, Derived: len(r.Derived) > 0,
		Unified: r.Unified, Devices: r.Devices, BandwidthGBs: r.Bandwidth, DenseTFLOPS: r.Dense, MatmulBF16: r.MatmulBF16,
		Supports: r.Supports, Watts: r.Watts, Link: r.Link.Type, LinkGBs: r.Link.GBs, Joined: r.Link.All, PCIeGen: r.PCIe.Gen, PCIeLanes: r.PCIe.Lanes,
		MaxPerNode: r.MaxPerNode, Note: r.Note, Sources: r.Sources, Unsourced: r.Unsourced, Checked: r.Checked,
	}
	for _, o := range r.Options {
		a.Sizes = append(a.Sizes, hardware.Memory(o))
	}
	return a
}

// sized is the accelerator with one of the sizes of memory that it is sold with.
func (r *Record) sized(o option) *hardware.Accelerator {
	a := r.accelerator()
	size := plain(o.GB) + "GB"
	a.ID, a.Name = r.ID+"-"+fold(size), r.Name+" "+size
	a.MemoryGB, a.UsableMiB, a.VisibleMiB = o.GB, o.VisibleMiB, o.VisibleMiB
	return a
}

// smallest is what a name without a size means: whoever has more memory can say so, and whoever has less is not told that
// a model fits. The second value says so.
func (r *Record) smallest() (*hardware.Accelerator, string) {
	if len(r.Options) == 0 {
		return r.accelerator(), ""
	}
	a := r.sized(r.Options[0])
	if len(r.Options) == 1 {
		return a, ""
	}
	return a, fmt.Sprintf("%s is sold with %s: the smallest is assumed; name another as %s-%sgb",
		r.Name, r.sizes(), r.ID, plain(r.Options[len(r.Options)-1].GB))
}

// larger are the sizes above the smallest.
func (r *Record) larger() []*hardware.Accelerator {
	var list []*hardware.Accelerator
	for i := 1; i < len(r.Options); i++ {
		list = append(list, r.sized(r.Options[i]))
	}
	return list
}

func (r *Record) sizes() string {
	if len(r.Options) == 0 {
		return plain(r.MemoryGB) + " GB"
	}
	all := make([]string, len(r.Options))
	for i, o := range r.Options {
		all[i] = plain(o.GB)
	}
	return strings.Join(all, ", ") + " GB"
}

// withSize finds the device for a size of memory that somebody named.
func (r *Record) withSize(gb float64) (*hardware.Accelerator, bool) {
	for _, o := range r.Options {
		if o.GB == gb {
			return r.sized(o), true
		}
	}
	if len(r.Options) > 0 || r.MemoryGB != gb {
		return nil, false
	}
	return r.accelerator(), true
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
