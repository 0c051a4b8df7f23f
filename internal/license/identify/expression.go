package identify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// Op joins the parts of an expression.
type Op string

// The operators. A leaf has none.
const (
	Leaf Op = ""
	And  Op = "AND"
	Or   Op = "OR"
)

// Expression is a declared license: one id, or several joined.
type Expression struct {
	Op        Op
	ID        string // of a leaf: catalog id where resolve knows one, else the lower-case SPDX id, else the LicenseRef
	SPDX      string // of a leaf, as SPDX writes it; "" if SPDX does not list it
	Exception string // of a leaf: what follows WITH
	Later     bool   // of a leaf: "+" was written
	Children  []Expression
}

// Resolve maps an identifier as people write it to a catalog id.
type Resolve func(string) (id string, ok bool)

// ErrNoLicense is the error for declarations that say that there is no license, or that nobody looked.
var ErrNoLicense = errors.New("names no license")

const (
	maxExpression = 4096
	maxDepth      = 50
)

// Parse reads a declared license: an SPDX expression whose identifiers may also be those that resolve knows, such as
// tags of a model hub. The error says which part is wrong.
func Parse(s string, resolve Resolve) (Expression, error) {
	if resolve == nil {
		resolve = func(string) (string, bool) { return "", false }
	}
	text := strings.TrimSpace(s)
	if text == "" {
		return Expression{}, fmt.Errorf("read license expression: it is empty: %w", ErrNoLicense)
	}
	if len(text) > maxExpression {
		return Expression{}, fmt.Errorf("read license expression: %d bytes, more than %d", len(text), maxExpression)
	}
	if id, ok := resolve(text); ok {
		return leaf(text, id), nil
	}
	switch strings.ToUpper(text) {
	case "NONE", "NOASSERTION", "UNLICENSED", "UNKNOWN", "OTHER":
		return Expression{}, fmt.Errorf("read license expression %q: %w", short(text), ErrNoLicense)
	}
	p := parser{words: split(text), resolve: resolve}
	e, err := p.either(0)
	if err == nil && p.at < len(p.words) {
		err = fmt.Errorf("%q is left over; join licenses with AND or OR", p.words[p.at])
	}
	if err != nil {
		return Expression{}, fmt.Errorf("read license expression %q: %w", short(text), err)
	}
	return e, nil
}

// IDs returns the ids of the leaves, each once, in their order.
func (e *Expression) IDs() []string {
	var ids []string
	e.walk(func(l *Expression) {
		if !slices.Contains(ids, l.ID) {
			ids = append(ids, l.ID)
		}
	})
	return ids
}

func (e *Expression) walk(visit func(*Expression)) {
	if e.Op == Leaf {
		visit(e)
		return
	}
	for i := range e.Children {
		e.Children[i].walk(visit)
	}
}

// String writes the expression as SPDX does, with ids where SPDX has none.
func (e *Expression) String() string {
	if e.Op == Leaf {
		s := e.SPDX
		if s == "" {
			s = e.ID
		}
		if e.Later {
			s += "+"
		}
		if e.Exception != "" {
			s += " WITH " + e.Exception
		}
		return s
	}
	parts := make([]string, len(e.Children))
	for i := range e.Children {
		parts[i] = e.Children[i].String()
		if e.Children[i].Op != Leaf {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, " "+string(e.Op)+" ")
}

func short(s string) string {
	if len(s) > 120 {
		return strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}

// split cuts an expression into words and brackets.
func split(s string) []string {
	s = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s)
	return strings.Fields(s)
}

type parser struct {
	words   []string
	at      int
	resolve Resolve
}

func (p *parser) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

func (p *parser) is(word string) bool {
	if !strings.EqualFold(p.peek(), word) {
		return false
	}
	p.at++
	return true
}

// either reads alternatives; AND binds closer than OR.
func (p *parser) either(depth int) (Expression, error) {
	return p.joined(Or, func() (Expression, error) {
		return p.joined(And, func() (Expression, error) { return p.part(depth) })
	})
}

func (p *parser) joined(op Op, next func() (Expression, error)) (Expression, error) {
	first, err := next()
	if err != nil {
		return first, err
	}
	parts := []Expression{first}
	for p.is(string(op)) {
		e, err := next()
		if err != nil {
			return e, err
		}
		parts = append(parts, e)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return Expression{Op: op, Children: parts}, nil
}

func (p *parser) part(depth int) (Expression, error) {
	if depth > maxDepth {
		return Expression{}, fmt.Errorf("brackets are nested more than %d deep", maxDepth)
	}
	switch w := p.peek(); {
	case w == "":
		return Expression{}, errors.New("it ends where a license is expected")
	case w == "(":
		p.at++
		e, err := p.either(depth + 1)
		if err != nil {
			return e, err
		}
		if !p.is(")") {
			return e, errors.New("a bracket is not closed")
		}
		return e, nil
	case w == ")", strings.EqualFold(w, "and"), strings.EqualFold(w, "or"), strings.EqualFold(w, "with"):
		return Expression{}, fmt.Errorf("%q stands where a license is expected", w)
	}
	return p.license()
}

// license reads one id and what WITH adds.
func (p *parser) license() (Expression, error) {
	w := p.words[p.at]
	p.at++
	e, err := p.identifier(w)
	if err != nil || !p.is("with") {
		return e, err
	}
	name := p.peek()
	p.at++
	ok, exception := spdxlicenses.IsException(name)
	switch {
	case ok:
		e.Exception = exception
	case strings.HasPrefix(name, "AdditionRef-") && len(name) > len("AdditionRef-"):
		e.Exception = name
	default:
		return e, fmt.Errorf("%q is no license exception that SPDX lists", name)
	}
	return e, nil
}

func (p *parser) identifier(w string) (Expression, error) {
	if id, ok := p.resolve(w); ok {
		return leaf(w, id), nil
	}
	if strings.HasPrefix(w, "LicenseRef-") || strings.HasPrefix(w, "DocumentRef-") {
		if !reference(w) {
			return Expression{}, fmt.Errorf("%q is no valid reference: letters, digits, dots and dashes only", w)
		}
		return Expression{ID: w}, nil
	}
	base, later := strings.CutSuffix(w, "+")
	spdx, ok := listed(base)
	if !ok {
		return Expression{}, fmt.Errorf("%q is neither an SPDX license id nor a tag that is known", w)
	}
	id := strings.ToLower(spdx)
	if known, ok := p.resolve(spdx); ok {
		id = known
	}
	return Expression{ID: id, SPDX: spdx, Later: later}, nil
}

// leaf describes an id that resolve knows.
func leaf(written, id string) Expression {
	spdx, _ := listed(written)
	if spdx == "" {
		spdx, _ = listed(id)
	}
	return Expression{ID: id, SPDX: spdx}
}

// listed returns the SPDX spelling of an id, of today's list or deprecated.
func listed(id string) (string, bool) {
	if ok, spdx := spdxexp.ActiveLicense(id); ok {
		return spdx, true
	}
	if ok, spdx := spdxlicenses.IsDeprecatedLicense(id); ok {
		return spdx, true
	}
	return "", false
}

// reference checks "LicenseRef-x" and "DocumentRef-y:LicenseRef-x".
func reference(w string) bool {
	if doc, rest, ok := strings.Cut(w, ":"); ok {
		return idString(strings.TrimPrefix(doc, "DocumentRef-")) && strings.HasPrefix(rest, "LicenseRef-") && reference(rest)
	}
	name, ok := strings.CutPrefix(w, "LicenseRef-")
	return ok && idString(name)
}

func idString(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return s != ""
}
