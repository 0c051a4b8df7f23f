package queue

import "testing"

func BenchmarkSimulate(b *testing.B) {
	for _, c := range []struct {
		name string
		load Load
	}{
		{"closed64", closedLoop(64)}, {"closed256", closedLoop(256)}, {"open20", openLoop(20, 1)}, {"full", openLoop(29, 1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.load.Requests, c.load.Warmup = 10_000, 500
			b.ReportAllocs()
			for b.Loop() {
				Simulate(server(), c.load, seeded(1))
			}
		})
	}
}

func BenchmarkSteady(b *testing.B) {
	for _, c := range []struct {
		name string
		load Load
	}{
		{"closed", closedLoop(64)}, {"open", openLoop(20, 1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Steady(server(), c.load)
			}
		})
	}
}

func BenchmarkWithin(b *testing.B) {
	for _, c := range []struct {
		name string
		load Load
	}{
		{"closed", closedLoop(1)}, {"open", openLoop(1, 1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Within(server(), c.load, 0.1, 0.03)
			}
		})
	}
}
