// Package tunetest has the laws that every file of constants keeps, for tests of the packages that have one.
package tunetest

import (
	"os"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/tune"
	"github.com/llmcheck/llmcheck/internal/tune/refit"
)

// Physical fails unless every base says where its prior is from, every share is one, and no effect is beyond belief.
func Physical(t *testing.T, c *tune.Table) {
	t.Helper()
	if len(c.List()) == 0 || c.Fitted() == "" {
		t.Fatalf("%d constants, fitted on %q", len(c.List()), c.Fitted())
	}
	for i, one := range c.List() {
		switch {
		case one.Loose <= 0:
			t.Errorf("%s of %s cannot be fitted", one.Of, one.By)
		case one.By == tune.Base && one.Why == "":
			t.Errorf("the prior of %s is from nowhere", one.Of)
		case one.By == tune.Base && c.Quantity(i).Share && (one.Value <= 0.01 || one.Value > 0.999):
			t.Errorf("%s is a share of %g", one.Of, one.Value)
		case one.By != tune.Base && (one.Value < -5 || one.Value > 5):
			t.Errorf("%s of %s is %g, which is no effect but a fault", one.Of, one.By, one.Value)
		}
	}
}

// Refuses fails where a file with a fault is taken. Quantity is one without effects, share is the beginning of the line
// of one that is a share, up to the 0 of its value.
func Refuses[T any](t *testing.T, good string, parse func([]byte) (T, error), quantity, share string) {
	t.Helper()
	for name, change := range map[string][2]string{
		"a share above one":         {share + "0.", share + "1."},
		"an unknown quantity":       {"{of: " + quantity + ",", "{of: x" + quantity + ","},
		"a range without its mid":   {"low: 0.", "low: 1."},
		"a key that nobody reads":   {"seen:\n", "seen:\n- of: x\n  there: [y]\n"},
		"a quantity without a base": {"{of: " + quantity + `, by: "base"`, "{of: " + quantity + `, by: "bottom"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Errorf("%s: nothing was changed", name)
			continue
		}
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Stable fails unless what a fit writes into a file of constants is the same when it is written again.
func Stable(t *testing.T, path string, f *refit.Found, c *tune.Table) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	once, err := f.Text(string(data), c)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := f.Text(once, c)
	if err != nil {
		t.Fatal(err)
	}
	if once != twice {
		t.Error("written twice, it is another file")
	}
	if len(once) < len(data)/2 {
		t.Errorf("%d bytes are left of %d", len(once), len(data))
	}
}
