package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

func parse(t *testing.T, text string, dictionaries ...string) strictjson.Value {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 0, dictionaries...)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return v
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	var many strings.Builder
	for i := range 1000 {
		many.WriteString(`"k` + strconv.Itoa(i) + `":0,`)
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "line 1: the text ends where a value should be; the file may be cut"},
		{"blanks", " \n\n", "line 3: the text ends where a value should be; the file may be cut"},
		{"equal keys", "{\"license\":\n1,\"license\":2}", `line 2: the key "license" appears twice, first in line 1`},
		{"equal keys, one escaped", `{"license":1,"l\u0069cense":2}`, `line 1: the key "license" appears twice`},
		{"keys in two cases", `{"hidden_size":1,"HIDDEN_SIZE":2}`, `line 1: the keys "hidden_size" and "HIDDEN_SIZE" differ by case only`},
		{"long s", `{"hidden_size":1,"hidden_ſize":2}`, `line 1: the keys "hidden_size" and "hidden_ſize" differ by case only`},
		{"kelvin", `{"k":1,"` + "\u212a" + `":2}`, `line 1: the keys "k" and "` + "\u212a" + `" differ by case only`},
		{"equal keys of many", `{` + many.String() + `"k7":0}`, `line 1: the key "k7" appears twice`},
		{"near keys of many", `{` + many.String() + `"K7":0}`, `line 1: the keys "k7" and "K7" differ by case only`},
		{"nested", "{\"a\":\n {\"b\":1,\"b\":2}}", `line 2: the key "b" appears twice`},
		{"depth", deep, "line 1: nested deeper than 64 levels"},
		{"depth without an end", strings.Repeat(`{"a":`, 1<<20), "line 1: nested deeper than 64 levels"},
		{"two values", "{}\n{}", "line 2: something follows after the end of the value"},
		{"NUL after the end", "{}\x00", "line 1: something follows after the end of the value"},
		{"not UTF-8", "{\n\"a\": \"\xff\"}", "line 2: is not valid UTF-8"},
		{"byte order mark", "\ufeff{}", "line 1: begins with a byte order mark; save it as UTF-8 without one"},
		{"half a surrogate pair", `["\ud800"]`, `line 1: "\\ud800" is no escape of a character`},
		{"two high surrogates", `["\ud800\ud800"]`, `line 1: "\\ud800\\ud800" is no escape of a character`},
		{"unknown escape", `["\x41"]`, `line 1: "\\x41" is no escape of a character`},
		{"sign in an escape", `["\u+123"]`, `line 1: "\\u+123" is no escape of a character`},
		{"control character", "[\"a\nb\"]", "line 1: control character 0x0a in a string"},
		{"open string", `["abc`, "line 1: the text ends within a string"},
		{"open object", `{"a":1`, "line 1: the text ends where a comma or '}' should be; the file may be cut"},
		{"trailing comma", `[1,]`, "line 1: ']' where a value should be"},
		{"trailing comma in an object", `{"a":1,}`, "line 1: '}' where a key should be"},
		{"missing comma", `[1 2]`, `line 1: '2' where a comma or ']' should be`},
		{"missing colon", `{"a" 1}`, `line 1: '1' where a colon should be`},
		{"key without quotes", `{a:1}`, `line 1: 'a' where a key should be`},
		{"comment", `/* */ {}`, `line 1: '/' where a value should be`},
		{"leading zero", `[01]`, "line 1: a number with a leading zero"},
		{"plus", `[+1]`, `line 1: '+' where a value should be`},
		{"point", `[1.]`, "line 1: '1' where a number should be"},
		{"exponent", `[1e]`, "line 1: '1' where a number should be"},
		{"hexadecimal", `[0x10]`, `line 1: 'x' where a comma or ']' should be`},
		{"word", `[True]`, `line 1: 'T' where a value should be`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := strictjson.Parse(strings.NewReader(c.text), 0)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	if _, err := strictjson.Parse(strings.NewReader(`[1]`), 3); err != nil {
		t.Errorf("a text as long as the limit: %v", err)
	}
	_, err := strictjson.Parse(strings.NewReader(`[12]`), 3)
	if want := "longer than 3 bytes: too large to read"; !errors.Is(err, strictjson.ErrTooLarge) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = strictjson.Parse(strings.NewReader("["+strings.Repeat("0,", strictjson.MaxValues)+"0]"), 0)
	if !errors.Is(err, strictjson.ErrTooLarge) {
		t.Errorf("many values: got %v", err)
	}
	if _, err = strictjson.Parse(iotest.ErrReader(io.ErrNoProgress), 0); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that fails: got %v", err)
	}
}

