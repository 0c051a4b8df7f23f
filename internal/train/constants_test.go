package train

import (
	"testing"

	"github.com/llmcheck/llmcheck/internal/tune/tunetest"
)

// Every base is plausible and says where its prior is from; what is an assumption says so.
func TestConstantsArePhysical(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.List()) < 40 || len(c.Widths()) < 8 || len(c.Seen()) < 10 {
		t.Fatalf("%d constants, %d ranges, %d seen", len(c.List()), len(c.Widths()), len(c.Seen()))
	}
	tunetest.Physical(t, c.Table)
}

func TestConstantsAreRefused(t *testing.T) {
	tunetest.Refuses(t, string(constantsFile), parse, "uneven", `{of: product, by: "base", value: `)
}
