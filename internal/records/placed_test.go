package records

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const placedText = `id: acme
offers:
- {card: a, usd: [1]}
- card: b
  usd: [2]
link:
  gb_s: 1
measurements:
  - id: "x y"
    value: 1
    gpu: z
`

func TestPlaced(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"a key":                       {errors.New("id \"acme\": want another"), "r.yaml:1: id \"acme\": want another"},
		"a key below":                 {errors.New("link.gb_s 1: too little"), "r.yaml:7: link.gb_s 1: too little"},
		"an element on a line":        {errors.New("offers: number 1: usd: bad"), "r.yaml:3: offers: number 1: usd: bad"},
		"an element on several":       {errors.New("offers: number 2: usd: bad"), "r.yaml:5: offers: number 2: usd: bad"},
		"a key that an element lacks": {errors.New("offers: number 2: date is missing"), "r.yaml:4: offers: number 2: date is missing"},
		"no such element":             {errors.New("offers: number 9: usd: bad"), "r.yaml:2: offers: number 9: usd: bad"},
		"no such number":              {errors.New("offers: number 99999999999999999999: x"), "r.yaml:2: offers: number 99999999999999999999: x"},
		"a count is no element":       {errors.New("offers: 2 are too many"), "r.yaml:2: offers: 2 are too many"},
		"the singular of a list":      {errors.New(`measurement 1, "x": gpu z: unknown`), `r.yaml:11: measurement 1, "x": gpu z: unknown`},
		"no key":                      {errors.New("checked is missing"), "r.yaml: checked is missing"},
		"nothing":                     {errors.New(""), "r.yaml: "},
		"joined":                      {errors.Join(errors.New("id x"), errors.New("link x")), "r.yaml:1: id x\nr.yaml:6: link x"},
		"joined behind a word": {
			fmt.Errorf("offers: number 2: %w", errors.Join(errors.New("card x"), errors.New("usd x"))),
			"r.yaml:4: offers: number 2: card x\nr.yaml:5: offers: number 2: usd x",
		},
		"wraps two in a sentence": {fmt.Errorf("id: %w and %w", fs.ErrExist, fs.ErrClosed), "r.yaml:1: id: file already exists and file already closed"},
	} {
		got := placed("r.yaml", []byte(placedText), row.err)
		if diff := cmp.Diff(row.want, got.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !errors.Is(got, row.err) && strings.Count(row.want, "\n") == 0 {
			t.Errorf("%s: the fault is not wrapped", name)
		}
	}
}

func TestPlacedWithoutFile(t *testing.T) {
	fault := errors.New("id x")
	for name, fsys := range map[string]fstest.MapFS{"none": {}, "no YAML": {"r.yaml": {Data: []byte("id: [")}}, "empty": {"r.yaml": {}}, "list": {"r.yaml": {Data: []byte("- id")}}} {
		if got := Placed(fsys, "r.yaml", fault); got.Error() != "r.yaml: id x" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if err := Placed(fstest.MapFS{}, "r.yaml", nil); err != nil {
		t.Error(err)
	}
}

// Law: whatever a fault says and a file holds, the fault is told whole behind the name.
func FuzzPlaced(f *testing.F) {
	f.Add(placedText, "offers: number 2: usd: x")
	f.Add("a: {b: [c]}", "a.b number 1 \"")
	f.Fuzz(func(t *testing.T, text, fault string) {
		got := placed("r.yaml", []byte(text), errors.New(fault)).Error()
		if !strings.HasPrefix(got, "r.yaml:") || !strings.HasSuffix(got, ": "+fault) {
			t.Fatalf("%q of %q", got, fault)
		}
	})
}
