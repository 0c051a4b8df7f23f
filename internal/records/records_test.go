package records

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/units"
)

type record struct {
	ID      string            `yaml:"id"`
	Users   units.Count       `yaml:"users,omitempty"`
	Cost    *units.Money      `yaml:"cost,omitempty"`
	Checked evidence.Date     `yaml:"checked,omitempty"`
	Layers  int               `yaml:"layers,omitempty"`
	Share   float64           `yaml:"share,omitempty"`
	Open    bool              `yaml:"open,omitempty"`
	Names   []string          `yaml:"names,omitempty"`
	Parts   []part            `yaml:"parts,omitempty"`
	ByName  map[string]part   `yaml:"by_name,omitempty"`
	Words   map[string]string `yaml:"words,omitempty"`
}

type part struct {
	Clause string `yaml:"clause"`
	N      *int   `yaml:"n,omitempty"`
}

func TestDecode(t *testing.T) {
	const text = `
id: 1.0            # text stays as written
users: 700_000_000
cost: 20M USD
checked: 2026-11-24
layers: 32
share: 1
names: [a, 5]
parts:
- {clause: "1(b)", n: 3}
by_name:
  x: {clause: "2"}
words: {on: "yes"}
`
	want := record{
		ID: "1.0", Users: 700_000_000, Cost: &units.Money{Amount: 20e6, Currency: "USD"}, Checked: evidence.Date{Year: 2026, Month: 11, Day: 24},
		Layers: 32, Share: 1, Names: []string{"a", "5"}, Parts: []part{{"1(b)", new(3)}}, ByName: map[string]part{"x": {Clause: "2"}},
		Words: map[string]string{"on": "yes"},
	}
	var got record
	if err := Decode("x.yaml", []byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // each begins a line of the error
	}{
		{"empty", "", []string{"x.yaml: reading YAML: the file is empty"}},
		{"comments only", "# nothing\n", []string{"x.yaml"}},
		{"null", "null\n", []string{"x.yaml:1: reading YAML: want keys and values"}},
		{"a list", "- id: x\n", []string{"x.yaml:1: "}},
		{"no YAML", "id: [\n", []string{"x.yaml: reading YAML: line 1"}},
		{"unknown key", "id: x\nlicence: mit\n", []string{`x.yaml:2: unknown key "licence", want one of by_name, checked`}},
		{"unknown key below", "id: x\nparts:\n- clause: a\n  m: 1\n", []string{`x.yaml:4: unknown key "m", want one of clause, n`}},
		{"unknown key in a map", "id: x\nby_name:\n  y: {m: 1}\n", []string{`x.yaml:3: unknown key "m"`}},
		{"key in other letters", "ID: x\n", []string{`x.yaml:1: unknown key "ID"`}},
		{"key twice", "id: x\nid: y\n", []string{"x.yaml:2: "}},
		{"key twice below", "id: x\nby_name:\n  y: {clause: a}\n  y: {clause: b}\n", []string{"x.yaml:4: "}},
		{"several faults", "id: x\na: 1\nlayers: many\nchecked: soon\nusers: few\nb: 2\n", []string{
			`x.yaml:2: unknown key "a"`, "x.yaml:3: ", `x.yaml:4: date "soon"`, `x.yaml:5: "few" is not a number`, `x.yaml:6: unknown key "b"`,
		}},
		{"a word where a list belongs", "id: x\nnames: a\n", []string{"x.yaml:2: "}},
		{"list where a word belongs", "id: [x]\n", []string{"x.yaml:1: "}},
		{"fraction for an integer", "id: x\nlayers: 5.0\n", []string{"x.yaml:2: want a whole number"}},
		{"exponent for an integer", "id: x\nlayers: 1e3\n", []string{"x.yaml:2: want a whole number"}},
		{"hexadecimal", "id: x\nlayers: 0x10\n", []string{"x.yaml:2: want a whole number"}},
		{"octal of old", "id: x\nlayers: 010\n", []string{"x.yaml:2: want a whole number"}},
		{"integer behind a pointer", "id: x\nparts: [{clause: a, n: 1e0}]\n", []string{"x.yaml:2: want a whole number"}},
		{"infinite", "id: x\nshare: .inf\n", []string{"x.yaml:2: want a number"}},
		{"no number", "id: x\nshare: .nan\n", []string{"x.yaml:2: want a number"}},
		{"too large a number", "id: x\nshare: 1e400\n", []string{"x.yaml:2: "}},
		{"yes for true", "id: x\nopen: yes\n", []string{"x.yaml:2: want true or false"}},
		{"second document", "id: x\n---\nid: y\n", []string{"x.yaml: reading YAML: more than one document"}},
		{"second document that is broken", "id: x\n---\n[\n", []string{"x.yaml: reading YAML: more than one document"}},
		{"alias", "id: &a x\nnames: [*a]\n", []string{"x.yaml:1: reading YAML: anchors", "x.yaml:2: reading YAML: anchors"}},
		{"merge key", "id: x\nby_name: {y: {<<: {clause: a}}}\n", []string{"x.yaml:2: reading YAML: tag or key !!merge"}},
		{"foreign tag", "id: !ruby/object x\n", []string{"x.yaml:1: reading YAML: tag or key !ruby/object"}},
		{"binary", "id: !!binary eA==\n", []string{"x.yaml:1: reading YAML: tag or key !!binary"}},
		{"key that is a list", "[a]: x\n", []string{"x.yaml:1: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v record
			err := Decode("x.yaml", []byte(tt.text), &v)
			if err == nil {
				t.Fatalf("decoded as %+v", v)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("%d faults, want %d:\n%v", len(lines), len(tt.want), err)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("fault %d is %q, want %q", i, lines[i], want)
				}
			}
		})
	}
}

