package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain text stays", "meta-llama/Llama-3.1-8B (übung, 流れ, 🦙)", "meta-llama/Llama-3.1-8B (übung, 流れ, 🦙)"},
		{"nothing", "", ""},
		{"color", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"a link of a terminal", "\x1b]8;;https://x\x07y", `\x1b]8;;https://x\x07y`},
		{"C1 introducer", "\u009b31m", `\x9b31m`},
		{"delete", "a\x7f", `a\x7f`},
		{"right to left override", "\u202egpj.exe", `\u202egpj.exe`},
		{"zero width", "a\u200bb\u2060c\ufeff", `a\u200bb\u2060c\ufeff`},
		{"soft hyphen", "a\u00adb", `a\xadb`},
		{"variation selector", "a\ufe0f\U000e0101", `a\ufe0f\U000e0101`},
		{"tag characters", "\U000e0041", `\U000e0041`},
		{"a filler that looks like nothing", "\u3164\u2800", `\u3164\u2800`},
		{"line ends", "a\r\nb\u2028c", `a\r\nb\u2028c`},
		{"tab", "a\tb", `a\tb`},
		{"invalid UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"a command", "::error::x", `:\:error::x`},
		{"a command after blanks", "  ::error::x", `  :\:error::x`},
		{"a command after no-break space", "\u00a0::error::x", "\u00a0" + `:\:error::x`},
		{"a command that a line break would make", "see ::error::x", `see :\:error::x`},
		{"an address stays", "dial tcp [::1]:443, std::vector", "dial tcp [::1]:443, std::vector"},
		{"a group", "a##[group]b", `a#\#[group]b`},
		{"a command of Azure Pipelines", "##vso[task.setvariable]x", `#\#vso[task.setvariable]x`},
		{"a command of TeamCity", "##teamcity[x]", `#\#teamcity[x]`},
		{"more signs", "####[x", `###\#[x`},
		{"a heading stays", "## Terms [1]", "## Terms [1]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"lines and tabs stay", "a\n\tb\r\nc", "a\n\tb\nc"},
		{"a carriage return alone would overwrite", "a\rb", `a\rb`},
		{"every line is looked at", "a\n ::error::x\n##[group]", "a\n " + `:\:error::x` + "\n" + `#\#[group]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHiddenCoversFormat: no format character of Unicode gets through, nor any that takes no room by its nature.
func TestHiddenCoversFormat(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if (unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Noncharacter_Code_Point,
			unicode.Bidi_Control)) && !Hidden(r) {
			t.Errorf("%U gets through", r)
		}
	}
	for _, r := range "aé流🦙 \u00a0\u0301-#[" {
		if Hidden(r) {
			t.Errorf("%q does not", r)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "::a", "##[b", "\x1b[0m", "a\r\nb", "\xff\xfe", "\u202e ::x", "#\ufeff#[", ":\u200b:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		safe(t, Line(s))
		if got := Line(s); strings.ContainsAny(got, "\n\t") {
			t.Errorf("%q holds a line end or a tab", got)
		}
		text := Text(s)
		for line := range strings.SplitSeq(text, "\n") {
			safe(t, strings.ReplaceAll(line, "\t", " "))
		}
		if len(text) > 10*len(s) || len(Line(s)) > 10*len(s) {
			t.Errorf("%d bytes grew to %d", len(s), len(text))
		}
		if again := Line(Line(s)); again != Line(s) {
			t.Errorf("not stable: %q, then %q", Line(s), again)
		}
	})
}

// safe checks what every caller relies on.
func safe(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Errorf("%q is not UTF-8", line)
	}
	for _, r := range line {
		if Hidden(r) {
			t.Errorf("%q holds %U", line, r)
		}
	}
	for word := range strings.FieldsSeq(line) {
		if strings.HasPrefix(word, "::") {
			t.Errorf("%q may become a command", line)
		}
	}
	if i := strings.Index(line, "##"); i >= 0 && command(line[i+1:]) {
		t.Errorf("%q holds a command", line)
	}
}
