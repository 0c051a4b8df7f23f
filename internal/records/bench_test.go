package records

import (
	"strings"
	"testing"
)

// The flat map of 40,000 keys takes the library 9.6 seconds by itself.
func BenchmarkRefuseFlatMap(b *testing.B) {
	data := []byte(flat(40_000))
	for b.Loop() {
		if _, err := Keys("x.yaml", data); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkKeys(b *testing.B) {
	data := []byte("license: mit\nbase_model:\n- a/b\ntags:\n" + strings.Repeat("- some-tag\n", 40))
	for b.Loop() {
		if _, err := Keys("x.yaml", data); err != nil {
			b.Fatal(err)
		}
	}
}