func TestDictionary(t *testing.T) {
	text := `{"label2id":{"a":0,"A":1}}`
	if _, err := strictjson.Parse(strings.NewReader(text), 0); err == nil {
		t.Error("keys of fields that differ by case were accepted")
	}
	v := parse(t, text, "label2id")
	labels, _, _ := v.Object("label2id")
	if diff := cmp.Diff([]string{"a", "A"}, labels.Keys()); diff != "" {
		t.Error(diff)
	}
	if _, err := strictjson.Parse(strings.NewReader(`{"label2id":{"a":0,"a":1}}`), 0, "label2id"); err == nil {
		t.Error("equal keys of a dictionary were accepted")
	}
	if _, err := strictjson.Parse(strings.NewReader(`{"label2id":{"x":{"a":0,"A":1}}}`), 0, "label2id"); err == nil {
		t.Error("the exception reached into the dictionary's values")
	}
}

func TestGetters(t *testing.T) {
	v := parse(t, `{
	"z": "last letter first",
	"n": 9007199254740993,
	"neg": -3,
	"max": 18446744073709551615,
	"half": 0.5,
	"limit": [0.0, Infinity],
	"yes": true,
	"none": null,
	"esc": "a\n\u00e9\ud83d\ude00\"\\\/",
	"list": ["x", "y"],
	"ints": [1, 2],
	"in": {"a.b": {"c": [10, {"d": 1e400}]}}
}`)
	if got := v.Keys(); !slices.Equal(got, []string{"z", "n", "neg", "max", "half", "limit", "yes", "none", "esc", "list", "ints", "in"}) {
		t.Errorf("keys %q", got)
	}
	type answer struct {
		Value any
		OK    bool
		Error string
	}
	get := func(value any, ok bool, err error) answer {
		a := answer{Value: value, OK: ok}
		if err != nil {
			a.Error = err.Error()
		}
		return a
	}
	of := func(name string, got, want answer) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	call := func(f func(string) (uint64, bool, error), key string) answer {
		n, ok, err := f(key)
		return get(n, ok, err)
	}
	n, ok, err := v.Int("n")
	of("integer above 2^53", get(n, ok, err), answer{int64(9007199254740993), true, ""})
	n, ok, err = v.Int("neg")
	of("negative", get(n, ok, err), answer{int64(-3), true, ""})
	n, ok, err = v.Int("max")
	of("too large for Int", get(n, ok, err), answer{
		int64(0), false,
		"line 5: max is 18446744073709551615, out of range, want an integer in -9223372036854775808 ... 9223372036854775807",
	})
	of("largest Uint", call(v.Uint, "max"), answer{uint64(1<<64 - 1), true, ""})
	of("negative Uint", call(v.Uint, "neg"), answer{uint64(0), false, "line 4: neg is -3, want an integer that is not negative"})
	of("fraction", call(v.Uint, "half"), answer{uint64(0), false, "line 6: half is 0.5, want an integer"})
	of("string for integer", call(v.Uint, "z"), answer{uint64(0), false, `line 2: z is "last letter first", want a number`})
	of("array for integer", call(v.Uint, "list"), answer{uint64(0), false, `line 11: list is an array, want a number`})
	of("null", call(v.Uint, "none"), answer{uint64(0), false, ""})
	of("absent", call(v.Uint, "N"), answer{uint64(0), false, ""})
	s, ok, err := v.String("esc")
	of("escapes", get(s, ok, err), answer{"a\né😀\"\\/", true, ""})
	b, ok, err := v.Bool("yes")
	of("boolean", get(b, ok, err), answer{true, true, ""})
	f, ok, err := v.Float("half")
	of("number", get(f, ok, err), answer{0.5, true, ""})
	list, ok, err := v.Strings("list")
	of("strings", get(list, ok, err), answer{[]string{"x", "y"}, true, ""})
	list, ok, err = v.Strings("ints")
	of("strings of numbers", get(list, ok, err), answer{[]string(nil), false, "line 12: ints[0] is 1, want a string"})
	limits, _, _ := v.Array("limit")
	f, err = limits[1].AsFloat()
	of("infinity", get(f, true, err), answer{0.0, true, "line 7: limit[1] is Infinity, want a finite number"})
	in, _ := v.Get("in", "a.b", "c")
	elements, _ := in.AsArray()
	_, _, err = elements[1].Int("d")
	of("1e400 and path", get(0, false, err), answer{0, false, `line 13: in["a.b"].c[1].d is 1e400, want an integer`})
	_, _, err = elements[0].Int("d")
	of("member of a number", get(0, false, err), answer{0, false, `line 13: in["a.b"].c[0] is 10, want an object`})
	if got := in.Line(); got != 13 {
		t.Errorf("line %d, want 13", got)
	}
	if _, ok := v.Get("in", "nothing", "c"); ok {
		t.Error("Get followed an absent key")
	}
}

