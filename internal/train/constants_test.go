package train

import (
	"strings"
	"testing"
)

// Every base is plausible and says where its prior is from; what is an assumption says so.
func TestConstantsArePhysical(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.List()) < 40 || c.Fitted() == "" || len(c.Widths()) < 8 || len(c.Seen()) < 10 {
		t.Fatalf("%d constants, fitted on %q, %d ranges, %d seen", len(c.List()), c.Fitted(), len(c.Widths()), len(c.Seen()))
	}
	for i, one := range c.List() {
		share := c.Quantity(i).Share
		switch {
		case one.Loose <= 0:
			t.Errorf("%s of %s cannot be fitted", one.Of, one.By)
		case one.By == "base" && one.Why == "":
			t.Errorf("the prior of %s is from nowhere", one.Of)
		case one.By == "base" && share && (one.Value <= 0.01 || one.Value > 0.999):
			t.Errorf("%s is a share of %g", one.Of, one.Value)
		case one.By != "base" && (one.Value < -5 || one.Value > 5):
			t.Errorf("%s of %s is %g, which is no effect but a fault", one.Of, one.By, one.Value)
		}
	}
}

func TestConstantsAreRefused(t *testing.T) {
	good := string(constantsFile)
	for name, change := range map[string][2]string{
		"a share above one":         {"{of: product, by: \"base\", value: 0.", "{of: product, by: \"base\", value: 1."},
		"an unknown quantity":       {"{of: uneven,", "{of: skewed,"},
		"a range without its mid":   {"low: 0.", "low: 1."},
		"a key that nobody reads":   {"seen:\n", "seen:\n- of: x\n  there: [y]\n"},
		"a quantity without a base": {"{of: uneven, by: \"base\"", "{of: uneven, by: \"bottom\""},
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
