package quant

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// The most that is taken from a list of a stranger.
const (
	maxNames    = 1 << 18 // with every expert named, large models have 60,000
	maxListed   = 1 << 20 // with all that name the same
	maxGlobs    = 1 << 14
	maxAnywhere = 512 // patterns that have to be tried on every tensor
	maxPattern  = 1024
)

// budget bounds the work of a description: what one comparison costs is the length of its pattern, or of its program.
type budget struct{ left int64 }

// The budget is ten times what the longest published lists need; a program above maxProgram is no name of a module.
const (
	maxWork    = 1 << 24
	maxProgram = 2048
)

var errWork = errors.New("its patterns need more comparisons than any published model does")

// take reports whether there is something left for a comparison of that cost.
func (b *budget) take(cost int) bool {
	b.left -= int64(cost)
	return b.left >= 0
}

// patterns is a list of modules as configurations write it: names, names with wildcards, and "re:" expressions. A name
// stands for the module and all below it, wherever in the tree the chain of parts occurs: "lm_head", "visual",
// "model.layers.3.mlp.gate", "gate".
type patterns struct {
	names    map[string]int64    // canonical, experts folded, with how often it was named
	starts   map[string]struct{} // the first two parts of the names, and the first
	globs    map[string][]string // by the block that they begin with
	anywhere []matcher           // all others
	memo     map[memoKey]bool    // what those without digits say
	digits   []matcher           // those of anywhere that have digits
	work     *budget
	count    int // of globs
	buf      []byte
}

// memoKey tells tensors apart as far as a pattern without digits can: blocks of a kind share the tensor, and only the
// number of digits of the block differs.
type memoKey struct {
	t      *arch.Tensor
	length int
}

type matcher func(m *module) bool

func newPatterns(work *budget) *patterns {
	return &patterns{
		work:  work,
		names: map[string]int64{}, starts: map[string]struct{}{}, globs: map[string][]string{}, memo: map[memoKey]bool{},
	}
}

// empty reports whether nothing is listed.
func (p *patterns) empty() bool {
	return len(p.names)+p.count+len(p.anywhere)+len(p.digits) == 0
}

// addAll takes the list under a key, one by one: a list may be as long as a file.
func (p *patterns) addAll(at strictjson.Value, key string) error {
	v, ok := at.Get(key)
	if !ok || v.Kind() == strictjson.Null {
		return nil
	}
	if v.Kind() != strictjson.Array {
		_, err := v.AsArray()
		return err
	}
	n := 0
	for e := range v.Elements() {
		if n++; n > maxListed {
			return fmt.Errorf("%s: more than %d modules are listed", key, maxListed)
		}
		name, err := e.AsString()
		if err != nil {
			return err
		}
		if err := p.add(name); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func (p *patterns) add(text string) error {
	switch {
	case text == "":
		return nil
	case len(text) > maxPattern:
		return fmt.Errorf("a pattern for modules has %d characters, more than %d", len(text), maxPattern)
	case strings.HasPrefix(text, "re:"):
		return p.addRegexp(text[len("re:"):])
	case strings.ContainsAny(text, "*?["):
		return p.addGlob(canonical(text))
	}
	return p.addName(canonical(text))
}

func (p *patterns) addName(name string) error {
	p.buf = fold(p.buf, name)
	if n, ok := p.names[string(p.buf)]; ok {
		p.names[string(p.buf)] = n + 1
		return nil
	}
	if len(p.names) == maxNames {
		return fmt.Errorf("more than %d modules are named", maxNames)
	}
	key := string(p.buf)
	p.names[key] = 1
	p.starts[firstTwo(key)] = struct{}{}
	return nil
}

// firstTwo is the first two parts of a name, or all of it.
func firstTwo(name string) string {
	i := strings.IndexByte(name, '.')
	if i < 0 {
		return name
	}
	if j := strings.IndexByte(name[i+1:], '.'); j >= 0 {
		return name[:i+1+j]
	}
	return name
}

func (p *patterns) addGlob(glob string) error {
	if p.count++; p.count > maxGlobs {
		return fmt.Errorf("more than %d patterns for modules", maxGlobs)
	}
	if key, ok := globStart(glob); ok {
		p.globs[key] = append(p.globs[key], glob)
		return nil
	}
	return p.addMatcher(glob, func(m *module) bool { return p.work.take(len(glob)) && below(glob, m.path) })
}

// globStart is the block that all matches of the pattern lie in. "layers.1*" also stands for layers.10, and has none.
func globStart(glob string) (string, bool) {
	head, rest, ok := strings.Cut(glob, ".")
	if !ok || strings.ContainsAny(head, "*?[") {
		return "", false
	}
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	if n == 0 || n < len(rest) && rest[n] != '.' && rest[:n] != "0" {
		return "", false
	}
	return glob[:len(head)+1+n], true
}

// below reports whether the pattern stands for the module or one that holds it.
func below(glob, path string) bool {
	return matchGlob(glob, path) || matchGlob(glob+".*", path)
}

// addRegexp takes an expression, which is tried from the start of the name as Python's re.match does.
func (p *patterns) addRegexp(text string) error {
	f, err := expression(text, p.work)
	if err != nil {
		return fmt.Errorf("pattern re:%s for modules: %w", text, err)
	}
	return p.addMatcher(text, f)
}

// expression is a regular expression on the name of a module, in each of the spellings that quantizers know it by.
func expression(text string, work *budget) (matcher, error) {
	cost, err := program(text)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile("^(?:" + text + ")")
	if err != nil {
		return nil, err
	}
	return func(m *module) bool {
		if !work.take(cost) {
			return false
		}
		path := strings.ReplaceAll(m.path, "*", "0")
		for _, prefix := range []string{"", "model.", "model.language_model.", "language_model.model.", "language_model."} {
			if re.MatchString(prefix + path) {
				return true
			}
		}
		return re.MatchString(strings.ReplaceAll(strings.TrimSuffix(m.name.String(), ".weight"), "*", "0"))
	}, nil
}

// program is how many instructions the expression compiles to, which bounds what one comparison costs.
func program(text string) (int, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, err
	}
	compiled, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 0, err
	}
	if n := len(compiled.Inst); n > maxProgram {
		return 0, fmt.Errorf("it has %d instructions, more than %d", n, maxProgram)
	}
	return len(compiled.Inst), nil
}