func TestZeroValue(t *testing.T) {
	var v strictjson.Value
	if v.Kind() != strictjson.Null || v.Len() != 0 || v.Path() != "" || v.Raw() != "null" || v.Keys() != nil {
		t.Error("the zero Value is not null")
	}
	if _, _, err := v.Uint("a"); err == nil {
		t.Error("the zero Value has members")
	}
}

// Escaped keys keep their place: the line and the name of the member come from the raw token.
func TestEscapedKey(t *testing.T) {
	v := parse(t, "{\"x\":1,\n\"\\\"q\\\\\":\n2}")
	m, ok := v.Get(`"q\`)
	if !ok || m.Line() != 2 || m.Path() != `["\"q\\"]` {
		t.Errorf("ok %v, line %d, path %s", ok, m.Line(), m.Path())
	}
}

func TestPublishedConfigs(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t), "corpus", "configs", "*.json"))
	if len(files) == 0 {
		t.Fatal("no config.json in the corpus")
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := strictjson.Parse(f, 0); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
		f.Close()
	}
}

// shared finds the corpus beside the repository; its absence skips the test.
func shared(t *testing.T) string {
	t.Helper()
	dir, _ := os.Getwd()
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no corpus beside the repository")
	}
	return dir
}

// hostile are texts of the given size, each dear in its own way.
func hostile(size int) map[string]string {
	keys, deep := &strings.Builder{}, &strings.Builder{}
	keys.WriteString("{")
	for i := 0; keys.Len() < size-32; i++ {
		keys.WriteString(`"` + strconv.Itoa(i) + `":0,`)
	}
	keys.WriteString(`"":0}`)
	deep.WriteString("[")
	for deep.Len() < size-200 {
		deep.WriteString(strings.Repeat("[", 62) + strings.Repeat("]", 62) + ",")
	}
	deep.WriteString("0]")
	return map[string]string{
		"keys":    keys.String(),
		"deep":    deep.String(),
		"numbers": "[" + strings.Repeat("1,", strictjson.MaxValues-8) + "1]",
		"string":  `"` + strings.Repeat("a", size-2) + `"`,
		"escapes": `"` + strings.Repeat(`\u0041`, size/6-2) + `"`,
		"blanks":  strings.Repeat("\n", size-2) + "{}",
		"digits":  strings.Repeat("1", size),
	}
}

func TestCost(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("measures memory and time of the largest inputs")
	}
	for name, text := range hostile(16 << 20) {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			got := allocated(func() {
				if _, err := strictjson.Parse(strings.NewReader(text), 0); err != nil && !errors.Is(err, strictjson.ErrTooLarge) {
					t.Error(err)
				}
			})
			t.Logf("%v, %d MiB allocated", time.Since(start).Round(time.Millisecond), got>>20)
			if got > 450<<20 {
				t.Errorf("%d MiB allocated", got>>20)
			}
		})
	}
}

// allocated is how many bytes f allocates in all, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func BenchmarkParse(b *testing.B) {
	for name, text := range hostile(16 << 20) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = strictjson.Parse(strings.NewReader(text), 0)
			}
		})
	}
}

// What we accept, encoding/json accepts too, with the same value; and it costs no more memory than its size allows.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `0`, `-0.5e+10`, `"a\u00e9\ud83d\ude00"`, `{"a":{"b":[1,2,{"c":null}]},"d":true}`, `{"a":1,"A":2}`,
		`{"a":1,"a":2}`, `[NaN,Infinity,-Infinity]`, "\ufeff{}", `["\ud800"]`, `{"k\"\\":1}`, " [ 1 , 2 ] \n",
		strings.Repeat("[", 70), `[01]`, `{"a":1,}`, "\"\x00\"", `{"":{"":{"":0}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v strictjson.Value
		var err error
		got := allocated(func() { v, err = strictjson.Parse(bytes.NewReader(data), 1<<20) })
		if most := uint64(256<<10 + 100*len(data)); got > most {
			t.Errorf("%d bytes allocated for %d", got, len(data))
		}
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		walk(t, v)
		if hasPythonNumber(v) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		if diff := cmp.Diff(want, generic(v)); diff != "" {
			t.Errorf("encoding/json reads another value (-json +ours):\n%s", diff)
		}
	})
}

