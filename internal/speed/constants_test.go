package speed

import (
	"strings"
	"testing"
)

// Every base is plausible, described, and says where its prior is from; no sum of effects leaves what is physical.
func TestConstantsArePhysical(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.List()) < 50 || c.Fitted() == "" || len(c.Widths()) < 5 || len(c.Seen()) < 20 {
		t.Fatalf("%d constants, fitted on %q, %d ranges, %d seen", len(c.List()), c.Fitted(), len(c.Widths()), len(c.Seen()))
	}
	for i, one := range c.List() {
		k := c.Quantity(i)
		switch {
		case one.Loose <= 0:
			t.Errorf("%s of %s cannot be fitted", one.Of, one.By)
		case one.By == "base" && one.Why == "":
			t.Errorf("the prior of %s is from nowhere", one.Of)
		case one.By == "base" && strings.HasSuffix(one.Of, "_time") && (one.Value <= 1e-7 || one.Value > 1):
			t.Errorf("%s takes %g s", one.Of, one.Value)
		case one.By == "base" && k.Share && (one.Value <= 0.01 || one.Value > 0.999):
			t.Errorf("%s is a share of %g", one.Of, one.Value)
		case one.By != "base" && (one.Value < -5 || one.Value > 5):
			t.Errorf("%s of %s is %g, which is no effect but a fault", one.Of, one.By, one.Value)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(constantsFile)
	for name, change := range map[string][2]string{
		"a share above one":         {"by: \"base\", value: 0.8", "by: \"base\", value: 1.8"},
		"an unknown quantity":       {"{of: skew,", "{of: skewed,"},
		"a range without its mid":   {"low: 0.", "low: 1."},
		"a key that nobody reads":   {"seen:\n", "seen:\n- of: x\n  there: [y]\n"},
		"a quantity without a base": {"{of: skew, by: \"base\"", "{of: skew, by: \"bottom\""},
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
