// Package hardware describes accelerators as software sees them: what the driver reports, not what a leaflet says.
package hardware

import "github.com/llmcheck/llmcheck/internal/evidence"

// Accelerator is one device. Peaks are dense, without structured sparsity; bandwidths are decimal.
type Accelerator struct {
	ID      string
	Name    string
	Aliases []string // as people and nvidia-smi write it
	Vendor  string   // nvidia, amd, apple, intel, google, aws
	Arch    string
	Compute string // compute capability; "" for other makers
	Year    int

	MemoryGB  float64 // as sold
	UsableMiB float64 // as the driver reports; of a unified memory, what the GPU may take by default
	Derived   bool    // UsableMiB is not a driver's figure but MemoryGB with the ratio of its kin
	Unified   bool    // the CPU uses the same memory

	BandwidthGBs float64
	DenseTFLOPS  map[string]float64 // by number format: fp32, tf32, bf16, fp16, fp8, int8 (TOPS), fp4
	MatmulBF16   float64            // the best matrix product that somebody measured, TFLOPS; 0 if nobody did
	Supports     map[string]bool    // bf16, fp8, fp4
	Watts        float64

	Link       string  // nvlink4, xgmi, pcie ...
	LinkGBs    float64 // one direction, all links of one device; 0 is PCIe only
	PCIeGen    int
	PCIeLanes  int
	MaxPerNode int

	Note    string
	Sources []string
	Checked evidence.Date
}

// Usable is the memory that the driver reports, in bytes.
func (a *Accelerator) Usable() int64 { return int64(a.UsableMiB * (1 << 20)) }
