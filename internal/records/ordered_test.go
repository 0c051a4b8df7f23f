package records

import (
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

func TestOrdered(t *testing.T) {
	o := Ordered{
		{Key: "z", Value: 1},
		{Key: "a", Value: Ordered{{Key: "on", Value: "yes"}, {Key: "n", Value: []string{"1", "a b", "0x1"}}}, Comment: "two\nlines"},
		{Key: "empty", Value: Ordered{}},
	}
	const want = "z: 1\n# two\n# lines\na:\n  \"on\": \"yes\"\n  \"n\":\n    - \"1\"\n    - \"a b\"\n    - \"0x1\"\nempty: {}\n"
	got, err := Encode(o)
	if err != nil || string(got) != want {
		t.Errorf("got\n%s%v, want\n%s", got, err, want)
	}
}

// Law: any text comes back as it went in, as a key, a value, an element, and never out of a comment.
func FuzzOrdered(f *testing.F) {
	for _, s := range []string{"", "a\nb", "a\r\n", "on", "1_000", "12:30:45", "~", "a: b # c", "\t", "'\"", "\u0085\u2028", "<<", "!x", "- a", " a ", "\n\n", "0o7", "\ufeff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return
		}
		data, err := Encode(Ordered{{Key: "k", Value: s, Comment: s}, {Key: "l", Value: []string{s}}, {Key: "m", Value: Ordered{{Key: s, Value: true}}}})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			K string          `yaml:"k"`
			L []string        `yaml:"l"`
			M map[string]bool `yaml:"m"`
		}
		dec := yaml.NewDecoder(strings.NewReader(string(data)))
		dec.KnownFields(true)
		if err := dec.Decode(&got); err != nil || got.K != s || len(got.L) != 1 || got.L[0] != s || !got.M[s] {
			t.Fatalf("%q came back as %+v, %v:\n%s", s, got, err, data)
		}
	})
}