func (p *patterns) addMatcher(text string, f matcher) error {
	if len(p.anywhere)+len(p.digits) == maxAnywhere {
		return fmt.Errorf("more than %d patterns that fit modules of all blocks", maxAnywhere)
	}
	if strings.ContainsAny(text, "0123456789") {
		p.digits = append(p.digits, f)
		return nil
	}
	p.anywhere = append(p.anywhere, f)
	return nil
}

// match is how many of the copies of the tensor the list names: none, all, or some.
func (p *patterns) match(m *module) int64 {
	if p.general(m) || p.wild(m) {
		return m.t.Copies.N
	}
	n := p.named(m.path)
	for _, o := range others(m.last()) {
		n = max(n, p.named(m.path[:len(m.path)-len(m.last())]+o))
	}
	return min(n, m.t.Copies.N)
}

// has reports whether the list names all copies.
func (p *patterns) has(m *module) bool { return p.match(m) == m.t.Copies.N }

func (p *patterns) wild(m *module) bool {
	key, ok := stack(m.path)
	if !ok {
		return false
	}
	for _, g := range p.globs[key] {
		if p.work.take(len(g)) && below(g, m.path) {
			return true
		}
	}
	return false
}

func (p *patterns) general(m *module) bool {
	for _, f := range p.digits {
		if f(m) {
			return true
		}
	}
	if len(p.anywhere) == 0 {
		return false
	}
	key := memoKey{m.t, len(m.path)}
	hit, ok := p.memo[key]
	if !ok {
		for _, f := range p.anywhere {
			if hit = f(m); hit {
				break
			}
		}
		p.memo[key] = hit
	}
	return hit
}

// named is how often a chain of parts of the name stands in the list; a chain that holds the experts as a whole counts
// as all of them.
func (p *patterns) named(path string) int64 {
	if len(p.names) == 0 {
		return 0
	}
	for from := 0; ; {
		if n := p.chain(path[from:]); n > 0 {
			return n
		}
		i := strings.IndexByte(path[from:], '.')
		if i < 0 {
			return 0
		}
		from += i + 1
	}
}

func (p *patterns) chain(path string) int64 {
	two := firstTwo(path)
	_, ok := p.starts[two]
	if !ok {
		one, _, _ := strings.Cut(two, ".")
		return p.whole(one)
	}
	for end := len(path); end >= 0; end = strings.LastIndexByte(path[:end], '.') {
		if n := p.whole(path[:end]); n > 0 {
			return n
		}
	}
	return 0
}

// whole is the count of a name; without the star of experts it stands for all copies.
func (p *patterns) whole(name string) int64 {
	n := p.names[name]
	if n > 0 && !strings.Contains(name, "*") {
		return 1 << 62
	}
	return n
}

// matchGlob is Python's fnmatch: * for any run, ? for one character, [..] for a set. It goes back to the last star only,
// so that no pattern costs more than the product of the lengths.
func matchGlob(glob, name string) bool {
	g, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		if g < len(glob) && glob[g] == '*' {
			star, mark = g, n
			g++
			continue
		}
		if width, ok := one(glob[min(g, len(glob)):], name[n]); ok {
			g += width
			n++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		g, n = star+1, mark
	}
	return strings.Trim(glob[g:], "*") == ""
}

// one matches the first element of the pattern, and gives its length.
func one(glob string, c byte) (int, bool) {
	switch {
	case glob == "":
		return 0, false
	case glob[0] == '?':
		return 1, true
	case glob[0] == '[':
		if end := strings.IndexByte(glob[1:], ']'); end > 0 {
			return end + 2, inSet(glob[1:1+end], c)
		}
	}
	return 1, glob[0] == c
}

func inSet(set string, c byte) bool {
	set, not := strings.CutPrefix(set, "!")
	hit := false
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			hit = hit || set[i] <= c && c <= set[i+2]
			i += 2
			continue
		}
		hit = hit || set[i] == c
	}
	return hit != not
}
