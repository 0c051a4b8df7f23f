package hardware_test

import (
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

func TestPerDevice(t *testing.T) {
	board := hardware.Accelerator{
		Devices: 2, MemoryGB: 128, VisibleMiB: 65000, BandwidthGBs: 3277, Watts: 560, LinkGBs: 350, DenseTFLOPS: map[string]float64{"bf16": 383},
	}
	one := board.PerDevice()
	if one.Devices != 1 || one.MemoryGB != 64 || one.VisibleMiB != 65000 || one.BandwidthGBs != 1638.5 || one.Watts != 280 || one.DenseTFLOPS["bf16"] != 191.5 {
		t.Errorf("%+v", one)
	}
	if board.DenseTFLOPS["bf16"] != 383 {
		t.Error("the board itself was changed")
	}
	if again := one.PerDevice(); again != one {
		t.Error("one device is not itself")
	}
}
