package speed

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/tune/tunetest"
)

// Every base is plausible, described, and says where its prior is from; no sum of effects leaves what is physical.
func TestConstantsArePhysical(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.List()) < 50 || len(c.Widths()) < 5 || len(c.Seen()) < 20 {
		t.Fatalf("%d constants, %d ranges, %d seen", len(c.List()), len(c.Widths()), len(c.Seen()))
	}
	tunetest.Physical(t, c.Table)
	for _, one := range c.List() {
		if one.By == "base" && strings.HasSuffix(one.Of, "_time") && (one.Value <= 1e-7 || one.Value > 1) {
			t.Errorf("%s takes %g s", one.Of, one.Value)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tunetest.Refuses(t, string(constantsFile), parse, "skew", `by: "base", value: `)
}