// walk checks the laws of places: Get finds each member, and paths differ.
func walk(t *testing.T, v strictjson.Value) {
	t.Helper()
	for key, member := range v.Members() {
		if got, ok := v.Get(key); !ok || got != member {
			t.Errorf("Get(%q) is not the member", key)
		}
		if member.Line() < v.Line() || member.Path() == v.Path() {
			t.Errorf("member %q at line %d path %q of line %d path %q", key, member.Line(), member.Path(), v.Line(), v.Path())
		}
		walk(t, member)
	}
	n := 0
	for e := range v.Elements() {
		n++
		walk(t, e)
	}
	if v.Kind() == strictjson.Array && n != v.Len() {
		t.Errorf("%d elements, Len %d", n, v.Len())
	}
}

func hasPythonNumber(v strictjson.Value) bool {
	for _, m := range v.Members() {
		if hasPythonNumber(m) {
			return true
		}
	}
	for e := range v.Elements() {
		if hasPythonNumber(e) {
			return true
		}
	}
	return v.Kind() == strictjson.Number && strings.ContainsAny(v.Raw(), "NIy")
}

func generic(v strictjson.Value) any {
	switch v.Kind() {
	case strictjson.Null:
		return nil
	case strictjson.Bool:
		b, _ := v.AsBool()
		return b
	case strictjson.Number:
		return json.Number(v.Raw())
	case strictjson.String:
		s, _ := v.AsString()
		return s
	case strictjson.Array:
		list := []any{}
		for e := range v.Elements() {
			list = append(list, generic(e))
		}
		return list
	default:
		object := map[string]any{}
		for k, m := range v.Members() {
			object[k] = generic(m)
		}
		return object
	}
}