// What is hostile is refused, and soon: the library alone needs minutes for some of these.
func TestLimits(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"40,000 keys", flat(40_000)},
		{"250,000 keys", flat(250_000)},
		{"20 times 10,000 keys", many(20, 10_000)},
		{"200 times 1,000 keys in the budget of values only", many(200, 1_000)},
		{"two million values", "a: [" + strings.Repeat("1,", 2_000_000) + "1]"},
		{"a million lines", "a:\n" + strings.Repeat("- 1\n", 1_000_000)},
		{"deep in brackets", "a: " + strings.Repeat("[", 100_000)},
		{"deep in brackets, closed", "a: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000)},
		{"deep by indentation", indented(1_500)},
		{"alias bomb", bomb(9)},
		{"merge bomb", mergeBomb(9)},
		{"alias of itself", "a: &a [*a]\n"},
		{"alias of itself in a map", "a: &a\n  b: *a\n"},
		{"too many bytes", "a: " + strings.Repeat("x", maxBytes)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			var v map[string]any
			_, err1 := Front("x.yaml", []byte(tt.text))
			_, err2 := Keys("x.yaml", []byte(tt.text))
			err3 := Decode("x.yaml", []byte(tt.text), &v)
			if d := time.Since(start); d > 3*budget {
				t.Errorf("three readings took %v", d)
			}
			for _, err := range []error{err1, err2, err3} {
				if err == nil || !strings.HasPrefix(err.Error(), "x.yaml:") || len(err.Error()) > 10_000 {
					t.Errorf("error %.200v", err)
				}
			}
		})
	}
}

func flat(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%07d: 1\n", i)
	}
	return b.String()
}

func many(maps, keys int) string {
	var b strings.Builder
	for i := range maps {
		fmt.Fprintf(&b, "m%d:\n", i)
		for j := range keys {
			fmt.Fprintf(&b, " k%d: 1\n", j)
		}
	}
	return b.String()
}

func indented(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%*sa:\n", i, "")
	}
	return b.String()
}

func bomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range n {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

func mergeBomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 {x: 1}\n")
	for i := range n {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

func TestFront(t *testing.T) {
	got, err := Front("README.md", []byte("license: mit\ntags: &t [a, 1]\nmore: *t\nn: 1.5\nb: true\nz:\nx: !foo bar\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"license": "mit", "tags": []any{"a", 1}, "more": []any{"a", 1}, "n": 1.5, "b": true, "z": nil, "x": "bar"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, empty := range []string{"", "# nothing\n"} {
		if got, err := Front("README.md", []byte(empty)); err != nil || len(got) > 0 {
			t.Errorf("%q is %v, %v", empty, got, err)
		}
	}
	for _, bad := range []string{"words\n", "- a\n", "a: 1\na: 2\n", "a: [\n", "a: 1\n---\nb: 1\n", "{[a]: 1}\n"} {
		if got, err := Front("README.md", []byte(bad)); err == nil {
			t.Errorf("%q is %v, want an error", bad, got)
		}
	}
}

func TestKeys(t *testing.T) {
	got, err := Keys("README.md", []byte("license: &l 1.0\nlist:\n- *l\n- no\n- null\n- ''\nnothing:\nempty: []\nodd: [a, {b: c}]\nbin: !!binary eA==\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Key{
		"license": {Line: 1, Values: []Value{{"1.0", 1}}},
		"list":    {Line: 2, Values: []Value{{"1.0", 1}, {"no", 4}}},
		"nothing": {Line: 7},
		"empty":   {Line: 8},
		"odd":     {Line: 9, Values: []Value{{"a", 9}}, Odd: true},
		"bin":     {Line: 10, Odd: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoad(t *testing.T) {
	named := func(id string, v *record) error {
		if v.ID != id {
			return fmt.Errorf("id is %q, want %q", v.ID, id)
		}
		return nil
	}
	fsys := fstest.MapFS{
		"good/a.yaml": {Data: []byte("id: a\n")}, "good/b.yaml": {Data: []byte("id: b\n")}, "good/README.md": {},
		"bad/a.yaml": {Data: []byte("id: b\n")}, "bad/b.yaml": {Data: []byte("idd: b\n")}, "bad/c.yaml": {Data: []byte("id: c\n")},
		"none/a.yml": {Data: []byte("id: a\n")},
	}
	got, err := Load(fsys, "good", named)
	if err != nil || len(got) != 2 || got["a"].ID != "a" || got["b"].ID != "b" {
		t.Errorf("good: %v, %v", got, err)
	}
	_, err = Load(fsys, "bad", named)
	if err == nil || !strings.Contains(err.Error(), "bad/a.yaml:1: id is") || !strings.Contains(err.Error(), "bad/b.yaml:1: unknown key") {
		t.Errorf("bad: %v", err)
	}
	if _, err := Load(fsys, "none", named); err == nil || !strings.Contains(err.Error(), "no file *.yaml") {
		t.Errorf("none: %v", err)
	}
	if _, err := Load(fsys, "missing", named); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := One(fsys, "good/z.yaml", "z", named); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one: %v", err)
	}
}

// budget is how long a reading may take, whatever the text: ten times what it takes, for machines that do other things too.
const budget = 4 * time.Second

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"id: x\nusers: 700M\ncost: 1 USD\nchecked: 2026-11-24\nparts: [{clause: a, n: 3}]\nby_name: {x: {clause: b}}\n",
		"id: &a x\nnames: [*a]\n", "? [a]\n: x\n", "id: !!binary eA==\n", "a: &a [*a]\n", "<<: {id: x}\n", "id: |\n  a\n  b\n", "\xff\xfei\x00", "%YAML 1.1\n---\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		var v record
		if err := Decode("x.yaml", data, &v); err != nil {
			if !strings.HasPrefix(err.Error(), "x.yaml:") {
				t.Fatalf("an error without its file: %v", err)
			}
		}
		if d := time.Since(start); d > budget {
			t.Fatalf("took %v", d)
		}
	})
}

func FuzzFront(f *testing.F) {
	for _, s := range []string{
		"license: mit\nbase_model: [a/b]\n", "a: &a [x]\nb: *a\n", "x: !!binary eA==\n", "a: &a [*a]\n", bomb(3), mergeBomb(3), "{a: 1, b: [c, {d: e}]}", "? a\n: b\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		m, err := Front("x.yaml", data)
		keys, err2 := Keys("x.yaml", data)
		if d := time.Since(start); d > 2*budget {
			t.Fatalf("took %v", d)
		}
		for _, err := range []error{err, err2} {
			if err != nil && !strings.HasPrefix(err.Error(), "x.yaml:") {
				t.Fatalf("an error without its file: %v", err)
			}
		}
		if err != nil || err2 != nil {
			return
		}
		// Both readings know the same texts.
		for k, v := range m {
			if s, ok := v.(string); ok && s != "" && !keys[k].Odd && (len(keys[k].Values) != 1 || keys[k].Values[0].Text != s) {
				t.Fatalf("key %q: Front gives %q, Keys %+v", k, s, keys[k])
			}
		}
	})
}
