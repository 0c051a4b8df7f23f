package main

import (
	"os"
	"syscall"
)

// peakBytes is the largest resident memory of an ended process; Linux counts it in KiB.
func peakBytes(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return u.Maxrss << 10
}
