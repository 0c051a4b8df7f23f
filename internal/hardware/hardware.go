// Package hardware describes accelerators as software sees them: what the driver reports, not what a leaflet says.
package hardware

import "github.com/llmcheck/llmcheck/internal/evidence"

// Accelerator is one device. Peaks are dense, without structured sparsity; bandwidths are decimal. A number that is zero
// is not known.
type Accelerator struct {
	ID      string
	Name    string
	Aliases []string // as people and nvidia-smi write it
	Vendor  string   // nvidia, amd, apple, intel, google, aws; "" where only the memory is known
	Arch    string
	Compute string // compute capability; "" for other makers
	Year    int

	MemoryGB float64 // as sold
	// UsableMiB is what the driver reports, nvidia-smi for one; of a unified memory, what the GPU may take by default.
	UsableMiB float64
	// VisibleMiB is what a process is told as the total memory of the device (cudaMemGetInfo, torch). The driver keeps a
	// part for itself, so it is below UsableMiB, and the engines compute their budget from it.
	VisibleMiB float64
	Derived    bool     // UsableMiB or VisibleMiB is nobody's figure but follows from those of its kin; Note says how
	Unified    bool     // the CPU uses the same memory
	Sizes      []Memory // of what is sold with several sizes of memory: all of them, smallest first
	Devices    int      // of a board that shows as several devices: how many; VisibleMiB is of one, all else of the board

	BandwidthGBs float64
	DenseTFLOPS  map[string]float64 // by number format: fp32, tf32, bf16, fp16, fp8, int8 (TOPS), fp4
	MatmulBF16   float64            // the best matrix product that somebody measured, TFLOPS
	Supports     map[string]bool    // bf16, fp8, fp4
	Watts        float64

	Link       string  // nvlink4, xgmi, pcie ...
	LinkGBs    float64 // one direction, all links of one device; 0 is PCIe only
	Joined     int     // devices that the link joins alike, where those are of several machines; 0 is those of one
	PCIeGen    int
	PCIeLanes  int
	MaxPerNode int

	Note      string
	Sources   []evidence.Source
	Unsourced bool          // at least one figure was seen in no source
	Checked   evidence.Date // the day somebody last went through the record
}

// Memory is one of several sizes of memory that a device is sold with.
type Memory struct {
	GB         float64 // as sold
	VisibleMiB float64 // what the GPU may take of it by default
}

// Usable is the memory that a process sees as the total of the device, in bytes.
func (a *Accelerator) Usable() int64 { return int64(a.VisibleMiB * (1 << 20)) }
