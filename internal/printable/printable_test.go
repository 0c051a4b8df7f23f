package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"},
		{"accents and other scripts", "größe 模型 модель", "größe 模型 модель"},
		{"emoji", "🦙 ❤️", "🦙 ❤️"},
		{"colors", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"title of the window", "\x1b]0;x\x07", `\x1b]0;x\x07`},
		{"link and clipboard", "\x1b]8;;http://x\x1b\\y\x1b]52;c;eA==\x07", `\x1b]8;;http://x\x1b\y\x1b]52;c;eA==\x07`},
		{"C1 introducer", "\u009b31m", `\x9b31m`},
		{"C1 introducer as a byte", "\x9b31m", `\x9b31m`},
		{"DEL and backspace", "ab\x7f\b", `ab\x7f\x08`},
		{"line ends", "a\nb\r\nc\td", `a\nb\r\nc\td`},
		{"bidirectional", "\u202eexe.txt\u2066", `\u202eexe.txt\u2066`},
		{"zero width", "a\u200bb\ufeffc\u2060d", `a\u200bb\ufeffc\u2060d`},
		{"soft hyphen", "a\u00adb", `a\xadb`},
		{"separators", "a\u2028b\u2029c", `a\u2028b\u2029c`},
		{"tags", "a\U000e0041b", `a\U000e0041b`},
		{"variation selectors", "a\ufe00b\U000e0100", `a\ufe00b\U000e0100`},
		{"looks blank", "a\u3164b\u2800c", `a\u3164b\u2800c`},
		{"musical format", "a\U0001d173b", `a\U0001d173b`},
		{"no character", "a\uffffb", `a\uffffb`},
		{"broken UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"replacement character", "a\ufffdb", "a\ufffdb"},
		{"command", "::error::x", `:\:error::x`},
		{"command behind blanks", " \u00a0\u3000\u2003::set-output x", " \u00a0\u3000\u2003:\\:set-output x"},
		{"no command inside", "std::vector", "std::vector"},
		{"old command", "x ##[error]y", `x #\#[error]y`},
		{"old command, more marks", "####[x]", `###\#[x]`},
		{"command that a line break would bring to the start", "see ::error::x", `see :\:error::x`},
		{"addresses stay", "dial tcp [::1]:443", "dial tcp [::1]:443"},
		{"command of Azure Pipelines", "##vso[task.setvariable]x", `#\#vso[task.setvariable]x`},
		{"command of TeamCity", "a##teamcity[x]", `a#\#teamcity[x]`},
		{"heading", "## Terms [1]", "## Terms [1]"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"lines", "a\nb\r\nc\n", "a\nb\nc\n"},
		{"tab", "\ta", "\ta"},
		{"line overwritten", "good\rbad", `good\rbad`},
		{"command on the second line", "a\n \t::error::x", "a\n \t:\\:error::x"},
		{"command behind a line end of two bytes", "a\r\n::x", "a\n:\\:x"},
		{"colors", "a\n\x1b[2Jb", "a\n" + `\x1b[2Jb`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// No format character of Unicode gets through, nor any that is no character; of the selectors only that of emoji does.
func TestHiddenCoversUnicode(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Noncharacter_Code_Point,
			unicode.Bidi_Control) && !Hidden(r) && r != 0xfe0f {
			t.Errorf("%U gets through", r)
		}
	}
}

// Every character that is hidden becomes visible, and every other stays.
func TestEveryCharacter(t *testing.T) {
	for r := range rune(0xe1100) {
		if !utf8.ValidRune(r) || r > 0x30000 && r < 0xe0000 { // no characters, and none defined
			continue
		}
		s := "a" + string(r)
		if got := Line(s); Hidden(r) == (got == s) {
			t.Fatalf("U+%04X: hidden %v, printed %q", r, Hidden(r), got)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"::x", "\x1b[31m", "a\r\n::b", "##[x]", "\u202e", "\xff\xfe", "#\r\n#[", ":\u200b:", "\u00a0::", "\r::\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, show := range map[string]func(string) string{"Line": Line, "Text": Text} {
			got := show(s)
			if !utf8.ValidString(got) {
				t.Fatalf("%s(%q) = %q is not UTF-8", name, s, got)
			}
			for _, r := range got {
				if Hidden(r) && (name == "Line" || r != '\n' && r != '\t') {
					t.Fatalf("%s(%q) = %q contains %U", name, s, got, r)
				}
			}
			for word := range strings.FieldsSeq(got) {
				if strings.HasPrefix(word, "::") {
					t.Fatalf("%s(%q) = %q: a line break makes a command", name, s, got)
				}
			}
			for line := range strings.Lines(got) {
				if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
					t.Fatalf("%s(%q) = %q contains a command", name, s, got)
				}
			}
			if again := show(got); again != got {
				t.Fatalf("%s(%q) = %q, and once more %q", name, s, got, again)
			}
			if len(got) > 10*len(s) {
				t.Fatalf("%s(%q) is %d bytes long", name, s, len(got))
			}
		}
	})
}

func TestShort(t *testing.T) {
	for _, c := range []struct{ name, in, short, quote string }{
		{"nothing", "", "", `""`},
		{"short", "a\tb", "a\tb", `"a\tb"`},
		{"as long as may be", strings.Repeat("a", 80), strings.Repeat("a", 80), `"` + strings.Repeat("a", 80) + `"`},
		{"longer", strings.Repeat("a", 81), strings.Repeat("a", 80) + "...", `"` + strings.Repeat("a", 80) + `"...`},
		{"cut before a letter of two bytes", strings.Repeat("a", 79) + "éé", strings.Repeat("a", 79) + "...", `"` + strings.Repeat("a", 79) + `"...`},
		{"no text", strings.Repeat("\x80", 90), strings.Repeat("\x80", 76) + "...", `"` + strings.Repeat(`\x80`, 76) + `"...`},
		{"ends with dots", strings.Repeat("a", 10) + "...", "aaaaaaaaaa...", `"aaaaaaaaaa..."`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Short(c.in); got != c.short {
				t.Errorf("Short: %q, want %q", got, c.short)
			}
			if got := Quote(c.in); got != c.quote {
				t.Errorf("Quote: %s, want %s", got, c.quote)
			}
		})
	}
}
