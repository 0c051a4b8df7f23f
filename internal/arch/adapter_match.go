package arch

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// The most that is believed of the lists of an adapter, each of which is asked about every tensor.
const (
	maxPattern  = 4 << 10
	maxPatterns = 64
	maxNames    = 1 << 14
)

// matcher reports whether the name of a module is meant; nil means none.
type matcher func(module string) bool

func (m matcher) match(module string) bool { return m != nil && m(module) }

// matcher reads which modules a key means: those whose name is or ends in one of a list, or matches a pattern whole, or
// "all-linear"; nil where it is absent.
func (a *adapter) matcher(key string) matcher {
	v, ok := a.values.Get(key)
	switch {
	case !ok || v.Kind() == strictjson.Null:
		return nil
	case v.Kind() == strictjson.String:
		return a.patternOf(key, v)
	}
	names := make(map[string]bool)
	for _, n := range a.list(key) {
		names[n] = true
	}
	if len(names) == 0 {
		return nil
	}
	return func(module string) bool {
		for rest, more := module, true; more; _, rest, more = strings.Cut(rest, ".") {
			if names[rest] {
				return true
			}
		}
		return false
	}
}

// patternOf reads a pattern. One that only Python reads is no fault of the file: it then means all that it may mean.
func (a *adapter) patternOf(key string, v strictjson.Value) matcher {
	text, err := v.AsString()
	a.fail(err)
	all := key != "exclude_modules"
	if key == "target_modules" && strings.EqualFold(text, "all-linear") {
		a.linear = true
		return func(string) bool { return true }
	}
	re, ok := a.compile(key, text, `^(?:`+text+`)$`)
	if !ok {
		a.linear = a.linear || key == "target_modules"
		return func(string) bool { return all }
	}
	return re.MatchString
}

func (a *adapter) compile(key, text, pattern string) (*regexp.Regexp, bool) {
	if len(text) > maxPattern {
		a.fail(fmt.Errorf("%s has a pattern of %d bytes, more than %d", key, len(text), maxPattern))
		return nil, false
	}
	re, err := regexp.Compile(pattern)
	if err != nil && !slices.Contains(a.unread, key) {
		a.unread = append(a.unread, key)
	}
	return re, err == nil
}

// list are the names under a key, of which one alone may be no list; none where it is absent.
func (a *adapter) list(key string) []string {
	v, ok := a.values.Get(key)
	switch {
	case !ok || v.Kind() == strictjson.Null:
		return nil
	case v.Kind() == strictjson.String:
		name, err := v.AsString()
		a.fail(err)
		return []string{name}
	}
	names, _, err := a.values.Strings(key)
	a.fail(err)
	most := maxNames
	if key == "modules_to_save" {
		most = maxPatterns
	}
	if len(names) > most {
		a.fail(fmt.Errorf("%s lists %d names, more than %d", key, len(names), most))
		return nil
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// readLayers reads which blocks are changed. That holds for lists of modules; a pattern names its layers itself.
func (a *adapter) readLayers() {
	a.inLayers = func(string) bool { return true }
	target, _ := a.values.Get("target_modules")
	v, ok := a.values.Get("layers_to_transform")
	if !ok || v.Kind() == strictjson.Null || target.Kind() != strictjson.Array {
		return
	}
	var numbers []uint64
	var err error
	if v.Kind() == strictjson.Array {
		numbers, _, err = a.values.Uints("layers_to_transform")
	} else {
		numbers = make([]uint64, 1)
		numbers[0], err = v.AsUint()
	}
	a.fail(err)
	wanted := make(map[uint64]bool)
	for _, n := range numbers {
		wanted[n] = true
	}
	stacks := a.list("layers_pattern")
	a.inLayers = func(block string) bool {
		name, n, ok := blockNumber(block)
		return ok && wanted[n] && (len(stacks) == 0 || slices.Contains(stacks, name))
	}
}

// blockNumber takes the prefix of a block apart: model.layers.12. is number 12 of layers.
func blockNumber(block string) (stack string, n uint64, ok bool) {
	parts := strings.Split(strings.TrimSuffix(block, "."), ".")
	for i := len(parts) - 1; i > 0; i-- {
		if n, err := strconv.ParseUint(parts[i], 10, 32); err == nil {
			return parts[i-1], n, true
		}
	}
	return "", 0, false
}

// rankPattern are the ranks of modules that have one of their own. Of several that mean a module the first counts.
type rankPattern struct {
	names    map[string]orderedRank
	patterns []ranked
	least    Dim // where a pattern could not be read: whatever it means has no more than this
}

type orderedRank struct {
	rank  Dim
	order int
}

type ranked struct {
	orderedRank
	pattern *regexp.Regexp
}

func (r *rankPattern) of(module string, otherwise Dim) Dim {
	best := orderedRank{otherwise, maxNames}
	for rest, more := module, true; more; _, rest, more = strings.Cut(rest, ".") {
		if o, ok := r.names[rest]; ok && o.order < best.order {
			best = o
		}
	}
	for _, p := range r.patterns {
		if p.order < best.order && p.pattern.MatchString(module) {
			best = p.orderedRank
		}
	}
	if best.rank.N < r.least.N {
		return r.least
	}
	return best.rank
}

// readRanks reads rank_pattern: each key matches a name or, from a dot on, its end.
func (a *adapter) readRanks() {
	a.ranks = &rankPattern{names: make(map[string]orderedRank)}
	v, ok := a.values.Get("rank_pattern")
	if !ok || v.Kind() == strictjson.Null {
		return
	}
	list, err := v.AsObject()
	a.fail(err)
	if err != nil || list.Len() > maxNames {
		a.fail(fmt.Errorf("rank_pattern has more than %d entries", maxNames))
		return
	}
	for key, v := range list.Members() {
		n, err := v.AsInt()
		a.fail(err)
		a.believable("a rank in rank_pattern", n)
		a.addRank(key, orderedRank{number(n), len(a.ranks.names) + len(a.ranks.patterns)})
	}
}

func (a *adapter) addRank(key string, r orderedRank) {
	if plainName(key) {
		a.ranks.names[key] = r
		return
	}
	if len(a.ranks.patterns) == maxPatterns {
		a.fail(fmt.Errorf("rank_pattern has more than %d patterns", maxPatterns))
		return
	}
	re, ok := a.compile("rank_pattern", key, `^(?:.*\.)?(?:`+key+`)$`)
	switch {
	case ok:
		a.ranks.patterns = append(a.ranks.patterns, ranked{r, re})
	case r.rank.N > a.ranks.least.N:
		a.ranks.least = r.rank
	}
}

// plainName reports whether a key is the name of a module, in which a dot is a dot.
func plainName(key string) bool {
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}
