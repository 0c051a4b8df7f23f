package bench

import (
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// amount is the number under a path of keys, 0 if there is none. It is never negative.
func amount(v strictjson.Value, path ...string) (float64, error) {
	at, ok := v.Get(path...)
	if !ok || at.Kind() == strictjson.Null {
		return 0, nil
	}
	x, err := at.AsFloat()
	switch {
	case err != nil:
		return 0, err
	case x < 0:
		return 0, at.Errorf("is %g, want 0 or more", x)
	case x > math.MaxFloat32:
		return 0, at.Errorf("is %g, which nobody has measured", x)
	}
	return x, nil
}

// figure is a number that was measured: one that is 0 was not, and is noted with its key.
func (f *File) figure(v strictjson.Value, path ...string) (float64, error) {
	x, err := amount(v, path...)
	if at, ok := v.Get(path...); ok && err == nil && x == 0 && at.Kind() == strictjson.Number {
		f.skip(at, "%s is 0, so it was not measured", at.Path())
	}
	return x, err
}

// length is a mean number of tokens.
func length(v strictjson.Value, path ...string) (int64, error) {
	x, err := amount(v, path...)
	if err != nil {
		return 0, err
	}
	if x > mostTokens {
		at, _ := v.Get(path...)
		return 0, at.Errorf("is %g tokens, want at most %d", x, int64(mostTokens))
	}
	return int64(math.Round(x)), nil
}

// number is a count that fits in an int.
func number(v strictjson.Value, path ...string) (int, error) {
	x, err := amount(v, path...)
	if err != nil {
		return 0, err
	}
	if x > 1<<30 || x != math.Trunc(x) {
		at, _ := v.Get(path...)
		return 0, at.Errorf("is %g, want a count", x)
	}
	return int(x), nil
}

// said is the text under a path, "" if there is none or it is something else.
func said(v strictjson.Value, path ...string) string {
	at, ok := v.Get(path...)
	if !ok || at.Kind() != strictjson.String {
		return ""
	}
	s, err := at.AsString()
	if err != nil || len(s) > mostText {
		return ""
	}
	return strings.TrimSpace(s)
}

// first is the first text that one of the paths has.
func first(v strictjson.Value, paths ...[]string) string {
	for _, p := range paths {
		if s := said(v, p...); s != "" {
			return s
		}
	}
	return ""
}
