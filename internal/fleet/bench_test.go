package fleet_test

import (
	"runtime"
	"testing"

	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// BenchmarkSearch plans for 100 requests a second over the whole catalog. The largest heap is that while it runs, with the
// model and the catalog in it.
func BenchmarkSearch(b *testing.B) {
	constants, err := speed.Default()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"8b", "70b", "experts"} {
		b.Run(name, func(b *testing.B) {
			q := newWorld(b, name).question(b)
			q.Estimate = fleet.By(constants)
			b.ReportAllocs()
			var r *fleet.Result
			for b.Loop() {
				r = search(b, q)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(r.Looked), "plans")
			b.ReportMetric(float64(m.HeapSys)/(1<<20), "MiB-heap")
		})
	}
}
