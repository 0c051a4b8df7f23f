// Package refit is what the commands have in common that fit constants to measurements: what they are asked, how rows are
// left out by group, and how what was found comes into the file of constants.
package refit

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/llmcheck/llmcheck/internal/tune"
)

// Asked is what the command line says.
type Asked struct {
	Update, Quick, Rows, Values bool
	on                          string
}

// Main reads the command line and runs a fit of the constants of a file, given by its path from the root of the module.
func Main(path string, run func(io.Writer, *Asked) error) {
	var a Asked
	flag.BoolVar(&a.Update, "update", false, "write "+path+" anew; run from the root of the module")
	flag.BoolVar(&a.Quick, "quick", false, "no cross-validation")
	flag.BoolVar(&a.Rows, "rows", false, "print every row with its residual, the logarithm of computed by measured")
	flag.BoolVar(&a.Values, "values", false, "print the constants as fitted")
	flag.StringVar(&a.on, "on", "", "the day that is written beside the constants; today unless given")
	flag.Parse()
	if err := run(os.Stdout, &a); err != nil {
		fmt.Fprintln(os.Stderr, "fitting:", err)
		os.Exit(1) //nolint:forbidigo // this is the main function of those commands
	}
}

// Day is the day that is written beside the constants.
func (a *Asked) Day() string {
	return cmp.Or(a.on, time.Now().UTC().Format(time.DateOnly)) //nolint:forbidigo // no answer hangs on it
}

// Refused prints how many measurements were not asked, by reason.
func Refused(out io.Writer, refused map[string]int) {
	for _, why := range slices.Sorted(maps.Keys(refused)) {
		fmt.Fprintf(out, "not asked %4d: %s\n", refused[why], why)
	}
}

// Ranges prints ranges as they were fitted.
func Ranges(out io.Writer, list []tune.Width) {
	for _, w := range list {
		fmt.Fprintf(out, "  %-10s %-8s %.3f to %.3f  n %d\n", w.Of, w.Case, w.Low, w.High, w.Rows)
	}
}

// Folds is in how many parts groups are left out.
const Folds = 6

// FoldOf is the part that a group belongs to.
func FoldOf(group string) int {
	h := fnv.New32a()
	h.Write([]byte(group))
	return int(h.Sum32()>>3) % Folds
}

// Leave visits the rows without those of each part of the groups, and the places of the rows that are left out so.
func Leave[R any](rows []R, group func(R) string, visit func(in []R, left []int)) {
	for fold := range Folds {
		var in []R
		var left []int
		for i, r := range rows {
			if FoldOf(group(r)) == fold {
				left = append(left, i)
			} else {
				in = append(in, r)
			}
		}
		if len(left) > 0 && len(in) > 0 {
			visit(in, left)
		}
	}
}

// At is a quantile of a list that is sorted and not empty.
func At(sorted []float64, q float64) float64 {
	x := q * float64(len(sorted)-1)
	i := int(x)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}
