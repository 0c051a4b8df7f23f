package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/printable"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		n    int
		want []string
	}{
		{"nothing is one empty line", "", 10, []string{""}},
		{"it fits", "ten column", 10, []string{"ten column"}},
		{"at a blank", "eleven colum", 10, []string{"eleven", "colum"}},
		{"blanks are one", "a   b\t c", 10, []string{"a b c"}},
		{"a long word is cut", "abcdefghijklmn", 5, []string{"abcde", "fghij", "klmn"}},
		{"a long word begins a line", "ab cdefghij kl", 5, []string{"ab", "cdefg", "hij", "kl"}},
		{"wide characters take two columns", "流れモデル", 4, []string{"流れ", "モデ", "ル"}},
		{"a wide character does not straddle the edge", "流れモデル", 5, []string{"流れ", "モデ", "ル"}},
		{"combining characters stay together", "e\u0301e\u0301e\u0301", 2, []string{"e\u0301e\u0301", "e\u0301"}},
		{"a cut makes no command", "abcd::error::x", 4, []string{"abcd", `:\:e`, "rror", `:\:x`}},
		{"no room at all", "ab", 0, []string{"ab"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.in, tt.n)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	for _, s := range []string{"", "a b", "流れモデル利用許諾契約", strings.Repeat("::", 50), "👩‍👩‍👧‍👦 family", "e" + strings.Repeat("\u0301", 50)} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 2 + (n%200+200)%200
		in := printable.Line(s)
		for _, line := range wrap(in, n) {
			if width(line) > n {
				t.Errorf("%q has %d columns, want %d", line, width(line), n)
			}
			if strings.HasPrefix(line, "::") || !utf8.ValidString(line) {
				t.Errorf("%q is not safe", line)
			}
		}
		kept := func(s string) string {
			return strings.NewReplacer(" ", "", `\`, "").Replace(strings.Join(strings.Fields(s), ""))
		}
		if got := strings.Join(wrap(in, n), ""); kept(got) != kept(in) {
			t.Errorf("%q became %q", in, got)
		}
	})
}

// TestWrapLongWord: a long word takes about as much time a letter as a short one. It would take minutes if it
// were measured anew for every line.
func TestWrapLongWord(t *testing.T) {
	for _, unit := range []string{"I", "流", "e\u0301", "::", "👩‍👩‍👧‍👦"} {
		word := strings.Repeat(unit, 1<<17/len(unit))
		lines := wrap(word, 64)
		for _, l := range lines {
			if width(l) > 64 {
				t.Fatalf("%q has %d columns", l, width(l))
			}
		}
		if got := strings.ReplaceAll(strings.Join(lines, ""), `\`, ""); got != word {
			t.Errorf("%q is not whole", unit)
		}
	}
}

func BenchmarkWrap(b *testing.B) {
	s := strings.Repeat("No rights until the licensor agrees, 流れモデル利用許諾契約. ", 50)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		wrap(s, 64)
	}
}
